"""Spot interruptions: EC2 reclaims spot instances, with a notice through EventBridge and SQS."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, ClassVar, Final, Protocol, cast

from cdk_emr_eks.assembly.paths import sequence
from cdk_emr_eks.checks import Check
from cdk_emr_eks.labels import CapacityType
from cdk_emr_eks.simulation.faults.fault import Fault
from cdk_emr_eks.values import value

if TYPE_CHECKING:
    from cdk_emr_eks.simulation.faults.context import FaultContext

# Seconds from the notice of an interruption to the end of the instance.
# Source: https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/spot-instance-termination-notices.html
NOTICE_SECONDS: Final = 120

_EVENT: Final = ("aws.ec2", "EC2 Spot Instance Interruption Warning")
_GARBAGE: Final = ("", "no JSON", "{}", '{"source": "aws.ec2"}', '{"detail": {"instance-id": 7}}')


class _SqsClient(Protocol):
    """The methods of the SQS client that are used."""

    list_queues: Callable[[], dict[str, object]]
    send_message: Callable[..., object]


@value
class SpotInterruption(Fault):
    """EC2 reclaims spot instances: the notice passes the EventBridge rule and the queue.

    Args:
        at: Time from the start of the scenario. If no spot node runs then, as soon as one does.
        count: Number of spot nodes. Default 1.
        share: Share of the spot nodes (0 to 1), in place of a number. Default None.
        duplicates: Number of deliveries of each notice. Default 1.
        garbage: Number of messages on the queue that are not notices. Default 0.

    Raises:
        ConfigError: If a number is out of its range.
    """

    kind: ClassVar[str] = "spot-interruption"
    count: int = 1
    share: float | None = None
    duplicates: int = 1
    garbage: int = 0

    def _rules(self, check: Check) -> None:
        Fault._rules(self, check)  # noqa: SLF001 (super() fails with slots)
        check.at_least("count", 1)
        check.at_least("duplicates", 1)
        check.require(self.garbage >= 0, "garbage", "must not be negative", self.garbage)
        allowed = self.share is None or 0 < self.share <= 1
        check.require(allowed, "share", "must be more than 0, at most 1", self.share)

    async def inject(self, context: FaultContext) -> None:
        """Send the notices, and end the instances two minutes later."""
        # The time of the first spot node depends on the machine.
        while not (nodes := context.observer.running_nodes(CapacityType.SPOT)):
            await asyncio.sleep(1)
        count = self.count if self.share is None else max(1, round(len(nodes) * self.share))
        await interrupt(context, nodes[:count], duplicates=self.duplicates, garbage=self.garbage)


async def interrupt(
    context: FaultContext, nodes: Sequence[str], *, duplicates: int = 1, garbage: int = 0
) -> None:
    """Send interruption notices for nodes, and end their instances two minutes later.

    Args:
        context: What faults act on.
        nodes: Names of the nodes.
        duplicates: Number of deliveries of each notice.
        garbage: Number of messages on the queue that are not notices.
    """
    instances = [context.observer.nodes[name].instance for name in nodes]
    also = f", each {duplicates} times, with {garbage} garbage messages" if garbage else ""
    context.record(SpotInterruption.kind, f"notice for {len(instances)} spot nodes{also}")
    await asyncio.to_thread(_send, context, instances, duplicates, garbage)
    await asyncio.sleep(NOTICE_SECONDS)
    context.plane.fleet.reclaim(instances)


def _send(context: FaultContext, instances: Sequence[str], duplicates: int, garbage: int) -> None:
    sqs = cast(_SqsClient, context.aws.client("sqs"))
    for number in range(garbage):
        # Not through EventBridge: no rule would match these messages. SQS refuses an empty body.
        body = _GARBAGE[number % len(_GARBAGE)] or " "
        for url in sequence(sqs.list_queues(), "QueueUrls"):
            sqs.send_message(QueueUrl=str(url), MessageBody=body)
    source, detail_type = _EVENT
    for _ in range(duplicates):
        for instance in instances:
            detail = {"instance-id": instance, "instance-action": "terminate"}
            context.aws.put_event(source, detail_type, detail)
