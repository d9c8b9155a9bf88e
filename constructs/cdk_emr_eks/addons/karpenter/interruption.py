"""The queue of events by which Karpenter learns that EC2 will terminate a node."""

from __future__ import annotations

from typing import Final

from aws_cdk import CfnTag
from aws_cdk import aws_events as events
from aws_cdk import aws_sqs as sqs
from constructs import Construct, IDependable

from cdk_emr_eks.security.iam_statements import deny_http
from cdk_emr_eks.security.suppressions import skip_checkov, suppress

# Construct id, source and detail type of each event that Karpenter handles. On a rebalance
# recommendation Karpenter only writes an event on the node.
# Source: https://karpenter.sh/v1.14/reference/cloudformation/ (cloudformation.yaml), 2026-11.
EVENTS: Final = (
    ("ScheduledChange", "aws.health", "AWS Health Event"),
    ("SpotInterruption", "aws.ec2", "EC2 Spot Instance Interruption Warning"),
    ("Rebalance", "aws.ec2", "EC2 Instance Rebalance Recommendation"),
    ("StateChange", "aws.ec2", "EC2 Instance State-change Notification"),
    (
        "CapacityReservation",
        "aws.ec2",
        "EC2 Capacity Reservation Instance Interruption Warning",
    ),
)

# EC2 terminates a spot instance two minutes after the warning, so older events are of no use.
_RETENTION_SECONDS: Final = 300


class InterruptionQueue(Construct):
    """A queue for events about the account's instances, readable by Karpenter.

    CloudFormation generates the name. The name of the cluster, which upstream uses, may be longer
    than the 80 characters of a queue's name, and SQS refuses it for a minute after a deletion.

    Resources: one ``AWS::SQS::Queue``, one ``AWS::SQS::QueuePolicy``, one
    ``AWS::Events::Rule`` for each of ``EVENTS``.

    Attributes:
        queue_name: Name of the queue, a token.
        queue_arn: ARN of the queue, a token.
        ready: Dependency of the reader of the queue.
    """

    def __init__(self, scope: Construct, id: str, *, cluster_name: str) -> None:
        super().__init__(scope, id)
        queue = sqs.CfnQueue(
            self,
            "Queue",
            message_retention_period=_RETENTION_SECONDS,
            # SQS's own key: events contain instance ids and no secrets, and a customer managed key
            # would have to admit EventBridge.
            sqs_managed_sse_enabled=True,
            tags=[CfnTag(key="emr-eks/cluster", value=cluster_name)],
        )
        suppress(
            queue,
            {"AwsSolutions-SQS3": "After two minutes the event of a spot instance is useless"},
        )
        why = "Encrypted with SQS's own key, which the check does not know"
        skip_checkov(queue, {"CKV_AWS_27": why})
        self.queue_name = queue.attr_queue_name
        self.queue_arn = queue.attr_arn
        rules = [self._rule(*event) for event in EVENTS]
        self.ready: IDependable = sqs.CfnQueuePolicy(
            self,
            "Policy",
            queues=[queue.ref],
            policy_document=self._policy([rule.attr_arn for rule in rules]),
        )

    def _rule(self, id: str, source: str, detail_type: str) -> events.CfnRule:
        return events.CfnRule(
            self,
            id,
            description=f"Events for Karpenter: {detail_type}",
            event_pattern={"source": [source], "detail-type": [detail_type]},
            targets=[
                events.CfnRule.TargetProperty(
                    id="KarpenterInterruptionQueueTarget", arn=self.queue_arn
                )
            ],
        )

    def _policy(self, rule_arns: list[str]) -> dict[str, object]:
        return {
            "Version": "2012-10-17",
            "Statement": [
                {
                    # Narrower than upstream, which admits every rule of every account and
                    # sqs.amazonaws.com, which never sends to this queue.
                    "Sid": "AllowRules",
                    "Effect": "Allow",
                    "Principal": {"Service": "events.amazonaws.com"},
                    "Action": "sqs:SendMessage",
                    "Resource": self.queue_arn,
                    "Condition": {"ArnEquals": {"aws:SourceArn": rule_arns}},
                },
                deny_http(self.queue_arn),
            ],
        }
