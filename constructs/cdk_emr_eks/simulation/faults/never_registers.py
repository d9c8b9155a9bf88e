"""Instances that start and never register a node."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, ClassVar, Final

from cdk_emr_eks.assembly.paths import mapping, sequence, text
from cdk_emr_eks.checks import Check
from cdk_emr_eks.simulation.control_plane.kube_types import NODE_CLAIMS
from cdk_emr_eks.simulation.faults.fault import Fault
from cdk_emr_eks.values import value

if TYPE_CHECKING:
    from cdk_emr_eks.simulation.faults.context import FaultContext

# Karpenter terminates an instance that has not registered after this time.
_REGISTRATION_TIMEOUT: Final = timedelta(minutes=15)


@value
class NeverRegisters(Fault):
    """Instances that boot during a time start, cost money, and never become nodes.

    Karpenter terminates them after 15 minutes. The simulation sets the time of their NodeClaims
    back, so that Karpenter does it sooner.

    Args:
        at: Time from the start of the scenario.
        lasts: Duration. Default 20 seconds.
        given_up_after: When Karpenter gives up on each, by the wall clock. Default one minute.

    Raises:
        ConfigError: If a time is out of its range.
    """

    kind: ClassVar[str] = "never-registers"
    lasts: timedelta = timedelta(seconds=20)
    given_up_after: timedelta = timedelta(minutes=1)

    def _rules(self, check: Check) -> None:
        Fault._rules(self, check)  # noqa: SLF001 (super() fails with slots)
        allowed = timedelta() < self.given_up_after <= _REGISTRATION_TIMEOUT
        rule = "must be more than 0, at most 15 minutes"
        check.require(allowed, "given_up_after", rule, self.given_up_after)

    async def inject(self, context: FaultContext) -> None:
        """Block registration for the duration, then let Karpenter give up."""
        context.plane.fleet.block_registration()
        context.record(self.kind, "instances that boot now never become nodes")
        await context.scenario_sleep(self.lasts.total_seconds())
        context.plane.fleet.allow_registration()
        await asyncio.sleep(self.given_up_after.total_seconds())
        claims, _ = await context.api.list(NODE_CLAIMS)
        for claim in claims:
            await _expire(context, claim)


async def _expire(context: FaultContext, claim: Mapping[str, object]) -> None:
    """Set the time of a NodeClaim that waits for registration back by Karpenter's timeout."""
    conditions = [dict(mapping(each)) for each in sequence(claim, "status", "conditions")]
    waiting = [
        each for each in conditions if each["type"] == "Registered" and each["status"] != "True"
    ]
    if not waiting:
        return
    expired = (datetime.now(UTC) - _REGISTRATION_TIMEOUT).strftime("%Y-%m-%dT%H:%M:%SZ")
    for condition in waiting:
        condition["lastTransitionTime"] = expired
    path = f"{NODE_CLAIMS}/{text(claim, 'metadata', 'name')}/status"
    await context.patch_if_exists(path, {"status": {"conditions": conditions}})
