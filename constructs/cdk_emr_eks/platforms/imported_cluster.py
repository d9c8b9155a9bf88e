"""A cluster made elsewhere: in another app, by another team, or before this library."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

from aws_cdk import Annotations
from aws_cdk import aws_eks_v2 as eks
from aws_cdk import aws_kms as kms
from constructs import Construct, DependencyGroup, IDependable

from cdk_emr_eks.admission.workload_policies import WorkloadPolicies
from cdk_emr_eks.field_types import check_argument, check_types
from cdk_emr_eks.model.admission.cluster_policies import ClusterPolicies
from cdk_emr_eks.model.namespaces.tenant_network import ClusterNetwork
from cdk_emr_eks.model.networks.zones import Zone
from cdk_emr_eks.model.nodes.capacity_buffers import refuse_buffers
from cdk_emr_eks.model.workloads.catalog import DEFAULT_WORKLOADS
from cdk_emr_eks.model.workloads.workload import Workload, check_workloads
from cdk_emr_eks.nodes.node_pools import NodeEnvironment, NodePools, NodeSite
from cdk_emr_eks.platforms.tenant_host import TenantHost
from cdk_emr_eks.pods.pod_templates import PodTemplates
from cdk_emr_eks.tenants.context import OidcProvider, TenancyContext


@dataclass(frozen=True, kw_only=True, slots=True)
class ImportedCapacity:
    """Where node pools may be made in a cluster that runs Karpenter but has no pools of ours.

    Args:
        zones: Zones that nodes may be in.
        nodes: What the node classes must know of the cluster.
        buffers: Whether its Karpenter is 1.14 or newer with the feature gate ``CapacityBuffer`` on:
            workloads with warm capacity need it. Default False: they are refused.

    Raises:
        ConfigError: If a value is of another type.
    """

    zones: tuple[Zone, ...]
    nodes: NodeEnvironment
    buffers: bool = False

    def __post_init__(self) -> None:
        check_types("ImportedCapacity", self)

    @property
    def site(self) -> NodeSite:
        """The same, for pools that come later."""
        return NodeSite(zones=self.zones, nodes=self.nodes, buffers=self.buffers)


class ImportedEmrEksCluster(TenantHost):
    """Tenants on a cluster that this app did not make.

    The cluster needs what ``EmrEksCluster`` would have given it: the authentication mode
    ``API_AND_CONFIG_MAP``, the Pod Identity agent, and node pools for the workloads. Pools that
    another app made with the same workloads serve as they are; ``capacity`` makes them on a cluster
    that has Karpenter only, and ``policies`` says who installs the admission policies of tenants.

    Resources made: one custom resource for ``policies`` that are installed here, and with
    ``capacity`` one or two more.

    Args:
        cluster: The cluster, with a kubectl provider that may administer it.
        cluster_name: Its literal name.
        workloads: The workloads that the cluster's node pools are for.
        oidc: Its OIDC provider, for tenants that use IRSA. None: IRSA is refused.
        log_key: Encrypts the jobs' log groups; its policy must allow CloudWatch Logs that. None:
            CloudWatch's own key.
        capacity: Where to make node pools. None: they are there.
        endpoints: Whether the cluster has what EMR's managed endpoints need: the AWS Load
            Balancer Controller, and x86 nodes without taints, labelled ``emr-eks/workload:
            gateway``, that have the cluster's security group. ``EmrEksCluster.enable_endpoints``
            makes both. Default False: endpoints are refused.
        network: Its address ranges, so that tenants' network policies are as narrow as on a cluster
            made here. None: they are not known.
        policies: Who installs what the cluster needs once for all tenants. None: this app does if
            it has ``capacity``; without, they are taken to be there, and a warning says so.

    Raises:
        ConfigError: If the name is a token or not a cluster's name, workloads clash, or one has
            warm capacity that ``capacity`` does not say Karpenter keeps.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        cluster: eks.ICluster | eks.Cluster,
        cluster_name: str,
        workloads: Sequence[Workload] = DEFAULT_WORKLOADS,
        oidc: OidcProvider | None = None,
        log_key: kms.IKey | None = None,
        capacity: ImportedCapacity | None = None,
        endpoints: bool = False,
        network: ClusterNetwork | None = None,
        policies: ClusterPolicies | None = None,
    ) -> None:
        for name, hint, value in (
            ("workloads", Sequence[Workload], workloads),
            ("oidc", OidcProvider | None, oidc),
            ("capacity", ImportedCapacity | None, capacity),
            ("endpoints", bool, endpoints),
            ("network", ClusterNetwork | None, network),
            ("policies", ClusterPolicies | None, policies),
        ):
            check_argument(f"ImportedEmrEksCluster {cluster_name!r}", name, hint, value)
        check_workloads(workloads)
        if capacity is not None and not capacity.buffers:
            fix = (
                "set the feature gate CapacityBuffer of its Karpenter, and capacity's buffers=True"
            )
            refuse_buffers(f"ImportedEmrEksCluster {cluster_name!r}", "workloads", workloads, fix)
        super().__init__(scope, id)
        # jsii's Python types do not see that a Cluster is an ICluster.
        theirs = cast(eks.ICluster, cluster)
        by_name = {workload.name: workload for workload in workloads}
        self.context = TenancyContext(
            cluster=theirs,
            cluster_name=cluster_name,
            workloads=by_name,
            pod_templates=PodTemplates(self, "PodTemplates", workloads=by_name),
            oidc=(lambda: oidc) if oidc else None,
            log_key=log_key,
            site=capacity.site if capacity else None,
            ready=(
                *self._policies(theirs, cluster_name, workloads, policies, capacity),
                *self._capacity(theirs, workloads, capacity),
            ),
            # Nothing of this app to wait for: they are there.
            interactive=DependencyGroup if endpoints else None,
            network=network or ClusterNetwork(),
        )

    @classmethod
    def from_cluster_attributes(
        cls,
        scope: Construct,
        id: str,
        *,
        cluster_name: str,
        kubectl_service_token: str,
        workloads: Sequence[Workload] = DEFAULT_WORKLOADS,
        oidc: OidcProvider | None = None,
        log_key_arn: str | None = None,
        capacity: ImportedCapacity | None = None,
        endpoints: bool = False,
        network: ClusterNetwork | None = None,
        policies: ClusterPolicies | None = None,
    ) -> ImportedEmrEksCluster:
        """Use a cluster by its name and the outputs of the stack that made it.

        Args:
            scope: Where it is made.
            id: Its construct id.
            cluster_name: Its literal name.
            kubectl_service_token: ARN of the Lambda function that applies manifests: the output
                ``KubectlServiceToken`` of ``EmrEksCluster``.
            workloads: The workloads that the cluster's node pools are for.
            oidc: Its OIDC provider, for tenants that use IRSA.
            log_key_arn: ARN of the key for the jobs' log groups: the output ``LogKeyArn``.
            capacity: Where to make node pools. None: they are there.
            endpoints: Whether the cluster has what EMR's managed endpoints need.
            network: Its address ranges.
            policies: Who installs what the cluster needs once for all tenants.
                ``ClusterPolicies(install=False)`` for a cluster of ``EmrEksCluster``.
        """
        holder = Construct(scope, f"{id}Imports")
        provider = eks.KubectlProvider.from_kubectl_provider_attributes(
            holder, "Kubectl", service_token=kubectl_service_token
        )
        cluster = eks.Cluster.from_cluster_attributes(
            holder, "Cluster", cluster_name=cluster_name, kubectl_provider=provider, prune=False
        )
        key = kms.Key.from_key_arn(holder, "LogKey", log_key_arn) if log_key_arn else None
        return cls(
            scope,
            id,
            cluster=cluster,
            cluster_name=cluster_name,
            workloads=workloads,
            oidc=oidc,
            log_key=key,
            capacity=capacity,
            endpoints=endpoints,
            network=network,
            policies=policies,
        )

    def _warn(self, policies: ClusterPolicies, *, said: bool) -> None:
        if not policies.install and not said:
            Annotations.of(self).add_warning_v2(
                "cdk-emr-eks:admission-policies",
                "Tenants' namespaces rely on admission policies that this app does not install: "
                "nothing bounds their pods where no other app did. For a cluster of EmrEksCluster "
                "say policies=ClusterPolicies(install=False), for others "
                "policies=ClusterPolicies(kubernetes='<its version>')",
            )
        if policies.install and policies.kubernetes is None:
            Annotations.of(self).add_warning_v2(
                "cdk-emr-eks:unknown-kubernetes",
                "Job submitters are not spread over zones and have no priority, since the "
                "cluster's version is not known: say "
                "policies=ClusterPolicies(kubernetes='<its version>')",
            )

    def _policies(
        self,
        cluster: eks.ICluster,
        cluster_name: str,
        workloads: Sequence[Workload],
        policies: ClusterPolicies | None,
        capacity: ImportedCapacity | None,
    ) -> tuple[IDependable, ...]:
        chosen = policies or ClusterPolicies(install=capacity is not None)
        self._warn(chosen, said=policies is not None)
        # Pools made here need their workloads' priorities, whoever made the rest.
        if not chosen.install and capacity is None:
            return ()
        made = WorkloadPolicies(
            self,
            "Policies",
            cluster=cluster,
            cluster_name=cluster_name,
            workloads=workloads,
            kubernetes=chosen.kubernetes,
            zones=capacity.zones if capacity else (),
            cluster_wide=chosen.install,
        )
        return (made,)

    def _capacity(
        self,
        cluster: eks.ICluster,
        workloads: Sequence[Workload],
        capacity: ImportedCapacity | None,
    ) -> tuple[IDependable, ...]:
        if capacity is None:
            return ()
        pools = NodePools(
            self,
            "NodePools",
            cluster=cluster,
            zones=capacity.zones,
            workloads=workloads,
            nodes=capacity.nodes,
            karpenter=DependencyGroup(),
        )
        return (pools,)
