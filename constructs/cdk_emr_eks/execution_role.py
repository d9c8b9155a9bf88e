"""The IAM role that a job's pods have, bound to one namespace and to EMR's service accounts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import cast

from aws_cdk import Annotations, Aws, CfnResource, Stack
from aws_cdk import aws_eks as eks_l1
from aws_cdk import aws_iam as iam
from constructs import Construct

from cdk_emr_eks.claims import AppClaims
from cdk_emr_eks.errors import ConfigError, refuse
from cdk_emr_eks.job_role_policies import (
    in_environment,
    irsa_trust,
    job_trust,
    read_templates,
    wildcards,
    write_logs,
)
from cdk_emr_eks.labels import Role
from cdk_emr_eks.nag import accept, wildcard
from cdk_emr_eks.names import namespace_problems
from cdk_emr_eks.pod_identity import PODS_SERVICE
from cdk_emr_eks.spec.execution_role import (
    ExecutionRoleSpec,
    JobIdentity,
    JobLogs,
    RoleUse,
    iam_literal,
    service_account,
)
from cdk_emr_eks.spec.tenancy import choose
from cdk_emr_eks.tenancy_context import TenancyContext
from cdk_emr_eks.virtual_cluster import EmrVirtualCluster


class ExecutionRole(Construct):
    """A job execution role that only EMR's service accounts of one namespace can use.

    With Pod Identity, each service account of the role's uses (three for jobs, three for endpoints)
    is associated with the role. The role's trust names the cluster, the namespace and the accounts,
    so that nobody can use it through an association of another cluster. With IRSA, the trust names
    the namespace and the role's own name in base36.

    Resources made: one ``AWS::IAM::Role`` and, with Pod Identity, one
    ``AWS::EKS::PodIdentityAssociation`` for each service account: three for jobs.

    Attributes:
        spec: What was asked for.
        role: The role, to grant it more: ``bucket.grant_read(execution_role.role)``.
        arn: ARN of the role, a token.

    Args:
        context: The platform, made here or elsewhere.
        namespace: The namespace whose jobs may use the role.
        spec: Name, permissions and options.
        log_group: Name of the log group that jobs write to. None: jobs may not write logs.
        logs: S3 location of logs, beside the log group.

    Raises:
        ConfigError: If the app has a role of that name, a workload is unknown, the log group would
            be a pattern in IAM, or IRSA is asked for on a cluster whose OIDC provider is not known.
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
    ) -> None:
        where = f"Execution role {spec.name!r}"
        for problem in namespace_problems("namespace", namespace):
            raise ConfigError(where, (problem,))
        super().__init__(scope, id)
        workloads = choose(where, spec.workloads, context.workloads)
        if spec.identity is JobIdentity.IRSA and context.oidc is None:
            fix = "give the cluster's OIDC provider, or use Pod Identity"
            raise refuse(where, "identity", "needs the cluster's OIDC provider", fix=fix)
        if log_group is not None and not iam_literal(log_group):
            rule = "must not hold '*', '?' or '$', which IAM reads as patterns"
            raise refuse(where, "log_group", rule, log_group)
        self.spec = spec
        self._claim(context.cluster_name, namespace)
        locations = context.pod_templates.location
        templates = [locations(item.name, role).object_arn for item in workloads for role in Role]
        logging = write_logs(log_group, logs)
        statements = [
            read_templates(templates),
            *logging,
            *(in_environment(permission).statement() for permission in spec.permissions),
        ]
        self.role = self._role(context, namespace, statements)
        self.arn = self.role.role_arn
        self.associations = (
            self._associate(context, namespace) if spec.identity is JobIdentity.POD_IDENTITY else ()
        )
        self._accept_wildcards(logging)
        for number, warning in enumerate(spec.warnings()):
            Annotations.of(self).add_warning_v2(f"cdk-emr-eks:role-name-{number}", warning)

    def grant_start_job_run(
        self,
        grantee: iam.IGrantable,
        *,
        virtual_cluster: EmrVirtualCluster,
        job_templates: Sequence[str] = (),
    ) -> iam.Grant:
        """Let somebody run jobs with this role on one virtual cluster, follow and cancel them.

        Args:
            grantee: Role or user that submits jobs.
            virtual_cluster: Where.
            job_templates: ARNs of the job templates that may be used. Empty: none.

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
        rights: list[tuple[list[str], list[str], dict[str, dict[str, str]]]] = [
            (["emr-containers:StartJobRun"], [arn], role),
            (["emr-containers:ListJobRuns"], [arn], {}),
            (
                [f"emr-containers:{verb}" for verb in ("DescribeJobRun", "CancelJobRun")],
                [runs],
                {},
            ),
            # Jobs may be tagged when they start, for cost allocation.
            (["emr-containers:TagResource"], [runs], {}),
            (["iam:PassRole"], [self.arn], passed),
        ]
        if job_templates:
            rights.append((["emr-containers:DescribeJobTemplate"], list(job_templates), {}))
        grants = [
            iam.Grant.add_to_principal(
                grantee=grantee,
                actions=actions,
                resource_arns=resources,
                conditions=conditions,
            )
            for actions, resources, conditions in rights
        ]
        combined = grants[0]
        for grant in grants[1:]:
            combined = combined.combine(grant)
        return combined

    def delete_after(self, virtual_cluster: EmrVirtualCluster) -> None:
        """Keep the role until a virtual cluster of the same stack is gone, for its last jobs."""
        if Stack.of(self) is Stack.of(virtual_cluster):
            virtual_cluster.resource.node.add_dependency(self)

    def _claim(self, cluster_name: str, namespace: str) -> None:
        name, claims = self.spec.name, AppClaims.of(self)
        unique = "must be unique"
        claims.take(self, "role", name, field="name", rule=unique, in_all_regions=True)
        if RoleUse.LIVY in self.spec.uses:
            rule = "must be for Livy in one role of a namespace: it has one service account"
            claims.take(self, "livy-role", cluster_name, namespace, field="uses", rule=rule)

    def _role(
        self,
        context: TenancyContext,
        namespace: str,
        statements: Iterable[dict[str, object]],
    ) -> iam.Role:
        spec = self.spec
        boundary = spec.permissions_boundary_arn
        document = {"Version": "2012-10-17", "Statement": list(statements)}
        role = iam.Role(
            self,
            "Role",
            role_name=spec.name,
            description=f"EMR jobs of namespace {namespace} on cluster {context.cluster_name}",
            assumed_by=iam.ServicePrincipal(PODS_SERVICE),
            inline_policies={"Job": iam.PolicyDocument.from_json(document)},
            managed_policies=[
                iam.ManagedPolicy.from_managed_policy_arn(self, f"Managed{number}", arn)
                for number, arn in enumerate(spec.managed_policy_arns)
            ],
            permissions_boundary=(
                iam.ManagedPolicy.from_managed_policy_arn(self, "Boundary", boundary)
                if boundary
                else None
            ),
        )
        resource = cast(iam.CfnRole, role.node.default_child)
        resource.add_property_override("AssumeRolePolicyDocument", self._trust(context, namespace))
        return role

    def _accept_wildcards(self, logging: Sequence[Mapping[str, object]]) -> None:
        findings = {wildcard(self, resource): why for resource, why in wildcards(logging)}
        for permission in map(in_environment, self.spec.permissions):
            if permission.reason:
                for resource in permission.resources:
                    if "*" in resource:
                        findings[wildcard(self, resource)] = permission.reason
                for action in permission.actions:
                    if "*" in action:
                        findings[f"AwsSolutions-IAM5[Action::{action}]"] = permission.reason
        if findings:
            accept(self.role, findings)

    def _trust(self, context: TenancyContext, namespace: str) -> object:
        if self.spec.identity is JobIdentity.IRSA and context.oidc is not None:
            return irsa_trust(context.oidc(), namespace, self.spec)
        return job_trust(context.cluster_name, namespace, self.spec)

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
        # Its literal name is no reference: CloudFormation would make them before the cluster.
        cluster = context.cluster.node.default_child
        if isinstance(cluster, CfnResource):
            for association in associations:
                association.add_resource_dependency(cluster)
        return associations
