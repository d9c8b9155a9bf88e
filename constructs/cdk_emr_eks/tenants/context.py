"""What tenancy needs of a platform, whoever made it, and in whichever stack it is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final, cast

from aws_cdk import FeatureFlags
from aws_cdk import aws_eks_v2 as eks
from aws_cdk import aws_kms as kms
from constructs import IDependable

from cdk_emr_eks.errors import Problems, refuse
from cdk_emr_eks.field_types import check_types
from cdk_emr_eks.labels import SparkRole
from cdk_emr_eks.model.jobs.job_config import job_configuration
from cdk_emr_eks.model.namespaces.tenant_network import ClusterNetwork
from cdk_emr_eks.model.workloads.workload import Workload
from cdk_emr_eks.names import cluster_name
from cdk_emr_eks.nodes.node_pools import NodeSite
from cdk_emr_eks.pods.pod_templates import PodTemplates
from cdk_emr_eks.security.encryption import allow_log_groups
from cdk_emr_eks.versions import EMR_RELEASE

_NATIVE_OIDC: Final = "@aws-cdk/aws-eks:useNativeOidcProvider"
_OIDC_ID: Final = "JobOidcProvider"


@dataclass(frozen=True, kw_only=True, slots=True)
class OidcProvider:
    """The IAM identity provider of a cluster's service accounts, for IRSA.

    Args:
        arn: ARN of the provider.
        issuer: Issuer without ``https://``. Literal for an imported cluster; a token for one that
            is made here.

    Raises:
        ConfigError: If one is not text.
    """

    arn: str
    issuer: str

    def __post_init__(self) -> None:
        check_types("OidcProvider", self)


@dataclass(frozen=True, kw_only=True, slots=True)
class TenancyContext:
    """All that a tenant may know of its cluster: the same for a made and an imported one.

    Args:
        cluster: The EKS cluster; its kubectl provider applies the namespaces.
        cluster_name: Its literal name.
        workloads: The platform's workloads by name.
        pod_templates: Where the workloads' pod templates are.
        oidc: Gives the cluster's OIDC provider, making it the first time. None: IRSA is refused.
        log_key: Encrypts the log groups of jobs; see ``allow_job_logs``. None: CloudWatch's key.
        site: Where nodes may be, for node pools of tenants' own. None: such pools are refused.
        ready: What must be there before a namespace, such as admission policies.
        interactive: Makes, the first time, what EMR's endpoints need in the cluster, and returns
            what they wait for. None: endpoints are refused.
        network: Address ranges of the cluster, for the tenants' network policies.

    Raises:
        ConfigError: If the cluster's name is a token or not a name.
    """

    cluster: eks.ICluster
    cluster_name: str
    workloads: Mapping[str, Workload]
    pod_templates: PodTemplates
    oidc: Callable[[], OidcProvider] | None = None
    log_key: kms.IKey | None = None
    site: NodeSite | None = None
    ready: tuple[IDependable, ...] = ()
    interactive: Callable[[], IDependable] | None = None
    network: ClusterNetwork = field(default_factory=ClusterNetwork)

    def __post_init__(self) -> None:
        problems = Problems(f"TenancyContext {self.cluster_name!r}")
        problems.extend(cluster_name("cluster_name", self.cluster_name))
        problems.raise_if_any()

    @property
    def log_group_prefix(self) -> str:
        """Beginning of the names of all job log groups of the cluster."""
        return job_log_prefix(self.cluster_name)

    def endpoints_for(self, where: str) -> Callable[[], IDependable]:
        """Return ``interactive`` for something of a tenant's that needs it.

        Args:
            where: What needs it, for errors.

        Raises:
            ConfigError: If the cluster cannot have endpoints.
        """
        if self.interactive is None:
            rule = "must be on a cluster with the AWS Load Balancer Controller and gateway nodes"
            fix = "on an imported cluster that has them, set endpoints=True"
            raise refuse(where, "tenant", rule, self.cluster_name, fix)
        return self.interactive

    def job_configuration(
        self,
        workload: Workload,
        *,
        log_group: str,
        log_uri: str | None = None,
        release_label: str = EMR_RELEASE,
        pod_labels: Mapping[str, str] | None = None,
    ) -> Mapping[str, object]:
        """Return the ``configurationOverrides`` of a workload's jobs, as StartJobRun takes them."""
        location = self.pod_templates.location
        return job_configuration(
            workload,
            driver_template_uri=location(workload.name, SparkRole.DRIVER).uri,
            executor_template_uri=location(workload.name, SparkRole.EXECUTOR).uri,
            log_group=log_group,
            log_stream_prefix=workload.name,
            log_uri=log_uri,
            release_label=release_label,
            pod_labels=pod_labels,
        )


def job_log_prefix(name: str) -> str:
    """Return the beginning of the names of a cluster's job log groups."""
    return f"/emr-on-eks/{name}/"


def allow_job_logs(key: kms.Key, name: str) -> None:
    """Let CloudWatch Logs use a key for the job log groups of one cluster, and for nothing else.

    The tenants' log groups may be in other stacks, so the statement names them by their prefix.
    """
    allow_log_groups(key, "JobLogs", job_log_prefix(name))


def made_oidc(cluster: eks.Cluster) -> OidcProvider:
    """Return the OIDC provider of a cluster made in this app, making it the first time.

    It is CloudFormation's own resource, never CDK's older Lambda. With the feature flag
    ``@aws-cdk/aws-eks:useNativeOidcProvider`` it is the one that ``cluster.add_service_account``
    uses; without the flag do not use both on one cluster, since IAM has one provider an issuer.
    """
    if FeatureFlags.of(cluster).is_enabled(_NATIVE_OIDC):
        shared = cluster.open_id_connect_provider
        return OidcProvider(
            arn=shared.open_id_connect_provider_arn,
            issuer=shared.open_id_connect_provider_issuer,
        )
    own = cluster.node.try_find_child(_OIDC_ID)
    if own is None:
        url = cluster.cluster_open_id_connect_issuer_url
        own = eks.OidcProviderNative(cluster, _OIDC_ID, url=url)
    native = cast(eks.OidcProviderNative, own)
    return OidcProvider(arn=native.oidc_provider_arn, issuer=native.oidc_provider_issuer)
