"""An EMR virtual cluster: a Kubernetes namespace that EMR runs jobs in."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import field
from enum import StrEnum
from typing import Final

from cdk_emr_eks.checks import Check
from cdk_emr_eks.errors import ConfigProblem
from cdk_emr_eks.model.access.security_configuration import SecurityConfigurationSpec
from cdk_emr_eks.names import emr_name, namespace_problems
from cdk_emr_eks.tokens import has_token
from cdk_emr_eks.values import value

MAX_TAGS: Final = 50
_ID: Final = re.compile(r"[0-9a-z]{1,64}")


class EmrAccess(StrEnum):
    """How EMR gets its Kubernetes permissions in a namespace.

    Attributes:
        ACCESS_ENTRY: EMR creates an EKS access entry for itself with the virtual cluster. The
            cluster's authentication mode must be ``API_AND_CONFIG_MAP``.
        AWS_AUTH: A Role and a RoleBinding in the namespace, and an entry in the ConfigMap
            ``aws-auth``: for clusters in the mode ``CONFIG_MAP``. The ConfigMap belongs to the
            whole cluster, so this library does not write it: the entry is a stack output.

    Source: https://docs.aws.amazon.com/emr/latest/EMR-on-EKS-DevelopmentGuide/setting-up-cluster-access.html
    """

    ACCESS_ENTRY = "access-entry"
    AWS_AUTH = "aws-auth"


@value
class SchedulerLimits:
    """Limits on the job runs of a virtual cluster that run and that wait at the same time.

    CloudFormation does not support these limits, only EMR's API does, so a custom resource sets
    them. The first use in a stack adds one Lambda function and its role; each use adds one resource
    and one policy.

    Args:
        max_concurrent_job_runs: Job runs in the state RUNNING, 1 to 1,000. None: EMR's 1,000.
        max_in_queue_job_runs: Job runs in PENDING or SUBMITTED, 1 to 1,000; EMR refuses further
            ones. None: no limit.

    Raises:
        ConfigError: If both are absent, or one is out of range.

    Source: https://docs.aws.amazon.com/emr-on-eks/latest/APIReference/API_UpdateVirtualCluster.html
    """

    max_concurrent_job_runs: int | None = None
    max_in_queue_job_runs: int | None = None

    def _rules(self, check: Check) -> None:
        rule = "or max_in_queue_job_runs must be given"
        check.require(bool(self.parameters()), "max_concurrent_job_runs", rule)
        check.between("max_concurrent_job_runs", 1, 1000)
        check.between("max_in_queue_job_runs", 1, 1000)

    def parameters(self) -> dict[str, int]:
        """Return the limits as EMR's API takes them, without those that keep EMR's default."""
        given = {
            "maxConcurrentJobRuns": self.max_concurrent_job_runs,
            "maxInQueueJobRuns": self.max_in_queue_job_runs,
        }
        return {key: value for key, value in given.items() if value is not None}


@value
class VirtualClusterOptions:
    """Options of a virtual cluster, of a tenant or alone.

    In CloudFormation, a change of any field but ``scheduler_limits`` replaces the virtual cluster.
    CloudFormation creates the new one first, and EMR refuses a second one for the same namespace.
    So treat these fields as immutable.

    Args:
        access: How EMR gets its rights in the namespace.
        session_enabled: Whether Spark Connect endpoints are allowed. A security configuration and
            its system namespace are created with the virtual cluster. The default execution role of
            a tenant can then be used by endpoints too.
        security_configuration: That configuration. None: ``SecurityConfigurationSpec()``.
        security_configuration_id: Id of an existing configuration instead; it may be a token, such
            as the ``id`` of an ``EmrSecurityConfiguration``. Each belongs to one virtual cluster.
        scheduler_limits: Limits on job runs. None: EMR's defaults, and no custom resource.

    Raises:
        ConfigError: If a security configuration is given twice or without sessions, or its id is
            not an id.
    """

    access: EmrAccess = EmrAccess.ACCESS_ENTRY
    session_enabled: bool = False
    security_configuration: SecurityConfigurationSpec | None = None
    security_configuration_id: str | None = None
    scheduler_limits: SchedulerLimits | None = None

    def _rules(self, check: Check) -> None:
        id, spec = self.security_configuration_id, self.security_configuration
        if spec is not None and not self.session_enabled:
            rule = "must go with session_enabled: jobs do not use it"
            check.require(False, "security_configuration", rule)
        elif spec is not None and id is not None:
            rule = "must be absent where security_configuration_id is given"
            check.require(False, "security_configuration", rule)
        elif id is not None:
            rule = "must be the id of a security configuration (a-z, 0-9), or a token"
            known = has_token(id) or _ID.fullmatch(id) is not None
            check.require(known, "security_configuration_id", rule, id)

    @property
    def own_security_configuration(self) -> SecurityConfigurationSpec | None:
        """The security configuration to create, or None: without sessions, or with an id given."""
        if not self.session_enabled or self.security_configuration_id is not None:
            return None
        return self.security_configuration or SecurityConfigurationSpec()


@value(kind="Virtual cluster")
class VirtualClusterSpec:
    """A virtual cluster and its namespace.

    In CloudFormation, a change of ``name`` or ``namespace`` replaces the virtual cluster, which EMR
    refuses while the old one has the namespace. To change one, remove the virtual cluster, deploy,
    and add it again.

    Args:
        name: Name in EMR, 1 to 64 characters.
        namespace: Kubernetes namespace, a DNS label. None: the same as ``name``.
        create_namespace: Whether the namespace is created (and deleted) with the virtual cluster.
        options: Access, sessions and limits.
        tags: Tags of the virtual cluster.

    Raises:
        ConfigError: If a name breaks EMR's or Kubernetes' rules, the namespace is one of
            Kubernetes' own, or the system namespace of the options is the same namespace.
    """

    name: str
    namespace: str | None = None
    create_namespace: bool = True
    options: VirtualClusterOptions = field(default_factory=VirtualClusterOptions)
    tags: Mapping[str, str] = field(default_factory=dict)

    def _rules(self, check: Check) -> None:
        check.add(emr_name("name", self.name))
        check.add(namespace_problems("namespace", self.resolved_namespace))
        if own := self.options.own_security_configuration:
            check.add(own.namespace_problems(self.resolved_namespace))
        check.add(tag_problems("tags", self.tags))

    @property
    def resolved_namespace(self) -> str:
        """The namespace, with its default applied."""
        return self.name if self.namespace is None else self.namespace


def tag_problems(field_name: str, tags: Mapping[str, str]) -> tuple[ConfigProblem, ...]:
    """Check AWS tags: at most 50, keys of 1 to 128, values to 256 characters, no ``aws:``.

    Source: https://docs.aws.amazon.com/tag-editor/latest/userguide/best-practices-and-strats.html
    """
    problems = []
    if len(tags) > MAX_TAGS:
        problems.append(
            ConfigProblem(field=field_name, rule=f"must be at most {MAX_TAGS}", got=len(tags))
        )
    for key, text in tags.items():
        if not 1 <= len(key) <= 128 or key.lower().startswith("aws:"):
            rule = "must have keys of 1 to 128 characters that do not start with 'aws:'"
            problems.append(ConfigProblem(field=field_name, rule=rule, got=key))
        if len(text) > 256:
            rule = "must have values of at most 256 characters"
            problems.append(ConfigProblem(field=field_name, rule=rule, got=text))
    return tuple(problems)
