"""EMR releases: labels, and errors about those that are too old."""

from __future__ import annotations

import pytest

from cdk_emr_eks.releases import OldestRelease, release_label, release_version

EVERYWHERE = OldestRelease(feature="volumes", emr=(6, 12, 0))
NEWER_SPARK = OldestRelease(feature="sessions", emr=(7, 14, 0), spark=(8, 1, 0))
NO_SPARK = OldestRelease(feature="filters", emr=(7, 7, 0), spark=None)


@pytest.mark.parametrize(
    ("label", "version"),
    [
        ("emr-7.14.0-latest", (7, 14, 0)),
        ("emr-6.15.0-20240101", (6, 15, 0)),
        ("emr-spark-8.1.0-20260812", (8, 1, 0)),
    ],
)
def test_release_versions(label: str, version: tuple[int, int, int]) -> None:
    assert release_label("release", label) == ()
    assert release_version(label) == version


@pytest.mark.parametrize("label", ["emr-7.14.0", "emr-spark-9.0.0-latest", "latest"])
def test_other_labels_are_refused(label: str) -> None:
    assert len(release_label("release", label)) == 1
    assert EVERYWHERE.problems(label) == release_label("release_label", label)


@pytest.mark.parametrize(
    ("oldest", "label"),
    [
        (EVERYWHERE, "emr-6.12.0-latest"),
        (EVERYWHERE, "emr-spark-8.0.0-latest"),
        (NEWER_SPARK, "emr-7.14.0-20260812"),
        (NEWER_SPARK, "emr-spark-8.1.0-latest"),
        (NO_SPARK, "emr-7.10.0-latest"),
    ],
)
def test_releases_that_have_it(oldest: OldestRelease, label: str) -> None:
    assert oldest.problems(label) == ()


@pytest.mark.parametrize(
    ("oldest", "label", "said"),
    [
        (EVERYWHERE, "emr-6.11.0-latest", "must be at least emr-6.12.0 for volumes"),
        (
            NEWER_SPARK,
            "emr-7.13.0-latest",
            "must be at least emr-7.14.0 or emr-spark-8.1.0 for sessions",
        ),
        (
            NEWER_SPARK,
            "emr-spark-8.0.0-latest",
            "must be at least emr-7.14.0 or emr-spark-8.1.0 for sessions",
        ),
        (
            NO_SPARK,
            "emr-7.6.0-latest",
            "must be at least emr-7.7.0 for filters, and none of emr-spark",
        ),
        (
            NO_SPARK,
            "emr-spark-8.1.0-latest",
            "must be at least emr-7.7.0 for filters, and none of emr-spark",
        ),
    ],
)
def test_releases_without_it_are_refused(oldest: OldestRelease, label: str, said: str) -> None:
    (problem,) = oldest.problems(label, fix="wait")
    assert str(problem) == f"release_label {said}, got {label!r}; wait"
