"""What one job execution role is: a name, who may use it, and what its jobs may do."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from cdk_emr_eks.errors import ConfigProblem, Problems
from cdk_emr_eks.field_types import check_types, hold_mappings
from cdk_emr_eks.names import base36, role_name
from cdk_emr_eks.releases import OldestRelease
from cdk_emr_eks.tokens import is_arn, without_tokens

_ACTION: Final = re.compile(r"[a-z0-9-]+:[A-Za-z0-9*?]+")
_SID: Final = re.compile(r"[A-Za-z0-9]+")
_S3_URI: Final = re.compile(r"s3://(?P<bucket>[^/]+)(?:/(?P<prefix>.*))?")

POD_IDENTITY_RELEASE: Final = (7, 3, 0)
"""First EMR release whose jobs can use EKS Pod Identity.

Source: https://docs.aws.amazon.com/emr/latest/EMR-on-EKS-DevelopmentGuide/setting-up-enable-IAM.html
"""

LONG_ROLE_NAME: Final = 32
"""Above this, base36 makes service account names of over 96 characters.

IAM allows 64, but EMR warns that a job may fail when the names of cluster, pod and service account
are too long together for Pod Identity; it does not say where that limit is.
"""


class JobIdentity(StrEnum):
    """How a job's pods get the credentials of the execution role."""

    POD_IDENTITY = "pod-identity"
    """EKS Pod Identity: one association for each service account, for EMR 7.3 and newer."""
    IRSA = "irsa"
    """IAM roles for service accounts: works with every EMR release."""


class Component(StrEnum):
    """The pods that have a service account of their own, as EMR names them.

    Source: https://github.com/aws/aws-cli/blob/v2/awscli/customizations/emrcontainers/constants.py
    """

    CLIENT = "spark-client"
    DRIVER = "spark-driver"
    EXECUTOR = "spark-executor"
    GATEWAY = "spark-jeg"
    KERNEL = "spark-jeg-kernel"
    SESSION = "spark-session"
    LIVY = "spark-livy"


class RoleUse(StrEnum):
    """What a role is for; each use has service accounts of its own in the namespace.

    Source: https://github.com/aws/aws-cli/blob/v2/awscli/customizations/emrcontainers/constants.py
    """

    JOBS = "jobs"
    """Job runs: StartJobRun."""
    ENDPOINTS = "endpoints"
    """Managed endpoints, where notebooks run kernels, and Spark Connect endpoints."""
    LIVY = "livy"
    """Spark sessions of Apache Livy. EMR has one service account for it in a namespace, so one role
    of a namespace can have this use."""

    @property
    def components(self) -> tuple[Component, ...]:
        """The pods that have the role."""
        return _COMPONENTS[self]


_COMPONENTS: Final[Mapping[RoleUse, tuple[Component, ...]]] = {
    RoleUse.JOBS: (Component.CLIENT, Component.DRIVER, Component.EXECUTOR),
    RoleUse.ENDPOINTS: (Component.GATEWAY, Component.KERNEL, Component.SESSION),
    RoleUse.LIVY: (Component.LIVY,),
}


