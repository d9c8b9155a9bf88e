"""The EKS cluster with its add-ons, system nodes and administrators."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import cast

from aws_cdk import Annotations, Aws, RemovalPolicy, Size
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_eks as eks_l1
from aws_cdk import aws_eks_v2 as eks
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_logs as logs
from constructs import Construct, DependencyGroup, IDependable

from cdk_emr_eks.clusters.kubectl import (
    bound_kubectl_logs,
    kubectl_layer,
    suppress_kubectl_findings,
)
from cdk_emr_eks.clusters.managed_addons import NetworkAddons, SystemAddons
from cdk_emr_eks.clusters.system_nodes import SystemNodes
from cdk_emr_eks.errors import refuse
from cdk_emr_eks.model.clusters.cluster import ClusterSpec, ControlPlaneLogType
from cdk_emr_eks.networks.network import Network
from cdk_emr_eks.security.encryption import cluster_log_prefix
from cdk_emr_eks.security.iam import cluster_arn
from cdk_emr_eks.security.suppressions import managed_policy, suppress

__all__ = ["ClusterSpec", "ControlPlaneLogType", "EksCluster"]


class EksCluster(Construct):
    """A private EKS cluster with managed add-ons and system nodes.

    The platform's key encrypts secrets and the control plane's log group. Only the given roles and
    CloudFormation's kubectl handler administer the cluster.

    Args:
        spec: Version, access, logs, system nodes.
        network: VPC and subnets.
        key: Encrypts secrets and logs.
        admins: IAM roles of administrators.

    Attributes:
        cluster: The cluster, with its kubectl provider.
        name: Its literal name.
        key: As given.
        mirror: ECR mirror of its add-ons. None: the registries where they are published.
        security_group: The cluster security group, which EKS creates and attaches to all nodes.
        security_group_selector: Selector of that group for Karpenter's node classes, with the tag
            ``aws:eks:cluster-name``, which only EKS can set. Load balancers fail if nodes have two
            groups with the cluster's tag.
        system_nodes: Dependency of pods on system nodes.
        ready: Dependency of everything that also needs the managed add-ons.

    Source: https://docs.aws.amazon.com/eks/latest/userguide/sec-group-reqs.html
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        spec: ClusterSpec,
        network: Network,
        key: kms.IKey,
        admins: Sequence[iam.IRole] = (),
    ) -> None:
        super().__init__(scope, id)
        self.name = spec.name
        self.key = key
        self.mirror = spec.mirror
        self.cluster = self._cluster(spec, network)
        suppress_kubectl_findings(self.cluster)
        bound_kubectl_logs(self.cluster, days=spec.log_days)
        cluster_name = self.cluster.cluster_name
        AdminAccess(self, "Admins", cluster_name=cluster_name, admins=admins)
        self.security_group: ec2.ISecurityGroup = self.cluster.cluster_security_group
        self.security_group_selector: tuple[Mapping[str, object], ...] = (
            {"tags": {"aws:eks:cluster-name": spec.name}},
        )
        networking = NetworkAddons(
            self,
            "NetworkAddons",
            cluster_name=cluster_name,
            spec=spec,
            network=network,
            security_group_id=self.cluster.cluster_security_group_id,
        )
        nodes = SystemNodes(
            self, "SystemNodes", cluster_name=cluster_name, spec=spec, network=network
        )
        nodes.node.add_dependency(networking.ready)
        addons = SystemAddons(self, "SystemAddons", cluster_name=cluster_name, spec=spec)
        addons.node.add_dependency(nodes)
        self.system_nodes: IDependable = nodes
        self.ready: IDependable = DependencyGroup(networking.ready, nodes, addons)

    def _cluster(self, spec: ClusterSpec, network: Network) -> eks.Cluster:
        cluster = eks.Cluster(
            self,
            "Cluster",
            cluster_name=spec.name,
            role=cast(iam.IRole, self._role(spec.name)),
            version=eks.KubernetesVersion.of(spec.version),
            vpc=network.vpc,
            vpc_subnets=[ec2.SubnetSelection(subnets=list(network.node_subnets))],
            endpoint_access=_endpoint_access(spec),
            service_ipv4_cidr=spec.service_cidr,
            secrets_encryption_key=self.key,
            cluster_logging=[eks.ClusterLoggingTypes[each.name] for each in spec.log_types],
            # Managed node groups and not Auto Mode; the CDK creates no node group.
            default_capacity_type=eks.DefaultCapacityType.NODEGROUP,
            default_capacity=0,
            bootstrap_self_managed_addons=False,
            bootstrap_cluster_creator_admin_permissions=False,
            prune=False,
            kubectl_provider_options=eks.KubectlProviderOptions(
                kubectl_layer=kubectl_layer(self, spec.version),
                # Helm unpacks charts in memory and runs out of it with less.
                memory=Size.gibibytes(2),
            ),
        )
        # The network construct has one warning for all imported subnets, with all required tags.
        Annotations.of(cluster).acknowledge_warning(
            "@aws-cdk/aws-eks:clusterMustManuallyTagSubnet", "cdk-emr-eks:untagged-subnets says it"
        )
        if network.ranges.vpc_cidrs:
            # A VPC of this library with isolated subnets has all endpoints.
            Annotations.of(cluster).acknowledge_warning(
                "@aws-cdk/aws-eks:isolatedSubnetsForKubectlPrivateSubnets",
                "NetworkSpec without NAT creates the endpoints",
            )
        resource = cast(eks_l1.CfnCluster, cluster.node.default_child)
        # EMR uses access entries, or aws-auth in older set-ups. The CDK sets the mode API, which
        # cannot be changed later.
        resource.add_property_override("AccessConfig.AuthenticationMode", "API_AND_CONFIG_MAP")
        # Created before the cluster: EKS would create it without a key and keep logs forever.
        resource.add_resource_dependency(self._log_group(spec))
        # The CDK orders the parts of the VPC. Endpoints and pod subnets outlive the cluster too.
        resource.node.add_dependency(network.ready)
        return cluster

    def _role(self, name: str) -> iam.Role:
        # The CDK's role would trust EKS for any cluster of any account (confused deputy).
        # Source: https://docs.aws.amazon.com/eks/latest/userguide/cross-service-confused-deputy-prevention.html
        conditions = {
            "StringEquals": {"aws:SourceAccount": Aws.ACCOUNT_ID},
            "ArnEquals": {"aws:SourceArn": cluster_arn(name)},
        }
        policy = iam.ManagedPolicy.from_aws_managed_policy_name("AmazonEKSClusterPolicy")
        role = iam.Role(
            self,
            "Role",
            assumed_by=iam.ServicePrincipal("eks.amazonaws.com", conditions=conditions),
            managed_policies=[policy],
        )
        reason = "EKS asks for this policy on its own role"
        suppress(role, {managed_policy(role, policy.managed_policy_arn): reason})
        return role

    def _log_group(self, spec: ClusterSpec) -> logs.CfnLogGroup:
        group = logs.CfnLogGroup(
            self,
            "LogGroup",
            log_group_name=f"{cluster_log_prefix(spec.name)}cluster",
            kms_key_id=self.key.key_arn,
            retention_in_days=spec.log_days,
        )
        group.apply_removal_policy(RemovalPolicy.DESTROY)
        return group


