"""A managed endpoint of a tenant, where notebooks of EMR Studio or Jupyter run kernels."""

from __future__ import annotations

from typing import Final

from aws_cdk import CfnOutput, CfnTag
from aws_cdk import aws_emrcontainers as emrcontainers
from constructs import Construct, IDependable

from cdk_emr_eks.checks import Check
from cdk_emr_eks.field_types import check_argument
from cdk_emr_eks.jobs.configuration_overrides import ENDPOINT_OVERRIDES, configuration_overrides
from cdk_emr_eks.labels import TENANT
from cdk_emr_eks.model.access.execution_role import RoleUse
from cdk_emr_eks.model.jobs.spark_encryption import with_encryption
from cdk_emr_eks.model.namespaces.network_policies import gateway_policy
from cdk_emr_eks.model.notebooks.managed_endpoint import ManagedEndpointSpec
from cdk_emr_eks.tenants.claims import AppClaims
from cdk_emr_eks.tenants.context import TenancyContext
from cdk_emr_eks.tenants.tenant import EmrEksTenant

_TYPE: Final = "JUPYTER_ENTERPRISE_GATEWAY"


class ManagedEndpoint(Construct):
    """Create a Jupyter gateway of a tenant, for one of its execution roles.

    EMR runs the gateway as a pod on the gateway's nodes, behind a separate internal load balancer.
    The endpoint is created after the load balancer controller, the gateway's node pool, the role
    with its service accounts, and the virtual cluster. It is deleted before all of these, so that
    EMR and the controller can delete what they created. An endpoint whose creation failed is
    deleted in the same way.

    Resources: one ``AWS::EMRContainers::Endpoint``. The first endpoint of a cluster, of any
    kind, adds the add-ons that endpoints need. The first one of a tenant adds a network policy for
    the load balancer to the tenant's namespace.

    Stack outputs: ``EndpointId``, ``EndpointArn``, ``ServerUrl``.

    Attributes:
        spec: The endpoint as declared.
        tenant: Tenant of the endpoint.
        role: Execution role of the kernels.
        resource: The CloudFormation resource.
        id: Id in EMR, a token.
        arn: ARN, a token.
        server_url: URL for Jupyter, a token. It can be reached from the VPC only.

    Args:
        tenant: Tenant of the endpoint.
        spec: Name, workload, release and options.
        role: Name of the tenant's execution role. None: the first one for endpoints.

    Raises:
        ConfigError: If the tenant lacks the workload or a role for endpoints, the role cannot be
            used with the release, the workload is not x86, an image of kernels is from a registry
            that the tenant may not use, the cluster cannot have endpoints, or the name is taken.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        tenant: EmrEksTenant,
        spec: ManagedEndpointSpec,
        role: str | None = None,
    ) -> None:
        _check_types(tenant, spec)
        context, virtual_cluster = tenant.context, tenant.virtual_cluster
        prerequisites = context.endpoint_prerequisites(spec.where)
        execution_role = tenant.role_for(RoleUse.ENDPOINTS, role)
        release = spec.release_label or tenant.tenant.release_label
        check = Check(spec.where)
        check.add(execution_role.spec.release_problems(release))
        check.add(spec.image_problems(tenant.tenant.admission))
        check.raise_if_any()
        job = _job_configuration(context, tenant, spec, release)
        overrides = configuration_overrides(spec.where, spec.configuration(job), ENDPOINT_OVERRIDES)
        super().__init__(scope, id)
        AppClaims.of(self).claim(
            self,
            "endpoint",
            virtual_cluster.node.path,
            spec.name,
            field="name",
            rule="must be used once in a virtual cluster",
        )
        self.spec = spec
        self.tenant = tenant
        self.role = execution_role
        tags = {**spec.tags, **tenant.tenant.all_tags}
        self.resource = emrcontainers.CfnEndpoint(
            self,
            "Resource",
            name=spec.name,
            type=_TYPE,
            virtual_cluster_id=virtual_cluster.id,
            release_label=release,
            execution_role_arn=execution_role.arn,
            configuration_overrides=overrides,
            tags=[CfnTag(key=key, value=value) for key, value in tags.items()],
        )
        self.id = self.resource.attr_id
        self.arn = self.resource.attr_arn
        self.server_url = self.resource.attr_server_url
        self._open_and_wait(prerequisites.ensure())
        self._outputs()

    def _open_and_wait(self, ready: IDependable) -> None:
        context, virtual_cluster = self.tenant.context, self.tenant.virtual_cluster
        if network := self.tenant.tenant.network:
            policy = gateway_policy(virtual_cluster.namespace, network, context.network)
            virtual_cluster.add_object(policy)
        # References order the rest: the virtual cluster waits for its namespace and log group.
        self.resource.node.add_dependency(ready, self.role)

    def _outputs(self) -> None:
        name = f"{self.spec.name} of {self.tenant.tenant.name}"
        values = {
            "EndpointId": (self.id, f"Interactive endpoint {name}"),
            "EndpointArn": (self.arn, f"ARN of interactive endpoint {name}"),
            "ServerUrl": (self.server_url, f"JUPYTER_GATEWAY_URL of endpoint {name}"),
        }
        for id, (value, description) in values.items():
            CfnOutput(self, id, value=value, description=description)


def _check_types(tenant: EmrEksTenant, spec: ManagedEndpointSpec) -> None:
    check_argument("Managed endpoint", "spec", ManagedEndpointSpec, spec)
    check_argument(spec.where, "tenant", EmrEksTenant, tenant)


def _job_configuration(
    context: TenancyContext, tenant: EmrEksTenant, spec: ManagedEndpointSpec, release: str
) -> dict[str, object]:
    """Return the configuration of the workload's jobs, with the endpoint's release and logs."""
    # Raises an error for a workload that the tenant lacks.
    tenant.job_configuration(spec.workload)
    workload = context.workloads[spec.workload]
    spec.check_workload(workload)
    job = context.job_configuration(
        workload,
        log_group=tenant.log_group_name,
        log_uri=tenant.tenant.logs.s3_uri,
        release_label=release,
        pod_labels={TENANT: tenant.tenant.name},
    )
    return dict(with_encryption(spec.where, job, tenant.tenant.spark_encryption, release))