@dataclass(frozen=True, kw_only=True, slots=True)
class IamPermission:
    """One statement of an IAM policy.

    Args:
        actions: IAM actions, such as ``s3:GetObject``; not ``*``.
        resources: ARNs; tokens pass, and in an execution role ``${AWS::Partition}``,
            ``${AWS::Region}`` and ``${AWS::AccountId}``, which it fills in.
        conditions: IAM conditions: operator, then key, then values.
        sid: Statement id. None: no id.
        reason: Why its wildcards are needed. It is written beside the role, where cdk-nag takes it
            for the acceptance of its finding. Empty: cdk-nag reports the wildcards.

    Raises:
        ConfigError: If actions or resources are empty, an action is not ``service:Action``, a
            resource is no ARN, or the id has more than letters and digits.
    """

    actions: tuple[str, ...]
    resources: tuple[str, ...]
    conditions: Mapping[str, Mapping[str, object]] = field(default_factory=dict)
    sid: str | None = None
    reason: str = ""

    def __post_init__(self) -> None:
        check_types("IamPermission", self)
        hold_mappings(self)
        problems = Problems(f"IamPermission {self.sid or ', '.join(self.actions)!r}")
        problems.require(bool(self.actions), "actions", "must not be empty")
        problems.require(bool(self.resources), "resources", "must not be empty")
        for action in self.actions:
            rule = "must be of the form 'service:Action'"
            problems.require(bool(_ACTION.fullmatch(action)), "actions", rule, action)
        for resource in self.resources:
            holds = resource == "*" or is_arn(resource)
            problems.require(holds, "resources", "must be ARNs, tokens or '*'", resource)
        holds = self.sid is None or bool(_SID.fullmatch(self.sid))
        problems.require(holds, "sid", "must be letters and digits", self.sid)
        problems.raise_if_any()

    def statement(self) -> dict[str, object]:
        """Return the statement as IAM reads it."""
        statement: dict[str, object] = {"Sid": self.sid} if self.sid else {}
        statement |= {
            "Effect": "Allow",
            "Action": list(self.actions),
            "Resource": list(self.resources),
        }
        if self.conditions:
            statement["Condition"] = {key: dict(value) for key, value in self.conditions.items()}
        return statement


@dataclass(frozen=True, kw_only=True, slots=True)
class ExecutionRoleSpec:
    """A job execution role, usable only by EMR's service accounts of one namespace.

    Args:
        name: IAM role name: literal, since EMR encodes it in the names of service accounts, and
            better short (at most 32). It is unique in the whole AWS account.
        permissions: What the jobs may do, beyond reading their pod templates and writing their
            logs. More can be granted later on the construct's ``role``.
        managed_policy_arns: Managed policies to attach.
        permissions_boundary_arn: Managed policy that bounds the role. None: no boundary.
        workloads: Workloads whose pod templates the role may read. Empty: those of the tenant, or
            all where there is no tenant.
        identity: How pods get the role's credentials.
        uses: What the role is for: jobs by default.

    Raises:
        ConfigError: If the name is a token, or not a role name, a policy is not told by its ARN, or
            the role has no use or one twice.
    """

    name: str
    permissions: tuple[IamPermission, ...] = ()
    managed_policy_arns: tuple[str, ...] = ()
    permissions_boundary_arn: str | None = None
    workloads: tuple[str, ...] = ()
    identity: JobIdentity = JobIdentity.POD_IDENTITY
    uses: tuple[RoleUse, ...] = (RoleUse.JOBS,)

    def __post_init__(self) -> None:
        check_types(f"Execution role {self.name!r}", self)
        problems = Problems(f"Execution role {self.name!r}")
        problems.extend(role_name("name", self.name))
        rule = "must be ARNs of managed policies, or tokens"
        for arn in self.managed_policy_arns:
            problems.require(is_arn(arn), "managed_policy_arns", rule, arn)
        boundary = self.permissions_boundary_arn
        rule = "must be the ARN of a managed policy, or a token"
        holds = boundary is None or is_arn(boundary)
        problems.require(holds, "permissions_boundary_arn", rule, boundary)
        once = bool(self.uses) and len(set(self.uses)) == len(self.uses)
        rule = f"must name at least one of {', '.join(RoleUse)}, each once"
        problems.require(once, "uses", rule, ", ".join(self.uses))
        problems.raise_if_any()

    @property
    def components(self) -> tuple[Component, ...]:
        """The pods that have the role, over all its uses."""
        return tuple(component for use in self.uses for component in use.components)

    def warnings(self) -> tuple[str, ...]:
        """Return what is allowed and may still fail at run time."""
        if len(self.name) <= LONG_ROLE_NAME:
            return ()
        length = len(f"emr-containers-sa-{Component.EXECUTOR}-123456789012-{base36(self.name)}")
        text = (
            f"Execution role {self.name!r} gives service account names of {length} characters; "
            f"jobs may fail on names that are too long for Pod Identity: use at most "
            f"{LONG_ROLE_NAME} characters."
        )
        return (text,)

    def release_problems(self, release_label: str) -> tuple[ConfigProblem, ...]:
        """Check that jobs of an EMR release can use the role."""
        if self.identity is JobIdentity.IRSA:
            return ()
        feature = f"Pod Identity of execution role {self.name!r}"
        oldest = OldestRelease(feature=feature, emr=POD_IDENTITY_RELEASE)
        return oldest.problems(release_label, fix="use identity=JobIdentity.IRSA")


