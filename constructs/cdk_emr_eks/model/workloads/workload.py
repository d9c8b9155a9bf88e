"""The central value: a kind of Spark job, from which pools, templates and sizes are derived."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import field
from datetime import timedelta
from itertools import pairwise
from typing import Final

from cdk_emr_eks.checks import Check
from cdk_emr_eks.errors import ConfigProblem
from cdk_emr_eks.labels import Architecture, CapacityType, SparkRole
from cdk_emr_eks.model.instances.instances import Instances, InstanceType, Resources
from cdk_emr_eks.model.instances.packing import PodPacking, pack, packing_problems, packing_warnings
from cdk_emr_eks.model.workloads.capacity_buffers import (
    CapacityBuffers,
    buffer_problems,
    buffered_pods,
)
from cdk_emr_eks.model.workloads.disruption import Disruption, DriftFreeze
from cdk_emr_eks.model.workloads.priority import (
    MAX_PRIORITY,
    MIN_PRIORITY_GAP,
    priority_class_name,
    priority_classes,
)
from cdk_emr_eks.model.workloads.rules import (
    architecture_problems,
    limit_problems,
    size_warnings,
    spot_warnings,
    storage_problems,
    storage_warnings,
    time_problems,
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
from cdk_emr_eks.units import Cpu, Memory
from cdk_emr_eks.values import value

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


@value
class Workload:
    """A kind of Spark job: where it runs, on what, how large, and with which configuration.

    Declare it once. The following are derived from it, so they always agree:

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
        driver_instances: Instance types for drivers and for EMR's job submitter.
        executor_instances: Instance types for executors.
        architectures: CPU architectures, preferred first. With two, Karpenter falls back to the
            second where the first is sold out; images must exist for both. Default arm64 only.
        executor_capacity: Spot or on-demand executors. Default on-demand.
        on_demand_fallback: Spot only: where spot is sold out, executors run on on-demand nodes in
            the zone of their driver. Default False: they wait for spot.
        storage: Where executors keep shuffle data: ``InstanceStore``, ``RootVolume`` or
            ``PersistentVolumes``. Default a root volume of 200 GiB.
        driver: Shape of the driver. Default 2 cores, memory computed.
        executor: Shape of executors. Default 4 cores, memory computed.
        dynamic_allocation: How many executors a job has. Default 0 to 40.
        driver_limits: Limits of each driver pool. Default 200 vCPUs, 1,600 GiB.
        executor_limits: Limits of each executor pool. Default 3,200 vCPUs, 25,600 GiB.
        per_zone: Whether each zone has separate pools, and so separate limits. Default True. With
            False one pool spans all zones; each job still stays in one zone.
        priority: Scheduling priority of executors, 0 to 1,000,000; drivers have 10 more. Workloads
            with different priorities must be 100 apart. Default 1,000. Kubernetes refuses to
            change it in a cluster: deploy a workload of another name instead.
        disruption: When Karpenter may terminate nodes. See ``Disruption``.
        job_start_timeout: How long EMR waits for a job to start, in whole seconds; it must outlast
            the start of a node. Default 30 minutes.
        node_headroom: CPU and memory of each node that stay free for your DaemonSets, such as log
            or monitoring agents. Default 100 millicores and 256 MiB.
        capacity_buffers: Capacity that Karpenter keeps ready, so that new jobs start at once. See
            ``CapacityBuffers``. Default None: Karpenter starts nodes when a job needs them.
        spark_conf: Spark properties on top of the derived ones. Refused are those that the
            workload derives or that EMR on EKS forbids.

    Raises:
        ConfigError: With every broken rule: names, families that do not match the
            architectures, ``InstanceStore`` without NVMe, a shape that does not fit the smallest
            size, a fallback without spot, limits below one node, times that contradict each other,
            Spark properties that a user cannot set.

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
    capacity_buffers: CapacityBuffers | None = None
    spark_conf: Mapping[str, str] = field(default_factory=dict)

    def _rules(self, check: Check) -> None:
        check.dns_label("name", limit=MAX_NAME)
        instances = {f"{role}_instances": self.instances(role) for role in SparkRole}
        check.add(architecture_problems(self.architectures, instances))
        # The rules below compare instance types of the architectures.
        check.raise_if_any()
        check.add(storage_problems(self.storage, self.executor_instances))
        for role in SparkRole:
            shape, types = self.shape(role), self._types(role)
            check.add(
                packing_problems(
                    f"{role}_instances",
                    types,
                    cores=shape.cores,
                    memory=shape.memory,
                    least=shape.least_memory,
                    headroom=self.node_headroom,
                )
            )
            check.add(limit_problems(f"{role}_limits", self.limits(role), types))
        if self.executor_capacity is not CapacityType.SPOT:
            rule = "must be False unless executor_capacity is spot"
            check.require(not self.on_demand_fallback, "on_demand_fallback", rule, True)
        check.add(time_problems(self.dynamic_allocation, self.disruption))
        check.whole_seconds("job_start_timeout", at_least=120, why="nodes have to start first")
        check.between("priority", 0, MAX_PRIORITY)
        check.add(spark_conf_problems(self.spark_conf))
        # The rule below computes the size of pods, for which they must fit their nodes.
        check.raise_if_any()
        if self.capacity_buffers is not None:
            for role in SparkRole:
                check.add(self._buffer_problems(role, self.capacity_buffers))

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
        """Whether executors protect their nodes from disruption: only where all are on demand.

        On spot they must not: Karpenter would not evict them at the spot notice, and they would end
        without moving their data to other executors.
        """
        return CapacityType.SPOT not in self.executor_capacities

    def instances(self, role: SparkRole) -> Instances:
        """Return the instance types of one role."""
        return self.driver_instances if role is SparkRole.DRIVER else self.executor_instances

    def limits(self, role: SparkRole) -> NodePoolLimits:
        """Return the limits of each pool of one role."""
        return self.driver_limits if role is SparkRole.DRIVER else self.executor_limits

    def shape(self, role: SparkRole) -> DriverShape | ExecutorShape:
        """Return the cores and the memory of pods of one role."""
        return self.driver if role is SparkRole.DRIVER else self.executor

    def packing(self, role: SparkRole) -> PodPacking:
        """Compute the requests of pods of one role, with which they fill their nodes."""
        shape = self.shape(role)
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
        """Return what is legal but probably not intended, one sentence with figures for each."""
        found: list[str] = []
        where = f"Workload {self.name!r}"
        if self.executor_capacity is CapacityType.SPOT:
            found.extend(spot_warnings(where, self.architectures, self.executor_instances))
        executors = self.packing(SparkRole.EXECUTOR)
        found.extend(
            storage_warnings(where, self.storage, self._types(SparkRole.EXECUTOR), executors)
        )
        found.extend(packing_warnings(self.name, "drivers", self.packing(SparkRole.DRIVER)))
        found.extend(packing_warnings(self.name, "executors", executors))
        most = self.dynamic_allocation.max_executors
        found.extend(size_warnings(where, most, self.executor.cores, self.executor_limits))
        return tuple(found)

    def _buffer_problems(
        self, role: SparkRole, buffers: CapacityBuffers
    ) -> tuple[ConfigProblem, ...]:
        # A pool of one zone has the buffers of that zone. The zones of the platform are not known
        # here, so a pool of all zones is compared with the buffers of one at least.
        zones = 1 if self.per_zone else len(buffers.zones or (None,))
        pods = buffered_pods(role, self.packing(role))
        return buffer_problems(role, zones * buffers.replicas(role), pods, self.limits(role))

    def _types(self, role: SparkRole) -> tuple[InstanceType, ...]:
        return self.instances(role).types()


def check_workloads(workloads: Sequence[Workload]) -> None:
    """Check rules between workloads: names differ, priorities are equal or 100 apart.

    Raises:
        ConfigError: If there is no workload, names repeat, or drivers of one workload would have
            priority over executors of another.
    """
    check = Check("Workloads")
    check.require(bool(workloads), "workloads", "must have at least one: nothing could run")
    names = [each.name for each in workloads]
    for name in sorted({name for name in names if names.count(name) > 1}):
        check.require(False, "name", "must be used once", name)
    ordered = sorted(workloads, key=lambda each: each.priority)
    for lower, upper in pairwise(ordered):
        gap = upper.priority - lower.priority
        check.require(
            gap == 0 or gap >= MIN_PRIORITY_GAP,
            "priority",
            f"must equal that of {lower.name!r} or be {MIN_PRIORITY_GAP} apart from it",
            f"{upper.name!r}: {upper.priority}",
            f"{lower.name!r} has {lower.priority}",
        )
    check.raise_if_any()
