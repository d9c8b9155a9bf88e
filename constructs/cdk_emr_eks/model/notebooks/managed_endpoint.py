"""Managed endpoints: Jupyter gateways of EMR where notebooks run their kernels."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import field
from datetime import timedelta
from typing import Final

from cdk_emr_eks.checks import Check
from cdk_emr_eks.errors import ConfigProblem, refuse
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
from cdk_emr_eks.values import value

# First EMR release with managed endpoints.
# Source: https://docs.aws.amazon.com/emr/latest/EMR-on-EKS-DevelopmentGuide/create-managed-endpoint.html
ENDPOINT_RELEASE: Final = (6, 7, 0)

# The configuration of an endpoint is derived from that of the workload's jobs, so the release must
# support both.
OLDEST_RELEASE: Final = OldestRelease(
    feature="managed endpoints", emr=max(ENDPOINT_RELEASE, PLACED_SUBMITTER.emr)
)
_SECURITY_GROUP: Final = re.compile(r"sg-(?:[0-9a-f]{8}|[0-9a-f]{17})")

# Classifications that users may not write, each with what to use instead.
_DERIVED: Final[Mapping[str, str]] = {
    "spark-defaults": "use spark_conf",
    "jeg-config": "use kernel_idle_timeout and kernel_check_interval",
    "endpoint-configuration": "use notebook_security_group_id",
    "jupyter-kernel-overrides": "use kernel_images",
    "emr-job-submitter": "an endpoint has no job submitter",
    "emr-containers-defaults": "it is for job runs only",
}


@value
class KernelImages:
    """Images of an endpoint's kernels, instead of those of its EMR release.

    Each is built from EMR's image of the endpoint's release: the Spark kernel's from
    ``notebook-spark/``, the Python kernel's from ``notebook-python/``. EMR supports no further
    kinds of kernels, and no override of the Scala kernel's image.

    Args:
        python: Image of the Python kernel, by digest: ``REGISTRY/REPOSITORY@sha256:...``, or a
            token.
        spark: Image of the PySpark kernel, in the same form.

    Raises:
        ConfigError: If neither is given, or one has a tag and no digest. A tag can be moved to
            another image, and pods of one notebook would then run different images.

    Source: https://docs.aws.amazon.com/emr/latest/EMR-on-EKS-DevelopmentGuide/docker-custom-images-managed-endpoint.html
    """

    python: str | None = None
    spark: str | None = None

    def _rules(self, check: Check) -> None:
        given = self.python is not None or self.spark is not None
        check.require(given, "python", "or spark must be given")
        check.passes("python", image_uri)
        check.passes("spark", image_uri)

    def configurations(self) -> list[dict[str, object]]:
        """Return the nested configurations of ``jupyter-kernel-overrides``."""
        images = {"python3": self.python, "spark-python-kubernetes": self.spark}
        return [
            {"classification": kernel, "properties": {"container-image": image}}
            for kernel, image in images.items()
            if image is not None
        ]


@value(kind="Managed endpoint")
class ManagedEndpointSpec:
    """A managed endpoint with a workload's configuration, for one execution role.

    All users of the endpoint have the role's permissions. All fields but the tags are immutable: a
    change creates a new endpoint before it deletes the old one, and kernels of the old one end. EMR
    identifies endpoints by id, so both may have one name meanwhile.

    Args:
        name: Name in EMR, which users see in Studio: 1 to 64 letters, digits, ``-`` and ``_``, the
            first a letter or digit.
        workload: Workload whose driver nodes run Spark kernels and whose executor nodes run their
            executors; it must be x86. Default ``notebook``.
        release_label: EMR release, emr-6.11.0 or newer. None: the tenant's.
        kernel_idle_timeout: Time after which an idle kernel ends, with its driver and executors:
            whole seconds, at least the check interval. Default an hour; None: never, so a forgotten
            notebook keeps its driver node.
        kernel_check_interval: Interval of the checks for idle kernels, whole seconds. Default 5
            minutes.
        spark_conf: Spark properties in addition to the workload's. Properties that the workload
            derives are refused.
        kernel_images: Images of kernels. None: those of the release.
        notebook_security_group_id: Security group of self-hosted Jupyter servers that may connect,
            in addition to EMR Studio; may be a token. None: only EMR Studio.
        configurations: Properties of further classifications, by classification: ``core-site``,
            ``spark-env``, ``spark-hive-site``, ``spark-log4j2``, ``spark-metrics``, and others of
            the release. Classifications that are derived are refused.
        tags: AWS tags, in addition to the tenant's.

    Raises:
        ConfigError: If the name breaks EMR's rule, the release has no endpoints, a time is not
            whole seconds, a property, classification or tag is refused, or the security group is
            not an id.

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

    def _rules(self, check: Check) -> None:
        check.passes("name", endpoint_name)
        check.require(bool(self.workload), "workload", "must name a workload", self.workload)
        if self.release_label is not None:
            check.add(OLDEST_RELEASE.problems(self.release_label))
        self._check_times(check)
        check.add(spark_conf_problems(self.spark_conf))
        fix = "use kernel_images"
        check.require(IMAGE not in self.spark_conf, "spark_conf", "must not set", IMAGE, fix)
        check.add(_configuration_problems(self.configurations))
        group = self.notebook_security_group_id
        holds = group is None or has_token(group) or bool(_SECURITY_GROUP.fullmatch(group))
        rule = "must be the id of a security group (sg-...), or a token"
        check.require(holds, "notebook_security_group_id", rule, group)
        check.add(tag_problems("tags", self.tags))

    @property
    def where(self) -> str:
        """What errors call the endpoint."""
        return f"Managed endpoint {self.name!r}"

    def gateway_properties(self) -> dict[str, str]:
        """Return the properties of ``jeg-config``, which end idle kernels.

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

        The Spark properties, with pod sizes, dynamic allocation and pod templates, and the log
        settings stay.

        Args:
            job: Result of ``job_configuration`` for the workload.

        Raises:
            ConfigError: If there are more properties than the API allows.
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
        """Check that EMR's endpoints can run on the workload's nodes, with kernels' images.

        Raises:
            ConfigError: If the workload has arm64 nodes, or its Spark properties name an image.

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
        """Check that pods with the kernels' images would be admitted."""
        images = self.kernel_images
        given = (images.python, images.spark) if images else ()
        return tuple(
            problem
            for image in given
            if image is not None
            for problem in admission.image_problems("kernel_images", image)
        )

    def _check_times(self, check: Check) -> None:
        check.whole_seconds("kernel_check_interval")
        interval, idle = self.kernel_check_interval, self.kernel_idle_timeout
        second = timedelta(seconds=1)
        fits = idle is None or (idle >= max(interval, second) and not idle.microseconds)
        rule = f"must be whole seconds, at least the check interval ({interval}), or None"
        check.require(fits, "kernel_idle_timeout", rule, idle)


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
