"""Node pools that reach their limit."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from cdk_emr_eks import labels
from cdk_emr_eks.assembly.paths import mapping, text
from cdk_emr_eks.labels import SparkRole
from cdk_emr_eks.simulation.control_plane.kube_types import NODE_POOLS
from cdk_emr_eks.simulation.faults.fault import Fault
from cdk_emr_eks.units import Cpu
from cdk_emr_eks.values import value

if TYPE_CHECKING:
    from cdk_emr_eks.simulation.faults.context import FaultContext


@value
class PoolLimit(Fault):
    """The node pools of a workload get a lower limit, as if they were nearly full.

    Args:
        at: Time from the start of the scenario.
        workload: The workload.
        cpu: New limit of each of its pools, in vCPUs of nodes.
        role: Pools of drivers, or of executors. Default executors.

    Raises:
        ConfigError: If a time is negative.
    """

    kind: ClassVar[str] = "pool-limit"
    workload: str
    cpu: Cpu
    role: SparkRole = SparkRole.EXECUTOR

    async def inject(self, context: FaultContext) -> None:
        """Lower the limits."""
        pools, _ = await context.api.list(NODE_POOLS)
        selected = [pool for pool in pools if self._selects(pool)]
        limit = self.cpu.kubernetes
        pools_text = f"{len(selected)} {self.role} pools of {self.workload}"
        context.record(self.kind, f"{pools_text} limited to {limit}")
        for pool in selected:
            path = f"{NODE_POOLS}/{text(pool, 'metadata', 'name')}"
            await context.api.patch(path, {"spec": {"limits": {"cpu": limit}}})

    def _selects(self, pool: object) -> bool:
        node_labels = mapping(pool, "spec", "template", "metadata", "labels")
        return (text(node_labels, labels.WORKLOAD), text(node_labels, labels.ROLE)) == (
            self.workload,
            self.role,
        )
