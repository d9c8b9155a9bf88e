"""The names that the controller's policies are narrowed to, as they are or at their longest."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, kw_only=True, slots=True)
class PolicyScope:
    """The names that the statements are narrowed to.

    Args:
        partition: AWS partition, may be a token.
        region: AWS Region, may be a token.
        account: Account id, may be a token.
        cluster_name: Literal name of the cluster, as it stands in condition keys.
        node_role_arn: ARN of the role of Karpenter's nodes, may be a token.
        queue_arn: ARN of the interruption queue, may be a token.
    """

    partition: str
    region: str
    account: str
    cluster_name: str
    node_role_arn: str
    queue_arn: str

    def ec2(self, resource: str) -> str:
        """Return the ARN of EC2 resources of any account: subnets may be shared with ours."""
        return f"arn:{self.partition}:ec2:{self.region}:*:{resource}/*"

    def public_ec2(self, resource: str) -> str:
        """Return the ARN of EC2 resources whose ARNs have no account."""
        return f"arn:{self.partition}:ec2:{self.region}::{resource}/*"

    @property
    def cluster_arn(self) -> str:
        """ARN of the cluster."""
        return f"arn:{self.partition}:eks:{self.region}:{self.account}:cluster/{self.cluster_name}"

    @property
    def instance_profiles(self) -> str:
        """ARN of the account's instance profiles; tags narrow them to those of Karpenter."""
        return f"arn:{self.partition}:iam::{self.account}:instance-profile/*"

    @property
    def owned(self) -> str:
        """Tag key that marks what this cluster owns."""
        return f"kubernetes.io/cluster/{self.cluster_name}"


# The longest of each: no Region's name is over 15 characters, no partition's over 10.
_LONGEST_REGION: Final = "us-isof-south-1"
_LONGEST_PARTITION: Final = "aws-us-gov"
_LONGEST_ROLE_NAME: Final = 64
_LONGEST_QUEUE_NAME: Final = 80


def longest_scope(cluster_name: str) -> PolicyScope:
    """Return a scope with each name as long as AWS allows, for measuring policies with tokens."""
    account = "0" * 12
    role = f"arn:{_LONGEST_PARTITION}:iam::{account}:role/"
    queue = f"arn:{_LONGEST_PARTITION}:sqs:{_LONGEST_REGION}:{account}:"
    return PolicyScope(
        partition=_LONGEST_PARTITION,
        region=_LONGEST_REGION,
        account=account,
        cluster_name=cluster_name,
        node_role_arn=role + "r" * _LONGEST_ROLE_NAME,
        queue_arn=queue + "q" * _LONGEST_QUEUE_NAME,
    )
