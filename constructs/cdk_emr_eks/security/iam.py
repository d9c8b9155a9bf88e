"""ARNs of the stack's account, grants, and trust policies of EKS Pod Identity."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import field
from functools import reduce
from typing import Final

from aws_cdk import Aws
from aws_cdk import aws_iam as iam

from cdk_emr_eks.values import value

PODS_SERVICE: Final = "pods.eks.amazonaws.com"


def regional_arn(service: str, resource: str) -> str:
    """Return an ARN in the stack's partition, region and account.

    Args:
        service: Service, such as ``logs``.
        resource: The part after the account.
    """
    return f"arn:{Aws.PARTITION}:{service}:{Aws.REGION}:{Aws.ACCOUNT_ID}:{resource}"


def cluster_arn(cluster_name: str) -> str:
    """Return the ARN of a cluster in the stack's account and region, from its literal name.

    It is no reference, so resources that the cluster depends on can use it.
    """
    return regional_arn("eks", f"cluster/{cluster_name}")


@value
class Right:
    """One statement of a grant.

    Args:
        actions: The actions.
        resources: Their ARNs.
        conditions: Keys and values by operator. Default: no condition.
    """

    actions: tuple[str, ...]
    resources: tuple[str, ...]
    conditions: Mapping[str, Mapping[str, object]] = field(default_factory=dict)


def grant(grantee: iam.IGrantable, rights: Iterable[Right]) -> iam.Grant:
    """Add rights to the policy of a role, user or group, in their order."""
    grants = (
        iam.Grant.add_to_principal(
            grantee=grantee,
            actions=list(right.actions),
            resource_arns=list(right.resources),
            conditions={key: dict(values) for key, values in right.conditions.items()},
        )
        for right in rights
    )
    return reduce(lambda all_before, grant: all_before.combine(grant), grants)


def pod_identity_trust(
    *, cluster_name: str, namespace: str, service_accounts: Sequence[str]
) -> dict[str, object]:
    """Return the trust policy of a role for service accounts of one namespace.

    EKS sets session tags when it assumes the role. Without the conditions, any association of any
    cluster in the account could use the role. The condition has the ARN of the cluster, because a
    cluster of another region can have the same name.

    Args:
        cluster_name: Literal name of the cluster.
        namespace: Namespace of the service accounts.
        service_accounts: Their names.

    Source: https://docs.aws.amazon.com/eks/latest/userguide/pod-id-abac.html
    """
    tags = {
        "aws:RequestTag/eks-cluster-arn": cluster_arn(cluster_name),
        "aws:RequestTag/kubernetes-namespace": namespace,
        "aws:RequestTag/kubernetes-service-account": list(service_accounts),
    }
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": PODS_SERVICE},
        "Action": ["sts:AssumeRole", "sts:TagSession"],
        "Condition": {"StringEquals": tags},
    }
    return {"Version": "2012-10-17", "Statement": [statement]}
