"""The execution role of an ephemeral job: one for all its namespaces, and for no others."""

from __future__ import annotations

from typing import cast

from aws_cdk import Aws
from aws_cdk import aws_iam as iam
from constructs import Construct

from cdk_emr_eks.labels import SparkRole
from cdk_emr_eks.model.access.execution_role import ExecutionRoleSpec, RoleUse, service_account
from cdk_emr_eks.model.ephemeral.job import EphemeralJobSpec, namespace_pattern
from cdk_emr_eks.security.pod_identity import pod_identity_trust
from cdk_emr_eks.tenants.claims import AppClaims
from cdk_emr_eks.tenants.job_role import accept_wildcards, iam_role
from cdk_emr_eks.tenants.job_role_policies import in_environment, read_templates, write_logs
from cdk_emr_eks.tenants.tenant import EmrEksTenant

_NAMESPACE = "aws:RequestTag/kubernetes-namespace"


def ephemeral_role(
    scope: Construct, *, tenant: EmrEksTenant, job: EphemeralJobSpec, role: ExecutionRoleSpec
) -> iam.Role:
    """Make the role: its jobs read the workload's pod templates and write the tenant's logs.

    Args:
        scope: Where.
        tenant: Whose jobs they are.
        job: The job.
        role: Name and permissions.

    Raises:
        ConfigError: If the app has a role of that name.
    """
    rule = "must be unique"
    AppClaims.of(scope).take(scope, "role", role.name, field="name", rule=rule, in_all_regions=True)
    location = tenant.context.pod_templates.location
    templates = [location(job.workload, each).object_arn for each in SparkRole]
    logging = write_logs(tenant.log_group_name, tenant.tenant.logs.s3_location)
    cluster = tenant.context.cluster_name
    made = iam_role(
        scope,
        role,
        description=f"EMR jobs of {job.name} on cluster {cluster}",
        trust=_trust(cluster, job, role),
        statements=[
            read_templates(templates),
            *logging,
            *(in_environment(permission).statement() for permission in role.permissions),
        ],
    )
    accept_wildcards(scope, role, made, logging)
    return made


def service_accounts(role: ExecutionRoleSpec) -> list[str]:
    """Return the service accounts that EMR makes for the role's jobs."""
    return [service_account(each, Aws.ACCOUNT_ID, role.name) for each in RoleUse.JOBS.components]


def _trust(cluster: str, job: EphemeralJobSpec, role: ExecutionRoleSpec) -> dict[str, object]:
    document = pod_identity_trust(
        cluster_name=cluster,
        namespace=namespace_pattern(job.name),
        service_accounts=service_accounts(role),
    )
    (statement,) = cast(list[dict[str, dict[str, dict[str, object]]]], document["Statement"])
    condition = statement["Condition"]
    condition["StringLike"] = {_NAMESPACE: condition["StringEquals"].pop(_NAMESPACE)}
    return document
