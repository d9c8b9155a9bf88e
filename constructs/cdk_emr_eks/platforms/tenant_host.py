"""``TenantHost``: adds tenants, or single parts of tenants, to a new or an imported cluster."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from constructs import Construct

from cdk_emr_eks.errors import refuse
from cdk_emr_eks.field_types import check_argument
from cdk_emr_eks.model.access.execution_role import ExecutionRoleSpec
from cdk_emr_eks.model.jobs.job_config import with_image
from cdk_emr_eks.model.pods.pod_template import PodTemplate
from cdk_emr_eks.model.tenants.tenant import Tenant, select_workloads
from cdk_emr_eks.model.tenants.virtual_cluster import VirtualClusterSpec
from cdk_emr_eks.networks.network import Network
from cdk_emr_eks.pods.pod_templates import PodTemplateLocation
from cdk_emr_eks.tenants.context import TenancyContext
from cdk_emr_eks.tenants.execution_role import ExecutionRole
from cdk_emr_eks.tenants.shared_role import SharedExecutionRole
from cdk_emr_eks.tenants.tenant import EmrEksTenant
from cdk_emr_eks.tenants.virtual_cluster import EmrVirtualCluster


class TenantHost(Construct):
    """A cluster for tenants: an ``EmrEksCluster`` or an ``ImportedEmrEksCluster``.

    A tenant consists of parts, and each part can be added alone: ``add_emr_virtual_cluster``,
    ``create_execution_role``, ``upload_pod_template``. The constructs can be in another stack than
    the cluster: pass ``scope``. Job templates and endpoints belong to a tenant; create them with
    ``JobTemplate``, ``ManagedEndpoint`` and ``SparkConnectEndpoint``.

    Attributes:
        context: The parts of the cluster that tenants use, for further constructs.
        network: VPC, zones and subnets. None for an imported cluster.
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
            tenant: Name and options of the tenant.
            scope: Scope of the construct. None: the cluster.
            shared_role: Execution role that it shares with other tenants. None: no shared role.

        Raises:
            ConfigError: If the namespace or a role name is used in the app, the cluster lacks a
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
        """Register a namespace with EMR, and create it unless the spec says that it exists.

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
        """Create a role that only EMR's service accounts of one namespace can assume.

        Args:
            spec: Name, permissions and options.
            namespace: Namespace of the virtual cluster.
            log_group: Name of the log group that its jobs write to. None: they cannot write logs.
            scope: Scope of the construct. None: the cluster.

        Raises:
            ConfigError: If the app has a role of that name, a workload is unknown, or the namespace
                is not allowed for tenants.
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
        """Upload a pod template, checked against EMR's rules.

        An execution role can read it only with a permission: pass its ``object_arn`` as an
        ``IamPermission`` for ``s3:GetObject``.

        Raises:
            ConfigError: If EMR would refuse the template, or the name is used already.
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

        For a tenant, ``EmrEksTenant.job_configuration`` includes its log group.

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


def _check_free(where: str, scope: Construct, id: str) -> None:
    check_argument(where, "scope", Construct, scope)
    if scope.node.try_find_child(id) is not None:
        raise refuse(where, "name", f"must be used once in {scope.node.path!r}")
