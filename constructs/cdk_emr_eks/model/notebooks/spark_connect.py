"""Spark Connect endpoints: Spark servers of EMR where PySpark clients open sessions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from datetime import timedelta
from typing import Final

from cdk_emr_eks import versions
from cdk_emr_eks.checks import Check
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
from cdk_emr_eks.values import value

# Classifications of a workload's jobs that apply to sessions. "emr-containers-defaults" is for job
# runs only.
# Source: https://docs.aws.amazon.com/emr/latest/EMR-on-EKS-DevelopmentGuide/emr-eks-spark-8.1.0.html
_CLASSIFICATIONS: Final = ("spark-defaults", "emr-job-submitter")
_OLDEST_RELEASE: Final = OldestRelease(feature="Spark Connect", emr=(7, 14, 0), spark=(8, 1, 0))
_DAY_IN_MINUTES: Final = 24 * 60


@value(kind="Spark Connect endpoint")
class SparkConnectSpec:
    """A Spark Connect endpoint with a workload's configuration, for one execution role.

    All fields are immutable: a change replaces the endpoint, and its clients need the new id.

    Args:
        name: Name in EMR: 1 to 64 letters, digits, ``-`` and ``_``, the first a letter or digit.
        workload: Workload whose nodes, pod templates and configuration the sessions get. Default
            ``notebook``: x86 nodes, and executors that end when they are idle.
        release_label: EMR release: emr-7.14.0 or emr-spark-8.1.0, or newer. The client's PySpark
            must have its Spark version.
        session_idle_timeout: Time after which an idle session ends: whole minutes, 1 minute to 1
            day. Default an hour, EMR's default.
        spark_conf: Spark properties in addition to the workload's. Properties that the workload
            derives are refused.
        image: Image of driver and executors, by digest or as a token such as ``SparkImage.uri``.
            None: the tenant's, which by default is the EMR release's.

    Raises:
        ConfigError: If the name breaks EMR's rule, the release is too old, the time-out is not
            whole minutes in range, or a Spark property is refused.

    Source: https://docs.aws.amazon.com/emr/latest/EMR-on-EKS-DevelopmentGuide/emr-eks-spark-connect.html
    """

    name: str
    workload: str = "notebook"
    release_label: str = versions.EMR_RELEASE
    session_idle_timeout: timedelta = timedelta(hours=1)
    spark_conf: Mapping[str, str] = field(default_factory=dict)
    image: str | None = None

    def _rules(self, check: Check) -> None:
        check.passes("name", endpoint_name)
        check.add(_OLDEST_RELEASE.problems(self.release_label))
        check.whole_minutes("session_idle_timeout", at_most=_DAY_IN_MINUTES)
        check.add(spark_conf_problems(self.spark_conf))
        check.require(
            IMAGE not in self.spark_conf, "spark_conf", "must not set", IMAGE, "use image"
        )
        check.passes("image", image_uri)

    @property
    def where(self) -> str:
        """What errors call the endpoint."""
        return f"Spark Connect endpoint {self.name!r}"

    @property
    def idle_minutes(self) -> int:
        """The idle time-out in minutes, as EMR takes it."""
        return self.session_idle_timeout // timedelta(minutes=1)

    def configuration(self, job: Mapping[str, object]) -> dict[str, object]:
        """Return the endpoint's ``configurationOverrides``, from those of the workload's jobs.

        Args:
            job: Result of ``job_configuration`` for the workload and the image.

        Raises:
            ConfigError: If there are more properties than the API allows.
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
