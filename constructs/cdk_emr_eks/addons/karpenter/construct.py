"""The add-on Karpenter: its options, and the resources that it installs."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import field
from typing import Final

from aws_cdk import Annotations, Aws, RemovalPolicy, Stack
from aws_cdk import aws_eks as eks_l1
from aws_cdk import aws_eks_v2 as eks
from aws_cdk import aws_iam as iam
from constructs import Construct, DependencyGroup, IDependable

from cdk_emr_eks import labels
from cdk_emr_eks.addons.controllers import CONTROLLER_NAMESPACE, controller_chart, controller_role
from cdk_emr_eks.addons.karpenter.controller_policy import (
    PolicyScope,
    check_sizes,
    controller_policies,
    wildcard_reasons,
)
from cdk_emr_eks.addons.karpenter.interruption import InterruptionQueue
from cdk_emr_eks.addons.karpenter.options import (
    FeatureGates,
    KarpenterChartContext,
    KarpenterLogLevel,
    SchedulingBatch,
)
from cdk_emr_eks.addons.protocol import AddonContext
from cdk_emr_eks.checks import Check
from cdk_emr_eks.model.clusters.addon_mirror import KARPENTER_CHART, KARPENTER_CRDS, KARPENTER_IMAGE
from cdk_emr_eks.model.instances.instances import Resources
from cdk_emr_eks.names import cluster_name as check_cluster_name
from cdk_emr_eks.security.suppressions import managed_policy, suppress
from cdk_emr_eks.units import Cpu, Memory
from cdk_emr_eks.values import value
from cdk_emr_eks.versions import KARPENTER

# AWS managed policies of the nodes' role. Upstream adds two. AmazonEKS_CNI_Policy is left out: the
# vpc-cni add-on has a separate Pod Identity role, and with the policy an attacker on a node could
# move network addresses of any instance. AmazonSSMManagedInstanceCore is an option.
NODE_POLICIES: Final = ("AmazonEKSWorkerNodePolicy", "AmazonEC2ContainerRegistryPullOnly")
SESSION_MANAGER_POLICY: Final = "AmazonSSMManagedInstanceCore"

_SERVICE_ACCOUNT: Final = "karpenter"
_VERSION: Final = re.compile(r"1\.(\d+)\.\d+")
# The values, policies and CRDs that the library has are those of 1.14.
_OLDEST_MINOR: Final = 14
_RESOURCES: Final = Resources(Cpu.cores(1), Memory.from_gib(2))
_LEAST: Final = Resources(Cpu(500), Memory(512))


@value
class Karpenter:
    """Install Karpenter, which launches nodes for pending pods and terminates unused nodes.

    Two charts are installed. The CRDs have a separate one, since Helm never upgrades CRDs of a
    chart's ``crds`` folder. The controller runs on system nodes, with permissions by Pod Identity.

    Args:
        version: Version of both charts, 1.14.0 or newer. Default: the one in versions.py.
        replicas: Controller replicas: leader-elected, spread evenly over the zones. Default 2.
        resources: CPU request, and memory request and limit, of a replica. More CPU lets the
            controller do more at once, which a large cluster needs; CPU has no limit. Default 1
            core, as in upstream's guide, and 2 GiB: the guide has 1 for a small cluster, upstream's
            own tests run with 3.
        batch: When Karpenter schedules pending pods. See ``SchedulingBatch``.
        feature_gates: Features on and off. Default: as upstream.
        log_level: Default info.
        zonal_shift: Launch no node in a zone from which traffic is shifted away. The cluster must
            have zonal shift enabled, too. Default False.
        isolated_vpc: Whether nodes reach AWS by VPC endpoints only. Karpenter then requests no
            prices and creates no instance profiles, since neither API has an endpoint in every
            Region: it uses the prices of its release, and its nodes have an instance profile of the
            stack. Default False; ``EmrEksCluster`` sets it with ``Nat.NONE``.
        session_manager: Allow shells on nodes by SSM Session Manager. Default False: the policy for
            it lets an attacker on a node read every parameter of the account.
        create_spot_role: Create the role by which EC2 runs spot instances,
            AWSServiceRoleForEC2Spot. An account that has used spot instances has the role, and
            creating it again fails. Default False.

    Raises:
        ConfigError: If the version is unknown, there is no replica, the resources of a replica are
            too small, or the log level is unknown.

    Source: https://karpenter.sh/v1.14/reference/settings/, 2026-11.

    Example:
        >>> Karpenter(resources=Resources(Cpu.cores(2), Memory.from_gib(4))).replicas
        2
    """

    version: str = KARPENTER
    replicas: int = 2
    resources: Resources = _RESOURCES
    batch: SchedulingBatch = field(default_factory=SchedulingBatch)
    feature_gates: FeatureGates = field(default_factory=FeatureGates)
    log_level: KarpenterLogLevel = KarpenterLogLevel.INFO
    zonal_shift: bool = False
    isolated_vpc: bool = False
    session_manager: bool = False
    create_spot_role: bool = False

    def _rules(self, check: Check) -> None:
        match = _VERSION.fullmatch(self.version)
        known = match is not None and int(match[1]) >= _OLDEST_MINOR
        rule = f"must be a release such as {KARPENTER!r}, 1.{_OLDEST_MINOR}.0 or newer, below 2"
        check.require(known, "version", rule, self.version)
        check.require(self.replicas >= 1, "replicas", "must be 1 or more", self.replicas)
        cpu, memory = self.resources
        rule = f"must be at least {_LEAST.cpu.kubernetes}"
        check.require(cpu >= _LEAST.cpu, "resources.cpu", rule, cpu.kubernetes)
        rule = f"must be at least {_LEAST.memory.kubernetes}"
        check.require(memory >= _LEAST.memory, "resources.memory", rule, memory.kubernetes)

    @property
    def name(self) -> str:
        """Name of the add-on, and id of its construct."""
        return "Karpenter"

    @property
    def requires(self) -> tuple[str, ...]:
        """Nothing: the cluster itself has the Pod Identity agent and the system nodes."""
        return ()

    def install(self, scope: Construct, context: AddonContext) -> InstalledKarpenter:
        """Install Karpenter. The result has the role of its nodes.

        Raises:
            ConfigError: If the cluster's name is a token, or so long that a policy of the
                controller is over IAM's limit.
        """
        check = Check("Karpenter")
        check.add(check_cluster_name("cluster_name", context.cluster_name))
        check.raise_if_any()
        check_sizes(context.cluster_name, zonal_shift=self.zonal_shift)
        return InstalledKarpenter(scope, self.name, karpenter=self, context=context)

    def values(self, context: KarpenterChartContext) -> Mapping[str, object]:
        """Return the values of the chart ``karpenter`` for a cluster."""
        cpu, memory = self.resources.cpu.kubernetes, self.resources.memory.kubernetes
        # Tag and digest stay the chart's, so that a mirror has the published image or none.
        image = {"image": {"repository": context.image}} if context.image else {}
        return {
            "replicas": self.replicas,
            "logLevel": str(self.log_level),
            # The VPC's resolver: nodes must come even if Spark jobs overload CoreDNS.
            "dnsPolicy": "Default",
            "nodeSelector": dict(context.node_selector),
            "tolerations": [dict(each) for each in context.tolerations],
            # The chart fills in the label selector.
            "topologySpreadConstraints": [
                {"maxSkew": 1, "topologyKey": labels.ZONE, "whenUnsatisfiable": "DoNotSchedule"}
            ],
            "controller": {
                **image,
                # Without it the controller asks the metadata service, one hop too far for a pod.
                "env": [{"name": "AWS_REGION", "value": context.region}],
                "resources": {
                    "requests": {"cpu": cpu, "memory": memory},
                    # No CPU limit: a thousand pending pods are a burst of work.
                    "limits": {"memory": memory},
                },
            },
            "settings": {
                "clusterName": context.cluster_name,
                "clusterEndpoint": context.cluster_endpoint,
                "interruptionQueue": context.queue_name,
                "eksControlPlane": True,
                # With custom networking the first interface of a node holds no pod. This matters to
                # node classes that leave maxPods open; those of the library set it.
                "reservedENIs": "1" if context.custom_networking else "0",
                **self.batch.values(),
                "enableZonalShift": self.zonal_shift,
                "isolatedVPC": self.isolated_vpc,
                "featureGates": self.feature_gates.values(),
            },
        }


class InstalledKarpenter(Construct):
    """Karpenter in a cluster. Resources that Karpenter acts on must depend on ``ready``.

    Only the charts wait for the cluster's own add-ons and nodes; roles and queue do not. Deletion
    removes the chart first, then the controller's permissions, the queue and the CRDs, so that the
    controller can finish its work.

    Resources: two ``Custom::AWSCDK-EKS-HelmChart``, two ``AWS::IAM::Role``, five or six
    ``AWS::IAM::ManagedPolicy``, one ``AWS::EKS::PodIdentityAssociation``, one
    ``AWS::EKS::AccessEntry``, the queue with its policy and five rules; with ``isolated_vpc`` one
    ``AWS::IAM::InstanceProfile``.

    Attributes:
        node_role: Role of the nodes that Karpenter launches.
        instance_profile: Name of the instance profile of these nodes, a token. None: Karpenter
            creates one for each node class.
        queue_name: Name of the interruption queue, a token.
        ready: Dependency of what Karpenter acts on: the controller runs, and its nodes may join.
    """

    def __init__(
        self, scope: Construct, id: str, *, karpenter: Karpenter, context: AddonContext
    ) -> None:
        super().__init__(scope, id)
        self._karpenter = karpenter
        # Tokens are read once, since each read is a call to Node.
        stack = Stack.of(self)
        region = stack.region
        cluster = context.cluster.cluster_name
        queue = InterruptionQueue(self, "Interruption", cluster_name=context.cluster_name)
        self.queue_name: str = queue.queue_name
        node_role = self._node_role()
        self.node_role: iam.IRole = node_role
        isolated = karpenter.isolated_vpc
        self.instance_profile = self._instance_profile(node_role) if isolated else None
        node_role_arn = node_role.role_arn
        access = self._node_access(cluster, node_role_arn)
        role = self._controller_role(
            PolicyScope(
                partition=Aws.PARTITION,
                region=region,
                account=stack.account,
                cluster_name=context.cluster_name,
                node_role_arn=node_role_arn,
                queue_arn=queue.queue_arn,
            )
        )
        rights = self._association(cluster, role.attr_arn)
        crds = self._chart("Crds", context, KARPENTER_CRDS)
        crds.node.add_dependency(context.ready)
        values = karpenter.values(_chart_context(context, queue.queue_name, region))
        chart = self._chart("Chart", context, KARPENTER_CHART, values)
        # The queue's policy refers to the rules, and they to the queue; the association refers to
        # the role, and it to its policies. So each of these dependencies stands for a chain.
        chart.node.add_dependency(crds, rights, queue.ready, context.ready)
        self.ready: IDependable = DependencyGroup(chart, access)
        if karpenter.create_spot_role:
            self._spot_role()
        if isolated and context.mirror is None:
            self._warn_of_no_internet()

    def _node_role(self) -> iam.Role:
        more = [SESSION_MANAGER_POLICY] if self._karpenter.session_manager else []
        policies = [
            iam.ManagedPolicy.from_aws_managed_policy_name(name) for name in (*NODE_POLICIES, *more)
        ]
        role = iam.Role(
            self,
            "NodeRole",
            description="Nodes that Karpenter starts",
            # As for the system nodes: China has another name for EC2.
            assumed_by=iam.ServicePrincipal(f"ec2.{Aws.URL_SUFFIX}"),
            managed_policies=policies,
        )
        why = "AWS maintains the policy together with what nodes need"
        arns = [policy.managed_policy_arn for policy in policies]
        suppress(role, {managed_policy(self, arn): why for arn in arns})
        return role

    def _instance_profile(self, role: iam.Role) -> str:
        # Karpenter cannot create one without access to IAM:
        # https://karpenter.sh/v1.14/concepts/nodeclasses/#specinstanceprofile
        return iam.CfnInstanceProfile(self, "NodeProfile", roles=[role.role_name]).ref

    def _node_access(self, cluster: str, role_arn: str) -> eks_l1.CfnAccessEntry:
        # Lets the nodes join the cluster, with the permissions of a kubelet only.
        return eks_l1.CfnAccessEntry(
            self,
            "NodeAccess",
            cluster_name=cluster,
            principal_arn=role_arn,
            type="EC2_LINUX",
        )

    def _controller_role(self, scope: PolicyScope) -> iam.CfnRole:
        return controller_role(
            self,
            "ControllerRole",
            name="Karpenter",
            description=f"Karpenter's controller in {scope.cluster_name}",
            cluster_name=scope.cluster_name,
            service_account=_SERVICE_ACCOUNT,
            documents=controller_policies(scope, zonal_shift=self._karpenter.zonal_shift),
            reasons=wildcard_reasons,
        )

    def _association(self, cluster: str, role_arn: str) -> eks_l1.CfnPodIdentityAssociation:
        return eks_l1.CfnPodIdentityAssociation(
            self,
            "Association",
            cluster_name=cluster,
            namespace=CONTROLLER_NAMESPACE,
            service_account=_SERVICE_ACCOUNT,
            role_arn=role_arn,
        )

    def _chart(
        self,
        id: str,
        context: AddonContext,
        repository: str,
        values: Mapping[str, object] | None = None,
    ) -> eks.HelmChart:
        return controller_chart(
            self,
            id,
            cluster=context.cluster,
            repository=f"oci://{context.public(repository)}",
            chart=repository.rpartition("/")[2],
            version=self._karpenter.version,
            values=values,
            # The CRDs are in a separate chart; a second copy would never be upgraded.
            skip_crds=True,
        )

    def _spot_role(self) -> None:
        role = iam.CfnServiceLinkedRole(self, "SpotRole", aws_service_name="spot.amazonaws.com")
        # The role belongs to the account: other clusters may use it by now.
        role.apply_removal_policy(RemovalPolicy.RETAIN)

    def _warn_of_no_internet(self) -> None:
        Annotations.of(self).add_warning_v2(
            "cdk-emr-eks:no-internet",
            "Without NAT the cluster cannot reach the internet, where the charts and images of "
            "Karpenter and of the load balancer controller are. Mirror them and set "
            "ClusterSpec(mirror=AddonMirror(...)); AddonRegistry creates the repositories",
        )


def _chart_context(context: AddonContext, queue_name: str, region: str) -> KarpenterChartContext:
    return KarpenterChartContext(
        cluster_name=context.cluster_name,
        cluster_endpoint=context.cluster.cluster_endpoint,
        queue_name=queue_name,
        region=region,
        node_selector=context.node_selector,
        tolerations=context.tolerations,
        custom_networking=bool(context.network.pod_subnets),
        image=context.public(KARPENTER_IMAGE) if context.mirror else None,
    )
