"""The least CDK app with the services of the platform: what no library can be quicker than.

A VPC, an EKS cluster, one manifest and one virtual cluster: ``python bare.py OUTDIR``.
"""

import sys

from aws_cdk import App, Environment, Stack
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_eks_v2 as eks
from aws_cdk import aws_emrcontainers as emrcontainers
from aws_cdk.lambda_layer_kubectl_v36 import KubectlV36Layer

NAMESPACE = "batchjob"

app = App(outdir=sys.argv[1])
stack = Stack(app, "Platform", env=Environment(account="111122223333", region="eu-west-1"))
vpc = ec2.Vpc(stack, "Vpc", max_azs=3)
cluster = eks.Cluster(
    stack,
    "Cluster",
    version=eks.KubernetesVersion.V1_36,
    vpc=vpc,
    default_capacity_type=eks.DefaultCapacityType.NODEGROUP,
    default_capacity=0,
    kubectl_provider_options=eks.KubectlProviderOptions(
        kubectl_layer=KubectlV36Layer(stack, "Kubectl")
    ),
)
namespace = cluster.add_manifest(
    "Namespace", {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}}
)
virtual_cluster = emrcontainers.CfnVirtualCluster(
    stack,
    "VirtualCluster",
    name=NAMESPACE,
    container_provider=emrcontainers.CfnVirtualCluster.ContainerProviderProperty(
        id=cluster.cluster_name,
        type="EKS",
        info=emrcontainers.CfnVirtualCluster.ContainerInfoProperty(
            eks_info=emrcontainers.CfnVirtualCluster.EksInfoProperty(namespace=NAMESPACE)
        ),
    ),
)
virtual_cluster.node.add_dependency(namespace)
app.synth()
