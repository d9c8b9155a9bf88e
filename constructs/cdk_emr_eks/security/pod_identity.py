"""Trust of a role that named service accounts of one cluster may take on, by EKS Pod Identity."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from cdk_emr_eks.security.arns import regional_arn

PODS_SERVICE: Final = "pods.eks.amazonaws.com"


def cluster_arn(cluster_name: str) -> str:
    """Return the ARN of a cluster of this stack's account and region, by its literal name.

    Written out, so that what the cluster itself waits for may name it.
    """
    return regional_arn("eks", f"cluster/{cluster_name}")


def pod_identity_trust(
    *, cluster_name: str, namespace: str, service_accounts: Sequence[str]
) -> dict[str, object]:
    """Return the trust policy of a role for service accounts of one namespace.

    EKS sets session tags when it takes on the role; without the conditions any association of any
    cluster in the account could use it. The cluster is told by its ARN: a cluster of another region
    may have the same name.

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
