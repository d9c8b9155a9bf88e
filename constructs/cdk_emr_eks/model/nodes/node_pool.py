"""Karpenter NodePools: one for each workload, zone, role and capacity type."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from typing import Final

from cdk_emr_eks import labels
from cdk_emr_eks.checks import Check
from cdk_emr_eks.labels import Architecture, CapacityType, SparkRole
from cdk_emr_eks.model.instances.instances import Instances
from cdk_emr_eks.model.networks.zones import Zone, check_zones, zone_problems
from cdk_emr_eks.model.nodes.node_class import node_class_for, node_class_reference
from cdk_emr_eks.model.workloads.disruption import Disruption, go_duration
from cdk_emr_eks.model.workloads.shapes import NodePoolLimits
from cdk_emr_eks.model.workloads.storage import InstanceStore
from cdk_emr_eks.model.workloads.workload import Workload
from cdk_emr_eks.values import value

API_VERSION: Final = "karpenter.sh/v1"

# Weight of a first choice, times the rank of its architecture. A fallback has the rank alone, so
# Karpenter tries every spot pool before every on-demand pool.
_PREFERRED_WEIGHT: Final = 10

# Beginnings of labels that Karpenter or the kubelet set.
_SET_LABELS: Final = (
    *("karpenter.", "kubernetes.io/", "topology.kubernetes.io/", "node.kubernetes.io/"),
    "node-role.kubernetes.io/",
)


@value
class NodePool:
    """A Karpenter NodePool whose nodes only run drivers, or only executors, of one workload.

    Without taints it is a pool for pods that have no tolerations; see ``GatewayPool``.

    Args:
        name: DNS label.
        workload: Name of the workload, for the label and taint ``emr-eks/workload``.
        role: Drivers or executors, for the label and taint ``emr-eks/role``.
        capacity_type: Spot or on-demand. Drivers: on-demand only.
        architecture: CPU architecture.
        zones: Zones of the nodes.
        instances: Instance types; those of another architecture are left out.
        node_class: Name of the EC2NodeClass.
        limits: Limits of all nodes of the pool together.
        disruption: When Karpenter may terminate nodes. Default: ``Disruption()``.
        weight: 1 to 100; of pools that fit a pod, Karpenter tries the heaviest first. Default 10.
        local_nvme: Whether nodes must have NVMe disks. Default False.
        tainted: Whether nodes have the taints of their workload and role. Without taints they
            accept any pod, so the pool should be small. Default True.
        node_labels: Further labels of the nodes, with which pods select them. Default none.

    Raises:
        ConfigError: If a name is not a DNS label, zones are missing or repeated, the weight is out
            of range, no instance type has the architecture, drivers would be on spot, or the pool
            or Karpenter sets one of the labels.
    """

    name: str
    workload: str
    role: SparkRole
    capacity_type: CapacityType
    architecture: Architecture
    zones: tuple[Zone, ...]
    instances: Instances
    node_class: str
    limits: NodePoolLimits
    disruption: Disruption = field(default_factory=Disruption)
    weight: int = _PREFERRED_WEIGHT
    local_nvme: bool = False
    tainted: bool = True
    node_labels: Mapping[str, str] = field(default_factory=dict)

    def _rules(self, check: Check) -> None:
        check.add(zone_problems(self.zones))
        check.dns_label("name")
        check.dns_label("workload")
        check.dns_label("node_class")
        spot_driver = self.role is SparkRole.DRIVER and self.capacity_type is CapacityType.SPOT
        rule = "must be on-demand for drivers: a job dies with its driver"
        check.require(not spot_driver, "capacity_type", rule, self.capacity_type)
        check.between("weight", 1, 100)
        types = self.instances.types(self.architecture)
        families = ", ".join(self.instances.families)
        rule = f"must have a family of {self.architecture}"
        check.require(bool(types), "instances", rule, families)
        with_nvme = not self.local_nvme or all(each.local_nvme for each in types)
        check.require(with_nvme, "instances", "must all have NVMe disks for local_nvme", families)
        for key in self.node_labels:
            reserved = key in (labels.WORKLOAD, labels.ROLE) or key.startswith(_SET_LABELS)
            rule = "must not set what the pool or Karpenter sets"
            check.require(not reserved, "node_labels", rule, key)

    def manifest(self) -> Mapping[str, object]:
        """Render the ``karpenter.sh/v1`` NodePool."""
        identity = {labels.WORKLOAD: self.workload, labels.ROLE: str(self.role)}
        after = (
            self.disruption.driver_consolidate_after
            if self.role is SparkRole.DRIVER
            else self.disruption.executor_consolidate_after
        )
        return {
            "apiVersion": API_VERSION,
            "kind": "NodePool",
            "metadata": {"name": self.name, "labels": identity},
            "spec": {
                "weight": self.weight,
                "limits": {
                    "cpu": self.limits.cpu.kubernetes,
                    "memory": self.limits.memory.kubernetes,
                },
                "disruption": {
                    # Kubernetes does not reschedule Spark executors. Consolidation of underused
                    # nodes would end executors, whose work Spark computes again.
                    "consolidationPolicy": "WhenEmpty",
                    "consolidateAfter": go_duration(after),
                    "budgets": self.disruption.budgets(self.role),
                },
                "template": {
                    "metadata": {"labels": {**identity, **self.node_labels}},
                    "spec": {
                        "nodeClassRef": node_class_reference(self.node_class),
                        # Only pods with the template of the workload and role tolerate the taints.
                        "taints": [
                            {"key": key, "value": value, "effect": "NoSchedule"}
                            for key, value in (identity.items() if self.tainted else ())
                        ],
                        "expireAfter": go_duration(self.disruption.expire_after),
                        "terminationGracePeriod": go_duration(self.disruption.longest_job),
                        "requirements": self._requirements(),
                    },
                },
            },
        }

    def _requirements(self) -> tuple[Mapping[str, object], ...]:
        types = self.instances.types(self.architecture)
        families = dict.fromkeys(each.name.partition(".")[0] for each in types)
        wanted: list[tuple[str, str, tuple[str, ...]]] = [
            (labels.OPERATING_SYSTEM, "In", ("linux",)),
            (labels.ARCHITECTURE, "In", (str(self.architecture),)),
            (labels.CAPACITY_TYPE, "In", (str(self.capacity_type),)),
            (labels.ZONE, "In", tuple(zone.name for zone in self.zones)),
            (
                labels.INSTANCE_FAMILY,
                "In",
                tuple(f for f in self.instances.families if f in families),
            ),
            (labels.INSTANCE_SIZE, "In", self.instances.sizes),
        ]
        if self.local_nvme:
            wanted.append((labels.INSTANCE_LOCAL_NVME, "Gt", ("0",)))
        return tuple(
            {"key": key, "operator": operator, "values": values} for key, operator, values in wanted
        )


def node_pools(workload: Workload, zones: tuple[Zone, ...]) -> tuple[NodePool, ...]:
    """Return the pools of a workload: one for drivers and one for each capacity type of executors.

    Each zone has separate pools; with ``per_zone=False`` a pool spans all zones. Each architecture
    has separate pools.

    Raises:
        ConfigError: If there is no zone, or two zones have the same key or name.
    """
    check_zones(f"Workload {workload.name!r}", zones)
    places = [(zone,) for zone in zones] if workload.per_zone else [zones]
    return tuple(pool for place in places for pool in _pools_of_place(workload, place))


def _pools_of_place(workload: Workload, zones: tuple[Zone, ...]) -> list[NodePool]:
    choices = [(SparkRole.DRIVER, CapacityType.ON_DEMAND, _PREFERRED_WEIGHT)]
    for position, capacity in enumerate(workload.executor_capacities):
        choices.append((SparkRole.EXECUTOR, capacity, 1 if position else _PREFERRED_WEIGHT))
    return [
        _pool(workload, role, capacity, architecture, zones, base * rank)
        for role, capacity, base in choices
        for rank, architecture in enumerate(reversed(workload.architectures), start=1)
    ]


def _pool(
    workload: Workload,
    role: SparkRole,
    capacity: CapacityType,
    architecture: Architecture,
    zones: tuple[Zone, ...],
    weight: int,
) -> NodePool:
    driver = role is SparkRole.DRIVER
    parts = [workload.name, str(role)]
    if not driver:
        parts.append(str(capacity))
    if workload.per_zone:
        parts.append(zones[0].key)
    if len(workload.architectures) > 1:
        parts.append(str(architecture))
    return NodePool(
        name="-".join(parts),
        workload=workload.name,
        role=role,
        capacity_type=capacity,
        architecture=architecture,
        zones=zones,
        instances=workload.instances(role),
        node_class=node_class_for(workload, role).name,
        limits=workload.driver_limits if driver else workload.executor_limits,
        disruption=workload.disruption,
        weight=weight,
        local_nvme=not driver and isinstance(workload.storage, InstanceStore),
    )
