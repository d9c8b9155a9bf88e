"""A Spark Connect endpoint: a Spark server of EMR's that PySpark clients open sessions on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final

from cdk_emr_eks import versions
from cdk_emr_eks.errors import Problems
from cdk_emr_eks.field_types import check_types, hold_mappings
from cdk_emr_eks.labels import Architecture
from cdk_emr_eks.model.images.image_uri import image_uri
from cdk_emr_eks.model.jobs.job_config import IMAGE
from cdk_emr_eks.model.notebooks.endpoints import (
    classifications,
    endpoint_name,
    monitoring,
    session_properties,
)
from cdk_emr_eks.model.workloads.spark_conf import spark_conf_problems
from cdk_emr_eks.model.workloads.workload import Workload
from cdk_emr_eks.releases import OldestRelease

# "emr-containers-defaults" is for job runs only.
# Source: https://docs.aws.amazon.com/emr/latest/EMR-on-EKS-DevelopmentGuide/emr-eks-spark-8.1.0.html
_CLASSIFICATIONS: Final = ("spark-defaults", "emr-job-submitter")
_OLDEST_RELEASE: Final = OldestRelease(feature="Spark Connect", emr=(7, 14, 0), spark=(8, 1, 0))
_MIN_IDLE: Final = timedelta(minutes=1)
_MAX_IDLE: Final = timedelta(days=1)


@dataclass(frozen=True, kw_only=True, slots=True)
class SparkConnectSpec:
    """A Spark Connect endpoint with a workload's configuration, for one execution role.

    Everything in it is immutable: a change replaces the endpoint, and its clients need the new id.

    Args:
        name: Name in EMR: 1 to 64 letters, digits, ``-`` and ``_``, the first a letter or digit.
        workload: Workload whose nodes, pod templates and configuration the sessions get. The
            default is the notebook workload: x86 nodes, executors that go when they idle.
        release_label: EMR release: emr-7.14.0 or emr-spark-8.1.0, or newer. The client's PySpark
            must be of its Spark version.
        session_idle_timeout: When an idle session ends: whole minutes, 1 minute to 1 day. An hour
            by default, as EMR has it.
        spark_conf: Spark properties on top of the workload's; those that the workload derives are
            refused.
        image: Image of driver and executors, by digest or as a token such as ``SparkImage.uri``.
            None: the tenant's, which by default is the EMR release's.

    Raises:
        ConfigError: If the name breaks EMR's rule, the release is too old, the timeout is no whole
            number of minutes in range, or a Spark property is refused.

    Source: https://docs.aws.amazon.com/emr/latest/EMR-on-EKS-DevelopmentGuide/emr-eks-spark-connect.html
    """

    name: str
    workload: str = "notebook"
    release_label: str = versions.EMR_RELEASE
    session_idle_timeout: timedelta = timedelta(hours=1)
    spark_conf: Mapping[str, str] = field(default_factory=dict)
    image: str | None = None

    def __post_init__(self) -> None:
        check_types(self.where, self)
        hold_mappings(self)
        problems = Problems(self.where)
        problems.extend(endpoint_name("name", self.name))
        problems.extend(_OLDEST_RELEASE.problems(self.release_label))
        timeout = self.session_idle_timeout
        whole = _MIN_IDLE <= timeout <= _MAX_IDLE and not timeout % _MIN_IDLE
        rule = "must be whole minutes, 1 minute to 1 day"
        problems.require(whole, "session_idle_timeout", rule, str(timeout))
        problems.extend(spark_conf_problems(self.spark_conf))
        rule, fix = "must not set", "use image"
        problems.require(IMAGE not in self.spark_conf, "spark_conf", rule, IMAGE, fix)
        if self.image is not None:
            problems.extend(image_uri("image", self.image))
        problems.raise_if_any()

    @property
    def where(self) -> str:
        """The endpoint in the words of errors."""
        return f"Spark Connect endpoint {self.name!r}"

    @property
    def idle_minutes(self) -> int:
        """The idle timeout as EMR takes it."""
        return self.session_idle_timeout // _MIN_IDLE

    def configuration(self, job: Mapping[str, object]) -> dict[str, object]:
        """Return the endpoint's ``configurationOverrides``, from those of the workload's jobs.

        Args:
            job: What ``job_configuration`` gives for the workload and the image.

        Raises:
            ConfigError: If the endpoint's properties make too many with the workload's.
        """
        found = classifications(job)
        kept = {name: found[name] for name in found if name in _CLASSIFICATIONS}
        kept["spark-defaults"] = session_properties(
            self.where, kept["spark-defaults"], self.spark_conf
        )
        return {
            "applicationConfiguration": [
                {"classification": name, "properties": properties}
                for name, properties in kept.items()
            ],
            "monitoringConfiguration": monitoring(job, self.name),
        }

    def warnings(self, workload: Workload) -> tuple[str, ...]:
        """Return what is allowed and may still fail at run time."""
        if Architecture.ARM64 not in workload.architectures:
            return ()
        text = (
            f"{self.where} may run on arm64 nodes of workload "
            f"{workload.name!r}; AWS documents managed endpoints on x86 only, and says nothing "
            "of Spark Connect: try it before you rely on it."
        )
        return (text,)