@dataclass(frozen=True, kw_only=True, slots=True)
class JobLogs:
    """Where jobs log: always a CloudWatch log group, made before the first job; S3 beside it.

    Args:
        retention_days: Days that CloudWatch keeps the logs, one of its own steps. 30 by default.
        s3_uri: ``s3://bucket/prefix`` for logs and the persistent Spark UI; the bucket may be a
            token. Jobs read and write all below it, so two tenants of an app may not overlap. None:
            CloudWatch only.
        keep: Whether the log group outlives the stack. Off by default, so that ``cdk destroy``
            leaves nothing behind.

    Raises:
        ConfigError: If CloudWatch does not know the retention, or the URI is not S3's or would be
            a pattern in IAM.

    Source: https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutRetentionPolicy.html
    """

    retention_days: int = 30
    s3_uri: str | None = None
    keep: bool = False

    def __post_init__(self) -> None:
        check_types("JobLogs", self)
        problems = Problems("JobLogs")
        steps = ", ".join(str(step) for step in RETENTION_DAYS)
        problems.require(
            self.retention_days in RETENTION_DAYS,
            "retention_days",
            f"must be one of {steps}",
            self.retention_days,
        )
        if self.s3_uri is not None:
            match = _S3_URI.fullmatch(self.s3_uri)
            problems.require(match is not None, "s3_uri", "must be s3://bucket/prefix", self.s3_uri)
            rule = "must not hold '*', '?' or '$', which IAM reads as patterns"
            literal = iam_literal(self.s3_uri)
            problems.require(literal, "s3_uri", rule, self.s3_uri)
        problems.raise_if_any()

    @property
    def s3_location(self) -> tuple[str, str] | None:
        """Bucket and prefix (without slashes at its ends), or None without ``s3_uri``."""
        match = _S3_URI.fullmatch(self.s3_uri or "")
        return (match["bucket"], (match["prefix"] or "").strip("/")) if match else None


def iam_literal(text: str) -> bool:
    """Tell whether IAM reads a text letter by letter in an ARN; tokens are taken to be so."""
    return not set("*?$") & set(without_tokens(text))


RETENTION_DAYS: Final = (
    *(1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731),
    *(1096, 1827, 2192, 2557, 2922, 3288, 3653),
)


def service_account(component: Component, account: str, role: str) -> str:
    """Return the name of the service account that EMR makes for a role's pods.

    That of Livy's sessions is made by Livy's chart: it holds no role, and its prefix is singular.

    Args:
        component: Which pods.
        account: AWS account id; it may be a token.
        role: Literal name of the execution role.

    Source: https://docs.aws.amazon.com/emr/latest/EMR-on-EKS-DevelopmentGuide/setting-up-enable-IAM.html
    """
    if component is Component.LIVY:
        return f"emr-container-sa-{component}"
    return f"emr-containers-sa-{component}-{account}-{base36(role)}"


def default_role_name(tenant: str, cluster_name: str, namespace: str) -> str:
    """Return a short role name, stable for a tenant, and apart for each cluster and namespace."""
    digest = hashlib.sha256(f"{cluster_name}/{namespace}".encode()).hexdigest()[:6]
    return f"emr-{tenant[:20].strip('-')}-{digest}"
