"""The parts of a platform that tenants use, from the same stack, another stack or another app."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field

from aws_cdk import aws_eks_v2 as eks
from aws_cdk import aws_kms as kms
from constructs import IDependable

from cdk_emr_eks.checks import Check
from cdk_emr_eks.clusters.oidc_provider import ClusterOidcProvider, OidcProvider
from cdk_emr_eks.errors import refuse
from cdk_emr_eks.labels import SparkRole
from cdk_emr_eks.model.jobs.job_config import job_configuration
from cdk_emr_eks.model.namespaces.tenant_network import ClusterNetwork
from cdk_emr_eks.model.workloads.workload import Workload
from cdk_emr_eks.names import cluster_name
from cdk_emr_eks.nodes.node_pools import NodeEnvironment
from cdk_emr_eks.pods.pod_templates import PodTemplates
from cdk_emr_eks.security.encryption import allow_log_groups
from cdk_emr_eks.tenants.endpoint_prerequisites import (
    EndpointPrerequisites,
    ExistingEndpointPrerequisites,
)
from cdk_emr_eks.values import value
from cdk_emr_eks.versions import EMR_RELEASE


@value(named_by="cluster_name")
class TenancyContext:
    """The parts of a cluster that tenants use; the same for a new and an imported cluster.

    It holds constructs and values of inner rings only. The platform itself is not among them.

    Args:
        cluster: The EKS cluster; its kubectl provider applies the namespaces.
        cluster_name: Its literal name.
        workloads: The platform's workloads by name.
        pod_templates: Locations of the workloads' pod templates.
        oidc: The cluster's OIDC provider. None: IRSA is refused.
        log_key: Encrypts the log groups of jobs; see ``allow_job_logs``. None: CloudWatch's key.
        nodes: Zones and settings of nodes, for dedicated node pools of tenants. None: such pools
            are refused.
        ready: Dependencies of every namespace, such as admission policies.
        endpoints: What EMR's endpoints need in the cluster. None: endpoints are refused.
        network: Address ranges of the cluster, for the tenants' network policies.

    Raises:
        ConfigError: If the cluster's name is a token or not a name.
    """

    cluster: eks.ICluster
    cluster_name: str
    workloads: Mapping[str, Workload]
    pod_templates: PodTemplates
    oidc: OidcProvider | ClusterOidcProvider | None = None
    log_key: kms.IKey | None = None
    nodes: NodeEnvironment | None = None
    ready: tuple[IDependable, ...] = ()
    endpoints: EndpointPrerequisites | ExistingEndpointPrerequisites | None = None
    network: ClusterNetwork = field(default_factory=ClusterNetwork)

    def _rules(self, check: Check) -> None:
        check.add(cluster_name("cluster_name", self.cluster_name))

    @property
    def log_group_prefix(self) -> str:
        """Prefix of the names of the cluster's job log groups."""
        return job_log_prefix(self.cluster_name)

    def endpoint_prerequisites(
        self, where: str
    ) -> EndpointPrerequisites | ExistingEndpointPrerequisites:
        """Return what EMR's endpoints need in the cluster; nothing is created yet.

        Args:
            where: The endpoint, for errors.

        Raises:
            ConfigError: If the cluster does not support endpoints.
        """
        if self.endpoints is None:
            rule = "must be on a cluster with the AWS Load Balancer Controller and gateway nodes"
            fix = "on an imported cluster that has them, write ImportedPlatform(endpoints=True)"
            raise refuse(where, "tenant", rule, self.cluster_name, fix)
        return self.endpoints

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
    """Return the prefix of the names of a cluster's job log groups."""
    return f"/emr-on-eks/{name}/"


def allow_job_logs(key: kms.Key, name: str) -> None:
    """Allow CloudWatch Logs to use a key for the job log groups of one cluster only.

    The tenants' log groups can be in other stacks, so the statement names their prefix.
    """
    allow_log_groups(key, "JobLogs", job_log_prefix(name))
