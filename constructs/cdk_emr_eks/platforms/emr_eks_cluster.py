"""``EmrEksCluster``, the public face: the order of the parts and their wiring, nothing else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Self, cast

import cdk8s
from aws_cdk import Stack
from aws_cdk import aws_eks_v2 as eks
from aws_cdk import aws_iam as iam
from constructs import Construct, IDependable

from cdk_emr_eks.addons.karpenter import InstalledKarpenter, Karpenter
from cdk_emr_eks.addons.load_balancer_controller import (
    InstalledLoadBalancerController,
    LoadBalancerController,
)
from cdk_emr_eks.addons.protocol import Addon, AddonContext, install_order
from cdk_emr_eks.admission.workload_policies import WorkloadPolicies
from cdk_emr_eks.clusters.cluster import ClusterSpec, EksCluster
from cdk_emr_eks.clusters.manifests import KubernetesObject, ManifestStage
from cdk_emr_eks.field_types import check_argument
from cdk_emr_eks.model.clusters.cluster import SYSTEM_SELECTOR, SYSTEM_TOLERATIONS
from cdk_emr_eks.model.nodes.gateway_pool import GatewayPool
from cdk_emr_eks.model.nodes.node_class import NodeClass
from cdk_emr_eks.model.nodes.node_pool import NodePool
from cdk_emr_eks.model.workloads.catalog import DEFAULT_WORKLOADS
from cdk_emr_eks.model.workloads.workload import Workload, check_workloads
from cdk_emr_eks.networks.network import ExistingNetwork, Network, NetworkSpec
from cdk_emr_eks.nodes.node_pools import NodeEnvironment, NodePools
from cdk_emr_eks.platforms.cluster_options import check_same, chosen_karpenter, cluster_options
from cdk_emr_eks.platforms.cluster_outputs import write_outputs
from cdk_emr_eks.platforms.endpoint_parts import EndpointParts
from cdk_emr_eks.platforms.tenant_host import TenantHost
from cdk_emr_eks.pods.pod_templates import PodTemplates
from cdk_emr_eks.security.encryption import PlatformKey
from cdk_emr_eks.tenants.context import TenancyContext, allow_job_logs, made_oidc


class EmrEksCluster(TenantHost):
    """A multi-tenant Amazon EMR on EKS platform: network, cluster, Karpenter, workloads.

    Without any option: a VPC over three zones with a block of its own for pods, a private EKS
    cluster with encrypted secrets, Karpenter, and for each of the workloads ``critical``,
    ``shared`` and ``notebook`` node pools in every zone with the pod templates that match them.

    Example:
        >>> app = aws_cdk.App()
        >>> stack = aws_cdk.Stack(app, "DataPlatform")
        >>> cluster = EmrEksCluster(stack, "EmrEksCluster")
        >>> tenant = cluster.add_tenant(Tenant(name="analytics"))

    Args:
        cluster: The EKS cluster: name, version, access, logs, system nodes.
        network: A new VPC, or one that is there already.
        workloads: What will run. Add a fourth by adding a value.
        karpenter: Options of Karpenter.
        addons: Further add-ons.
        admins: IAM roles whose people administer the cluster with kubectl.
        stage_per_workload: Whether each workload's node pools are a custom resource of their own;
            see ``NodePools``.

    Attributes:
        network: VPC, zones and subnets.
        eks: The EKS cluster with its add-ons and system nodes.
        karpenter: Karpenter, with the role of its nodes.
        node_pools: The node pools.
        options: The arguments it was made with, defaults filled in.

    Raises:
        ConfigError: If an option is of a wrong type, or workloads, add-ons or the network
            contradict each other.
    """

    network: Network
    _charts: ManifestStage | None = None
    _endpoints: EndpointParts | None = None

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        cluster: ClusterSpec | None = None,
        network: NetworkSpec | ExistingNetwork | None = None,
        workloads: Sequence[Workload] = DEFAULT_WORKLOADS,
        karpenter: Karpenter | None = None,
        addons: Sequence[Addon] = (),
        admins: Sequence[iam.IRole] = (),
        stage_per_workload: bool = False,
    ) -> None:
        options = cluster_options(
            cluster, network, workloads, karpenter, addons, admins, stage_per_workload
        )
        spec, chosen = cluster or ClusterSpec(), chosen_karpenter(karpenter, workloads, network)
        ordered = install_order(addons, [chosen.name])
        check_workloads(workloads)
        super().__init__(scope, id)
        self.options: Mapping[str, object] = options
        key = PlatformKey(self, "Key", cluster_name=spec.name).key
        allow_job_logs(key, spec.name)
        self.network = Network(
            self, "Network", spec=network or NetworkSpec(), cluster_name=spec.name, key=key
        )
        self.eks = EksCluster(self, "Eks", spec=spec, network=self.network, key=key, admins=admins)
        # jsii's Python types do not see that a Cluster is an ICluster.
        self._cluster = cast(eks.ICluster, self.eks.cluster)
        self._installed: dict[str, IDependable] = {}
        self.karpenter = cast(InstalledKarpenter, self._install(chosen))
        for addon in ordered:
            self._install(addon)
        policies = self._policies(spec, workloads)
        self.node_pools = self._node_pools(workloads, stage_per_workload)
        by_name = {workload.name: workload for workload in workloads}
        self.context = TenancyContext(
            cluster=self._cluster,
            cluster_name=spec.name,
            workloads=by_name,
            pod_templates=PodTemplates(self, "PodTemplates", workloads=by_name),
            oidc=lambda: made_oidc(self.eks.cluster),
            log_key=key,
            site=replace(self.node_pools.site, buffers=chosen.feature_gates.capacity_buffer),
            ready=(policies, self.node_pools),
            interactive=self.enable_endpoints,
            network=replace(self.network.ranges, service_cidrs=(spec.service_cidr,)),
        )
        write_outputs(self, self.eks)

    @classmethod
    def get_or_create(
        cls,
        scope: Construct,
        *,
        cluster: ClusterSpec | None = None,
        network: NetworkSpec | ExistingNetwork | None = None,
        workloads: Sequence[Workload] = DEFAULT_WORKLOADS,
        karpenter: Karpenter | None = None,
        addons: Sequence[Addon] = (),
        admins: Sequence[iam.IRole] = (),
        stage_per_workload: bool = False,
    ) -> Self:
        """Return the stack's cluster of that name, making it the first time.

        Args:
            scope: Any construct of the stack; the cluster is made directly in the stack.
            cluster: As in the constructor.
            network: As in the constructor.
            workloads: As in the constructor.
            karpenter: As in the constructor.
            addons: As in the constructor.
            admins: As in the constructor.
            stage_per_workload: As in the constructor.

        Raises:
            ConfigError: If the cluster is there with other options: they would be ignored.
        """
        wanted = cluster_options(
            cluster, network, workloads, karpenter, addons, admins, stage_per_workload
        )
        stack = Stack.of(scope)
        name = (cluster or ClusterSpec()).name
        found = stack.node.try_find_child(f"EmrEksCluster-{name}")
        if found is None:
            return cls(
                stack,
                f"EmrEksCluster-{name}",
                cluster=cluster,
                network=network,
                workloads=workloads,
                karpenter=karpenter,
                addons=addons,
                admins=admins,
                stage_per_workload=stage_per_workload,
            )
        made = cast(Self, found)
        check_same(name, wanted, made.options)
        return made

    def install(self, addon: Addon) -> IDependable:
        """Install a further add-on, after those it requires.

        Raises:
            ConfigError: If one of its name is there, or one that it requires is not.
        """
        check_argument("EmrEksCluster.install", "addon", Addon, addon)
        install_order([addon], self._installed)
        return self._install(addon)

    def add_karpenter_node_pool(self, pool: NodePool | NodeClass | KubernetesObject) -> None:
        """Add a node pool, or a node class for one, beside those of the workloads.

        Args:
            pool: A typed pool or class, or the manifest of a NodePool or an EC2NodeClass, which is
                checked against Karpenter's own schema and rules.

        Raises:
            ConfigError: If the manifest breaks them, or the name is taken.
        """
        self.node_pools.add(pool)

    def add_chart(self, chart: cdk8s.Chart) -> None:
        """Apply Kubernetes objects of your own, made with cdk8s or cdk8s-plus-27.

        They come after the platform and go before it; all charts are one custom resource.

        Raises:
            ConfigError: If they are too large for it together.
        """
        check_argument("EmrEksCluster.add_chart", "chart", cdk8s.Chart, chart)
        if self._charts is None:
            self._charts = ManifestStage(self, "Charts", cluster=self._cluster)
            self._charts.node.add_dependency(*self.context.ready)
        self._charts.add_chart(chart)

    def enable_endpoints(self, gateway: GatewayPool | None = None) -> IDependable:
        """Make what EMR's managed endpoints need, unless it is there; the first one does it.

        That is the AWS Load Balancer Controller, unless it is among the add-ons, and the node pool
        of gateways. Call it before the first endpoint for a pool of your own.

        Args:
            gateway: The pool. None: the one that is there, or ``GatewayPool()``.

        Returns:
            What endpoints wait for.

        Raises:
            ConfigError: If the pool is there with other options, or a workload has its name.
        """
        check_argument("enable_endpoints", "gateway", GatewayPool | None, gateway)
        if self._endpoints is None:
            addon = LoadBalancerController()
            if addon.name not in self._installed:
                self._install(addon)
            controller = cast(InstalledLoadBalancerController, self._installed[addon.name])
            self._endpoints = EndpointParts(
                self,
                "EndpointParts",
                cluster=self.eks,
                pools=self.node_pools,
                zones=self.network.zones,
                gateway=gateway or GatewayPool(),
                controller=controller.ready,
            )
        return self._endpoints.with_pool(gateway)

    def _policies(self, spec: ClusterSpec, workloads: Sequence[Workload]) -> WorkloadPolicies:
        policies = WorkloadPolicies(
            self,
            "Policies",
            cluster=self._cluster,
            cluster_name=spec.name,
            workloads=workloads,
            kubernetes=spec.version,
            zones=self.network.zones,
        )
        policies.node.add_dependency(self.eks.ready)
        return policies

    def _node_pools(self, workloads: Sequence[Workload], stage_per_workload: bool) -> NodePools:
        return NodePools(
            self,
            "NodePools",
            cluster=self._cluster,
            zones=self.network.zones,
            workloads=workloads,
            nodes=NodeEnvironment(
                cluster_name=self.eks.name,
                instance_profile=(profile := self.karpenter.instance_profile),
                role=None if profile else self.karpenter.node_role.role_name,
                subnets=self.network.subnet_selector,
                security_groups=self.eks.security_group_selector,
            ),
            karpenter=self.karpenter.ready,
            stage_per_workload=stage_per_workload,
        )

    def _install(self, addon: Addon) -> IDependable:
        holder = Construct(self, f"Addon-{addon.name}")
        # Before its resources, so that all of them wait: also those that it adds later.
        for name in addon.requires:
            holder.node.add_dependency(self._installed[name])
        context = AddonContext(
            cluster=self._cluster,
            cluster_name=self.eks.name,
            network=self.network,
            key=self.eks.key,
            node_selector=SYSTEM_SELECTOR,
            tolerations=SYSTEM_TOLERATIONS,
            ready=self.eks.ready,
            mirror=self.eks.mirror,
        )
        self._installed[addon.name] = addon.install(holder, context)
        return self._installed[addon.name]
