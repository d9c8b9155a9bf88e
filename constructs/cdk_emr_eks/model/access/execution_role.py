"""Job execution roles: their names, uses, permissions, service accounts and logs."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import field
from enum import StrEnum
from typing import Final

from cdk_emr_eks.checks import Check
from cdk_emr_eks.errors import ConfigProblem
from cdk_emr_eks.names import base36, role_name
from cdk_emr_eks.releases import OldestRelease
from cdk_emr_eks.tokens import is_arn, without_tokens
from cdk_emr_eks.values import value

_ACTION: Final = re.compile(r"[a-z0-9-]+:[A-Za-z0-9*?]+")
_SID: Final = re.compile(r"[A-Za-z0-9]+")
_S3_URI: Final = re.compile(r"s3://(?P<bucket>[^/]+)(?:/(?P<prefix>.*))?")

# First EMR release whose jobs can use EKS Pod Identity.
# Source: https://docs.aws.amazon.com/emr/latest/EMR-on-EKS-DevelopmentGuide/setting-up-enable-IAM.html
POD_IDENTITY_RELEASE: Final = (7, 3, 0)

# Longest role name without a warning. Base36 turns a longer one into service account names of more
# than 96 characters. IAM allows 64 characters, but EMR warns that a job may fail when the names of
# cluster, pod and service account are together too long for Pod Identity. EMR does not document
# that limit.
LONG_ROLE_NAME: Final = 32

# Source: https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutRetentionPolicy.html
RETENTION_DAYS: Final = (
    *(1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731),
    *(1096, 1827, 2192, 2557, 2922, 3288, 3653),
)


class JobIdentity(StrEnum):
    """How a job's pods get the credentials of the execution role.

    Attributes:
        POD_IDENTITY: EKS Pod Identity: one association for each service account. EMR 7.3 or newer.
        IRSA: IAM roles for service accounts: every EMR release.
    """

    POD_IDENTITY = "pod-identity"
    IRSA = "irsa"


class Component(StrEnum):
    """The pods of EMR that have a separate service account, by EMR's names.

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
    """What an execution role is for. Each use has its own service accounts in the namespace.

    Attributes:
        JOBS: Job runs: StartJobRun.
        ENDPOINTS: Kernels of managed endpoints, and Spark Connect endpoints.
        LIVY: Spark sessions of Apache Livy. EMR has one service account for them in a namespace, so
            only one role of a namespace can have this use.

    Source: https://github.com/aws/aws-cli/blob/v2/awscli/customizations/emrcontainers/constants.py
    """

    JOBS = "jobs"
    ENDPOINTS = "endpoints"
    LIVY = "livy"

    @property
    def components(self) -> tuple[Component, ...]:
        """The pods that use the role."""
        return _COMPONENTS[self]


_COMPONENTS: Final[Mapping[RoleUse, tuple[Component, ...]]] = {
    RoleUse.JOBS: (Component.CLIENT, Component.DRIVER, Component.EXECUTOR),
    RoleUse.ENDPOINTS: (Component.GATEWAY, Component.KERNEL, Component.SESSION),
    RoleUse.LIVY: (Component.LIVY,),
}


@value
class IamPermission:
    """One statement of an IAM policy.

    Args:
        actions: IAM actions, such as ``s3:GetObject``; not ``*``.
        resources: ARNs; tokens pass. An execution role replaces ``${AWS::Partition}``,
            ``${AWS::Region}`` and ``${AWS::AccountId}``.
        conditions: IAM conditions: operator, then key, then values.
        sid: Statement id. None: no id.
        reason: Why its wildcards are needed. cdk-nag then suppresses its finding with this reason.
            Empty: cdk-nag reports the wildcards.

    Raises:
        ConfigError: If actions or resources are empty, an action is not ``service:Action``, a
            resource is not an ARN, or the id has other characters than letters and digits.
    """

    actions: tuple[str, ...]
    resources: tuple[str, ...]
    conditions: Mapping[str, Mapping[str, object]] = field(default_factory=dict)
    sid: str | None = None
    reason: str = ""

    def _rules(self, check: Check) -> None:
        check.not_empty("actions")
        check.not_empty("resources")
        check.matches("actions", _ACTION, "of the form 'service:Action'")
        for resource in self.resources:
            rule = "must be ARNs, tokens or '*'"
            check.require(resource == "*" or is_arn(resource), "resources", rule, resource)
        check.matches("sid", _SID, "letters and digits")

    @property
    def where(self) -> str:
        """What errors call the permission."""
        return f"IamPermission {self.sid or ', '.join(self.actions)!r}"

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


