"""What can be put on a cluster, whoever made it: tenants, or their parts one by one."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from constructs import Construct

from cdk_emr_eks.errors import refuse
from cdk_emr_eks.field_types import check_argument
from cdk_emr_eks.jobs.job_template import JobTemplate
from cdk_emr_eks.model.access.execution_role import ExecutionRoleSpec
from cdk_emr_eks.model.jobs.job_config import with_image
from cdk_emr_eks.model.jobs.job_template import JobTemplateSpec
from cdk_emr_eks.model.notebooks.managed_endpoint import ManagedEndpointSpec
from cdk_emr_eks.model.notebooks.spark_connect import SparkConnectSpec
from cdk_emr_eks.model.pods.pod_template import PodTemplate
from cdk_emr_eks.model.tenants.tenant import Tenant, select_workloads
from cdk_emr_eks.model.tenants.virtual_cluster import VirtualClusterSpec
from cdk_emr_eks.networks.network import Network
from cdk_emr_eks.notebooks.managed_endpoint import ManagedEndpoint
from cdk_emr_eks.notebooks.spark_connect import SparkConnectEndpoint
from cdk_emr_eks.pods.pod_templates import PodTemplateLocation
from cdk_emr_eks.tenants.context import TenancyContext
from cdk_emr_eks.tenants.execution_role import ExecutionRole
from cdk_emr_eks.tenants.shared_role import SharedExecutionRole
from cdk_emr_eks.tenants.tenant import EmrEksTenant
from cdk_emr_eks.tenants.virtual_cluster import EmrVirtualCluster


class TenantHost(Construct):
    """A cluster that tenants live on: one made by ``EmrEksCluster``, or an imported one.

    A tenant is made of parts, and each part can be added alone: ``add_emr_virtual_cluster``,
    ``create_execution_role``, ``upload_pod_template``, ``add_job_template``, endpoints. What they
    make may be in another stack than the cluster: under the given ``scope``, or beside the tenant.

    Attributes:
        context: What tenants know of the cluster, for constructs of your own; set by the subclass.
        network: VPC, zones and subnets of a cluster that is made here. None: of an imported one
            they are not known.
    """

    context: TenancyContext
    network: Network | None = None

    def add_tenant(
        self,
        tenant: Tenant,
        *,
        scope: Construct | None = None,
        shared_role: SharedExecutionRole | None = None,
    ) -> EmrEksTenant:
        """Add a tenant: namespace, quota, virtual cluster, execution roles, logs, outputs.

        Args:
            tenant: Who the tenant is.
            scope: Where it is made, under the tenant's name. None: under the cluster.
            shared_role: Execution role that it shares with other tenants. None: its own only.

        Raises:
            ConfigError: If the namespace or a role name is taken in the app, the cluster lacks a
                workload of the tenant, or the quota is too small for one job.
        """
        check_argument("add_tenant", "tenant", Tenant, tenant)
        check_argument("add_tenant", "shared_role", SharedExecutionRole | None, shared_role)
        place, id = scope or self, f"Tenant-{tenant.name}"
        _check_free(f"Tenant {tenant.name!r}", place, id)
        return EmrEksTenant(place, id, context=self.context, tenant=tenant, shared_role=shared_role)

    def add_emr_virtual_cluster(
        self, spec: VirtualClusterSpec, *, scope: Construct | None = None
    ) -> EmrVirtualCluster:
        """Register a namespace with EMR, and make the namespace unless it is there.

        Raises:
            ConfigError: If another virtual cluster has the name in ``scope``, or one of the app
                has the namespace.
        """
        check_argument("add_emr_virtual_cluster", "spec", VirtualClusterSpec, spec)
        place, id = scope or self, f"VirtualCluster-{spec.name}"
        _check_free(f"Virtual cluster {spec.name!r}", place, id)
        return EmrVirtualCluster(place, id, context=self.context, spec=spec)

    def create_execution_role(
        self,
        spec: ExecutionRoleSpec,
        *,
        namespace: str,
        log_group: str | None = None,
        scope: Construct | None = None,
    ) -> ExecutionRole:
        """Make a role that only EMR's service accounts of one namespace can use.

        Args:
            spec: Name, permissions and options.
            namespace: Namespace of the virtual cluster.
            log_group: Name of the log group that its jobs write to. None: they may not write logs.
            scope: Where it is made. None: under the cluster.

        Raises:
            ConfigError: If the app has a role of that name, a workload is unknown, or the namespace
                is none that a tenant may have.
        """
        check_argument("create_execution_role", "spec", ExecutionRoleSpec, spec)
        place, id = scope or self, f"ExecutionRole-{spec.name}"
        _check_free(f"Execution role {spec.name!r}", place, id)
        return ExecutionRole(
            place,
            id,
            context=self.context,
            namespace=namespace,
            spec=spec,
            log_group=log_group,
        )

    def upload_pod_template(
        self, name: str, template: Mapping[str, object] | PodTemplate | Path
    ) -> PodTemplateLocation:
        """Put a pod template of your own beside the workloads', checked against EMR's rules.

        A role reads it only if told so: pass its ``object_arn`` as a ``IamPermission`` for
        ``s3:GetObject``.

        Raises:
            ConfigError: If EMR would refuse the template, or the name is taken.
        """
        return self.context.pod_templates.upload(name, template)

    def job_configuration(
        self,
        workload: str,
        *,
        log_group: str,
        log_uri: str | None = None,
        image: str | None = None,
    ) -> Mapping[str, object]:
        """Return the ``configurationOverrides`` of a workload's jobs, as StartJobRun takes them.

        A tenant has its own, with its log group: ``EmrEksTenant.job_configuration``.

        Args:
            workload: Name of the workload.
            log_group: Name of the CloudWatch log group, which must exist before the first job.
            log_uri: ``s3://`` URI for logs as well. None: CloudWatch only.
            image: URI of the image of driver and executors, by digest or as a token such as
                ``SparkImage.uri``. None: the EMR release's.

        Raises:
            ConfigError: If the cluster lacks the workload, or the image has no digest.
        """
        where = f"Cluster {self.context.cluster_name!r}"
        check_argument(where, "image", str | None, image)
        (chosen,) = select_workloads(where, [workload], self.context.workloads)
        configuration = self.context.job_configuration(chosen, log_group=log_group, log_uri=log_uri)
        return with_image(where, configuration, image)

    def add_job_template(
        self, spec: JobTemplateSpec, *, tenant: EmrEksTenant, role: str | None = None
    ) -> JobTemplate:
        """Declare a job of a tenant once, to be started by its id; made beside the tenant.

        Args:
            spec: The job.
            tenant: Whose job it is.
            role: Name of the tenant's execution role. None: its first for jobs.

        Raises:
            ConfigError: If the tenant lacks the workload or the role, or has a job template of the
                name.
        """
        check_argument("add_job_template", "spec", JobTemplateSpec, spec)
        check_argument("add_job_template", "tenant", EmrEksTenant, tenant)
        id = f"JobTemplate-{spec.name}"
        _check_free(f"Job template {spec.name!r}", tenant, id)
        return JobTemplate(tenant, id, tenant=tenant, spec=spec, role=role)

    def add_managed_endpoint(
        self, spec: ManagedEndpointSpec, *, tenant: EmrEksTenant, role: str | None = None
    ) -> ManagedEndpoint:
        """Let notebooks run their kernels on a tenant's nodes; made beside the tenant.

        Args:
            spec: The endpoint.
            tenant: Whose endpoint it is.
            role: Name of the tenant's execution role. None: its first for endpoints.

        Raises:
            ConfigError: If the tenant lacks the workload or a role for endpoints, has an endpoint
                of the name, the workload is not x86, or the cluster cannot have endpoints.
        """
        check_argument("add_managed_endpoint", "spec", ManagedEndpointSpec, spec)
        check_argument("add_managed_endpoint", "tenant", EmrEksTenant, tenant)
        id = f"Endpoint-{spec.name}"
        _check_free(spec.where, tenant, id)
        return ManagedEndpoint(tenant, id, tenant=tenant, spec=spec, role=role)

    def add_spark_connect_endpoint(
        self, spec: SparkConnectSpec, *, tenant: EmrEksTenant, role: str | None = None
    ) -> SparkConnectEndpoint:
        """Let PySpark clients open sessions on a tenant's nodes; made beside the tenant.

        Args:
            spec: The endpoint.
            tenant: Whose endpoint it is; it must have ``session_enabled``.
            role: Name of the tenant's execution role. None: its first for endpoints.

        Raises:
            ConfigError: If the tenant lacks sessions, the workload or a role for endpoints, has an
                endpoint of the name, or the cluster cannot have endpoints.
        """
        check_argument("add_spark_connect_endpoint", "spec", SparkConnectSpec, spec)
        check_argument("add_spark_connect_endpoint", "tenant", EmrEksTenant, tenant)
        id = f"SparkConnect-{spec.name}"
        _check_free(spec.where, tenant, id)
        return SparkConnectEndpoint(tenant, id, tenant=tenant, spec=spec, role=role)


def _check_free(where: str, scope: Construct, id: str) -> None:
    check_argument(where, "scope", Construct, scope)
    if scope.node.try_find_child(id) is not None:
        raise refuse(where, "name", f"must be used once in {scope.node.path!r}")
