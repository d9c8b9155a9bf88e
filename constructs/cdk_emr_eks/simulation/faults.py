"""Lets the faults of a scenario strike: each in its time, by the way it would really come."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Final, Protocol, cast

from cdk_emr_eks import labels
from cdk_emr_eks.assembly.paths import mapping, sequence
from cdk_emr_eks.labels import CapacityType
from cdk_emr_eks.simulation.aws import EmulatedAws
from cdk_emr_eks.simulation.clock import Clock
from cdk_emr_eks.simulation.control_plane.karpenter import SIMULATED_NODES
from cdk_emr_eks.simulation.control_plane.kube_api import (
    NODE_CLAIMS,
    NODE_CLASSES,
    NODE_POOLS,
    NODES,
    KubeApi,
    RefusedError,
)
from cdk_emr_eks.simulation.control_plane.plane import Plane
from cdk_emr_eks.simulation.observe import Observer
from cdk_emr_eks.simulation.scenario import (
    BUSIEST,
    Crash,
    Drift,
    Fault,
    NeverRegisters,
    NoCapacity,
    PoolLimit,
    SpotInterruption,
    ZoneLoss,
)
from cdk_emr_eks.simulation.shortages import Shortages

NOTICE_SECONDS: Final = 120
"""From a spot interruption's notice to the end of the instance.

