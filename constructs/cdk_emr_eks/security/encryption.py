"""The KMS key of a platform, for Kubernetes secrets and log groups."""

from __future__ import annotations

from aws_cdk import Aws, RemovalPolicy
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from constructs import Construct

from cdk_emr_eks.security.iam import regional_arn


def cluster_log_prefix(cluster_name: str) -> str:
    """Return the prefix of the names of a cluster's log groups.

    EKS chooses the name of the control plane's group. The group of the flow logs has the same
    prefix.
    """
    return f"/aws/eks/{cluster_name}/"


def allow_log_groups(key: kms.Key, sid: str, prefix: str) -> None:
    """Allow CloudWatch Logs to use a key for the log groups of a prefix only.

    AWS's example also has ``kms:Describe*``, which the condition never allows: a request to
    describe a key has no encryption context.

    Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/encrypt-log-data-kms.html
    """
    groups = regional_arn("logs", f"log-group:{prefix}*")
    key.add_to_resource_policy(
        iam.PolicyStatement(
            sid=sid,
            principals=[iam.ServicePrincipal(f"logs.{Aws.REGION}.{Aws.URL_SUFFIX}")],
            actions=["kms:Encrypt*", "kms:Decrypt*", "kms:ReEncrypt*", "kms:GenerateDataKey*"],
            # In a key policy, it means the key itself.
            resources=["*"],
            conditions={"ArnLike": {"kms:EncryptionContext:aws:logs:arn": groups}},
        )
    )


class PlatformKey(Construct):
    """A KMS key with yearly rotation for one cluster's secrets and log groups.

    CloudWatch Logs can use it for the log groups of the cluster only; the encryption context has
    their names. ``allow_job_logs`` allows it for the log groups of jobs.

    Resources: one ``AWS::KMS::Key``. It is deleted with the stack, after KMS's waiting period
    of 30 days, in which the deletion can be cancelled.

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
