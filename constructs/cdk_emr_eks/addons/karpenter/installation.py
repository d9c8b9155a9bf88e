"""Karpenter's resources: roles, queue and charts, in the order in which they come and go."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from aws_cdk import Annotations, Aws, RemovalPolicy, Stack
from aws_cdk import aws_eks as eks_l1
from aws_cdk import aws_eks_v2 as eks
from aws_cdk import aws_iam as iam
from constructs import Construct, DependencyGroup, IDependable

from cdk_emr_eks.addons.controllers import (
    CONTROLLER_NAMESPACE,
    controller_chart,
    controller_role,
)
from cdk_emr_eks.addons.karpenter.accepted import NODE_POLICY, wildcard_reasons
from cdk_emr_eks.addons.karpenter.interruption import InterruptionQueue
from cdk_emr_eks.addons.karpenter.policies import controller_policies
from cdk_emr_eks.addons.karpenter.scope import PolicyScope
from cdk_emr_eks.addons.karpenter.values import SERVICE_ACCOUNT, Surroundings
from cdk_emr_eks.addons.protocol import AddonContext
from cdk_emr_eks.model.clusters.addon_mirror import KARPENTER_CHART, KARPENTER_CRDS, KARPENTER_IMAGE
from cdk_emr_eks.security.nag import accept, managed_policy

NODE_POLICIES: Final = ("AmazonEKSWorkerNodePolicy", "AmazonEC2ContainerRegistryPullOnly")
"""AWS managed policies of the nodes' role.