@value(kind="Execution role")
class ExecutionRoleSpec:
    """A job execution role that only EMR's service accounts of one namespace can use.

    Args:
        name: IAM role name: literal, since EMR encodes it in the names of service accounts; at most
            32 characters are recommended. It is unique in the AWS account.
        permissions: What the jobs may do, in addition to reading their pod templates and writing
            their logs. More can be granted later on the construct's ``role``.
        managed_policy_arns: Managed policies to attach.
        permissions_boundary_arn: Managed policy that bounds the role. None: no boundary.
        workloads: Workloads whose pod templates the role may read. Empty: those of the tenant, or
            all workloads without a tenant.
        identity: How pods get the role's credentials. Default Pod Identity.
        uses: What the role is for. Default: jobs.

    Raises:
        ConfigError: If the name is a token or not a role name, a policy is not an ARN, or ``uses``
            is empty or has a use twice.
    """

    name: str
    permissions: tuple[IamPermission, ...] = ()
    managed_policy_arns: tuple[str, ...] = ()
    permissions_boundary_arn: str | None = None
    workloads: tuple[str, ...] = ()
    identity: JobIdentity = JobIdentity.POD_IDENTITY
    uses: tuple[RoleUse, ...] = (RoleUse.JOBS,)

    def _rules(self, check: Check) -> None:
        check.add(role_name("name", self.name))
        check.arn("managed_policy_arns", "ARNs of managed policies, or tokens")
        check.arn("permissions_boundary_arn", "the ARN of a managed policy, or a token")
        once = bool(self.uses) and len(set(self.uses)) == len(self.uses)
        rule = f"must name at least one of {', '.join(RoleUse)}, each once"
        check.require(once, "uses", rule, ", ".join(self.uses))

    @property
    def components(self) -> tuple[Component, ...]:
        """The pods that use the role, for all its uses."""
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


@value
class JobLogs:
    """Where jobs write logs: always to a CloudWatch log group, and optionally to S3.

    Args:
        retention_days: Days that CloudWatch keeps the logs, one of CloudWatch's steps. Default 30.
        s3_uri: ``s3://bucket/prefix`` for logs and the persistent Spark UI; the bucket may be a
            token. Jobs read and write everything below it, so the locations of two tenants of an
            app may not overlap. None: CloudWatch only.
        keep: Whether the log group is kept when the stack is deleted. Default False, so that
            ``cdk destroy`` deletes everything.

    Raises:
        ConfigError: If CloudWatch does not support the retention, or the URI is not an S3 URI or
            would be a pattern in IAM.

    Source: https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutRetentionPolicy.html
    """

    retention_days: int = 30
    s3_uri: str | None = None
    keep: bool = False

    def _rules(self, check: Check) -> None:
        check.one_of("retention_days", RETENTION_DAYS)
        check.matches("s3_uri", _S3_URI, "s3://bucket/prefix")
        if self.s3_uri is not None:
            rule = "must not hold '*', '?' or '$', which IAM reads as patterns"
            check.require(iam_literal(self.s3_uri), "s3_uri", rule, self.s3_uri)

    @property
    def s3_location(self) -> tuple[str, str] | None:
        """Bucket and prefix (without slashes at its ends), or None without ``s3_uri``."""
        match = _S3_URI.fullmatch(self.s3_uri or "")
        return (match["bucket"], (match["prefix"] or "").strip("/")) if match else None


def iam_literal(text: str) -> bool:
    """Return whether a text has no wildcard or variable of IAM; tokens are ignored."""
    return not set("*?$") & set(without_tokens(text))


def service_account(component: Component, account: str, role: str) -> str:
    """Return the name of the service account that EMR creates for a role's pods.

    Livy's chart creates the service account of Livy's sessions. Its name does not contain the role,
    and has the singular prefix ``emr-container``.

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
    """Return a short role name that is stable for a tenant and unique by cluster and namespace."""
    digest = hashlib.sha256(f"{cluster_name}/{namespace}".encode()).hexdigest()[:6]
    return f"emr-{tenant[:20].strip('-')}-{digest}"
