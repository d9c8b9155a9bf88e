"""Drift of all nodes."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from cdk_emr_eks.assembly.paths import text
from cdk_emr_eks.simulation.control_plane.kube_types import NODE_CLASSES
from cdk_emr_eks.simulation.faults.fault import Fault
from cdk_emr_eks.values import value

if TYPE_CHECKING:
    from cdk_emr_eks.simulation.faults.context import FaultContext


@value
class Drift(Fault):
    """All node classes change, so that Karpenter replaces every node.

    Args:
        at: Time from the start of the scenario.

    Raises:
        ConfigError: If the time is negative.
    """

    kind: ClassVar[str] = "drift"

    async def inject(self, context: FaultContext) -> None:
        """Add a tag to every node class."""
        classes, _ = await context.api.list(NODE_CLASSES)
        for node_class in classes:
            path = f"{NODE_CLASSES}/{text(node_class, 'metadata', 'name')}"
            await context.api.patch(path, {"spec": {"tags": {"simulation": "drift"}}})
        context.record(self.kind, f"{len(classes)} node classes changed")