class AdminAccess(Construct):
    """EKS access entries with the cluster administrator policy, for IAM roles.

    Resources: one ``AWS::EKS::AccessEntry`` for each role.

    Args:
        cluster_name: Name of the cluster; can be a token.
        admins: The roles.

    Raises:
        ConfigError: If a role is given twice. EKS allows one entry for each role.

    Source: https://docs.aws.amazon.com/eks/latest/userguide/access-policy-permissions.html
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        cluster_name: str,
        admins: Sequence[iam.IRole],
    ) -> None:
        super().__init__(scope, id)
        arns: set[str] = set()
        for role in admins:
            arn = role.role_arn
            if arn in arns:
                where = f"Administrators of {self.node.path}"
                raise refuse(where, "admins", "must have each role once", role.node.path)
            arns.add(arn)
            scope_of = eks_l1.CfnAccessEntry.AccessScopeProperty(type="cluster")
            policy = (
                f"arn:{Aws.PARTITION}:eks::aws:cluster-access-policy/AmazonEKSClusterAdminPolicy"
            )
            eks_l1.CfnAccessEntry(
                self,
                role.node.addr,
                cluster_name=cluster_name,
                principal_arn=arn,
                access_policies=[
                    eks_l1.CfnAccessEntry.AccessPolicyProperty(
                        access_scope=scope_of, policy_arn=policy
                    )
                ],
            )
        if not arns:
            Annotations.of(self).add_warning_v2(
                "cdk-emr-eks:no-admins",
                "No IAM role can use kubectl on this cluster; pass admins=",
            )


def _endpoint_access(spec: ClusterSpec) -> eks.EndpointAccess:
    if not spec.public_access_cidrs:
        return eks.EndpointAccess.PRIVATE
    return eks.EndpointAccess.PUBLIC_AND_PRIVATE.only_from(*spec.public_access_cidrs)
