"""``ImportedEmrEksCluster``: tenants on a cluster of another app or another team."""

from __future__ import annotations

from dataclasses import field
from typing import cast

from aws_cdk import Annotations
from aws_cdk import aws_eks_v2 as eks
from aws_cdk import aws_kms as kms
from constructs import Construct, DependencyGroup, IDependable

from cdk_emr_eks.admission.workload_policies import WorkloadPolicies
from cdk_emr_eks.checks import Check
from cdk_emr_eks.clusters.oidc_provider import OidcProvider
from cdk_emr_eks.field_types import check_argument
from cdk_emr_eks.model.admission.cluster_policies import ClusterPolicies
from cdk_emr_eks.model.namespaces.tenant_network import ClusterNetwork
from cdk_emr_eks.model.nodes.capacity_buffers import refuse_buffers
from cdk_emr_eks.model.workloads.catalog import DEFAULT_WORKLOADS
from cdk_emr_eks.model.workloads.workload import Workload, check_workloads
from cdk_emr_eks.names import cluster_name
from cdk_emr_eks.nodes.node_pools import NodeEnvironment, NodePools
from cdk_emr_eks.platforms.tenant_host import TenantHost
from cdk_emr_eks.pods.pod_templates import PodTemplates
from cdk_emr_eks.tenants.context import TenancyContext
from cdk_emr_eks.tenants.endpoint_prerequisites import ExistingEndpointPrerequisites
from cdk_emr_eks.values import value


@value(named_by="cluster_name")
class ImportedPlatform:
    """What this app knows of a cluster that another app or another team created.

    Args:
        cluster_name: Literal name of the cluster.
        workloads: The workloads that the cluster's node pools are for. Default: ``critical``,
            ``shared`` and ``notebook``.
        oidc: Its OIDC provider, for tenants that use IRSA. None: IRSA is refused.
        nodes: Zones and settings of nodes, for node pools that this app creates on a cluster that
            runs Karpenter. None: the node pools of the workloads exist.
        endpoints: Whether the cluster has what EMR's managed endpoints need: the AWS Load
            Balancer Controller, and x86 nodes without taints, labelled ``emr-eks/workload:
            gateway``, with the cluster's security group. ``EmrEksCluster.enable_endpoints``
            creates both. Default False: endpoints are refused.
        network: Its address ranges, so that tenants' network policies are as narrow as on a cluster
            of ``EmrEksCluster``. Default: unknown ranges.
        policies: Whether this app installs the objects that all tenants of a cluster share, such as
            admission policies: ``ClusterPolicies(install=False)`` for a cluster of
            ``EmrEksCluster``. None: this app installs them if it has ``nodes``; otherwise they must
            exist, and a warning says so.

    Raises:
        ConfigError: If the name is a token or not a cluster's name, workloads clash, or one has
            capacity buffers that ``nodes`` does not support.
    """

    cluster_name: str
    workloads: tuple[Workload, ...] = DEFAULT_WORKLOADS
    oidc: OidcProvider | None = None
    nodes: NodeEnvironment | None = None
    endpoints: bool = False
    network: ClusterNetwork = field(default_factory=ClusterNetwork)
    policies: ClusterPolicies | None = None

    def _rules(self, check: Check) -> None:
        check.add(cluster_name("cluster_name", self.cluster_name))
        check.raise_if_any()
        check_workloads(self.workloads)
        if self.nodes is not None and not self.nodes.capacity_buffers:
            fix = (
                "set the feature gate CapacityBuffer of its Karpenter, and "
                "NodeEnvironment(capacity_buffers=True)"
            )
            where = f"ImportedPlatform {self.cluster_name!r}"
            refuse_buffers(where, "workloads", self.workloads, fix)

    @property
    def resolved_policies(self) -> ClusterPolicies:
        """The policies, with their default applied."""
        return self.policies or ClusterPolicies(install=self.nodes is not None)


