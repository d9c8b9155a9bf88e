"""A managed endpoint: a Jupyter gateway of EMR's that notebooks run their kernels on."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final

from cdk_emr_eks.errors import ConfigProblem, Problems, refuse
from cdk_emr_eks.field_types import check_types, hold_mappings
from cdk_emr_eks.labels import Architecture
from cdk_emr_eks.model.admission.admission import Admission
from cdk_emr_eks.model.images.image_uri import image_uri
from cdk_emr_eks.model.jobs.job_config import IMAGE, PLACED_SUBMITTER
from cdk_emr_eks.model.notebooks.endpoints import (
    classifications,
    endpoint_name,
    monitoring,
    session_properties,
)
from cdk_emr_eks.model.tenants.virtual_cluster import tag_problems
from cdk_emr_eks.model.workloads.spark_conf import MAX_PROPERTIES, MAX_TEXT, spark_conf_problems
from cdk_emr_eks.model.workloads.workload import Workload
from cdk_emr_eks.releases import OldestRelease
from cdk_emr_eks.tokens import has_token

ENDPOINT_RELEASE: Final = (6, 7, 0)
"""First EMR release with managed endpoints.

Source: https://docs.aws.amazon.com/emr/latest/EMR-on-EKS-DevelopmentGuide/create-managed-endpoint.html
"""

OLDEST_RELEASE: Final = OldestRelease(
    # An endpoint's configuration is derived from that of the workload's jobs.
    feature="managed endpoints",
    emr=max(ENDPOINT_RELEASE, PLACED_SUBMITTER.emr),
)
_SECURITY_GROUP: Final = re.compile(r"sg-(?:[0-9a-f]{8}|[0-9a-f]{17})")

_DERIVED: Final[Mapping[str, str]] = {
    "spark-defaults": "use spark_conf",
    "jeg-config": "use kernel_idle_timeout and kernel_check_interval",
    "endpoint-configuration": "use notebook_security_group_id",
    "jupyter-kernel-overrides": "use kernel_images",
    "emr-job-submitter": "an endpoint has no job submitter",
    "emr-containers-defaults": "it is for job runs only",
}
"""Classifications that are not the user's to write, each with what to use instead."""


@dataclass(frozen=True, kw_only=True, slots=True)
class KernelImages:
    """Images of an endpoint's kernels, instead of those of its EMR release.

    Each is built from EMR's own image of the endpoint's release: the Spark kernel's from
    ``notebook-spark/``, the Python kernel's from ``notebook-python/``. New kinds of kernels cannot
    be added, and EMR names no override for the kernel of Scala.

    Args:
        python: Image of the Python kernel, by its digest: ``REGISTRY/REPOSITORY@sha256:...``, or a
            token.
        spark: Image of the PySpark kernel, likewise.

    Raises:
        ConfigError: If neither is given, or one is told by a tag: a tag may be moved to an image
            that nobody has seen, and pods of one notebook would run different images.

    Source: https://docs.aws.amazon.com/emr/latest/EMR-on-EKS-DevelopmentGuide/docker-custom-images-managed-endpoint.html
    """

    python: str | None = None
    spark: str | None = None

    def __post_init__(self) -> None:
        check_types("KernelImages", self)
        problems = Problems("KernelImages")
        given = {"python": self.python, "spark": self.spark}
        rule = "or spark must be given"
        problems.require(any(each is not None for each in given.values()), "python", rule)
        for name, image in given.items():
            if image is not None:
                problems.extend(image_uri(name, image))
        problems.raise_if_any()

    def configurations(self) -> list[dict[str, object]]:
        """Return the nested configurations of ``jupyter-kernel-overrides``."""
        images = {"python3": self.python, "spark-python-kubernetes": self.spark}
        return [
            {"classification": kernel, "properties": {"container-image": image}}
            for kernel, image in images.items()
            if image is not None
        ]


