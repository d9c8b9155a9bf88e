"""``Platform``: the options of an ``EmrEksCluster``, as one value."""

from __future__ import annotations

from dataclasses import field, replace
from ipaddress import IPv4Network

from aws_cdk import aws_iam as iam

from cdk_emr_eks.addons.karpenter import Karpenter
from cdk_emr_eks.addons.protocol import Addon, install_order
from cdk_emr_eks.checks import Check
from cdk_emr_eks.model.clusters.cluster import ClusterSpec
from cdk_emr_eks.model.networks.network import Nat, NetworkSpec
from cdk_emr_eks.model.nodes.capacity_buffers import needs_buffers
from cdk_emr_eks.model.workloads.catalog import DEFAULT_WORKLOADS
from cdk_emr_eks.model.workloads.workload import Workload, check_workloads
from cdk_emr_eks.networks.network import ExistingNetwork
from cdk_emr_eks.values import value


@value
class Platform:
    """The options of an EMR on EKS platform.

    Two equal values describe the same platform: ``EmrEksCluster.get_or_create`` compares them.

    Args:
        cluster: The EKS cluster: name, version, access, logs, system nodes.
        network: A new VPC, or an existing one.
        workloads: Kinds of jobs; node pools and pod templates follow from them. Default:
            ``critical``, ``shared`` and ``notebook``.
        karpenter: Options of Karpenter.
        addons: Further add-ons, in any order.
        admins: IAM roles that administer the cluster with kubectl. Default: no role.
        bundle_per_workload: Whether each workload's node pools are a separate custom resource; see
            ``NodePools``. Default False.

    Raises:
        ConfigError: If workloads, add-ons or the network contradict each other.

    Example:
        >>> from cdk_emr_eks import SHARED, ClusterSpec, Platform
        >>> Platform(cluster=ClusterSpec(name="analytics"), workloads=(SHARED,)).cluster.name
        'analytics'
    """

    cluster: ClusterSpec = field(default_factory=ClusterSpec)
    network: NetworkSpec | ExistingNetwork = field(default_factory=NetworkSpec)
    workloads: tuple[Workload, ...] = DEFAULT_WORKLOADS
    karpenter: Karpenter = field(default_factory=Karpenter)
    addons: tuple[Addon, ...] = ()
    admins: tuple[iam.IRole, ...] = ()
    bundle_per_workload: bool = False

    def _rules(self, check: Check) -> None:
        install_order(self.addons, [self.karpenter.name])
        check_workloads(self.workloads)
        if isinstance(self.network, NetworkSpec):
            services = IPv4Network(self.cluster.service_cidr)
            for name, block in (("cidr", self.network.cidr), ("pod_cidr", self.network.pod_cidr)):
                rule = f"must not overlap with network.{name} {block}"
                apart = not services.overlaps(IPv4Network(block))
                check.require(apart, "cluster.service_cidr", rule, self.cluster.service_cidr)

    @property
    def installed_karpenter(self) -> Karpenter:
        """Karpenter with the options that the network and the workloads require.

        A network without NAT needs an instance profile of the stack, and capacity buffers need
        Karpenter's feature gate.
        """
        karpenter = self.karpenter
        if isinstance(self.network, NetworkSpec) and self.network.nat is Nat.NONE:
            karpenter = replace(karpenter, isolated_vpc=True)
        if needs_buffers(self.workloads):
            gates = replace(karpenter.feature_gates, capacity_buffer=True)
            karpenter = replace(karpenter, feature_gates=gates)
        return karpenter