class ImportedEmrEksCluster(TenantHost):
    """Tenants on a cluster that this app did not create.

    The cluster needs what ``EmrEksCluster`` would have created: the authentication mode
    ``API_AND_CONFIG_MAP``, the Pod Identity agent, and node pools for the workloads. Pools that
    another app created for the same workloads can be used as they are.

    Resources: one custom resource for ``policies`` that are installed here, and with
    ``nodes`` one or two more.

    Args:
        platform: Name, workloads and options of the cluster.
        cluster: The cluster, with a kubectl provider that may administer it.
        log_key: Encrypts the jobs' log groups; its policy must allow CloudWatch Logs to use it.
            None: CloudWatch's key.

    Attributes:
        platform: As given.

    Raises:
        ConfigError: If ``platform`` is of another type.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        platform: ImportedPlatform,
        cluster: eks.ICluster | eks.Cluster,
        log_key: kms.IKey | None = None,
    ) -> None:
        check_argument("ImportedEmrEksCluster", "platform", ImportedPlatform, platform)
        super().__init__(scope, id)
        self.platform = platform
        # jsii's Python types do not see that a Cluster is an ICluster.
        self._cluster = cast(eks.ICluster, cluster)
        by_name = {workload.name: workload for workload in platform.workloads}
        self.context = TenancyContext(
            cluster=self._cluster,
            cluster_name=platform.cluster_name,
            workloads=by_name,
            pod_templates=PodTemplates(self, "PodTemplates", workloads=by_name),
            oidc=platform.oidc,
            log_key=log_key,
            nodes=platform.nodes,
            ready=(*self._policies(), *self._node_pools()),
            endpoints=ExistingEndpointPrerequisites() if platform.endpoints else None,
            network=platform.network,
        )

    @classmethod
    def from_cluster_attributes(
        cls,
        scope: Construct,
        id: str,
        *,
        platform: ImportedPlatform,
        kubectl_service_token: str,
        log_key_arn: str | None = None,
    ) -> ImportedEmrEksCluster:
        """Import a cluster by its name and the outputs of its stack.

        Args:
            scope: Scope of the construct.
            id: Its construct id.
            platform: Name, workloads and options of the cluster.
            kubectl_service_token: ARN of the Lambda function that applies manifests: the output
                ``KubectlServiceToken`` of ``EmrEksCluster``.
            log_key_arn: ARN of the key for the jobs' log groups: the output ``LogKeyArn``.
        """
        check_argument("ImportedEmrEksCluster", "platform", ImportedPlatform, platform)
        holder = Construct(scope, f"{id}Imports")
        provider = eks.KubectlProvider.from_kubectl_provider_attributes(
            holder, "Kubectl", service_token=kubectl_service_token
        )
        name = platform.cluster_name
        cluster = eks.Cluster.from_cluster_attributes(
            holder, "Cluster", cluster_name=name, kubectl_provider=provider, prune=False
        )
        key = kms.Key.from_key_arn(holder, "LogKey", log_key_arn) if log_key_arn else None
        return cls(scope, id, platform=platform, cluster=cluster, log_key=key)

    def _policies(self) -> tuple[IDependable, ...]:
        platform, policies = self.platform, self.platform.resolved_policies
        self._warn(policies)
        # Node pools of this app need the priority classes of their workloads.
        if not policies.install and platform.nodes is None:
            return ()
        installed = WorkloadPolicies(
            self,
            "Policies",
            cluster=self._cluster,
            cluster_name=platform.cluster_name,
            workloads=platform.workloads,
            kubernetes=policies.kubernetes,
            zones=platform.nodes.zones if platform.nodes else (),
            cluster_wide=policies.install,
        )
        return (installed,)

    def _warn(self, policies: ClusterPolicies) -> None:
        if not policies.install and self.platform.policies is None:
            Annotations.of(self).add_warning_v2(
                "cdk-emr-eks:admission-policies",
                "This app does not install the admission policies that restrict the pods of "
                "tenants. If another app did, pass policies=ClusterPolicies(install=False); "
                "otherwise pass policies=ClusterPolicies(kubernetes='<version of the cluster>')",
            )
        if policies.install and policies.kubernetes is None:
            Annotations.of(self).add_warning_v2(
                "cdk-emr-eks:unknown-kubernetes",
                "Job submitters are not spread over zones and have no priority, because the "
                "cluster's version is unknown; pass "
                "policies=ClusterPolicies(kubernetes='<version of the cluster>')",
            )

    def _node_pools(self) -> tuple[IDependable, ...]:
        if self.platform.nodes is None:
            return ()
        pools = NodePools(
            self,
            "NodePools",
            cluster=self._cluster,
            workloads=self.platform.workloads,
            nodes=self.platform.nodes,
            karpenter=DependencyGroup(),
        )
        return (pools,)
