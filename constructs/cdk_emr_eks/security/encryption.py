"""The platform's one KMS key: Kubernetes secrets and log groups."""

from __future__ import annotations

from aws_cdk import Aws, RemovalPolicy
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from constructs import Construct

from cdk_emr_eks.security.arns import regional_arn


def cluster_log_prefix(cluster_name: str) -> str:
    """Return the beginning of the names of a cluster's own log groups.

    EKS chooses the name of the control plane's group; the flow logs stand beside it.
    """
    return f"/aws/eks/{cluster_name}/"


def allow_log_groups(key: kms.Key, sid: str, prefix: str) -> None:
    """Let CloudWatch Logs use a key for the log groups of a prefix, and for nothing else.

    AWS's own example also has ``kms:Describe*``, which the condition can never allow: describing a
    key carries no encryption context.

    Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/encrypt-log-data-kms.html
    """
    groups = regional_arn("logs", f"log-group:{prefix}*")
    key.add_to_resource_policy(
        iam.PolicyStatement(
            sid=sid,
            principals=[iam.ServicePrincipal(f"logs.{Aws.REGION}.{Aws.URL_SUFFIX}")],
            actions=["kms:Encrypt*", "kms:Decrypt*", "kms:ReEncrypt*", "kms:GenerateDataKey*"],
            # A key policy speaks of its own key only.
            resources=["*"],
            conditions={"ArnLike": {"kms:EncryptionContext:aws:logs:arn": groups}},
        )
    )


class PlatformKey(Construct):
    """A KMS key with yearly rotation for one cluster's secrets and log groups.

    CloudWatch Logs may use it for the log groups of the cluster only, named by their encryption
    context. Log groups of jobs are allowed by ``allow_job_logs``.

    Resources made: one ``AWS::KMS::Key``. It is deleted with the stack, after KMS's waiting period
    of 30 days, in which it can be brought back.

    Args:
        cluster_name: Literal name of the cluster.

    Attributes:
        key: The key.
    """

    def __init__(self, scope: Construct, id: str, *, cluster_name: str) -> None:
        super().__init__(scope, id)
        self.key = kms.Key(
            self,
            "Key",
            description=f"Secrets and logs of EKS cluster {cluster_name}",
            enable_key_rotation=True,
            removal_policy=RemovalPolicy.DESTROY,
        )
        allow_log_groups(self.key, "ClusterLogs", cluster_log_prefix(cluster_name))
