"""A Spark Connect endpoint of a tenant, for PySpark clients outside the cluster."""

from __future__ import annotations

import json

from aws_cdk import Annotations, Aws, CfnOutput, CfnTag
from aws_cdk import aws_emrcontainers as emrcontainers
from aws_cdk import aws_iam as iam
from constructs import Construct, IDependable

from cdk_emr_eks.errors import refuse
from cdk_emr_eks.field_types import check_argument
from cdk_emr_eks.jobs.configuration_overrides import ENDPOINT_OVERRIDES, configuration_overrides
from cdk_emr_eks.model.access.execution_role import RoleUse
from cdk_emr_eks.model.namespaces.network_policies import router_policy
from cdk_emr_eks.model.notebooks.spark_connect import SparkConnectSpec
from cdk_emr_eks.security.iam import Right, grant
from cdk_emr_eks.tenants.claims import AppClaims
from cdk_emr_eks.tenants.tenant import EmrEksTenant


class SparkConnectEndpoint(Construct):
    """Create a Spark Connect endpoint of a tenant, for one of its execution roles.

    All sessions have the role's permissions, so users with other permissions need another endpoint.
    With the first endpoint of a cluster EMR creates an internal load balancer with a VPC endpoint,
    and a router in the namespace ``spark-connect-router``. EMR deletes them with the last
    session-enabled virtual cluster; they cost money until then.

    The endpoint is created after the load balancer controller and the node pool for EMR's own pods.
    Its virtual cluster is deleted before these.

    Resources: one ``AWS::EMRContainers::Endpoint``. The first endpoint of a cluster, of any
    kind, adds the add-ons that endpoints need. The first one of a tenant adds a network policy for
    EMR's router to the tenant's namespace.

    Stack output: ``Session``, what a client needs to open a session: Region, virtual cluster,
    endpoint and role, as JSON.

    Attributes:
        spec: The endpoint as declared.
        tenant: Tenant of the endpoint.
        role: Execution role of the sessions.
        resource: The CloudFormation resource.
        id: Id in EMR, a token.
        arn: ARN, a token.
        auth_proxy_url: URL for clients, such as ``sc://...:443``, a token.

    Args:
        tenant: Tenant of the endpoint. Its virtual cluster must be session-enabled.
        spec: Name, workload, release and options.
        role: Name of the tenant's execution role. None: the first one for endpoints.

    Raises:
        ConfigError: If the tenant's sessions are not enabled, it lacks the workload or a role for
            endpoints, the cluster cannot have endpoints, or the name is taken.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        tenant: EmrEksTenant,
        spec: SparkConnectSpec,
        role: str | None = None,
    ) -> None:
        check_argument("Spark Connect endpoint", "spec", SparkConnectSpec, spec)
        where = spec.where
        check_argument(where, "tenant", EmrEksTenant, tenant)
        if not tenant.tenant.virtual_cluster.session_enabled:
            fix = "write Tenant(virtual_cluster=VirtualClusterOptions(session_enabled=True))"
            raise refuse(where, "tenant", "must have session_enabled", tenant.tenant.name, fix)
        prerequisites = tenant.context.endpoint_prerequisites(where)
        execution_role = tenant.role_for(RoleUse.ENDPOINTS, role)
        job = tenant.job_configuration(spec.workload, image=spec.image)
        overrides = configuration_overrides(where, spec.configuration(job), ENDPOINT_OVERRIDES)
        super().__init__(scope, id)
        self.spec = spec
        self.tenant = tenant
        self.role = execution_role
        self._claim_and_warn()
        if tenant.tenant.network is not None:
            tenant.virtual_cluster.add_object(router_policy(tenant.virtual_cluster.namespace))
        self.resource = emrcontainers.CfnEndpoint(
            self,
            "Resource",
            name=spec.name,
            type="SPARK_CONNECT",
            virtual_cluster_id=tenant.virtual_cluster.id,
            release_label=spec.release_label,
            execution_role_arn=execution_role.arn,
            configuration_overrides=overrides,
            session_idle_timeout_in_minutes=spec.idle_minutes,
            tags=[CfnTag(key=key, value=value) for key, value in tenant.tenant.all_tags.items()],
        )
        self.id = self.resource.attr_id
        self.arn = self.resource.attr_arn
        self.auth_proxy_url = self.resource.attr_auth_proxy_url
        self._wait(prerequisites.ensure())
        self._output()

    def grant_connect(self, grantee: iam.IGrantable) -> iam.Grant:
        """Let an IAM identity open sessions on this endpoint, with its execution role only.

        Args:
            grantee: Role or user of the PySpark client.

        Source: https://docs.aws.amazon.com/emr/latest/ManagementGuide/emr-studio-user-permissions.html
        """
        session = {"ArnEquals": {"emr-containers:ExecutionRoleArn": self.role.arn}}
        rights = (
            Right(actions=("emr-containers:DescribeManagedEndpoint",), resources=(self.arn,)),
            Right(
                actions=("emr-containers:GetManagedEndpointSessionCredentials",),
                resources=(self.arn,),
                # The caller names the role: without the condition it could name another one.
                conditions=session,
            ),
        )
        return grant(grantee, rights)

    def _claim_and_warn(self) -> None:
        name, tenant = self.spec.name, self.tenant
        AppClaims.of(self).claim(
            self,
            "endpoint",
            tenant.virtual_cluster.node.path,
            name,
            field="name",
            rule="must be used once in a virtual cluster",
        )
        for number, text in enumerate(
            self.spec.warnings(tenant.context.workloads[self.spec.workload])
        ):
            Annotations.of(self).add_warning_v2(f"cdk-emr-eks:spark-connect-{number}", text)

    def _wait(self, ready: IDependable) -> None:
        self.resource.node.add_dependency(ready, self.role)
        # EMR deletes its load balancer with the last virtual cluster. The controller must still run
        # then.
        self.tenant.virtual_cluster.resource.node.add_dependency(ready)

    def _output(self) -> None:
        session = {
            "region": Aws.REGION,
            "virtual_cluster_id": self.tenant.virtual_cluster.id,
            "endpoint_id": self.id,
            "execution_role_arn": self.role.arn,
        }
        CfnOutput(
            self,
            "Session",
            # Tokens in JSON text: ids and ARNs have no quotes, so that the result is valid JSON.
            value=json.dumps(session),
            description=f"What opens a session on Spark Connect endpoint {self.spec.name}",
        )
