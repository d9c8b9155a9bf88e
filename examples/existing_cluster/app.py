"""Node pools and tenants on the cluster of another stack, which already runs Karpenter."""

from typing import cast

import aws_cdk as cdk
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_eks as eks_l1
from aws_cdk import aws_eks_v2 as eks
from aws_cdk.lambda_layer_kubectl_v36 import KubectlV36Layer

from cdk_emr_eks import (
    ClusterPolicies,
    ImportedEmrEksCluster,
    ImportedPlatform,
    NodeEnvironment,
    Tenant,
    Zone,
)

app = cdk.App()
env = cdk.Environment(account="111122223333", region="eu-west-1")
zone_names = ["eu-west-1a", "eu-west-1b", "eu-west-1c"]

# The stack of another team: any cluster of aws_eks_v2 with a kubectl provider works.
foundation = cdk.Stack(app, "Foundation", env=env)
theirs = eks.Cluster(
    foundation,
    "Cluster",
    cluster_name="foundation",
    vpc=ec2.Vpc(foundation, "Vpc", availability_zones=zone_names),
    version=eks.KubernetesVersion.V1_36,
    default_capacity_type=eks.DefaultCapacityType.NODEGROUP,
    default_capacity=2,
    kubectl_provider_options=eks.KubectlProviderOptions(
        kubectl_layer=KubectlV36Layer(foundation, "Kubectl")
    ),
)
# Requirements of EMR and of the execution roles. The owners have already installed Karpenter.
resource = cast(eks_l1.CfnCluster, theirs.node.default_child)
resource.add_property_override("AccessConfig.AuthenticationMode", "API_AND_CONFIG_MAP")
eks_l1.CfnAddon(
    foundation,
    "PodIdentityAgent",
    addon_name="eks-pod-identity-agent",
    cluster_name=theirs.cluster_name,
)

# Our stack. In another app: ImportedEmrEksCluster.from_cluster_attributes with stack outputs.
stack = cdk.Stack(app, "DataPlatform", env=env)
nodes = NodeEnvironment(
    cluster_name="foundation",
    zones=tuple(Zone.named(name) for name in zone_names),
    role="KarpenterNodeRole-foundation",
    subnets=({"tags": {"karpenter.sh/discovery": "foundation"}},),
    security_groups=({"tags": {"aws:eks:cluster-name": "foundation"}},),
)
platform = ImportedPlatform(
    cluster_name="foundation", nodes=nodes, policies=ClusterPolicies(kubernetes="1.36")
)
cluster = ImportedEmrEksCluster(stack, "Cluster", platform=platform, cluster=theirs)
cluster.add_tenant(Tenant(name="analytics"))
app.synth()
