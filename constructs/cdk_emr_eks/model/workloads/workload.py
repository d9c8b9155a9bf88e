"""The central value: a kind of Spark job, from which everything that must agree is derived."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import pairwise
from typing import Final

from cdk_emr_eks.errors import ConfigProblem, Problems
from cdk_emr_eks.field_types import check_types, hold_mappings
from cdk_emr_eks.labels import Architecture, CapacityType, SparkRole
from cdk_emr_eks.model.instances.instances import Instances, InstanceType, Resources
from cdk_emr_eks.model.instances.packing import Packing, pack, packing_problems, packing_warnings
from cdk_emr_eks.model.workloads.disruption import Disruption, DriftFreeze
from cdk_emr_eks.model.workloads.priority import (
    MIN_PRIORITY_GAP,
    priority_class_name,
    priority_classes,
    priority_problems,
)
from cdk_emr_eks.model.workloads.shapes import (
    DriverShape,
    DynamicAllocation,
    ExecutorShape,
    NodePoolLimits,
)
from cdk_emr_eks.model.workloads.spark_conf import spark_conf_problems
from cdk_emr_eks.model.workloads.storage import (
    InstanceStore,
    PersistentVolumes,
    RootVolume,
    Storage,
)
from cdk_emr_eks.model.workloads.warm_capacity import WarmCapacity, pods_of_a_room, warm_problems
from cdk_emr_eks.model.workloads.workload_rules import (
    architecture_problems,
    limit_problems,
    storage_problems,
    time_problems,
    timeout_problems,
)
from cdk_emr_eks.model.workloads.workload_warnings import (
    size_warnings,
    spot_warnings,
    volume_warnings,
)
from cdk_emr_eks.names import dns_label
from cdk_emr_eks.units import Cpu, Memory

__all__ = [
    "Disruption",
    "DriftFreeze",
    "DriverShape",
    "DynamicAllocation",
    "ExecutorShape",
    "InstanceStore",
    "NodePoolLimits",
    "PersistentVolumes",
    "RootVolume",
    "Storage",
    "Workload",
    "check_workloads",
]

MAX_NAME: Final = 20


@dataclass(frozen=True, kw_only=True, slots=True)
class Workload:
    """A kind of Spark job: where it runs, on what, how large, and with which configuration.

    Declare it once. Derived from it, and so always in agreement, are:

    - Karpenter node pools, one for each zone, role and capacity type, with their labels, taints,
      limits and disruption rules (``model.nodes.node_pool``);
    - driver and executor pod templates: node selector, tolerations, spread of drivers over zones,
      executors in the zone of their driver, priority (``model.pods.pod_template``);
    - the job configuration: shapes that fill the nodes, dynamic allocation, storage, decommission
      (``model.jobs.job_config``);
    - two priority classes, one for drivers and one for executors.

    Drivers always run on on-demand nodes. ``dataclasses.replace`` makes variants.

    Args:
        name: DNS label of at most 20 characters; part of the names of pools and priority classes.
        driver_instances: Instance types for drivers (and for EMR's job submitter).
        executor_instances: Instance types for executors.
        architectures: CPU architectures, preferred first. With two, Karpenter falls back to the
            second where the first is sold out; images must exist for both. Default arm64 only.
        executor_capacity: Spot or on-demand executors. Default on-demand.
        on_demand_fallback: Spot only: where spot is sold out, executors run on on-demand nodes in
            the zone of their driver. Default False: they wait for spot.
        storage: Where executors keep shuffle data: ``InstanceStore``, ``RootVolume`` or
            ``PersistentVolumes``. Default a root volume of 200 GiB.
        driver: Shape of the driver. Default 2 cores, memory worked out.
        executor: Shape of executors. Default 4 cores, memory worked out.
        dynamic_allocation: How many executors a job has. Default 0 to 40.
        driver_limits: Bound of each driver pool. Default 200 vCPUs, 1,600 GiB.
        executor_limits: Bound of each executor pool. Default 3,200 vCPUs, 25,600 GiB.
        per_zone: Whether each zone has pools, and so limits, of its own. Default True. With False
            one pool spans all zones; jobs stay in one zone all the same.
        priority: Scheduling priority of executors, 0 to 1,000,000; drivers have 10 more. Workloads
            with different priorities must be 100 apart. Default 1,000. Kubernetes refuses to
            change it in a cluster: deploy a workload of another name instead.
        disruption: When nodes may go. See ``Disruption``.
        job_start_timeout: How long EMR waits for a job to start, in whole seconds; it must outlast
            the start of a node. Default 30 minutes.
        node_headroom: Room kept free on each node for DaemonSets of your own, such as log or
            monitoring agents. Default 100 millicores and 256 MiB.
        warm: Nodes with room for jobs that have not come yet, so that those start at once. See
            ``WarmCapacity``. Default None: a job's first nodes are bought when it comes.
        spark_conf: Spark properties on top of the derived ones. Those that the workload derives, or
            that EMR on EKS forbids, are refused.

    Raises:
        ConfigError: With every rule that is broken: names, families that do not match the
            architectures, ``InstanceStore`` without NVMe, a shape that does not fit the smallest
            size, a fallback without spot, limits below one node, times that contradict each other,
            Spark properties that are not the user's to set.

    Example:
        >>> from cdk_emr_eks.model.instances.instances import Instances
        >>> from cdk_emr_eks.model.workloads.executor_size import executor_size
        >>> nightly = Workload(
        ...     name="nightly",
        ...     driver_instances=Instances(families=("m6g", "m7g"), sizes=("2xlarge", "4xlarge")),
        ...     executor_instances=Instances(
        ...         families=("m6gd", "m7gd", "m8gd", "r6gd", "r7gd"),
        ...         sizes=("2xlarge", "4xlarge", "8xlarge"),
        ...     ),
        ...     executor_capacity=CapacityType.SPOT,
        ...     on_demand_fallback=True,
        ...     storage=InstanceStore(),
        ... )
        >>> nightly.driver_priority_class
        'nightly-driver'
        >>> sized = executor_size(nightly)
        >>> sized.cores, sized.request_cores.kubernetes, sized.heap.spark
        (4, '3800m', '10825m')
        >>> round(sized.packing["m7gd.8xlarge"], 3)
        0.954
        >>> nightly.warnings()
        ()
    """

    name: str
    driver_instances: Instances
    executor_instances: Instances
    architectures: tuple[Architecture, ...] = (Architecture.ARM64,)
    executor_capacity: CapacityType = CapacityType.ON_DEMAND
    on_demand_fallback: bool = False
    storage: Storage = field(default_factory=RootVolume)
    driver: DriverShape = field(default_factory=DriverShape)
    executor: ExecutorShape = field(default_factory=ExecutorShape)
    dynamic_allocation: DynamicAllocation = field(default_factory=DynamicAllocation)
    driver_limits: NodePoolLimits = NodePoolLimits(
        cpu=Cpu.cores(200), memory=Memory.from_gib(1_600)
    )
    executor_limits: NodePoolLimits = NodePoolLimits(
        cpu=Cpu.cores(3_200), memory=Memory.from_gib(25_600)
    )
    per_zone: bool = True
    priority: int = 1_000
    disruption: Disruption = field(default_factory=Disruption)
    job_start_timeout: timedelta = timedelta(minutes=30)
    node_headroom: Resources = Resources(Cpu(100), Memory(256))
    warm: WarmCapacity | None = None
    spark_conf: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        check_types(f"Workload {self.name!r}", self)
        hold_mappings(self)
        problems = Problems(f"Workload {self.name!r}")
        problems.extend(dns_label("name", self.name, limit=MAX_NAME))
        problems.extend(architecture_problems(self.architectures, self._instances_by_field()))
        problems.raise_if_any()  # what follows needs instance types to reason about
        problems.extend(storage_problems(self.storage, self.executor_instances))
        for role in SparkRole:
            shape = self.driver if role is SparkRole.DRIVER else self.executor
            types, field_name = self._types(role), f"{role}_instances"
            problems.extend(
                packing_problems(
                    field_name,
                    types,
                    cores=shape.cores,
                    memory=shape.memory,
                    least=shape.least_memory,
                    headroom=self.node_headroom,
                )
            )
            problems.extend(limit_problems(f"{role}_limits", self.limits(role), types))
        rule = "must be False unless executor_capacity is spot"
        spot = self.executor_capacity is CapacityType.SPOT
        problems.require(spot or not self.on_demand_fallback, "on_demand_fallback", rule, True)
        problems.extend(time_problems(self.dynamic_allocation, self.disruption))
        problems.extend(timeout_problems("job_start_timeout", self.job_start_timeout))
        problems.extend(priority_problems("priority", self.priority))
        problems.extend(spark_conf_problems(self.spark_conf))
        problems.raise_if_any()  # shapes are worked out from what fits
        if self.warm is not None:
            for role in SparkRole:
                problems.extend(self._warm_problems(role, self.warm))
        problems.raise_if_any()

    @property
    def driver_priority_class(self) -> str:
        """Name of the priority class of drivers."""
        return priority_class_name(self.name, SparkRole.DRIVER)

    @property
    def executor_priority_class(self) -> str:
        """Name of the priority class of executors."""
        return priority_class_name(self.name, SparkRole.EXECUTOR)

    @property
    def executor_capacities(self) -> tuple[CapacityType, ...]:
        """Capacity types that executors may run on, preferred first."""
        if self.on_demand_fallback:
            return (CapacityType.SPOT, CapacityType.ON_DEMAND)
        return (self.executor_capacity,)

    @property
    def keeps_executors(self) -> bool:
        """Whether executors keep their nodes from disruption: where none of them is on spot.

        On spot they must not: Karpenter would not evict them at the spot notice, and they would die
        without handing on their data.
        """
        return CapacityType.SPOT not in self.executor_capacities

    def instances(self, role: SparkRole) -> Instances:
        """Return the instance types of one role."""
        return self.driver_instances if role is SparkRole.DRIVER else self.executor_instances

    def limits(self, role: SparkRole) -> NodePoolLimits:
        """Return the bound of each pool of one role."""
        return self.driver_limits if role is SparkRole.DRIVER else self.executor_limits

    def packing(self, role: SparkRole) -> Packing:
        """Work out what pods of one role request, so that they fill their nodes."""
        shape = self.driver if role is SparkRole.DRIVER else self.executor
        return pack(
            self._types(role),
            cores=shape.cores,
            memory=shape.memory,
            headroom=self.node_headroom,
        )

    def priority_classes(self) -> tuple[Mapping[str, object], ...]:
        """Return the two ``scheduling.k8s.io/v1`` priority classes of the workload."""
        return priority_classes(self.name, self.priority)

    def warnings(self) -> tuple[str, ...]:
        """Return what is legal but probably not meant, each as a sentence with its figures."""
        found: list[str] = []
        where = f"Workload {self.name!r}"
        if self.executor_capacity is CapacityType.SPOT:
            found.extend(spot_warnings(where, self.architectures, self.executor_instances))
        if not isinstance(self.storage, InstanceStore):
            unused = [each.name for each in self._types(SparkRole.EXECUTOR) if each.local_nvme]
            if unused:
                found.append(
                    f"{where}: {unused[0]} and others have NVMe disks that this storage leaves "
                    "unused. Choose InstanceStore() or families without disks."
                )
        for role, what in ((SparkRole.DRIVER, "drivers"), (SparkRole.EXECUTOR, "executors")):
            packing = self.packing(role)
            found.extend(packing_warnings(self.name, what, packing))
            if role is SparkRole.EXECUTOR:
                found.extend(volume_warnings(where, self.storage, packing))
        most = self.dynamic_allocation.max_executors
        found.extend(size_warnings(where, most, self.executor.cores, self.executor_limits))
        return tuple(found)

    def _warm_problems(self, role: SparkRole, warm: WarmCapacity) -> tuple[ConfigProblem, ...]:
        places = 1 if self.per_zone else len(warm.zones or (None,))
        pods = pods_of_a_room(role, self.packing(role))
        return warm_problems(role, places * warm.rooms(role), pods, self.limits(role))

    def _instances_by_field(self) -> Mapping[str, Instances]:
        return {f"{role}_instances": self.instances(role) for role in SparkRole}

    def _types(self, role: SparkRole) -> tuple[InstanceType, ...]:
        return self.instances(role).types()


def check_workloads(workloads: Sequence[Workload]) -> None:
    """Check rules between workloads: names differ, priorities are equal or 100 apart.

    Raises:
        ConfigError: If there is none, names repeat, or a driver of one passes executors of another.
    """
    problems = Problems("Workloads")
    problems.require(len(workloads) > 0, "workloads", "must have at least one: nothing could run")
    names = [each.name for each in workloads]
    for name in sorted({name for name in names if names.count(name) > 1}):
        problems.require(False, "name", "must be used once", name)
    ordered = sorted(workloads, key=lambda each: each.priority)
    for lower, upper in pairwise(ordered):
        gap = upper.priority - lower.priority
        rule = f"must equal that of {lower.name!r} or be {MIN_PRIORITY_GAP} apart from it"
        apart = gap == 0 or gap >= MIN_PRIORITY_GAP
        problems.require(
            apart,
            "priority",
            rule,
            f"{upper.name!r}: {upper.priority}",
            f"{lower.name!r} has {lower.priority}",
        )
    problems.raise_if_any()
