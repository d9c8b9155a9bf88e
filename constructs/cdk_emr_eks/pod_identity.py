"""Trust of a role that one service account of one cluster may take on, by EKS Pod Identity."""

from __future__ import annotations


def pod_identity_trust(
    *, cluster_name: str, namespace: str, service_account: str
) -> dict[str, object]:
    """Return the trust policy of a role for one service account.

    EKS sets session tags when it takes on the role; without the conditions any association of any
    cluster in the account could use it.

    Args:
        cluster_name: Name of the cluster.
        namespace: Namespace of the service account.
        service_account: Its name.

    Source: https://docs.aws.amazon.com/eks/latest/userguide/pod-id-role.html
    """
    return {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Action": ["sts:AssumeRole", "sts:TagSession"],
                "Principal": {"Service": "pods.eks.amazonaws.com"},
                "Condition": {
                    "StringEquals": {
                        "aws:RequestTag/eks-cluster-name": cluster_name,
                        "aws:RequestTag/kubernetes-namespace": namespace,
                        "aws:RequestTag/kubernetes-service-account": service_account,
                    }
                },
            }
        ],
    }
