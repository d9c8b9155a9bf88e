"""``TenantLakeFormation``: the system namespace and roles that read data of Lake Formation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from aws_cdk import Aws
from aws_cdk import aws_emrcontainers as emrcontainers
from constructs import Construct

from cdk_emr_eks.clusters.manifests import ManifestBundle
from cdk_emr_eks.errors import refuse
from cdk_emr_eks.model.access.execution_role import ExecutionRoleSpec, JobIdentity
from cdk_emr_eks.model.access.lake_formation import CALLER_TAG, LakeFormation
from cdk_emr_eks.model.access.security_configuration import SecurityConfigurationSpec
from cdk_emr_eks.model.namespaces.network_policies import tenant_policies
from cdk_emr_eks.model.tenants.emr_access import emr_cluster_role_manifests
from cdk_emr_eks.model.tenants.tenant import Tenant
from cdk_emr_eks.security.suppressions import suppress
from cdk_emr_eks.tenants.claims import AppClaims
from cdk_emr_eks.tenants.context import TenancyContext
from cdk_emr_eks.tenants.execution_role import iam_role
from cdk_emr_eks.tenants.job_role_policies import irsa_trust
from cdk_emr_eks.tenants.security_configuration import in_transit, system_namespace_objects

_Cfn = emrcontainers.CfnSecurityConfiguration


class TenantLakeFormation(Construct):
    """The parts of a virtual cluster for Lake Formation, in addition to its namespace.

    CloudFormation creates the system namespace first, then the query engine role and the security
    configuration, then the virtual cluster, and deletes them in reverse order.

    Resources: one custom resource with the system namespace, one ``AWS::IAM::Role``, and one
    ``AWS::EMRContainers::SecurityConfiguration``.

    Attributes:
        id: Id of the security configuration, a token.
        query_engine_arn: ARN of the query engine role, which the roles of jobs trust.

    Args:
        context: The platform.
        tenant: The tenant.
        lake_formation: Options of Lake Formation.

    Raises:
        ConfigError: If the cluster's OIDC provider is unknown, or the app has the system namespace
            or a role with the name of the query engine role already.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        context: TenancyContext,
        tenant: Tenant,
        lake_formation: LakeFormation,
    ) -> None:
        where = f"Tenant {tenant.name!r}"
        if context.oidc is None:
            fix = "write ImportedPlatform(oidc=OidcProvider(...))"
            raise refuse(where, "lake_formation", "needs the cluster's OIDC provider", fix=fix)
        super().__init__(scope, id)
        namespace = tenant.resolved_namespace
        self._system = lake_formation.resolved_system_namespace(namespace)
        cluster = context.cluster_name
        name = lake_formation.resolved_role(tenant.name, cluster, namespace)
        self._claim(cluster, name)
        self.query_engine_arn = _role_arn(name)
        bundle = self._namespace(context, tenant)
        jobs = [role.name for role in tenant.roles(cluster)]
        spec = ExecutionRoleSpec(name=name, identity=JobIdentity.IRSA)
        role = iam_role(
            self,
            spec,
            description=f"EMR's part of jobs of namespace {namespace} on cluster {cluster}",
            trust=irsa_trust(context.oidc.resolve(), self._system, spec),
            statements=_engine_statements(lake_formation, [_role_arn(job) for job in jobs]),
        )
        reason = "EMR signs certificates for the two parts of a job: the action takes no resource"
        suppress(role, {"AwsSolutions-IAM5[Resource::*]": reason})
        resource = self._resource(cluster, namespace, lake_formation)
        resource.node.add_dependency(bundle, role)
        self.id = resource.attr_id

    def _claim(self, cluster_name: str, role: str) -> None:
        claims = AppClaims.of(self)
        rule = "must belong to one virtual cluster only"
        system = ("namespace", cluster_name, self._system)
        claims.claim(self, *system, field="lake_formation.system_namespace", rule=rule)
        field, rule = "lake_formation.query_engine_role", "must be unique"
        claims.claim(self, "role", role, field=field, rule=rule, in_all_regions=True)
        # No other tenant can name it as a peer of its network, as with a tenant's namespace.
        peer = ("tenant", cluster_name, self._system)
        rule = "must have one tenant only"
        claims.claim(self, *peer, field="lake_formation.system_namespace", rule=rule)

    def _namespace(self, context: TenancyContext, tenant: Tenant) -> ManifestBundle:
        namespace = tenant.resolved_namespace
        bundle = ManifestBundle(self, "Namespace", cluster=context.cluster)
        bundle.add(
            *system_namespace_objects(self._system, tenant.name, tenant.virtual_cluster.access)
        )
        bundle.add(*emr_cluster_role_manifests(namespace))
        if tenant.network is not None:
            # The tenant's peers are for its code, and not for EMR's system pods.
            alone = replace(tenant.network, egress=(), ingress=())
            bundle.add(*tenant_policies(self._system, alone, context.network, [namespace]))
        if context.ready:
            bundle.node.add_dependency(*context.ready)
        return bundle

    def _resource(
        self, cluster_name: str, namespace: str, wanted: LakeFormation
    ) -> emrcontainers.CfnSecurityConfiguration:
        name = SecurityConfigurationSpec(system_namespace=self._system)
        encryption = _Cfn.EncryptionConfigurationProperty(
            in_transit_encryption_configuration=in_transit(wanted.tls) if wanted.tls else None
        )
        return _Cfn(
            self,
            "Resource",
            name=name.resolved_name(cluster_name, namespace),
            security_configuration_data=_Cfn.SecurityConfigurationDataProperty(
                authorization_configuration=_Cfn.AuthorizationConfigurationProperty(
                    lake_formation_configuration=_Cfn.LakeFormationConfigurationProperty(
                        authorized_session_tag_value=wanted.session_tag_value,
                        query_engine_role_arn=self.query_engine_arn,
                        secure_namespace_info=_Cfn.SecureNamespaceInfoProperty(
                            cluster_id=cluster_name, namespace=self._system
                        ),
                    )
                ),
                encryption_configuration=encryption if wanted.tls else None,
            ),
        )