Source: https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/spot-instance-termination-notices.html
"""
_EVENT: Final = ("aws.ec2", "EC2 Spot Instance Interruption Warning")
_GIVE_UP: Final = timedelta(minutes=15)
_GARBAGE: Final = ("", "no JSON", "{}", '{"source": "aws.ec2"}', '{"detail": {"instance-id": 7}}')


@dataclass(frozen=True, kw_only=True, slots=True)
class Struck:
    """A fault that struck.

    Args:
        at: Seconds of the wall clock since the scenario's start.
        kind: Kind of the fault.
        what: What was done, in words.
    """

    at: float
    kind: str
    what: str


class Faults:
    """Injects faults.

    Args:
        plane: Whose processes are killed and whose EC2 fleet gets orders.
        aws: Whose events tell of interruptions.
        api: The API server.
        observer: Knows which nodes there are.
        clock: The scenario's clock.

    Attributes:
        struck: What was done so far.
    """

    def __init__(
        self, plane: Plane, aws: EmulatedAws, api: KubeApi, observer: Observer, clock: Clock
    ) -> None:
        self._plane = plane
        self._aws = aws
        self._api = api
        self._observer = observer
        self._clock = clock
        self._shortages = Shortages(plane.fleet)
        self.struck: list[Struck] = []

    async def run(self, faults: Sequence[Fault]) -> None:
        """Let each fault strike in its time; return when the last is over."""
        async with asyncio.TaskGroup() as group:
            for fault in faults:
                group.create_task(self._strike(fault))

    async def _strike(self, fault: Fault) -> None:
        await asyncio.sleep(self._clock.until(fault.at.total_seconds()))
        match fault:
            case SpotInterruption():
                await self._interrupt(fault)
            case NoCapacity():
                await self._no_capacity(fault)
            case ZoneLoss():
                await self._lose_zone(fault)
            case NeverRegisters():
                await self._mute(fault)
            case Crash():
                await self._crash(fault)
            case PoolLimit():
                await self._limit(fault)
            case Drift():
                await self._drift()

    def note(self, kind: str, what: str) -> None:
        """Keep what happened now, for the report."""
        self.struck.append(Struck(at=self._clock.wall(), kind=kind, what=what))

    # ---- spot

    async def _interrupt(self, fault: SpotInterruption) -> None:
        # How soon nodes come depends on the machine: notices wait for someone to be told.
        while not (nodes := self._observer.running_nodes(CapacityType.SPOT)):
            await asyncio.sleep(1)
        count = fault.count if fault.share is None else max(1, round(len(nodes) * fault.share))
        await self._notify(nodes[:count], fault.kind, fault.duplicates, fault.garbage)

    async def _notify(
        self, nodes: Sequence[str], kind: str, duplicates: int = 1, garbage: int = 0
    ) -> None:
        instances = [self._observer.nodes[name].instance for name in nodes]
        also = f", each {duplicates} times, with {garbage} garbage messages" if garbage else ""
        self.note(kind, f"notice for {len(instances)} spot nodes{also}")
        await asyncio.to_thread(self._put_notices, instances, duplicates, garbage)
        await asyncio.sleep(NOTICE_SECONDS)
        self._plane.fleet.reclaim(instances)

    def _put_notices(self, instances: Sequence[str], duplicates: int, garbage: int) -> None:
        source, detail_type = _EVENT
        for number in range(garbage):
            self._put_garbage(_GARBAGE[number % len(_GARBAGE)])
        for _ in range(duplicates):
            for instance in instances:
                detail = {"instance-id": instance, "instance-action": "terminate"}
                self._aws.put_event(source, detail_type, detail)

    def _put_garbage(self, body: str) -> None:
        """Put a message on the queues that no rule would have sent."""
        sqs = cast(_Queues, self._aws.client("sqs"))
        for url in sequence(sqs.list_queues().get("QueueUrls")):
            # SQS refuses an empty message.
            sqs.send_message(QueueUrl=str(url), MessageBody=body or " ")

    # ---- capacity and zones

    async def _no_capacity(self, fault: NoCapacity) -> None:
        zone = None if fault.zone is None else await self._zone(fault.zone)
        shortage = replace(fault, zone=zone)
        self._shortages.begin(shortage)
        parts = (fault.family, fault.capacity_type, zone and f"in {zone}")
        named = " ".join(str(part) for part in parts if part) or "of any kind"
        self.note(fault.kind, f"no capacity {named}")
        await self._end_shortage(shortage, fault.lasts)

    async def _end_shortage(self, shortage: NoCapacity, lasts: timedelta | None) -> None:
        if lasts is None:
            return
        await asyncio.sleep(lasts.total_seconds() / self._clock.speed)
        self._shortages.end(shortage)
        self.note(shortage.kind, "capacity is back")

    async def _zone(self, asked: str) -> str:
        """Return a zone asked for by name, position, or as the busiest, once a driver runs."""
        while asked == BUSIEST:
            drivers = self._observer.drivers_by_zone()
            if any(drivers.values()):
                return max(sorted(drivers), key=lambda zone: drivers[zone])
            await asyncio.sleep(1)
        zones = sorted({node.zone for node in self._observer.nodes.values()})
        return zones[int(asked) - 1] if asked.isdigit() and int(asked) <= len(zones) else asked

    async def _lose_zone(self, fault: ZoneLoss) -> None:
        zone = await self._zone(fault.zone)
        shortage = NoCapacity(at=fault.at, zone=zone)
        self._shortages.begin(shortage)
        nodes = self._observer.running_nodes()
        lost = [name for name in nodes if self._observer.nodes[name].zone == zone]
        self.note(fault.kind, f"{zone} lost with {len(lost)} nodes")
        await asyncio.gather(*(self._silence(name) for name in lost))
        await asyncio.sleep(fault.instances_end_after.total_seconds())
        self._plane.fleet.reclaim([self._observer.nodes[name].instance for name in lost])
        await self._end_shortage(shortage, fault.lasts)

    async def _silence(self, name: str) -> None:
        """Let a node's kubelet say nothing any more, as the node controller would find it."""
        # KWOK plays the nodes that have its label, and would report them as ready again.
        now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        unknown = {
            "type": "Ready",
            "status": "Unknown",
            "reason": "NodeStatusUnknown",
            "message": "Kubelet stopped posting node status.",
            "lastHeartbeatTime": now,
            "lastTransitionTime": now,
        }
        path = f"{NODES}/{name}"
        await self._unless_gone(
            self._api.patch(path, {"metadata": {"labels": {SIMULATED_NODES[0]: None}}})
        )
        await self._unless_gone(
            self._api.patch(
                f"{path}/status",
                {"status": {"conditions": [unknown]}},
                media="application/strategic-merge-patch+json",
            )
        )

    async def _mute(self, fault: NeverRegisters) -> None:
        self._plane.fleet.mute()
        self.note(fault.kind, "instances that boot now never become nodes")
        await asyncio.sleep(fault.lasts.total_seconds() / self._clock.speed)
        self._plane.fleet.unmute()
        await asyncio.sleep(fault.given_up_after.total_seconds())
        claims, _ = await self._api.list(NODE_CLAIMS)
        for claim in claims:
            await self._age(mapping(claim))

    async def _age(self, claim: object) -> None:
        """Set back the time since which an instance did not register."""
        content = mapping(claim)
        conditions = [
            dict(mapping(each)) for each in sequence(mapping(content["status"]).get("conditions"))
        ]
        before = (datetime.now(UTC) - _GIVE_UP).strftime("%Y-%m-%dT%H:%M:%SZ")
        waiting = [
            each for each in conditions if each["type"] == "Registered" and each["status"] != "True"
        ]
        for each in waiting:
            each["lastTransitionTime"] = before
        if waiting:
            path = f"{NODE_CLAIMS}/{mapping(content['metadata'])['name']}/status"
            await self._unless_gone(self._api.patch(path, {"status": {"conditions": conditions}}))

    # ---- the control plane and its objects

    async def _crash(self, fault: Crash) -> None:
        name = str(fault.component)
        self._plane.kill(name)
        self.note(fault.kind, f"{name} killed")
        pending: list[Coroutine[object, object, None]] = []
        if fault.interruptions:
            nodes = self._observer.running_nodes(CapacityType.SPOT)[: fault.interruptions]
            pending.append(self._notify(nodes, SpotInterruption.kind))
        pending.append(self._start_again(name, fault.down.total_seconds()))
        await asyncio.gather(*pending)

    async def _start_again(self, name: str, seconds: float) -> None:
        await asyncio.sleep(seconds)
        await asyncio.to_thread(self._plane.restart, name)
        self.note(Crash.kind, f"{name} is back")

    async def _limit(self, fault: PoolLimit) -> None:
        pools = [
            pool
            for pool in (await self._api.list(NODE_POOLS))[0]
            if _selects(pool, fault.workload, str(fault.role))
        ]
        named = f"{len(pools)} {fault.role} pools of {fault.workload}"
        self.note(fault.kind, f"{named} limited to {fault.cpu.kubernetes}")
        for pool in pools:
            path = f"{NODE_POOLS}/{mapping(pool['metadata'])['name']}"
            await self._api.patch(path, {"spec": {"limits": {"cpu": fault.cpu.kubernetes}}})

    async def _drift(self) -> None:
        classes, _ = await self._api.list(NODE_CLASSES)
        for each in classes:
            path = f"{NODE_CLASSES}/{mapping(each['metadata'])['name']}"
            await self._api.patch(path, {"spec": {"tags": {"simulation": "drift"}}})
        self.note(Drift.kind, f"{len(classes)} node classes changed")

    @staticmethod
    async def _unless_gone(call: Awaitable[object]) -> None:
        try:
            await call
        except RefusedError as refused:
            if refused.status != 404:
                raise


class _Queues(Protocol):
    """The part of SQS's client that is used."""

    list_queues: Callable[[], dict[str, object]]
    send_message: Callable[..., object]


def _selects(pool: object, workload: str, role: str) -> bool:
    """Tell whether a node pool is of a workload and a role."""
    template = mapping(mapping(mapping(pool)["spec"]).get("template"))
    marks = mapping(mapping(template.get("metadata")).get("labels"))
    return (marks.get(labels.WORKLOAD), marks.get(labels.ROLE)) == (workload, role)
