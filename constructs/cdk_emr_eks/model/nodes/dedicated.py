"""Node pools that only one tenant may use."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from cdk_emr_eks import labels
from cdk_emr_eks.checks import Check
from cdk_emr_eks.labels import SparkRole
from cdk_emr_eks.model.networks.zones import Zone
from cdk_emr_eks.model.nodes.node_class import NodeClass, node_classes
from cdk_emr_eks.model.nodes.node_pool import NodePool, node_pools
from cdk_emr_eks.model.nodes.storage_class import needs_storage_class
from cdk_emr_eks.model.workloads.rules import limit_problems
from cdk_emr_eks.model.workloads.shapes import NodePoolLimits
from cdk_emr_eks.model.workloads.workload import Workload, check_workloads
from cdk_emr_eks.values import value


@value
class DedicatedPools:
    """A workload of one tenant, on nodes that no other tenant's pods can use.

    The tenant gets node pools, node classes, priority classes and pod templates under the name of
    the workload. The nodes' taints name the workload, and admission lets pods tolerate only
    workloads of their tenant.

    Args:
        workload: The workload; ``dataclasses.replace(SHARED, name="acme")`` is a variant of a
            platform's. Its name must be new on the cluster, since nodes and pods find each other by
            the name.
        driver_limits: Limits of each driver pool. Required: the workload's own limits are meant for
            a platform, and one tenant pays for these nodes.
        executor_limits: Limits of each executor pool. Required for the same reason.

    Raises:
        ConfigError: If the limits do not allow one node.

    Example:
        >>> from cdk_emr_eks.model.workloads.catalog import SHARED
        >>> from cdk_emr_eks.units import Cpu, Memory
        >>> pools = DedicatedPools(
        ...     workload=replace(SHARED, name="acme"),
        ...     driver_limits=NodePoolLimits(cpu=Cpu.cores(32), memory=Memory.from_gib(128)),
        ...     executor_limits=NodePoolLimits(cpu=Cpu.cores(320), memory=Memory.from_gib(2_560)),
        ... )
        >>> workload = pools.workload_with_limits
        >>> workload.executor_limits.cpu.kubernetes, workload.driver_priority_class
        ('320', 'acme-driver')
    """

    workload: Workload
    driver_limits: NodePoolLimits
    executor_limits: NodePoolLimits

    def _rules(self, check: Check) -> None:
        for role in SparkRole:
            limits = self.driver_limits if role is SparkRole.DRIVER else self.executor_limits
            types = self.workload.instances(role).types()
            check.add(limit_problems(f"{role}_limits", limits, types))

    @property
    def where(self) -> str:
        """What errors call the value."""
        return f"DedicatedPools {self.workload.name!r}"

    @property
    def workload_with_limits(self) -> Workload:
        """The workload with the limits of these pools."""
        return replace(
            self.workload,
            driver_limits=self.driver_limits,
            executor_limits=self.executor_limits,
        )

    def node_pools(self, zones: tuple[Zone, ...], tenant: str) -> tuple[NodePool, ...]:
        """Return the pools, whose nodes also have the tenant's label.

        Raises:
            ConfigError: If there is no zone, or two zones have the same key or name.
        """
        tenant_label = {labels.TENANT: tenant}
        return tuple(
            replace(pool, node_class=self._class_name(pool.node_class), node_labels=tenant_label)
            for pool in node_pools(self.workload_with_limits, zones)
        )

    def node_classes(self) -> tuple[NodeClass, ...]:
        """Return the node classes: of this workload only, so that they are deleted with it."""
        return tuple(
            replace(each, name=self._class_name(each.name))
            for each in node_classes([self.workload_with_limits])
        )

    def _class_name(self, name: str) -> str:
        return f"{self.workload.name}-{name}"


def check_dedicated(
    where: str, dedicated: Sequence[DedicatedPools], platform: Mapping[str, Workload]
) -> None:
    """Check the dedicated pools of a tenant against the workloads of the platform.

    Raises:
        ConfigError: If a name is used twice, priorities clash, or a workload needs volumes for
            which the cluster has no StorageClass.
    """
    workloads = [each.workload_with_limits for each in dedicated]
    if not workloads:
        return
    check = Check(where)
    has_class = needs_storage_class(list(platform.values()))
    for workload in workloads:
        rule = "must have a name that no workload of the platform has"
        fix = f"replace(workload, name='{workload.name[:16]}-own')"
        check.require(workload.name not in platform, "dedicated", rule, workload.name, fix)
        rule = "must not use PersistentVolumes unless a workload of the platform does"
        stored = has_class or not needs_storage_class([workload])
        check.require(stored, "dedicated", rule, workload.name)
    check.raise_if_any()
    check_workloads([*platform.values(), *workloads])
