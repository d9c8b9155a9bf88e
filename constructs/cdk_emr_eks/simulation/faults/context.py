"""What faults act on, and the record of their steps."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from cdk_emr_eks.simulation.aws import EmulatedAws
from cdk_emr_eks.simulation.control_plane.kube_api import KubeApi
from cdk_emr_eks.simulation.control_plane.kube_types import RefusedError
from cdk_emr_eks.simulation.control_plane.plane import Plane
from cdk_emr_eks.simulation.observe.observer import Observer
from cdk_emr_eks.simulation.observe.timeline import Clock


@dataclass(frozen=True, kw_only=True, slots=True)
class FaultRecord:
    """A step of a fault, for the report.

    Args:
        at: Seconds of the wall clock since the start of the scenario.
        kind: Kind of the fault.
        text: What was done.
    """

    at: float
    kind: str
    text: str


@dataclass(kw_only=True, slots=True)
class FaultContext:
    """Everything that a fault can act on.

    Args:
        plane: Control plane, whose processes can be killed and whose EC2 fleet can be short.
        aws: Emulated account, which emits events.
        api: API server.
        observer: Observer, which knows the nodes.
        clock: Clock of the scenario.
        records: Steps so far.
    """

    plane: Plane
    aws: EmulatedAws
    api: KubeApi
    observer: Observer
    clock: Clock
    records: list[FaultRecord] = field(default_factory=list)

    def record(self, kind: str, text: str) -> None:
        """Record a step of a fault with the present time."""
        self.records.append(FaultRecord(at=self.clock.wall(), kind=kind, text=text))

    async def scenario_sleep(self, seconds: float) -> None:
        """Wait for seconds of the scenario's clock."""
        await asyncio.sleep(seconds / self.clock.speed)

    async def patch_if_exists(
        self, path: str, content: object, *, media: str = "application/merge-patch+json"
    ) -> None:
        """Patch an object, unless it was deleted.

        Raises:
            RefusedError: If the API server refuses the patch.
        """
        try:
            await self.api.patch(path, content, media=media)
        except RefusedError as refused:
            if not refused.is_not_found:
                raise
