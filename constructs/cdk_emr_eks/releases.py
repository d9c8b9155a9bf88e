"""EMR releases: labels, versions, and the first release of a feature."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from cdk_emr_eks.errors import ConfigProblem

Version = tuple[int, int, int]

_RELEASE_LABEL: Final = re.compile(
    r"emr-(?:(?P<major>[5-9])|spark-(?P<spark>8))\.(?P<minor>\d+)\.(?P<patch>\d+)"
    r"-(?:latest|\d{8})"
)
_FIRST_SPARK: Final = (8, 0, 0)


@dataclass(frozen=True, kw_only=True, slots=True)
class OldestRelease:
    """The first EMR release that has a feature.

    Args:
        feature: The feature, as errors name it.
        emr: First version of ``emr-`` with the feature.
        spark: First version of ``emr-spark-`` with the feature. Default: all versions. None: no
            version.
    """

    feature: str
    emr: Version
    spark: Version | None = _FIRST_SPARK

    def problems(self, label: str, *, fix: str = "") -> tuple[ConfigProblem, ...]:
        """Check that a field ``release_label`` is the label of a release with the feature.

        Args:
            label: The label.
            fix: What to do instead of using a newer release, or nothing.
        """
        if problems := release_label("release_label", label):
            return problems
        oldest = self.spark if label.startswith("emr-spark-") else self.emr
        if oldest is not None and release_version(label) >= oldest:
            return ()
        return (ConfigProblem(field="release_label", rule=self._rule, got=label, fix=fix),)

    @property
    def _rule(self) -> str:
        rule = f"must be at least emr-{version_text(self.emr)}"
        if self.spark is None:
            return f"{rule} for {self.feature}, and none of emr-spark"
        if self.spark > _FIRST_SPARK:
            rule += f" or emr-spark-{version_text(self.spark)}"
        return f"{rule} for {self.feature}"


def release_label(field: str, value: str) -> tuple[ConfigProblem, ...]:
    """Check an EMR release label: ``emr-7.14.0-latest``, ``emr-spark-8.1.0-20260812``.

    Source: https://docs.aws.amazon.com/emr/latest/EMR-on-EKS-DevelopmentGuide/emr-eks-releases.html
    """
    if isinstance(value, str) and _RELEASE_LABEL.fullmatch(value):
        return ()
    fix = ""
    if isinstance(value, str) and _RELEASE_LABEL.fullmatch(f"{value}-latest"):
        fix = f"try '{value}-latest'"
    rule = "must be an EMR release label such as 'emr-7.14.0-latest' or 'emr-spark-8.1.0-latest'"
    return (ConfigProblem(field=field, rule=rule, got=value, fix=fix),)


def release_version(label: str) -> Version:
    """Return major, minor and patch of a release label that passed ``release_label``."""
    match = _RELEASE_LABEL.fullmatch(label)
    if match is None:
        raise ValueError(f"not a release label: {label!r}")
    major = match["major"] or match["spark"]
    return int(major), int(match["minor"]), int(match["patch"])


def version_text(version: Version) -> str:
    """Return a version as in release labels."""
    return ".".join(map(str, version))
