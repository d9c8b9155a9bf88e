"""``SharedExecutionRole``: one execution role for many tenants, with session tags."""

from __future__ import annotations

from typing import cast

from aws_cdk import Aws
from aws_cdk import aws_iam as iam
from constructs import Construct

from cdk_emr_eks.checks import Check
from cdk_emr_eks.errors import refuse
from cdk_emr_eks.labels import SparkRole
from cdk_emr_eks.model.access.data_access import NAMESPACE
from cdk_emr_eks.model.access.execution_role import ExecutionRoleSpec, JobIdentity, JobLogs, RoleUse
from cdk_emr_eks.model.tenants.tenant import Tenant, select_workloads
from cdk_emr_eks.tenants.claims import AppClaims
from cdk_emr_eks.tenants.context import TenancyContext
from cdk_emr_eks.tenants.execution_role import JobRole, iam_role, suppress_wildcards
from cdk_emr_eks.tenants.job_role_policies import (
    in_environment,
    read_templates,
    shared_trust,
    write_logs,
)


class SharedExecutionRole(Construct):
    """An execution role that tenants of a cluster share, with separate permissions for each.

    EKS tags the role's sessions with the namespace of the pod, and no pod can change the tag. A
    permission whose resource contains the tag (``s3_namespace_folder``, logs) applies to a
    different resource in each namespace. Any other permission applies to all tenants. Pod Identity
    associations give a namespace the role: pass it to ``add_tenant`` or ``EmrEksTenant``.

    A tenant then has six resources instead of seven, and the account one role instead of one for
    each tenant. An error in one permission affects all tenants, so separate roles are safer until
    the account reaches its limit of roles.

    Resources: one ``AWS::IAM::Role``.

    Attributes:
        spec: As given.
        role: The role.
        arn: Its ARN, without a reference, so that other stacks use it without an export.

    Args:
        context: The platform.
        spec: Name, permissions, uses and options; with Pod Identity, and not for Livy.
        log_uri: ``s3://bucket/prefix`` of the logs of all its tenants: each tenant's
            ``logs.s3_uri`` is the folder of its namespace below it. None: CloudWatch only.

    Raises:
        ConfigError: If the app has a role of that name, a workload is unknown, the role is for IRSA
            or Livy, or the URI is not an S3 URI.

    Source: https://docs.aws.amazon.com/eks/latest/userguide/pod-id-abac.html
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        context: TenancyContext,
        spec: ExecutionRoleSpec,
        log_uri: str | None = None,
    ) -> None:
        where = f"Shared execution role {spec.name!r}"
        logs = JobLogs(s3_uri=log_uri)
        _check(where, spec)
        workloads = select_workloads(where, spec.workloads, context.workloads)
        super().__init__(scope, id)
        AppClaims.of(self).claim(
            self, "role", spec.name, field="name", rule="must be unique", in_all_regions=True
        )
        self.spec = spec
        self.logs = logs
        self.cluster_name = context.cluster_name
        locations = context.pod_templates.location
        templates = [
            locations(item.name, role).object_arn for item in workloads for role in SparkRole
        ]
        location = logs.s3_location
        own = (location[0], f"{location[1]}/{NAMESPACE}".lstrip("/")) if location else None
        logging = write_logs(f"{context.log_group_prefix}{NAMESPACE}", own)
        self.role = iam_role(
            self,
            spec,
            description=f"EMR jobs of tenants on cluster {context.cluster_name}",
            trust=shared_trust(context.cluster_name, spec),
            statements=[
                read_templates(templates),
                *logging,
                *(in_environment(permission).statement() for permission in spec.permissions),
            ],
        )
        self.arn = f"arn:{Aws.PARTITION}:iam::{Aws.ACCOUNT_ID}:role/{spec.name}"
        suppress_wildcards(self, spec, self.role, logging)


class SharedRoleUse(JobRole):
    """A shared execution role in the namespace of one tenant.

    Resources: one ``AWS::EKS::PodIdentityAssociation`` for each service account: three for
    jobs.

    Args:
        context: The platform.
        shared: The role.
        tenant: The tenant.

    Raises:
        ConfigError: If the role is of another cluster, the tenant's EMR release lacks Pod Identity,
            its logs in S3 are not the folder of its namespace, or it has secrets and no separate
            role that could read them.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        context: TenancyContext,
        shared: SharedExecutionRole,
        tenant: Tenant,
    ) -> None:
        check_shared_role(tenant, context.cluster_name, shared)
        super().__init__(scope, id)
        self.spec = shared.spec
        self.arn = shared.arn
        self.associations = self._associate(context, tenant.resolved_namespace)
        # The literal ARN is no reference.
        for association in self.associations:
            association.node.add_dependency(cast(iam.CfnRole, shared.role.node.default_child))


def check_shared_role(tenant: Tenant, cluster_name: str, shared: SharedExecutionRole) -> None:
    """Check that a tenant can use a shared role.

    Raises:
        ConfigError: As in ``SharedRoleUse``.
    """
    check = Check(f"Tenant {tenant.name!r}")
    rule = f"must be of the cluster {cluster_name!r}"
    same = shared.cluster_name == cluster_name
    check.require(same, "shared_role", rule, shared.cluster_name)
    check.add(shared.spec.release_problems(tenant.release_label))
    if (wanted := tenant.logs.s3_location) is not None:
        root = shared.logs.s3_location
        parts = [*filter(None, (root[1],)), tenant.resolved_namespace] if root else []
        holds = root is not None and wanted == (root[0], "/".join(parts))
        rule = "must be the folder of the tenant's namespace below the shared role's log_uri"
        fix = f"write {'s3://' + '/'.join([root[0], *parts])!r}" if root else ""
        check.require(holds, "logs.s3_uri", rule, tenant.logs.s3_uri, fix)
    rule = "must be absent with a shared role, which trusts no tenant's query engine"
    check.require(tenant.lake_formation is None, "lake_formation", rule)
    alone = tenant.secrets and not tenant.execution_roles
    rule = "must be read by execution_roles of the tenant: all tenants have the shared role"
    check.require(not alone, "secrets", rule)
    check.require(
        shared.spec.name not in [role.name for role in tenant.execution_roles],
        "execution_roles",
        "must not have the name of the shared role",
        shared.spec.name,
    )
    check.raise_if_any()


def _check(where: str, spec: ExecutionRoleSpec) -> None:
    if spec.identity is not JobIdentity.POD_IDENTITY:
        rule = "must be Pod Identity, whose sessions have tags"
        raise refuse(where, "identity", rule, str(spec.identity))
    if RoleUse.LIVY in spec.uses:
        rule = "must not be for Livy, which gives each role rights on uploads of one tenant"
        raise refuse(where, "uses", rule, ", ".join(spec.uses))
