"""``JobRole``: an execution role in a namespace, dedicated or shared."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import cast

from aws_cdk import Aws, CfnResource, Stack
from aws_cdk import aws_eks as eks_l1
from aws_cdk import aws_iam as iam
from constructs import Construct

from cdk_emr_eks.errors import refuse
from cdk_emr_eks.model.access.execution_role import ExecutionRoleSpec, RoleUse, service_account
from cdk_emr_eks.security.iam import PODS_SERVICE, Right, grant
from cdk_emr_eks.security.suppressions import suppress, wildcard
from cdk_emr_eks.tenants.context import TenancyContext
from cdk_emr_eks.tenants.job_role_policies import in_environment, wildcards
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
