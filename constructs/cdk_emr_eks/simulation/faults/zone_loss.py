"""Loss of an Availability Zone."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, ClassVar

from cdk_emr_eks.checks import Check
from cdk_emr_eks.simulation.control_plane.kube_types import NODES, SIMULATED_NODES
from cdk_emr_eks.simulation.faults.fault import BUSIEST, Fault, find_zone
from cdk_emr_eks.simulation.faults.no_capacity import exhaust
from cdk_emr_eks.values import value

if TYPE_CHECKING:
    from cdk_emr_eks.simulation.faults.context import FaultContext


@value
class ZoneLoss(Fault):
    """A zone fails: its nodes stop reporting, its instances end, EC2 launches none there.

    Args:
        at: Time from the start of the scenario.
        zone: Name of the zone, its position counted from 1, or ``busiest``. Default the busiest.
        instances_end_after: Time from the moment that nodes stop reporting to the end of their
            instances in EC2, by the wall clock. Default 40 seconds.
        lasts: How long EC2 launches no instance there; None: until the end. Default None.

    Raises:
        ConfigError: If a time is negative.
    """

    kind: ClassVar[str] = "zone-loss"
    zone: str = BUSIEST
    instances_end_after: timedelta = timedelta(seconds=40)
    lasts: timedelta | None = None

    def _rules(self, check: Check) -> None:
        Fault._rules(self, check)  # noqa: SLF001 (super() fails with slots)
        after = self.instances_end_after
        rule = "must not be negative"
        check.require(after >= timedelta(), "instances_end_after", rule, after)

    async def inject(self, context: FaultContext) -> None:
        """Stop the nodes from reporting, end their instances, and exhaust the zone's capacity."""
        zone = await find_zone(self.zone, context)
        nodes = context.observer.nodes
        lost = [name for name in context.observer.running_nodes() if nodes[name].zone == zone]
        context.record(self.kind, f"{zone} lost with {len(lost)} nodes")
        shortage = asyncio.create_task(exhaust(context, self.lasts, zone))
        try:
            await asyncio.gather(*(_stop_reporting(context, name) for name in lost))
            await asyncio.sleep(self.instances_end_after.total_seconds())
            context.plane.fleet.reclaim([nodes[name].instance for name in lost])
            await shortage
        finally:
            shortage.cancel()


async def _stop_reporting(context: FaultContext, name: str) -> None:
    """Set the status of a node that the node controller sets when the kubelet stops reporting."""
    path = f"{NODES}/{name}"
    # KWOK simulates the kubelets of nodes with this label, and would report them as ready.
    label = {"metadata": {"labels": {SIMULATED_NODES[0]: None}}}
    await context.patch_if_exists(path, label)
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    unknown = {
        "type": "Ready",
        "status": "Unknown",
        "reason": "NodeStatusUnknown",
        "message": "Kubelet stopped posting node status.",
        "lastHeartbeatTime": now,
        "lastTransitionTime": now,
    }
    await context.patch_if_exists(
        f"{path}/status",
        {"status": {"conditions": [unknown]}},
        media="application/strategic-merge-patch+json",
    )
