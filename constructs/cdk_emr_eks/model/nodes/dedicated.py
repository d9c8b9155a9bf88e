"""Node pools that only one tenant may use."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from cdk_emr_eks import labels
from cdk_emr_eks.errors import Problems, refuse
from cdk_emr_eks.field_types import check_types
from cdk_emr_eks.labels import SparkRole
from cdk_emr_eks.model.networks.zones import Zone
from cdk_emr_eks.model.nodes.node_class import NodeClass, node_classes
from cdk_emr_eks.model.nodes.node_pool import NodePool, node_pools
from cdk_emr_eks.model.nodes.storage_class import needs_storage_class
from cdk_emr_eks.model.workloads.shapes import NodePoolLimits
from cdk_emr_eks.model.workloads.workload import Workload, check_workloads
from cdk_emr_eks.model.workloads.workload_rules import limit_problems


@dataclass(frozen=True, kw_only=True, slots=True)
class DedicatedPools:
    """A workload of one tenant's own, with nodes that no other tenant's pods get to.

    The tenant gets node pools, node classes, priority classes and pod templates of the workload's
    name. The nodes' taints name the workload, and admission lets pods tolerate workloads of their
    own tenant only.

    Args:
        workload: The workload; a variant of a platform's is
            ``dataclasses.replace(SHARED, name="acme")``. Its name must be new on the cluster, since
            nodes and pods find each other by it.
        driver_limits: Bound of each of its driver pools. Required: the workload's own were made for
            a platform, and these nodes are one tenant's cost.
        executor_limits: Bound of each of its executor pools. Required as well.

    Raises:
        ConfigError: If limits are missing or do not allow one node.

    Example:
        >>> from cdk_emr_eks.model.workloads.catalog import SHARED
        >>> from cdk_emr_eks.units import Cpu, Memory
        >>> own = DedicatedPools(
        ...     workload=replace(SHARED, name="acme"),
        ...     driver_limits=NodePoolLimits(cpu=Cpu.cores(32), memory=Memory.from_gib(128)),
        ...     executor_limits=NodePoolLimits(cpu=Cpu.cores(320), memory=Memory.from_gib(2_560)),
        ... )
        >>> own.bounded.executor_limits.cpu.kubernetes, own.bounded.driver_priority_class
        ('320', 'acme-driver')
    """

    workload: Workload
    driver_limits: NodePoolLimits | None = None
    executor_limits: NodePoolLimits | None = None

    def __post_init__(self) -> None:
        where = f"DedicatedPools {getattr(self.workload, 'name', '')!r}"
        check_types(where, self)
        problems = Problems(where)
        for role in SparkRole:
            field = f"{role}_limits"
            limits: NodePoolLimits | None = getattr(self, field)
            rule = "must be given: these nodes are one tenant's cost"
            problems.require(limits is not None, field, rule)
            if limits is not None:
                problems.extend(
                    limit_problems(field, limits, self.workload.instances(role).types())
                )
        problems.raise_if_any()

    @property
    def bounded(self) -> Workload:
        """The workload with these limits."""
        driver, executor = self.driver_limits, self.executor_limits
        if driver is None or executor is None:
            raise refuse(f"DedicatedPools {self.workload.name!r}", "limits", "must be given")
        return replace(self.workload, driver_limits=driver, executor_limits=executor)

    def node_pools(self, zones: tuple[Zone, ...], tenant: str) -> tuple[NodePool, ...]:
        """Return the pools, whose nodes are labelled with the tenant, too.

        Raises:
            ConfigError: If there is no zone, or two zones have one key or name.
        """
        own = {labels.TENANT: tenant}
        return tuple(
            replace(pool, node_class=self._class_name(pool.node_class), node_labels=own)
            for pool in node_pools(self.bounded, zones)
        )

    def node_classes(self) -> tuple[NodeClass, ...]:
        """Return the classes of the nodes: of this workload alone, so that they go with it."""
        return tuple(
            replace(each, name=self._class_name(each.name)) for each in node_classes([self.bounded])
        )

    def _class_name(self, name: str) -> str:
        return f"{self.workload.name}-{name}"


def check_dedicated(
    where: str, dedicated: Sequence[DedicatedPools], platform: Mapping[str, Workload]
) -> None:
    """Check workloads of a tenant's own against those of the platform.

    Raises:
        ConfigError: If a name is taken or used twice, priorities clash, or volumes are asked for
            that the cluster has no StorageClass for.
    """
    own = [each.bounded for each in dedicated]
    if not own:
        return
    problems = Problems(where)
    classes = needs_storage_class(list(platform.values()))
    for workload in own:
        rule = "must have a name that no workload of the platform has"
        fix = f"replace(workload, name='{workload.name[:16]}-own')"
        problems.require(workload.name not in platform, "dedicated", rule, workload.name, fix)
        rule = "must not use PersistentVolumes unless a workload of the platform does"
        stored = classes or not needs_storage_class([workload])
        problems.require(stored, "dedicated", rule, workload.name)
    problems.raise_if_any()
    check_workloads([*platform.values(), *own])
