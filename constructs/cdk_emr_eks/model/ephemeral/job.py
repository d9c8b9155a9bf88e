"""A job that has a namespace and a virtual cluster of its own for as long as it runs."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from cdk_emr_eks.errors import ConfigProblem, Problems
from cdk_emr_eks.field_types import check_types, hold_mappings
from cdk_emr_eks.model.access.execution_role import IamPermission, default_role_name
from cdk_emr_eks.model.access.tenant_secrets import plain_secret_problems
from cdk_emr_eks.model.images.image_uri import image_uri
from cdk_emr_eks.model.jobs.job_template import MAX_ARGUMENT, MAX_ENTRY_POINT, MAX_SUBMIT_PARAMETERS
from cdk_emr_eks.model.namespaces.quota import Quota
from cdk_emr_eks.model.tenants.virtual_cluster import tag_problems
from cdk_emr_eks.names import dns_label

EPHEMERAL: Final = "emr-eks/ephemeral-job"
"""AWS tag of what one execution makes: the job's name. Rights are bound to it."""

HASH_LENGTH: Final = 40
"""Characters of a SHA-1 in hexadecimal digits."""

MAX_NAME: Final = 63 - HASH_LENGTH - 1
_NAME: Final = re.compile(r"[a-z]([-a-z0-9]*[a-z0-9])?")
_DAY: Final = 24 * 60


@dataclass(frozen=True, kw_only=True, slots=True)
class EphemeralJobSpec:
    """A Spark job that no other job can touch: its namespace is made for it and goes with it.

    Args:
        name: Name of the job, a DNS label that begins with a letter, at most 22 characters. The
            namespaces are named by it, a hyphen, and the SHA-1 of the execution's ARN.
        workload: Workload whose configuration, pod templates and nodes the job gets.
        entry_point: Jar or Python file, such as ``s3://bucket/job.py``; at most 256 characters.
        arguments: Arguments of the job where an execution gives none.
        submit_parameters: Parameters of ``spark-submit``, such as ``--class Main``.
        image: Image of driver and executors, by digest or a token such as ``SparkImage.uri``. None:
            the tenant's, or else the release's.
        quota: Most that one namespace may request at a time. None: the tenant's quota, if any; it
            holds for each namespace, not for all together.
        permissions: What the job may do, beyond reading its pod templates and writing its logs.
            ``${aws:PrincipalTag/kubernetes-namespace}`` in an ARN is the namespace of the job.
        permissions_boundary_arn: Managed policy that bounds the job's role. None: no boundary.
        timeout_minutes: Minutes from the job's submission after which it is cancelled, to 7 days.
            One day by default.
        tags: AWS tags of virtual cluster, job run and stack, beside the tenant's.

    Raises:
        ConfigError: If a name, a limit of EMR's or a tag breaks a rule, the image has no digest, or
            a submit parameter holds a secret.

    Source: https://docs.aws.amazon.com/emr-on-eks/latest/APIReference/API_StartJobRun.html
    """

    name: str
    workload: str
    entry_point: str
    arguments: tuple[str, ...] = ()
    submit_parameters: str = ""
    image: str | None = None
    quota: Quota | None = None
    permissions: tuple[IamPermission, ...] = ()
    permissions_boundary_arn: str | None = None
    timeout_minutes: int = _DAY
    tags: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        where = where_of(self.name)
        check_types(where, self)
        hold_mappings(self)
        problems = Problems(where)
        problems.extend(self._name_problems())
        if self.image is not None:
            problems.extend(image_uri("image", self.image))
        length = len(self.entry_point)
        rule = f"must be 1 to {MAX_ENTRY_POINT} characters"
        problems.require(1 <= length <= MAX_ENTRY_POINT, "entry_point", rule, length)
        length = len(self.submit_parameters)
        rule = f"must be at most {MAX_SUBMIT_PARAMETERS} characters"
        problems.require(length <= MAX_SUBMIT_PARAMETERS, "submit_parameters", rule, length)
        problems.extend(tuple(plain_secret_problems("submit_parameters", self.submit_parameters)))
        rule = f"must be 1 to {MAX_ARGUMENT} characters each"
        for argument in self.arguments:
            problems.require(1 <= len(argument) <= MAX_ARGUMENT, "arguments", rule, len(argument))
        rule = f"must be 1 to {7 * _DAY}"
        minutes = self.timeout_minutes
        problems.require(1 <= minutes <= 7 * _DAY, "timeout_minutes", rule, minutes)
        problems.extend(tag_problems("tags", self.tags))
        problems.require(
            EPHEMERAL not in self.tags, "tags", "must not have the job's own", EPHEMERAL
        )
        problems.raise_if_any()

    def machine_names(self, cluster_name: str) -> tuple[str, str]:
        """Return the names of the state machine that runs the job and of the one that cleans up."""
        digest = hashlib.sha256(cluster_name.encode()).hexdigest()[:6]
        return f"emr-{self.name}-{digest}", f"emr-{self.name}-{digest}-clean"

    def role_name(self, cluster_name: str) -> str:
        """Return the name of the job's execution role, short as EMR needs it."""
        return default_role_name(self.name, cluster_name, placeholder(self.name))

    def _name_problems(self) -> tuple[ConfigProblem, ...]:
        found = dns_label("name", self.name, limit=MAX_NAME)
        if not found and not _NAME.fullmatch(self.name):
            # CloudFormation's rule for the names of stacks.
            rule = "must begin with a letter"
            found = (
                ConfigProblem(field="name", rule=rule, got=self.name, fix=f"try 'job-{self.name}'"),
            )
        return found


def where_of(name: str) -> str:
    """Return what errors call a job."""
    return f"Ephemeral job {name!r}"


def namespace_pattern(name: str) -> str:
    """Return IAM's pattern of the names of a job's namespaces, and of no others."""
    # As long as the hash, so that the pattern of "etl" has no namespace of "etl-daily".
    return f"{name}-{'?' * HASH_LENGTH}"


def placeholder(name: str) -> str:
    """Return a namespace that stands for all of a job's, where objects are written."""
    return f"{name}-{'0' * HASH_LENGTH}"
