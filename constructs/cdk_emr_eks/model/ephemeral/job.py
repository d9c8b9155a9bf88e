"""Ephemeral jobs: each execution has its own namespace and virtual cluster."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import field
from typing import Final

from cdk_emr_eks.checks import Check
from cdk_emr_eks.errors import ConfigProblem
from cdk_emr_eks.model.access.execution_role import IamPermission, default_role_name
from cdk_emr_eks.model.access.tenant_secrets import plain_secret_problems
from cdk_emr_eks.model.images.image_uri import image_uri
from cdk_emr_eks.model.jobs.job_template import MAX_ARGUMENT, MAX_ENTRY_POINT, MAX_SUBMIT_PARAMETERS
from cdk_emr_eks.model.namespaces.quota import Quota
from cdk_emr_eks.model.tenants.virtual_cluster import tag_problems
from cdk_emr_eks.names import dns_label
from cdk_emr_eks.values import value

# AWS tag of the resources of an execution: the job's name. IAM policies are bound to it.
EPHEMERAL: Final = "emr-eks/ephemeral-job"

# Hexadecimal digits of a SHA-1.
HASH_LENGTH: Final = 40

MAX_NAME: Final = 63 - HASH_LENGTH - 1
_NAME: Final = re.compile(r"[a-z]([-a-z0-9]*[a-z0-9])?")
_DAY: Final = 24 * 60


@value(kind="Ephemeral job")
class EphemeralJobSpec:
    """A Spark job that no other job can access: its namespace is created and deleted with it.

    Args:
        name: Name of the job, a DNS label that begins with a letter, at most 22 characters. The
            name of a namespace is this name, a hyphen, and the SHA-1 of the execution's ARN.
        workload: Workload whose configuration, pod templates and nodes the job gets.
        entry_point: Jar or Python file, such as ``s3://bucket/job.py``; at most 256 characters.
        arguments: Arguments of the job if an execution gives none.
        submit_parameters: Parameters of ``spark-submit``, such as ``--class Main``.
        image: Image of driver and executors, by digest or a token such as ``SparkImage.uri``. None:
            the tenant's, or else the release's.
        quota: Quota of one namespace; all executions together can use more. None: the tenant's
            quota, if any.
        permissions: What the job may do, in addition to reading its pod templates and writing its
            logs. ``${aws:PrincipalTag/kubernetes-namespace}`` in an ARN is the job's namespace.
        permissions_boundary_arn: Managed policy that bounds the job's role. None: no boundary.
        timeout_minutes: Minutes from the job's submission after which it is cancelled, at most 7
            days. Default one day.
        tags: AWS tags of virtual cluster, job run and stack, in addition to the tenant's.

    Raises:
        ConfigError: If a name, a tag or a limit of EMR breaks a rule, the image has no digest, or
            the submit parameters hold a secret.

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

    def _rules(self, check: Check) -> None:
        check.add(self._name_problems())
        check.passes("image", image_uri)
        check.length("entry_point", 1, MAX_ENTRY_POINT)
        check.length("submit_parameters", 0, MAX_SUBMIT_PARAMETERS)
        check.add(plain_secret_problems("submit_parameters", self.submit_parameters))
        check.length("arguments", 1, MAX_ARGUMENT)
        check.between("timeout_minutes", 1, 7 * _DAY)
        check.add(tag_problems("tags", self.tags))
        rule = "must not have the job's own"
        check.require(EPHEMERAL not in self.tags, "tags", rule, EPHEMERAL)

    @property
    def where(self) -> str:
        """What errors call the job."""
        return f"Ephemeral job {self.name!r}"

    def machine_names(self, cluster_name: str) -> tuple[str, str]:
        """Return the names of two state machines: the one that runs the job, and the cleaner."""
        digest = hashlib.sha256(cluster_name.encode()).hexdigest()[:6]
        return f"emr-{self.name}-{digest}", f"emr-{self.name}-{digest}-clean"

    def role_name(self, cluster_name: str) -> str:
        """Return the short name of the job's execution role."""
        return default_role_name(self.name, cluster_name, placeholder(self.name))

    def _name_problems(self) -> tuple[ConfigProblem, ...]:
        found = dns_label("name", self.name, limit=MAX_NAME)
        if not found and not _NAME.fullmatch(self.name):
            # A rule of CloudFormation for names of stacks.
            rule = "must begin with a letter"
            found = (
                ConfigProblem(field="name", rule=rule, got=self.name, fix=f"try 'job-{self.name}'"),
            )
        return found


def namespace_pattern(name: str) -> str:
    """Return the IAM pattern that matches the names of a job's namespaces, and no other names."""
    # As long as the hash, so that the pattern of "etl" matches no namespace of "etl-daily".
    return f"{name}-{'?' * HASH_LENGTH}"


def placeholder(name: str) -> str:
    """Return the name that stands for the namespace of an execution in rendered objects."""
    return f"{name}-{'0' * HASH_LENGTH}"
