"""``EmrEksCluster``: a whole platform in one construct, in the order of its parts."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Self, cast

import cdk8s
from aws_cdk import CfnOutput, Stack
from aws_cdk import aws_eks_v2 as eks
from constructs import Construct, IDependable

from cdk_emr_eks.addons.karpenter import InstalledKarpenter
from cdk_emr_eks.addons.protocol import Addon, AddonContext, InstalledAddons
from cdk_emr_eks.admission.workload_policies import WorkloadPolicies
from cdk_emr_eks.clusters.cluster import EksCluster
from cdk_emr_eks.clusters.manifests import KubernetesObject, ManifestBundle
from cdk_emr_eks.clusters.oidc_provider import ClusterOidcProvider
from cdk_emr_eks.errors import refuse
from cdk_emr_eks.field_types import check_argument
from cdk_emr_eks.model.clusters.cluster import SYSTEM_SELECTOR, SYSTEM_TOLERATIONS
from cdk_emr_eks.model.nodes.gateway_pool import GatewayPool
from cdk_emr_eks.model.nodes.node_class import NodeClass
from cdk_emr_eks.model.nodes.node_pool import NodePool
from cdk_emr_eks.networks.network import Network
from cdk_emr_eks.nodes.node_pools import NodeEnvironment, NodePools
from cdk_emr_eks.platforms.platform import Platform
from cdk_emr_eks.platforms.tenant_host import TenantHost
from cdk_emr_eks.pods.pod_templates import PodTemplates
from cdk_emr_eks.security.encryption import PlatformKey
from cdk_emr_eks.tenants.context import TenancyContext, allow_job_logs
from cdk_emr_eks.tenants.endpoint_prerequisites import EndpointPrerequisites


class EmrEksCluster(TenantHost):
    """A multi-tenant Amazon EMR on EKS platform: network, cluster, Karpenter, workloads.

    Without options: a VPC over three zones with a separate address block for pods, a private EKS
    cluster with encrypted secrets, Karpenter, and for each of the workloads ``critical``,
    ``shared`` and ``notebook`` node pools in every zone with matching pod templates.

    Example:
        >>> app = aws_cdk.App()
        >>> stack = aws_cdk.Stack(app, "DataPlatform")
        >>> cluster = EmrEksCluster(stack, "EmrEksCluster")
        >>> tenant = cluster.add_tenant(Tenant(name="analytics"))

    Args:
        platform: The options. None: ``Platform()``.

    Attributes:
        platform: The options.
        network: VPC, zones and subnets.
        eks: The EKS cluster with its add-ons and system nodes.
        karpenter: Karpenter, with the role of its nodes.
        node_pools: The node pools.

    Raises:
        ConfigError: If ``platform`` is of another type.
    """

    network: Network
    _charts: ManifestBundle | None = None

    def __init__(self, scope: Construct, id: str, *, platform: Platform | None = None) -> None:
        check_argument("EmrEksCluster", "platform", Platform | None, platform)
        super().__init__(scope, id)
        self.platform = platform = platform or Platform()
        spec, karpenter = platform.cluster, platform.installed_karpenter
        key = PlatformKey(self, "Key", cluster_name=spec.name).key
        allow_job_logs(key, spec.name)
        self.network = Network(
            self, "Network", spec=platform.network, cluster_name=spec.name, key=key
        )
        self.eks = EksCluster(
            self, "Eks", spec=spec, network=self.network, key=key, admins=platform.admins
        )
        # jsii's Python types do not see that a Cluster is an ICluster.
        self._cluster = cast(eks.ICluster, self.eks.cluster)
        self._addons = InstalledAddons(self, self._addon_context())
        (installed,) = self._addons.install(karpenter)
        self.karpenter = cast(InstalledKarpenter, installed)
        self._addons.install(*platform.addons)
        policies = self._policies()
        self.node_pools = self._node_pools(karpenter.feature_gates.capacity_buffer)
        self._endpoints = EndpointPrerequisites(
            cluster_name=spec.name, addons=self._addons, pools=self.node_pools
        )
        by_name = {workload.name: workload for workload in platform.workloads}
        self.context = TenancyContext(
            cluster=self._cluster,
            cluster_name=spec.name,
            workloads=by_name,
            pod_templates=PodTemplates(self, "PodTemplates", workloads=by_name),
            oidc=ClusterOidcProvider(self.eks.cluster),
            log_key=key,
            nodes=self.node_pools.nodes,
            ready=(policies, self.node_pools),
            endpoints=self._endpoints,
            network=replace(self.network.ranges, service_cidrs=(spec.service_cidr,)),
        )
        self._write_outputs()

    @classmethod
    def get_or_create(cls, scope: Construct, *, platform: Platform | None = None) -> Self:
        """Return the stack's cluster of the name in ``platform``, creating it the first time.

        Args:
            scope: Any construct of the stack. The cluster is a child of the stack.
            platform: The options. None: ``Platform()``.

        Raises:
            ConfigError: If the cluster exists with other options.
        """
        check_argument("EmrEksCluster", "platform", Platform | None, platform)
        wanted = platform or Platform()
        stack, name = Stack.of(scope), wanted.cluster.name
        found = stack.node.try_find_child(f"EmrEksCluster-{name}")
        if found is None:
            return cls(stack, f"EmrEksCluster-{name}", platform=wanted)
        existing = cast(Self, found)
        for each in fields(Platform):
            got, first = getattr(wanted, each.name), getattr(existing.platform, each.name)
            if got != first:
                rule = "must be the same at each call for one cluster"
                fix = f"the first call had {first!r}"
                raise refuse(f"EmrEksCluster {name!r}", each.name, rule, got, fix)
        return existing

    def install(self, addon: Addon) -> IDependable:
        """Install a further add-on, after those that it requires.

        Raises:
            ConfigError: If it is installed already, or a required add-on is not installed.
        """
        check_argument("EmrEksCluster.install", "addon", Addon, addon)
        (ready,) = self._addons.install(addon)
        return ready

    def add_karpenter_node_pool(self, pool: NodePool | NodeClass | KubernetesObject) -> None:
        """Add a node pool or a node class, in addition to those of the workloads.

        Args:
            pool: A typed pool or class, or the manifest of a NodePool or an EC2NodeClass, which is
                checked against Karpenter's schema and rules.

        Raises:
            ConfigError: If the manifest breaks them, or the name is used already.
        """
        self.node_pools.add(pool)

    def add_chart(self, chart: cdk8s.Chart) -> None:
        """Apply Kubernetes objects from a chart of cdk8s or cdk8s-plus-27.

        CloudFormation applies them after the platform and deletes them before it. All charts are
        one custom resource.

        Raises:
            ConfigError: If the charts are too large together.
        """
        check_argument("EmrEksCluster.add_chart", "chart", cdk8s.Chart, chart)
        if self._charts is None:
            self._charts = ManifestBundle(self, "Charts", cluster=self._cluster)
            self._charts.node.add_dependency(*self.context.ready)
        self._charts.add_chart(chart)

    def enable_endpoints(self, gateway: GatewayPool | None = None) -> IDependable:
        """Create what EMR's managed endpoints need, unless it exists.

        That is the AWS Load Balancer Controller, unless it is among the add-ons, and the node pool
        of gateways. The first endpoint calls this method; call it before to set the pool's options.

        Args:
            gateway: The pool. None: the existing one, or ``GatewayPool()``.

        Returns:
            The dependency of endpoints.

        Raises:
            ConfigError: If the pool exists with other options, or a workload has its name.
        """
        check_argument("enable_endpoints", "gateway", GatewayPool | None, gateway)
        return self._endpoints.ensure(gateway)

    def _addon_context(self) -> AddonContext:
        return AddonContext(
            cluster=self._cluster,
            cluster_name=self.eks.name,
            network=self.network,
            key=self.eks.key,
            node_selector=SYSTEM_SELECTOR,
            tolerations=SYSTEM_TOLERATIONS,
            ready=self.eks.ready,
            mirror=self.eks.mirror,
        )

    def _policies(self) -> WorkloadPolicies:
        policies = WorkloadPolicies(
            self,
            "Policies",
            cluster=self._cluster,
            cluster_name=self.eks.name,
            workloads=self.platform.workloads,
            kubernetes=self.platform.cluster.version,
            zones=self.network.zones,
        )
        policies.node.add_dependency(self.eks.ready)
        return policies

    def _node_pools(self, capacity_buffers: bool) -> NodePools:
        profile = self.karpenter.instance_profile
        return NodePools(
            self,
            "NodePools",
            cluster=self._cluster,
            workloads=self.platform.workloads,
            nodes=NodeEnvironment(
                cluster_name=self.eks.name,
                zones=self.network.zones,
                instance_profile=profile,
                role=None if profile else self.karpenter.node_role.role_name,
                subnets=self.network.subnet_selector,
                security_groups=self.eks.security_group_selector,
                capacity_buffers=capacity_buffers,
            ),
            karpenter=self.karpenter.ready,
            bundle_per_workload=self.platform.bundle_per_workload,
        )

    def _write_outputs(self) -> None:
        name = self.eks.name
        update = f"aws eks update-kubeconfig --name {name} --region {Stack.of(self).region}"
        kubectl = cast(eks.IKubectlProvider, self.eks.cluster.kubectl_provider)
        imported = "For ImportedEmrEksCluster.from_cluster_attributes in another app"
        for id, output, description in (
            ("ClusterName", name, "Name of the EKS cluster"),
            ("Kubeconfig", update, "Configures kubectl for administrators of the cluster"),
            ("KubectlServiceToken", kubectl.service_token, imported),
            ("LogKeyArn", self.eks.key.key_arn, f"Key of the jobs' log groups. {imported}"),
        ):
            CfnOutput(self, id, value=output, description=description)