@dataclass(frozen=True, kw_only=True, slots=True)
class ManagedEndpointSpec:
    """A managed endpoint with a workload's configuration, for one execution role.

    EMR calls it a managed endpoint. All who open it have the role's rights. Everything in it but
    the tags is immutable: a change makes a new endpoint before it deletes the old one, and kernels
    of the old one end. EMR tells endpoints by their ids, so both may bear one name meanwhile.

    Args:
        name: Name in EMR, which people see in Studio: 1 to 64 letters, digits, ``-`` and ``_``, the
            first a letter or digit.
        workload: Workload whose driver nodes take Spark kernels and whose executor nodes their
            executors; it must be x86. Default: ``notebook``.
        release_label: EMR release, emr-6.11.0 or newer. None: the tenant's.
        kernel_idle_timeout: A kernel that has been idle for so long ends, with its driver and
            executors: whole seconds, at least the check interval. Default an hour; None: never, so
            a forgotten notebook keeps its driver node.
        kernel_check_interval: How often idle kernels are looked for, whole seconds. Default 5
            minutes.
        spark_conf: Spark properties on top of the workload's; those that the workload derives are
            refused.
        kernel_images: Images of kernels. None: those of the release.
        notebook_security_group_id: Security group of self-hosted Jupyter servers that may connect,
            beside EMR Studio; may be a token. None: EMR Studio only.
        configurations: Properties of further classifications, by classification: ``core-site``,
            ``spark-env``, ``spark-hive-site``, ``spark-log4j2``, ``spark-metrics``, and what else
            the release has. Those that are derived are refused.
        tags: AWS tags, beside those of the tenant.

    Raises:
        ConfigError: If the name breaks EMR's rule, the release has no endpoints, a time is no whole
            number of seconds, a property, classification or tag is refused, or the security group
            is no id of one.

    Source: https://docs.aws.amazon.com/emr/latest/EMR-on-EKS-DevelopmentGuide/create-managed-endpoint.html

    Example:
        >>> spec = ManagedEndpointSpec(name="analysts", kernel_idle_timeout=timedelta(minutes=30))
        >>> spec.gateway_properties()["RemoteMappingKernelManager.cull_idle_timeout"]
        '1800'
    """

    name: str
    workload: str = "notebook"
    release_label: str | None = None
    kernel_idle_timeout: timedelta | None = timedelta(hours=1)
    kernel_check_interval: timedelta = timedelta(minutes=5)
    spark_conf: Mapping[str, str] = field(default_factory=dict)
    kernel_images: KernelImages | None = None
    notebook_security_group_id: str | None = None
    configurations: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        check_types(self.where, self)
        hold_mappings(self)
        problems = Problems(self.where)
        problems.extend(endpoint_name("name", self.name))
        problems.require(bool(self.workload), "workload", "must name a workload", self.workload)
        if self.release_label is not None:
            problems.extend(OLDEST_RELEASE.problems(self.release_label))
        problems.extend(self._time_problems())
        problems.extend(spark_conf_problems(self.spark_conf))
        problems.require(
            IMAGE not in self.spark_conf, "spark_conf", "must not set", IMAGE, "use kernel_images"
        )
        problems.extend(_configuration_problems(self.configurations))
        group = self.notebook_security_group_id
        holds = group is None or has_token(group) or bool(_SECURITY_GROUP.fullmatch(group))
        rule = "must be the id of a security group (sg-...), or a token"
        problems.require(holds, "notebook_security_group_id", rule, group)
        problems.extend(tag_problems("tags", self.tags))
        problems.raise_if_any()

    @property
    def where(self) -> str:
        """The endpoint in the words of errors."""
        return f"Managed endpoint {self.name!r}"

    def gateway_properties(self) -> dict[str, str]:
        """Return the properties of ``jeg-config``: when idle kernels end.

        Source: https://docs.aws.amazon.com/emr/latest/EMR-on-EKS-DevelopmentGuide/jeg-config-options.html
        """
        idle = self.kernel_idle_timeout
        manager = "RemoteMappingKernelManager"
        if idle is None:
            return {f"{manager}.cull_idle_timeout": "0"}
        return {
            f"{manager}.cull_idle_timeout": str(int(idle.total_seconds())),
            f"{manager}.cull_interval": str(int(self.kernel_check_interval.total_seconds())),
        }

    def configuration(self, job: Mapping[str, object]) -> dict[str, object]:
        """Return the endpoint's ``configurationOverrides``, from those of the workload's jobs.

        Of these the Spark properties are kept, with shapes, dynamic allocation and pod templates,
        and where they log.

        Args:
            job: What ``job_configuration`` gives for the workload.

        Raises:
            ConfigError: If the endpoint's properties make too many with the workload's.
        """
        derived = classifications(job)["spark-defaults"]
        properties: dict[str, Mapping[str, str]] = {
            "spark-defaults": session_properties(self.where, derived, self.spark_conf),
            "jeg-config": self.gateway_properties(),
            **self.configurations,
        }
        if self.notebook_security_group_id is not None:
            group = {"notebook-security-group-id": self.notebook_security_group_id}
            properties["endpoint-configuration"] = group
        applications: list[dict[str, object]] = [
            {"classification": name, "properties": dict(values)}
            for name, values in properties.items()
        ]
        if self.kernel_images is not None:
            applications.append(
                {
                    "classification": "jupyter-kernel-overrides",
                    "configurations": self.kernel_images.configurations(),
                }
            )
        return {
            "applicationConfiguration": applications,
            "monitoringConfiguration": monitoring(job, self.name),
        }

    def check_workload(self, workload: Workload) -> None:
        """Check that EMR's endpoints run on the workload's nodes, with kernels' images.

        Raises:
            ConfigError: If some of them are arm64, or its Spark properties name an image of jobs.

        Source: https://docs.aws.amazon.com/emr/latest/EMR-on-EKS-DevelopmentGuide/prereqs-for-studio.html
        """
        if workload.architectures != (Architecture.AMD64,):
            rule = "must be x86 only: EMR's managed endpoints do not run on arm64"
            fix = "use 'notebook', or a Workload with architectures=(Architecture.AMD64,)"
            raise refuse(self.where, "workload", rule, workload.name, fix)
        if IMAGE in workload.spark_conf:
            rule = f"must not set {IMAGE}: it is an image of jobs, which has no kernel"
            fix = "use a Workload without it, and kernel_images"
            raise refuse(self.where, "workload", rule, workload.name, fix)

    def image_problems(self, admission: Admission) -> tuple[ConfigProblem, ...]:
        """Return what speaks against the kernels' images: whether their pods would be refused."""
        images = self.kernel_images
        given = (images.python, images.spark) if images else ()
        return tuple(
            problem
            for image in given
            if image is not None
            for problem in admission.image_problems("kernel_images", image)
        )

    def _time_problems(self) -> tuple[ConfigProblem, ...]:
        problems = []
        interval, idle = self.kernel_check_interval, self.kernel_idle_timeout
        second = timedelta(seconds=1)
        if interval < second or interval.microseconds:
            rule = "must be whole seconds, at least 1"
            problems.append(
                ConfigProblem(field="kernel_check_interval", rule=rule, got=str(interval))
            )
        if idle is not None and (idle < max(interval, second) or idle.microseconds):
            rule = f"must be whole seconds, at least the check interval ({interval}), or None"
            problems.append(ConfigProblem(field="kernel_idle_timeout", rule=rule, got=str(idle)))
        return tuple(problems)


def _configuration_problems(given: Mapping[str, Mapping[str, str]]) -> tuple[ConfigProblem, ...]:
    problems = []
    name = "configurations"
    for classification, properties in given.items():
        if instead := _DERIVED.get(classification):
            problems.append(
                ConfigProblem(field=name, rule="must not have", got=classification, fix=instead)
            )
        longest = max((len(text) for pair in properties.items() for text in pair), default=0)
        if not 1 <= len(properties) <= MAX_PROPERTIES or longest > MAX_TEXT:
            rule = (
                f"must have 1 to {MAX_PROPERTIES} properties for each classification, their keys "
                f"and values of at most {MAX_TEXT} characters"
            )
            problems.append(ConfigProblem(field=name, rule=rule, got=classification))
    return tuple(problems)
