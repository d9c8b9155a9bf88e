"""Execution roles of jobs in one namespace: ``JobRole`` and ``ExecutionRole``."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import cast

from aws_cdk import Annotations, Aws, CfnResource, Stack
from aws_cdk import aws_eks as eks_l1
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
    service_account,
)
from cdk_emr_eks.model.tenants.tenant import select_workloads
from cdk_emr_eks.names import namespace_problems
from cdk_emr_eks.security.iam import PODS_SERVICE, Right, grant
from cdk_emr_eks.security.suppressions import suppress, wildcard
from cdk_emr_eks.tenants.claims import AppClaims
from cdk_emr_eks.tenants.context import TenancyContext
from cdk_emr_eks.tenants.job_role_policies import (
    in_environment,
    irsa_trust,
    job_trust,
    read_templates,
    wildcards,
    write_logs,
)
from cdk_emr_eks.tenants.virtual_cluster import EmrVirtualCluster


class JobRole(Construct):
    """An execution role in one namespace: ``ExecutionRole`` or ``SharedRoleUse``.

    Attributes:
        spec: As given.
        arn: ARN of the role, a token.
        associations: Its Pod Identity associations in the namespace; none with IRSA.
    """

    spec: ExecutionRoleSpec
    arn: str
    associations: tuple[eks_l1.CfnPodIdentityAssociation, ...] = ()

    @property
    def role(self) -> iam.Role:
        """The role, to grant it more: ``bucket.grant_read(execution_role.role)``.

        Raises:
            ConfigError: If it is shared: all tenants would get the permissions.
        """
        where, rule = f"Execution role {self.spec.name!r}", "is shared by tenants"
        fix = "grant all tenants on SharedExecutionRole.role, or give the tenant a separate role"
        raise refuse(where, "role", rule, fix=fix)

    def grant_start_job_run(
        self,
        grantee: iam.IGrantable,
        *,
        virtual_cluster: EmrVirtualCluster,
        job_templates: Sequence[str] = (),
    ) -> iam.Grant:
        """Allow a role or user to run, describe and cancel jobs with this role.

        Args:
            grantee: Role or user that submits jobs.
            virtual_cluster: Virtual cluster of the jobs.
            job_templates: ARNs of the job templates that they can use. Empty: no template.

        Raises:
            ConfigError: If the role is not for jobs.

        Source: https://docs.aws.amazon.com/emr/latest/EMR-on-EKS-DevelopmentGuide/iam-execution-role.html
        """
        if RoleUse.JOBS not in self.spec.uses:
            rule, got = "must include 'jobs' to run jobs", ", ".join(self.spec.uses)
            raise refuse(f"Execution role {self.spec.name!r}", "uses", rule, got)
        arn = virtual_cluster.arn
        runs = f"{arn}/jobruns/*"
        role = {"ArnEquals": {"emr-containers:ExecutionRoleArn": self.arn}}
        passed = {"StringEquals": {"iam:PassedToService": PODS_SERVICE}}
        rights = [
            Right(actions=("emr-containers:StartJobRun",), resources=(arn,), conditions=role),
            Right(actions=("emr-containers:ListJobRuns",), resources=(arn,)),
            Right(
                actions=("emr-containers:DescribeJobRun", "emr-containers:CancelJobRun"),
                resources=(runs,),
            ),
            # Jobs can be tagged when they start, for cost allocation.
            Right(actions=("emr-containers:TagResource",), resources=(runs,)),
            Right(actions=("iam:PassRole",), resources=(self.arn,), conditions=passed),
        ]
        if job_templates:
            describe = ("emr-containers:DescribeJobTemplate",)
            rights.append(Right(actions=describe, resources=tuple(job_templates)))
        return grant(grantee, rights)

    def delete_after(self, virtual_cluster: EmrVirtualCluster) -> None:
        """Delete the role after a virtual cluster of the same stack, which runs jobs until then."""
        if Stack.of(self) is Stack.of(virtual_cluster):
            virtual_cluster.resource.node.add_dependency(self)

    def _associate(
        self, context: TenancyContext, namespace: str
    ) -> tuple[eks_l1.CfnPodIdentityAssociation, ...]:
        account = Aws.ACCOUNT_ID
        associations = tuple(
            eks_l1.CfnPodIdentityAssociation(
                self,
                component.name.title(),
                cluster_name=context.cluster_name,
                namespace=namespace,
                service_account=service_account(component, account, self.spec.name),
                role_arn=self.arn,
            )
            for component in self.spec.components
        )
        # The literal name of the cluster is no reference, so CloudFormation would create the
        # associations before the cluster.
        cluster = context.cluster.node.default_child
        if isinstance(cluster, CfnResource):
            for association in associations:
                association.add_resource_dependency(cluster)
        return associations


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
            fix = "write ImportedPlatform(oidc=OidcProvider(...)), or use Pod Identity"
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


def iam_role(
    scope: Construct,
    spec: ExecutionRoleSpec,
    *,
    description: str,
    trust: object,
    statements: Iterable[dict[str, object]],
) -> iam.Role:
    """Create the IAM role of an execution role.

    Args:
        scope: Scope of the role.
        spec: Name, managed policies and boundary.
        description: Description in IAM.
        trust: Trust policy: an object, or JSON text.
        statements: Statements of its inline policy.
    """
    boundary = spec.permissions_boundary_arn
    document = {"Version": "2012-10-17", "Statement": list(statements)}
    role = iam.Role(
        scope,
        "Role",
        role_name=spec.name,
        description=description,
        assumed_by=iam.ServicePrincipal(PODS_SERVICE),
        inline_policies={"Job": iam.PolicyDocument.from_json(document)},
        managed_policies=[
            iam.ManagedPolicy.from_managed_policy_arn(scope, f"Managed{number}", arn)
            for number, arn in enumerate(spec.managed_policy_arns)
        ],
        permissions_boundary=(
            iam.ManagedPolicy.from_managed_policy_arn(scope, "Boundary", boundary)
            if boundary
            else None
        ),
    )
    resource = cast(iam.CfnRole, role.node.default_child)
    resource.add_property_override("AssumeRolePolicyDocument", trust)
    return role


def suppress_wildcards(
    scope: Construct,
    spec: ExecutionRoleSpec,
    role: iam.Role,
    logging: Sequence[Mapping[str, object]],
) -> None:
    """Suppress the findings on wildcards of a role that have a reason."""
    findings = {wildcard(scope, resource): why for resource, why in wildcards(logging)}
    for permission in map(in_environment, spec.permissions):
        if permission.reason:
            for resource in permission.resources:
                if "*" in resource:
                    findings[wildcard(scope, resource)] = permission.reason
            for action in permission.actions:
                if "*" in action:
                    findings[f"AwsSolutions-IAM5[Action::{action}]"] = permission.reason
    if findings:
        suppress(role, findings)
