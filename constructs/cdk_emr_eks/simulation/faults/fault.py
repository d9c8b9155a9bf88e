"""Declare kinds of faults. Each kind is one class, which registers itself by its name.

Example::

    @value
    class Drift(Fault):
        kind: ClassVar[str] = "drift"

        async def inject(self, context: FaultContext) -> None:
            ...
            context.record(self.kind, "3 node classes changed")
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, ClassVar, Final

from cdk_emr_eks.checks import Check
from cdk_emr_eks.values import value

if TYPE_CHECKING:
    from cdk_emr_eks.simulation.faults.context import FaultContext

# In place of the name of a zone: the zone that has the most drivers when the fault is injected.
BUSIEST: Final = "busiest"

# Every kind of fault, by the name that scenario files give it.
FAULTS: Final[dict[str, type[Fault]]] = {}


@value
class Fault:
    """A fault that is injected at a time of the scenario. A subclass is one kind of fault.

    Args:
        at: Time from the start of the scenario.

    Raises:
        ConfigError: If the time is negative.
    """

    kind: ClassVar[str] = ""
    at: timedelta

    def __init_subclass__(cls) -> None:
        known = FAULTS.get(cls.kind)
        # `value` creates a second class with slots, which replaces the first one.
        if known is not None and (known.__module__, known.__name__) != (
            cls.__module__,
            cls.__name__,
        ):
            raise TypeError(f"{cls.__name__} and {known.__name__} have the kind {cls.kind!r}")
        FAULTS[cls.kind] = cls

    def _rules(self, check: Check) -> None:
        zero = timedelta()
        check.require(self.at >= zero, "at", "must not be negative", self.at)
        lasts = getattr(self, "lasts", None)
        check.require(lasts is None or lasts > zero, "lasts", "must be more than 0", lasts)

    async def inject(self, context: FaultContext) -> None:
        """Inject the fault now, and return when it is over.

        Args:
            context: Control plane, account and observer; records the text for the report.
        """
        raise NotImplementedError(f"{type(self).__name__} has no method inject()")


async def inject_faults(faults: Sequence[Fault], context: FaultContext) -> None:
    """Inject each fault at its time; return when the last one is over."""
    async with asyncio.TaskGroup() as group:
        for fault in faults:
            group.create_task(_inject_at_time(fault, context))


async def _inject_at_time(fault: Fault, context: FaultContext) -> None:
    await asyncio.sleep(context.clock.until(fault.at.total_seconds()))
    await fault.inject(context)


async def find_zone(asked: str, context: FaultContext) -> str:
    """Return the name of a zone that is given by name, by position, or as ``busiest``.

    The busiest zone is known when the first driver runs: the function waits for it.
    """
    while asked == BUSIEST:
        drivers = context.observer.drivers_by_zone()
        if any(drivers.values()):
            return max(sorted(drivers), key=lambda zone: drivers[zone])
        await asyncio.sleep(1)
    zones = sorted({node.zone for node in context.observer.nodes.values()})
    return zones[int(asked) - 1] if asked.isdigit() and int(asked) <= len(zones) else asked