Upstream adds two. AmazonEKS_CNI_Policy is left out, since the vpc-cni add-on has a Pod Identity
role of its own: with it, whoever breaks into a node could move network addresses of any instance.
AmazonSSMManagedInstanceCore is an option.
"""
SESSION_MANAGER_POLICY: Final = "AmazonSSMManagedInstanceCore"


class InstalledKarpenter(Construct):
    """Karpenter in a cluster. Whatever Karpenter acts on must depend on its ``ready``.

    Only the charts wait for the cluster's own add-ons and nodes; roles and queue are made beside
    them. Deleted in the order: chart, then the controller's rights, queue and CRDs, so that the
    controller can finish what it began.

    Resources made: two ``Custom::AWSCDK-EKS-HelmChart``, two ``AWS::IAM::Role``, five or six
    ``AWS::IAM::ManagedPolicy``, one ``AWS::EKS::PodIdentityAssociation``, one
    ``AWS::EKS::AccessEntry``, the queue with its policy and five rules; with ``isolated_vpc`` one
    ``AWS::IAM::InstanceProfile``.

    Attributes:
        node_role: Role of the nodes that Karpenter starts.
        instance_profile: Name of the instance profile of these nodes, a token. None: Karpenter
            makes one for each node class itself.
        queue_name: Name of the interruption queue, a token.
        ready: Dependency of what Karpenter acts on: the controller runs, and its nodes may join.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        context: AddonContext,
        version: str,
        values: Callable[[Surroundings], Mapping[str, object]],
        zonal_shift: bool,
        isolated_vpc: bool,
        session_manager: bool,
        create_spot_role: bool,
    ) -> None:
        super().__init__(scope, id)
        # Tokens are read once: each read asks Node.
        stack = Stack.of(self)
        region = stack.region
        cluster = context.cluster.cluster_name
        queue = InterruptionQueue(self, "Interruption", cluster_name=context.cluster_name)
        self.queue_name: str = queue.queue_name
        node_role = self._node_role(session_manager)
        self.node_role: iam.IRole = node_role
        self.instance_profile = self._instance_profile(node_role) if isolated_vpc else None
        node_role_arn = node_role.role_arn
        access = self._node_access(cluster, node_role_arn)
        policy_scope = PolicyScope(
            partition=Aws.PARTITION,
            region=region,
            account=stack.account,
            cluster_name=context.cluster_name,
            node_role_arn=node_role_arn,
            queue_arn=queue.queue_arn,
        )
        role = self._controller_role(policy_scope, zonal_shift)
        rights = self._association(cluster, role.attr_arn)
        around = _surroundings(context, queue.queue_name, region)
        crds = self._chart("Crds", context, KARPENTER_CRDS, version)
        crds.node.add_dependency(context.ready)
        chart = self._chart("Chart", context, KARPENTER_CHART, version, values(around))
        # The queue's policy refers to the rules, they to the queue; the association to the role, it
        # to its policies: so each edge stands for a chain.
        chart.node.add_dependency(crds, rights, queue.ready, context.ready)
        self.ready: IDependable = DependencyGroup(chart, access)
        if create_spot_role:
            self._spot_role()
        if isolated_vpc and context.mirror is None:
            self._warn()

    def _warn(self) -> None:
        Annotations.of(self).add_warning_v2(
            "cdk-emr-eks:no-internet",
            "Without NAT nothing reaches the internet, and the charts and images of Karpenter and "
            "of the load balancer controller are there: mirror them, and say where with "
            "ClusterSpec(mirror=AddonMirror(...)); AddonRegistry makes the repositories",
        )

    def _instance_profile(self, role: iam.Role) -> str:
        # Where Karpenter cannot ask IAM for one:
        # https://karpenter.sh/v1.14/concepts/nodeclasses/#specinstanceprofile
        return iam.CfnInstanceProfile(self, "NodeProfile", roles=[role.role_name]).ref

    def _node_access(self, cluster: str, role_arn: str) -> eks_l1.CfnAccessEntry:
        # Lets the nodes join the cluster; it gives them no more than a kubelet needs.
        return eks_l1.CfnAccessEntry(
            self,
            "NodeAccess",
            cluster_name=cluster,
            principal_arn=role_arn,
            type="EC2_LINUX",
        )

    def _association(self, cluster: str, role_arn: str) -> eks_l1.CfnPodIdentityAssociation:
        return eks_l1.CfnPodIdentityAssociation(
            self,
            "Association",
            cluster_name=cluster,
            namespace=CONTROLLER_NAMESPACE,
            service_account=SERVICE_ACCOUNT,
            role_arn=role_arn,
        )

    def _controller_role(self, scope: PolicyScope, zonal_shift: bool) -> iam.CfnRole:
        return controller_role(
            self,
            "ControllerRole",
            name="Karpenter",
            description=f"Karpenter's controller in {scope.cluster_name}",
            cluster_name=scope.cluster_name,
            service_account=SERVICE_ACCOUNT,
            documents=controller_policies(scope, zonal_shift=zonal_shift),
            reasons=wildcard_reasons,
        )

    def _chart(
        self,
        id: str,
        context: AddonContext,
        repository: str,
        version: str,
        values: Mapping[str, object] | None = None,
    ) -> eks.HelmChart:
        return controller_chart(
            self,
            id,
            cluster=context.cluster,
            repository=f"oci://{context.public(repository)}",
            chart=repository.rpartition("/")[2],
            version=version,
            values=values,
            # The CRDs are a chart of their own; a second copy would never be upgraded.
            skip_crds=True,
        )

    def _spot_role(self) -> None:
        role = iam.CfnServiceLinkedRole(self, "SpotRole", aws_service_name="spot.amazonaws.com")
        # It is the account's: other clusters may have come to rely on it.
        role.apply_removal_policy(RemovalPolicy.RETAIN)

    def _node_role(self, session_manager: bool) -> iam.Role:
        names = (*NODE_POLICIES, SESSION_MANAGER_POLICY) if session_manager else NODE_POLICIES
        policies = [iam.ManagedPolicy.from_aws_managed_policy_name(name) for name in names]
        role = iam.Role(
            self,
            "NodeRole",
            description="Nodes that Karpenter starts",
            # As of the system nodes: China has a name of its own for EC2.
            assumed_by=iam.ServicePrincipal(f"ec2.{Aws.URL_SUFFIX}"),
            managed_policies=policies,
        )
        arns = [policy.managed_policy_arn for policy in policies]
        accept(role, {managed_policy(self, arn): NODE_POLICY for arn in arns})
        return role


def _surroundings(context: AddonContext, queue_name: str, region: str) -> Surroundings:
    return Surroundings(
        cluster_name=context.cluster_name,
        cluster_endpoint=context.cluster.cluster_endpoint,
        queue_name=queue_name,
        region=region,
        node_selector=context.node_selector,
        tolerations=context.tolerations,
        custom_networking=bool(context.network.pod_subnets),
        image=context.public(KARPENTER_IMAGE) if context.mirror else None,
    )
