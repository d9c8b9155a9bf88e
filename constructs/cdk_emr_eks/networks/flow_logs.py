"""``FlowLogs``: the flow logs of a new VPC."""

from __future__ import annotations

from aws_cdk import Aws, RemovalPolicy
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_logs as logs
from constructs import Construct

from cdk_emr_eks.security.encryption import cluster_log_prefix
from cdk_emr_eks.security.iam import regional_arn


def _any_flow_log() -> str:
    return regional_arn("ec2", "vpc-flow-log/*")


class FlowLogs(Construct):
    """All traffic of a VPC, accepted and rejected, in an encrypted CloudWatch log group.

    Resources: a log group, a role and the ``AWS::EC2::FlowLog``.

    Args:
        vpc: The VPC.
        cluster_name: Literal name of the cluster.
        key: Encrypts the log group.
        days: Days that CloudWatch keeps the logs.

    Source: https://docs.aws.amazon.com/vpc/latest/userguide/flow-logs-iam-role.html
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        vpc: ec2.Vpc,
        cluster_name: str,
        key: kms.IKey,
        days: int,
    ) -> None:
        super().__init__(scope, id)
        group = logs.CfnLogGroup(
            self,
            "LogGroup",
            log_group_name=f"{cluster_log_prefix(cluster_name)}flow-logs",
            kms_key_id=key.key_arn,
            retention_in_days=days,
        )
        group.apply_removal_policy(RemovalPolicy.DESTROY)
        ec2.CfnFlowLog(
            self,
            "FlowLog",
            resource_id=vpc.vpc_id,
            resource_type="VPC",
            traffic_type="ALL",
            log_destination_type="cloud-watch-logs",
            log_group_name=group.ref,
            deliver_logs_permission_arn=self._role(group).attr_arn,
        )

    def _role(self, group: logs.CfnLogGroup) -> iam.CfnRole:
        return iam.CfnRole(
            self,
            "Role",
            assume_role_policy_document={
                "Version": "2012-10-17",
                "Statement": [
                    {
                        "Effect": "Allow",
                        "Action": "sts:AssumeRole",
                        "Principal": {"Service": "vpc-flow-logs.amazonaws.com"},
                        "Condition": {
                            "StringEquals": {"aws:SourceAccount": Aws.ACCOUNT_ID},
                            # EC2 chooses the id of the flow log after the role exists.
                            "ArnLike": {"aws:SourceArn": _any_flow_log()},
                        },
                    }
                ],
            },
            policies=[
                iam.CfnRole.PolicyProperty(
                    policy_name="write",
                    policy_document={
                        "Version": "2012-10-17",
                        "Statement": [
                            {
                                "Effect": "Allow",
                                "Action": [
                                    "logs:CreateLogStream",
                                    "logs:DescribeLogStreams",
                                    "logs:PutLogEvents",
                                ],
                                # The ARN ends in ':*': the streams of the group, named by EC2.
                                "Resource": group.attr_arn,
                            }
                        ],
                    },
                )
            ],
        )
