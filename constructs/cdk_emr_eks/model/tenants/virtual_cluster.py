"""What one EMR virtual cluster is: a namespace of an EKS cluster that EMR may run jobs in."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from cdk_emr_eks.errors import ConfigProblem, Problems
from cdk_emr_eks.field_types import check_types, hold_mappings
from cdk_emr_eks.model.access.security_configuration import SecurityConfigurationSpec
from cdk_emr_eks.names import emr_name, namespace_problems
from cdk_emr_eks.tokens import has_token

MAX_TAGS: Final = 50
_ID: Final = re.compile(r"[0-9a-z]{1,64}")


class EmrAccess(StrEnum):
    """How EMR gets its rights in the namespace."""

    ACCESS_ENTRY = "access-entry"
    """EMR makes an EKS access entry for itself when the virtual cluster is created.

    The cluster's authentication mode must be ``API_AND_CONFIG_MAP``.
    Source: https://docs.aws.amazon.com/emr/latest/EMR-on-EKS-DevelopmentGuide/setting-up-cluster-access.html
    """
    AWS_AUTH = "aws-auth"
    """A Role and a RoleBinding in the namespace, and an entry in the ConfigMap ``aws-auth``.

    For clusters in the mode ``CONFIG_MAP``. The ConfigMap belongs to the whole cluster, so it is
    never written here: the entry that it needs is a stack output.
    """


@dataclass(frozen=True, kw_only=True, slots=True)
class SchedulerLimits:
    """How many job runs of a virtual cluster may run and wait at a time.

    CloudFormation does not have these limits, only EMR's API does, so a custom resource sets them:
    the first use in a stack adds one Lambda function and its role, each use one resource and one
    policy.

    Args:
        max_concurrent_job_runs: Job runs in the state RUNNING, 1 to 1,000. None: EMR's 1,000.
        max_in_queue_job_runs: Job runs in PENDING or SUBMITTED, 1 to 1,000; EMR refuses more.
            None: no limit.

    Raises:
        ConfigError: If both are absent, or one is out of range.

    Source: https://docs.aws.amazon.com/emr-on-eks/latest/APIReference/API_UpdateVirtualCluster.html
    """

    max_concurrent_job_runs: int | None = None
    max_in_queue_job_runs: int | None = None

    def __post_init__(self) -> None:
        check_types("SchedulerLimits", self)
        problems = Problems("SchedulerLimits")
        given = {
            "max_concurrent_job_runs": self.max_concurrent_job_runs,
            "max_in_queue_job_runs": self.max_in_queue_job_runs,
        }
        if not any(value is not None for value in given.values()):
            rule = "or max_in_queue_job_runs must be given"
            problems.require(False, "max_concurrent_job_runs", rule)
        for name, value in given.items():
            if value is not None:
                problems.require(
                    not isinstance(value, bool) and 1 <= value <= 1000,
                    name,
                    "must be a whole number, 1 to 1000",
                    value,
                )
        problems.raise_if_any()

    def parameters(self) -> dict[str, int]:
        """Return the limits as EMR's API takes them; what is absent stays at EMR's default."""
        given = {
            "maxConcurrentJobRuns": self.max_concurrent_job_runs,
            "maxInQueueJobRuns": self.max_in_queue_job_runs,
        }
        return {key: value for key, value in given.items() if value is not None}


@dataclass(frozen=True, kw_only=True, slots=True)
class VirtualClusterSpec:
    """A virtual cluster and its namespace.

    Every field but ``tags`` and ``scheduler_limits`` means replacement in CloudFormation, which
    makes the new virtual cluster first; EMR refuses a second one on the same namespace. So treat
    them as immutable: to change one, remove the virtual cluster, deploy, and add it anew.

    Args:
        name: Name in EMR, 1 to 64 characters.
        namespace: Kubernetes namespace, a DNS label. None: the same as ``name``.
        create_namespace: Whether the namespace is made (and deleted) with the virtual cluster.
        access: How EMR gets its rights in the namespace.
        session_enabled: Whether Spark Connect endpoints may be made. A security configuration and
            its system namespace are made with it.
        security_configuration: That configuration. None: ``SecurityConfigurationSpec()``.
        security_configuration_id: Id of one that is there already instead; it may be a token, such
            as the ``id`` of an ``EmrSecurityConfiguration``. One belongs to one virtual cluster.
        scheduler_limits: Limits on job runs. None: EMR's defaults, and no custom resource.
        tags: Tags of the virtual cluster.

    Raises:
        ConfigError: If a name breaks EMR's or Kubernetes' rules, the namespace is one of
            Kubernetes' own, a security configuration is told twice or without sessions, or its
            system namespace is the virtual cluster's own.
    """

    name: str
    namespace: str | None = None
    create_namespace: bool = True
    access: EmrAccess = EmrAccess.ACCESS_ENTRY
    session_enabled: bool = False
    security_configuration: SecurityConfigurationSpec | None = None
    security_configuration_id: str | None = None
    scheduler_limits: SchedulerLimits | None = None
    tags: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        check_types(f"Virtual cluster {self.name!r}", self)
        hold_mappings(self)
        problems = Problems(f"Virtual cluster {self.name!r}")
        problems.extend(emr_name("name", self.name))
        problems.extend(namespace_problems("namespace", self.resolved_namespace))
        problems.extend(self._security_problems())
        problems.extend(tag_problems("tags", self.tags))
        problems.raise_if_any()

    @property
    def resolved_namespace(self) -> str:
        """The namespace, with its default applied."""
        return self.name if self.namespace is None else self.namespace

    @property
    def own_security_configuration(self) -> SecurityConfigurationSpec | None:
        """The security configuration to make; None where there is none or it is told by its id."""
        if not self.session_enabled or self.security_configuration_id is not None:
            return None
        return self.security_configuration or SecurityConfigurationSpec()

    def _security_problems(self) -> tuple[ConfigProblem, ...]:
        id, spec = self.security_configuration_id, self.security_configuration
        if spec is not None and not self.session_enabled:
            rule = "must go with session_enabled: jobs do not use it"
            return (ConfigProblem(field="security_configuration", rule=rule),)
        if spec is not None and id is not None:
            rule = "must be absent where security_configuration_id is given"
            return (ConfigProblem(field="security_configuration", rule=rule),)
        if id is not None and not (has_token(id) or _ID.fullmatch(id)):
            rule = "must be the id of a security configuration (a-z, 0-9), or a token"
            return (ConfigProblem(field="security_configuration_id", rule=rule, got=id),)
        own = self.own_security_configuration
        return own.problems_beside(self.resolved_namespace) if own else ()


def tag_problems(field_name: str, tags: Mapping[str, str]) -> tuple[ConfigProblem, ...]:
    """Check AWS tags: at most 50, keys of 1 to 128, values to 256 characters, no ``aws:``.

    Source: https://docs.aws.amazon.com/tag-editor/latest/userguide/best-practices-and-strats.html
    """
    problems = []
    if len(tags) > MAX_TAGS:
        problems.append(
            ConfigProblem(field=field_name, rule=f"must be at most {MAX_TAGS}", got=len(tags))
        )
    for key, value in tags.items():
        if not 1 <= len(key) <= 128 or key.lower().startswith("aws:"):
            rule = "must have keys of 1 to 128 characters that do not start with 'aws:'"
            problems.append(ConfigProblem(field=field_name, rule=rule, got=key))
        if len(value) > 256:
            rule = "must have values of at most 256 characters"
            problems.append(ConfigProblem(field=field_name, rule=rule, got=value))
    return tuple(problems)
