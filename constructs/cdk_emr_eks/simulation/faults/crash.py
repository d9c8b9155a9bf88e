"""Crash of a process of the control plane."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, ClassVar

from cdk_emr_eks.checks import Check
from cdk_emr_eks.labels import CapacityType
from cdk_emr_eks.simulation.faults.fault import Fault
from cdk_emr_eks.simulation.faults.spot_interruption import interrupt
from cdk_emr_eks.values import value

if TYPE_CHECKING:
    from cdk_emr_eks.simulation.faults.context import FaultContext


class ControlPlaneProcess(StrEnum):
    """A process of the control plane that can crash."""

    KARPENTER = "karpenter"
    API_SERVER = "kube-apiserver"
    SCHEDULER = "kube-scheduler"
    CONTROLLER_MANAGER = "kube-controller-manager"


@value
class Crash(Fault):
    """A process of the control plane is killed, and restarted after a time.

    Args:
        component: The process.
        at: Time from the start of the scenario.
        down: Time until the restart, by the wall clock. Default 10 seconds.
        interruptions: Number of spot notices that arrive while the process is down. Default 0.

    Raises:
        ConfigError: If a time or number is negative.
    """

    kind: ClassVar[str] = "crash"
    component: ControlPlaneProcess
    down: timedelta = timedelta(seconds=10)
    interruptions: int = 0

    def _rules(self, check: Check) -> None:
        Fault._rules(self, check)  # noqa: SLF001 (super() fails with slots)
        rule = "must not be negative"
        check.require(self.interruptions >= 0, "interruptions", rule, self.interruptions)
        check.require(self.down >= timedelta(), "down", rule, self.down)

    async def inject(self, context: FaultContext) -> None:
        """Kill the process, send notices, and restart the process."""
        name = str(self.component)
        context.plane.kill(name)
        context.record(self.kind, f"{name} killed")
        steps: list[Coroutine[object, object, None]] = [self._restart(context)]
        if self.interruptions:
            nodes = context.observer.running_nodes(CapacityType.SPOT)[: self.interruptions]
            steps.insert(0, interrupt(context, nodes))
        await asyncio.gather(*steps)

    async def _restart(self, context: FaultContext) -> None:
        await asyncio.sleep(self.down.total_seconds())
        await asyncio.to_thread(context.plane.restart, str(self.component))
        context.record(self.kind, f"{self.component} is back")
