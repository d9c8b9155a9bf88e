"""Start the cleaner of an ephemeral job when an execution fails, is stopped or times out."""

from __future__ import annotations

from typing import Final

from aws_cdk import Aws
from aws_cdk import aws_events as events
from aws_cdk import aws_iam as iam
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from cdk_emr_eks.ephemeral.roles import trust
from cdk_emr_eks.security.iam_statements import deny_http
from cdk_emr_eks.security.suppressions import skip_checkov, suppress

# States of ended executions that may have left resources.
ENDINGS: Final = ("ABORTED", "FAILED", "TIMED_OUT")

_FORTNIGHT: Final = 14 * 24 * 3600


class ExecutionWatch(Construct):
    """Start one state machine when executions of another one end early.

    Resources: one ``AWS::Events::Rule``, ``AWS::IAM::Role``, ``AWS::SQS::Queue`` and
    ``AWS::SQS::QueuePolicy``.

    Args:
        watched: ARN of the state machine whose executions are watched.
        cleaner: ARN of the state machine that is started.

    Source: https://docs.aws.amazon.com/step-functions/latest/dg/eventbridge-integration.html
    """

    def __init__(self, scope: Construct, id: str, *, watched: str, cleaner: str) -> None:
        super().__init__(scope, id)
        queue = self._queue()
        rule = events.CfnRule(
            self,
            "Rule",
            description="Cleans up after executions that ended before they did it themselves",
            event_pattern={
                "source": ["aws.states"],
                "detail-type": ["Step Functions Execution Status Change"],
                "detail": {"stateMachineArn": [watched], "status": list(ENDINGS)},
            },
            targets=[
                events.CfnRule.TargetProperty(
                    id="Cleaner",
                    arn=cleaner,
                    role_arn=self._role(cleaner).attr_arn,
                    input_transformer=events.CfnRule.InputTransformerProperty(
                        input_paths_map={"execution": "$.detail.executionArn"},
                        input_template='{"execution": <execution>, "virtualCluster": {}}',
                    ),
                    dead_letter_config=events.CfnRule.DeadLetterConfigProperty(arn=queue.attr_arn),
                )
            ],
        )
        sqs.CfnQueuePolicy(
            self,
            "Policy",
            queues=[queue.ref],
            policy_document=_policy(queue.attr_arn, rule.attr_arn),
        )

    def _queue(self) -> sqs.CfnQueue:
        queue = sqs.CfnQueue(
            self, "Undelivered", message_retention_period=_FORTNIGHT, sqs_managed_sse_enabled=True
        )
        suppress(queue, {"AwsSolutions-SQS3": "It is itself the queue of what was not delivered"})
        why = "SQS's own key: ARNs of executions; a key of ours would have to let EventBridge in"
        skip_checkov(queue, {"CKV_AWS_27": why})
        return queue

    def _role(self, cleaner: str) -> iam.CfnRole:
        condition = {"StringEquals": {"aws:SourceAccount": Aws.ACCOUNT_ID}}
        statement = {
            "Effect": "Allow",
            "Action": "states:StartExecution",
            "Resource": cleaner,
        }
        policy = iam.CfnRole.PolicyProperty(
            policy_name="Start",
            policy_document={"Version": "2012-10-17", "Statement": [statement]},
        )
        return iam.CfnRole(
            self,
            "Role",
            assume_role_policy_document=trust("events.amazonaws.com", condition),
            policies=[policy],
        )


def _policy(queue: str, rule: str) -> dict[str, object]:
    return {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Sid": "AllowRule",
                "Effect": "Allow",
                "Principal": {"Service": "events.amazonaws.com"},
                "Action": "sqs:SendMessage",
                "Resource": queue,
                "Condition": {"ArnEquals": {"aws:SourceArn": rule}},
            },
            deny_http(queue),
        ],
    }