def trust_engine(wanted: LakeFormation, query_engine_arn: str) -> tuple[dict[str, object], ...]:
    """Return the trust policy statements of a job's role for the query engine role.

    EMR's system driver assumes the role with the tag, its executors without it. Lake Formation
    trusts the value of the tag: only the query engine role can set it.
    """
    principal = {"AWS": query_engine_arn}
    return (
        {
            "Sid": "TrustQueryEngineDriver",
            "Effect": "Allow",
            "Principal": principal,
            "Action": ["sts:AssumeRole", "sts:TagSession"],
            "Condition": _tagged(wanted),
        },
        {
            "Sid": "TrustQueryEngineExecutors",
            "Effect": "Allow",
            "Principal": principal,
            "Action": "sts:AssumeRole",
        },
    )


def _engine_statements(wanted: LakeFormation, jobs: Sequence[str]) -> list[dict[str, object]]:
    return [
        {
            "Sid": "BeJobsOfDriver",
            "Effect": "Allow",
            "Action": ["sts:AssumeRole", "sts:TagSession"],
            "Resource": list(jobs),
            "Condition": _tagged(wanted),
        },
        {
            "Sid": "BeJobsOfExecutors",
            "Effect": "Allow",
            "Action": "sts:AssumeRole",
            "Resource": list(jobs),
        },
        {
            "Sid": "CreateCertificates",
            "Effect": "Allow",
            "Action": "emr-containers:CreateCertificate",
            # The action takes no resource.
            "Resource": "*",
        },
    ]


def _tagged(wanted: LakeFormation) -> dict[str, dict[str, str]]:
    return {"StringEquals": {f"aws:RequestTag/{CALLER_TAG}": wanted.session_tag_value}}


def _role_arn(name: str) -> str:
    # No reference: the two roles name each other, and CloudFormation refuses circular references.
    return f"arn:{Aws.PARTITION}:iam::{Aws.ACCOUNT_ID}:role/{name}"
