"""``ExecutionRole``: the IAM role of the pods of a job, for one namespace."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from aws_cdk import Annotations
from aws_cdk import aws_iam as iam
from constructs import Construct

from cdk_emr_eks.errors import ConfigError, refuse
from cdk_emr_eks.labels import SparkRole
from cdk_emr_eks.model.access.execution_role import (
    ExecutionRoleSpec,
    JobIdentity,
    JobLogs,
    RoleUse,
    iam_literal,
)
from cdk_emr_eks.model.tenants.tenant import select_workloads
from cdk_emr_eks.names import namespace_problems
from cdk_emr_eks.tenants.claims import AppClaims
from cdk_emr_eks.tenants.context import TenancyContext
from cdk_emr_eks.tenants.job_role import JobRole, iam_role, suppress_wildcards
from cdk_emr_eks.tenants.job_role_policies import (
    in_environment,
    irsa_trust,
    job_trust,
    read_templates,
    write_logs,
)


class ExecutionRole(JobRole):
    """A job execution role that only EMR's service accounts of one namespace can assume.

    With Pod Identity, each service account of the role's uses (three for jobs, three for endpoints)
    is associated with the role. The trust policy names the cluster, the namespace and the service
    accounts, so that an association of another cluster cannot use the role. With IRSA, the trust
    policy names the namespace and the role's name in base36.

    Resources: one ``AWS::IAM::Role`` and, with Pod Identity, one
    ``AWS::EKS::PodIdentityAssociation`` for each service account: three for jobs.

    Args:
        context: The platform.
        namespace: Namespace of the jobs that use the role.
        spec: Name, permissions and options.
        log_group: Name of the log group that jobs write to. None: jobs cannot write logs.
        logs: S3 location of logs, in addition to the log group.
        trusts: Further statements of the trust policy; with IRSA only.

    Raises:
        ConfigError: If the app has a role of that name, a workload is unknown, the log group would
            be a pattern in IAM, or the role uses IRSA on a cluster without an OIDC provider.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        context: TenancyContext,
        namespace: str,
        spec: ExecutionRoleSpec,
        log_group: str | None = None,
        logs: JobLogs | None = None,
        trusts: Sequence[Mapping[str, object]] = (),
    ) -> None:
        where = f"Execution role {spec.name!r}"
        for problem in namespace_problems("namespace", namespace):
            raise ConfigError(where, (problem,))
        super().__init__(scope, id)
        workloads = select_workloads(where, spec.workloads, context.workloads)
        if spec.identity is JobIdentity.IRSA and context.oidc is None:
            fix = "give the cluster's OIDC provider, or use Pod Identity"
            raise refuse(where, "identity", "needs the cluster's OIDC provider", fix=fix)
        if trusts and spec.identity is not JobIdentity.IRSA:
            raise refuse(where, "trusts", "must go with IRSA", str(spec.identity))
        if log_group is not None and not iam_literal(log_group):
            rule = "must not hold '*', '?' or '$', which IAM reads as patterns"
            raise refuse(where, "log_group", rule, log_group)
        self.spec = spec
        self._claim(context.cluster_name, namespace)
        locations = context.pod_templates.location
        templates = [
            locations(item.name, role).object_arn for item in workloads for role in SparkRole
        ]
        logging = write_logs(log_group, logs.s3_location if logs else None)
        statements = [
            read_templates(templates),
            *logging,
            *(in_environment(permission).statement() for permission in spec.permissions),
        ]
        self._role = iam_role(
            self,
            spec,
            description=f"EMR jobs of namespace {namespace} on cluster {context.cluster_name}",
            trust=self._trust(context, namespace, trusts),
            statements=statements,
        )
        self.arn = self._role.role_arn
        self.associations = (
            self._associate(context, namespace) if spec.identity is JobIdentity.POD_IDENTITY else ()
        )
        suppress_wildcards(self, spec, self._role, logging)
        for number, warning in enumerate(spec.warnings()):
            Annotations.of(self).add_warning_v2(f"cdk-emr-eks:role-name-{number}", warning)

    @property
    def role(self) -> iam.Role:
        """The role, to grant it more: ``bucket.grant_read(execution_role.role)``."""
        return self._role

    def _claim(self, cluster_name: str, namespace: str) -> None:
        name, claims = self.spec.name, AppClaims.of(self)
        unique = "must be unique"
        claims.claim(self, "role", name, field="name", rule=unique, in_all_regions=True)
        if RoleUse.LIVY in self.spec.uses:
            rule = "must be for Livy in one role of a namespace: it has one service account"
            claims.claim(self, "livy-role", cluster_name, namespace, field="uses", rule=rule)

    def _trust(
        self, context: TenancyContext, namespace: str, more: Sequence[Mapping[str, object]]
    ) -> object:
        if self.spec.identity is JobIdentity.IRSA and context.oidc is not None:
            return irsa_trust(context.oidc.resolve(), namespace, self.spec, more)
        return job_trust(context.cluster_name, namespace, self.spec)
