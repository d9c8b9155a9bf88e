"""Lake Formation for a tenant: jobs read what Lake Formation grants to their role."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from cdk_emr_eks.checks import Check
from cdk_emr_eks.errors import ConfigProblem, refuse
from cdk_emr_eks.model.access.execution_role import (
    ExecutionRoleSpec,
    IamPermission,
    JobIdentity,
    RoleUse,
    default_role_name,
)
from cdk_emr_eks.model.access.security_configuration import (
    TlsCertificate,
    default_system_namespace,
    system_namespace_problems,
)
from cdk_emr_eks.names import namespace_problems, role_name
from cdk_emr_eks.releases import OldestRelease
from cdk_emr_eks.values import value

# Session tag by which Lake Formation recognizes an engine that filters rows and columns.
CALLER_TAG: Final = "LakeFormationAuthorizedCaller"

# Neither action takes a resource: Lake Formation decides by its grants, and EMR signs the
# certificates with which the two parts of a job talk to each other.
LAKE_FORMATION_PERMISSION: Final = IamPermission(
    actions=("lakeformation:GetDataAccess", "emr-containers:CreateCertificate"),
    resources=("*",),
    reason="The action takes no resource; Lake Formation's own grants decide",
)

_OLDEST_RELEASE: Final = OldestRelease(feature="lake_formation", emr=(7, 7, 0), spark=None)
_TAG_VALUE: Final = re.compile(r"[.\-_/#A-Za-z0-9 ]{1,256}")


@value
class LakeFormation:
    """Fine-grained access control: jobs run in two parts, and only EMR's part reads the data.

    The user's driver and executors run in the tenant's namespace, without permissions on data.
    EMR's part runs in a second namespace, the *system namespace*, which runs no code of users. It
    has the *query engine role*, assumes the job's role with a session tag, and returns the rows and
    columns that Lake Formation's grants to the job's role allow.

    Settings of the whole account are not changed: Lake Formation must allow external engines to
    filter data, in this account, for the same tag value; see the how-to page.

    Args:
        session_tag_value: Value of the session tag, as in Lake Formation's settings: 1 to 256
            letters, digits, blanks and ``.-_/#``.
        query_engine_role: Literal name of the query engine role. None: ``emr-lf-TENANT-`` and six
            characters that depend on cluster and namespace.
        system_namespace: The system namespace, a DNS label. None: the tenant's namespace and
            ``-system``.
        tls: Certificate for traffic between the two parts. None: EMR creates one for each job.

    Raises:
        ConfigError: If the tag value, the role's name or the namespace breaks a rule.

    Source: https://docs.aws.amazon.com/emr/latest/EMR-on-EKS-DevelopmentGuide/security_iam_fgac-lf-enable.html,
    https://docs.aws.amazon.com/emr-on-eks/latest/APIReference/API_LakeFormationConfiguration.html
    """

    session_tag_value: str
    query_engine_role: str | None = None
    system_namespace: str | None = None
    tls: TlsCertificate | None = None

    def _rules(self, check: Check) -> None:
        rule = "1 to 256 letters, digits, blanks and .-_/#"
        check.matches("session_tag_value", _TAG_VALUE, rule)
        check.passes("query_engine_role", role_name)
        check.passes("system_namespace", namespace_problems)

    def resolved_system_namespace(self, namespace: str) -> str:
        """Return the system namespace of a tenant's namespace."""
        return self.system_namespace or default_system_namespace(namespace)

    def resolved_role(self, tenant: str, cluster_name: str, namespace: str) -> str:
        """Return the name of the query engine role of a tenant."""
        system = self.resolved_system_namespace(namespace)
        return self.query_engine_role or default_role_name(f"lf-{tenant}", cluster_name, system)

    def tenant_problems(self, namespace: str, sessions: Sequence[str]) -> tuple[ConfigProblem, ...]:
        """Check the other options of the tenant.

        Args:
            namespace: The tenant's namespace.
            sessions: Names of the fields for sessions that the tenant has.
        """
        rule = "must be absent with lake_formation, which has its own security configuration"
        found = [ConfigProblem(field=field, rule=rule) for field in sessions]
        other = "the tenant's namespace, where users' code runs"
        field, given = "lake_formation.system_namespace", self.system_namespace
        return (*found, *system_namespace_problems(field, given, namespace, other=other))

    def role_problems(self, roles: Sequence[ExecutionRoleSpec]) -> tuple[ConfigProblem, ...]:
        """Check the execution roles of a tenant."""
        found = []
        for role in roles:
            if role.identity is not JobIdentity.IRSA:
                rule = f"must have IRSA in {role.name!r}: for lake_formation EMR documents no other"
                fix = "write identity=JobIdentity.IRSA"
                got = str(role.identity)
                found.append(ConfigProblem(field="execution_roles", rule=rule, got=got, fix=fix))
            if set(role.uses) != {RoleUse.JOBS}:
                rule = f"must be for jobs only in {role.name!r}: lake_formation is for job runs"
                got = ", ".join(role.uses)
                found.append(ConfigProblem(field="execution_roles", rule=rule, got=got))
            if role.name == self.query_engine_role:
                rule = "must be another role than those of jobs, whose pods run users' code"
                field = "lake_formation.query_engine_role"
                found.append(ConfigProblem(field=field, rule=rule, got=role.name))
        return tuple(found)

    def release_problems(self, release_label: str) -> tuple[ConfigProblem, ...]:
        """Check that an EMR release has both parts of a job."""
        return _OLDEST_RELEASE.problems(release_label)

    def image_problems(self, image: str) -> tuple[ConfigProblem, ...]:
        """Refuse an own image of the tenant."""
        rule = "must be absent with lake_formation: EMR's part of a job runs EMR's image only"
        return (ConfigProblem(field="image", rule=rule, got=image),)

    def check_executors(self, where: str, kept: Sequence[str]) -> None:
        """Check that no workload annotates its executors ``karpenter.sh/do-not-disrupt``.

        EMR's part creates the executors from another namespace, and admission refuses the
        annotation on them.

        Args:
            where: The tenant, as errors call it.
            kept: Names of the workloads that protect their executors' nodes from disruption.

        Raises:
            ConfigError: If there is such a workload.
        """
        if kept:
            rule = "must have spot executors with lake_formation: admission refuses the others"
            fix = "name workloads with spot executors, or give the tenant a dedicated one"
            raise refuse(where, "workloads", rule, ", ".join(kept), fix)


def with_lake_formation(role: ExecutionRoleSpec, wanted: LakeFormation | None) -> ExecutionRoleSpec:
    """Return an execution role that may ask Lake Formation for data, if the tenant uses it."""
    granted = {action for each in role.permissions for action in each.actions}
    if wanted is None or granted.issuperset(LAKE_FORMATION_PERMISSION.actions):
        return role
    return replace(role, permissions=(*role.permissions, LAKE_FORMATION_PERMISSION))
