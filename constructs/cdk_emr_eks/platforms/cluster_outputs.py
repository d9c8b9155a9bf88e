"""What a cluster's stack tells: to its administrators, and to other apps."""

from __future__ import annotations

from typing import cast

from aws_cdk import CfnOutput, Stack
from aws_cdk import aws_eks_v2 as eks
from constructs import Construct

from cdk_emr_eks.clusters.cluster import EksCluster


def write_outputs(scope: Construct, cluster: EksCluster) -> None:
    """Write the stack outputs of a cluster.

    Args:
        scope: Construct whose outputs they are.
        cluster: The cluster.
    """
    name = cluster.name
    update = f"aws eks update-kubeconfig --name {name} --region {Stack.of(scope).region}"
    values = {
        "ClusterName": (name, "Name of the EKS cluster"),
        "Kubeconfig": (update, "Lets kubectl reach the cluster, for its administrators"),
        "KubectlServiceToken": (
            cast(eks.IKubectlProvider, cluster.cluster.kubectl_provider).service_token,
            "For ImportedEmrEksCluster.from_cluster_attributes in another app",
        ),
        "LogKeyArn": (cluster.key.key_arn, "Key of the jobs' log groups, for the same"),
    }
    for id, (value, description) in values.items():
        CfnOutput(scope, id, value=value, description=description)
