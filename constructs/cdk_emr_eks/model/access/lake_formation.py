"""What a tenant's jobs need to read tables as far as Lake Formation lets their role."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from cdk_emr_eks.errors import ConfigProblem, Problems, refuse
from cdk_emr_eks.field_types import check_types
from cdk_emr_eks.model.access.execution_role import (
    ExecutionRoleSpec,
    IamPermission,
    JobIdentity,
    RoleUse,
    default_role_name,
)
from cdk_emr_eks.model.access.security_configuration import SYSTEM_SUFFIX, TlsCertificate
from cdk_emr_eks.names import namespace_problems, role_name
from cdk_emr_eks.releases import OldestRelease

_OLDEST_RELEASE: Final = OldestRelease(feature="lake_formation", emr=(7, 7, 0), spark=None)
CALLER_TAG: Final = "LakeFormationAuthorizedCaller"
"""Session tag by which Lake Formation knows an engine that filters rows and columns."""

_TAG_VALUE: Final = re.compile(r"[.\-_/#A-Za-z0-9 ]{1,256}")
_SERVICE: Final = ("lakeformation:GetDataAccess", "emr-containers:CreateCertificate")


@dataclass(frozen=True, kw_only=True, slots=True)
class LakeFormation:
    """Jobs of a tenant run in two parts, and only EMR's own part reads the data.

    The user's driver and executors are in the tenant's namespace, without rights to data. EMR's
    part is in a second one, the *system namespace*, where no code of users runs. It has the *query
    engine role*, takes on the job's role with a session tag, and gives the user's part the rows and
    columns that Lake Formation's grants to the job's role allow.

    What holds for the whole account is not made here: Lake Formation must let external engines
    filter data, in this account, for the same tag value; see the how-to page.

    Args:
        session_tag_value: Value of the session tag, 1 to 256 characters out of letters, digits,
            blanks and ``.-_/#``, as it is written in Lake Formation's settings.
        query_engine_role: Literal name of the query engine role. None: ``emr-lf-TENANT-`` and six
            characters that tell cluster and namespace apart.
        system_namespace: The system namespace, a DNS label. None: the tenant's namespace and
            ``-system``.
        tls: Certificate for traffic between both parts. None: EMR makes one for each job.

    Raises:
        ConfigError: If the tag value, the role's name or the namespace breaks a rule.

    Source: https://docs.aws.amazon.com/emr/latest/EMR-on-EKS-DevelopmentGuide/security_iam_fgac-lf-enable.html,
    https://docs.aws.amazon.com/emr-on-eks/latest/APIReference/API_LakeFormationConfiguration.html
    """

    session_tag_value: str
    query_engine_role: str | None = None
    system_namespace: str | None = None
    tls: TlsCertificate | None = None

    def __post_init__(self) -> None:
        check_types("LakeFormation", self)
        problems = Problems("LakeFormation")
        rule = "must be 1 to 256 letters, digits, blanks and .-_/#"
        holds = bool(_TAG_VALUE.fullmatch(self.session_tag_value))
        problems.require(holds, "session_tag_value", rule, self.session_tag_value)
        if self.query_engine_role is not None:
            problems.extend(role_name("query_engine_role", self.query_engine_role))
        if self.system_namespace is not None:
            problems.extend(namespace_problems("system_namespace", self.system_namespace))
        problems.raise_if_any()

    def resolved_system_namespace(self, namespace: str) -> str:
        """Return the system namespace beside a tenant's namespace."""
        return self.system_namespace or f"{namespace}{SYSTEM_SUFFIX}"

    def resolved_role(self, tenant: str, cluster_name: str, namespace: str) -> str:
        """Return the name of the query engine role of a tenant."""
        system = self.resolved_system_namespace(namespace)
        return self.query_engine_role or default_role_name(f"lf-{tenant}", cluster_name, system)

    def problems_beside(self, namespace: str, sessions: Sequence[str]) -> tuple[ConfigProblem, ...]:
        """Check what else the tenant has.

        Args:
            namespace: The tenant's namespace.
            sessions: Names of fields that are given and are for sessions.
        """
        rule = "must be absent with lake_formation, which has a security configuration of its own"
        found = [ConfigProblem(field=field, rule=rule) for field in sessions]
        return (*found, *self._namespace_problems(namespace))

    def _namespace_problems(self, namespace: str) -> tuple[ConfigProblem, ...]:
        field, system = "lake_formation.system_namespace", self.resolved_system_namespace(namespace)
        if system == namespace:
            rule = "must differ from the tenant's namespace, where users' code runs"
            return (ConfigProblem(field=field, rule=rule, got=system),)
        if self.system_namespace is None and len(system) > 63:
            rule = f"must be given, since {SYSTEM_SUFFIX!r} after the namespace is over 63"
            return (ConfigProblem(field=field, rule=rule + " characters", got=namespace),)
        return ()

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
        """Return what is wrong with an image of a tenant's own."""
        rule = "must be absent with lake_formation: EMR's part of a job runs EMR's image only"
        return (ConfigProblem(field="image", rule=rule, got=image),)

    def check_executors(self, where: str, kept: Sequence[str]) -> None:
        """Check that no workload marks its executors, which EMR's part makes from elsewhere.

        Args:
            where: Whose workloads they are.
            kept: Names of those that keep their executors' nodes from disruption.

        Raises:
            ConfigError: If there are some.
        """
        if kept:
            rule = "must have spot executors with lake_formation: admission refuses the others"
            fix = "name workloads that have, or one of your own"
            raise refuse(where, "workloads", rule, ", ".join(kept), fix)


def with_lake_formation(role: ExecutionRoleSpec, wanted: LakeFormation | None) -> ExecutionRoleSpec:
    """Return an execution role that may ask Lake Formation for data, if the tenant has it."""
    held = {action for each in role.permissions for action in each.actions}
    if wanted is None or held.issuperset(_SERVICE):
        return role
    # Neither action takes a resource: Lake Formation decides by its own grants, and EMR signs the
    # certificates with which the parts of one job talk to each other.
    reason = "The action takes no resource; Lake Formation's own grants decide"
    service = IamPermission(actions=_SERVICE, resources=("*",), reason=reason)
    return replace(role, permissions=(*role.permissions, service))
