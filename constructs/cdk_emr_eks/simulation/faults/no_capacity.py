"""Insufficient capacity: EC2 cannot launch some kinds of instances for a time."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, ClassVar

from cdk_emr_eks.labels import CapacityType
from cdk_emr_eks.simulation.faults.fault import Fault, find_zone
from cdk_emr_eks.values import value

if TYPE_CHECKING:
    from cdk_emr_eks.simulation.faults.context import FaultContext


@value
class NoCapacity(Fault):
    """EC2 answers InsufficientInstanceCapacity. Without a selection, for every instance.

    Args:
        at: Time from the start of the scenario.
        zone: Only in this zone: its name, its position counted from 1, or ``busiest``, the zone
            with the most drivers. Default None: in all zones.
        capacity_type: Only spot, or only on-demand. Default None: both.
        family: Only this instance family, such as ``m7gd``. Default None: all families.
        lasts: Duration; None: until the end. Default None.

    Raises:
        ConfigError: If a time is negative.
    """

    kind: ClassVar[str] = "no-capacity"
    zone: str | None = None
    capacity_type: CapacityType | None = None
    family: str | None = None
    lasts: timedelta | None = None

    async def inject(self, context: FaultContext) -> None:
        """Exhaust the capacity, and restore it after the duration."""
        zone = None if self.zone is None else await find_zone(self.zone, context)
        parts = (self.family, self.capacity_type, zone and f"in {zone}")
        selection = " ".join(str(part) for part in parts if part) or "of any kind"
        context.record(self.kind, f"no capacity {selection}")
        capacity_type = None if self.capacity_type is None else str(self.capacity_type)
        await exhaust(context, self.lasts, zone, capacity_type, self.family)


async def exhaust(
    context: FaultContext,
    lasts: timedelta | None,
    zone: str | None,
    capacity_type: str | None = None,
    family: str | None = None,
) -> None:
    """Exhaust the selected capacity, and restore it after a time of the scenario, if one is given.

    Other shortages that overlap are not affected.
    """
    shortage = context.plane.fleet.exhaust(zone, capacity_type, family)
    if lasts is not None:
        await context.scenario_sleep(lasts.total_seconds())
        context.plane.fleet.restore(shortage)
        context.record(NoCapacity.kind, "capacity is back")
