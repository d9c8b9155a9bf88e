"""Spark Connect endpoints as values: releases, timeouts, configuration."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import cast

import pytest

from cdk_emr_eks.errors import ConfigError
from cdk_emr_eks.model.jobs.job_config import job_configuration
from cdk_emr_eks.model.notebooks.spark_connect import SparkConnectSpec
from cdk_emr_eks.model.workloads.catalog import NOTEBOOK, SHARED
from cdk_emr_eks.model.workloads.shapes import DynamicAllocation
from cdk_emr_eks.model.workloads.workload import Workload
from tests.refusals import Call, refusals, refused

DIGEST = "111122223333.dkr.ecr.eu-west-1.amazonaws.com/spark@sha256:" + "0" * 64


def spec(**changes: object) -> Call:
    return lambda: SparkConnectSpec(name="connect", **changes)  # type: ignore[arg-type]


INVALID: Mapping[str, tuple[Call, str]] = {
    "name": (
        lambda: SparkConnectSpec(name="-a"),
        "Spark Connect endpoint '-a': name must be 1 to 64 letters, digits, '-' or '_', and "
        "begin with a letter or digit, got '-a'; try 'a'.",
    ),
    "release before 7.14": (
        spec(release_label="emr-7.13.0-latest"),
        "Spark Connect endpoint 'connect': release_label must be at least emr-7.14.0 or "
        "emr-spark-8.1.0 for Spark Connect, got 'emr-7.13.0-latest'.",
    ),
    "first release with Spark 4": (
        spec(release_label="emr-spark-8.0.0-latest"),
        "Spark Connect endpoint 'connect': release_label must be at least emr-7.14.0 or "
        "emr-spark-8.1.0 for Spark Connect, got 'emr-spark-8.0.0-latest'.",
    ),
    "no release": (
        spec(release_label="7.14"),
        "Spark Connect endpoint 'connect': release_label must be an EMR release label such as "
        "'emr-7.14.0-latest' or 'emr-spark-8.1.0-latest', got '7.14'.",
    ),
    "timeout of seconds": (
        spec(session_idle_timeout=timedelta(seconds=90)),
        "Spark Connect endpoint 'connect': session_idle_timeout must be whole minutes, 1 minute to "
        "1 day, got '0:01:30'.",
    ),
    "timeout over a day": (
        spec(session_idle_timeout=timedelta(days=1, minutes=1)),
        "Spark Connect endpoint 'connect': session_idle_timeout must be whole minutes, 1 minute to "
        "1 day, got '1 day, 0:01:00'.",
    ),
    "no timeout": (
        spec(session_idle_timeout=timedelta(0)),
        "Spark Connect endpoint 'connect': session_idle_timeout must be whole minutes, 1 minute to "
        "1 day, got '0:00:00'.",
    ),
    "what the workload derives": (
        spec(spark_conf={"spark.executor.memory": "1g"}),
        "Spark Connect endpoint 'connect': spark_conf must not set, got 'spark.executor.memory'; "
        "use Workload.executor.",
    ),
    "image among properties": (
        spec(spark_conf={"spark.kubernetes.container.image": DIGEST}),
        "Spark Connect endpoint 'connect': spark_conf must not set, "
        "got 'spark.kubernetes.container.image'; use image.",
    ),
}


@refusals(INVALID)
def test_invalid_values_are_refused(call: Call, message: str) -> None:
    assert refused(call) == message


def test_an_image_without_digest_is_refused() -> None:
    with pytest.raises(ConfigError) as caught:
        spec(image="111122223333.dkr.ecr.eu-west-1.amazonaws.com/spark:latest")()
    assert caught.value.fields == ("image",)
    spec(image=DIGEST)()


@pytest.mark.parametrize(
    "label", ["emr-7.14.0-latest", "emr-7.15.0-20261101", "emr-spark-8.1.0-latest"]
)
def test_releases_with_spark_connect_pass(label: str) -> None:
    assert SparkConnectSpec(name="connect", release_label=label).release_label == label


@pytest.mark.parametrize(
    ("timeout", "minutes"),
    [(timedelta(minutes=1), 1), (timedelta(hours=1), 60), (timedelta(days=1), 1440)],
)
def test_the_timeout_is_passed_in_minutes(timeout: timedelta, minutes: int) -> None:
    assert SparkConnectSpec(name="a", session_idle_timeout=timeout).idle_minutes == minutes


def rendered(endpoint: SparkConnectSpec, workload: Workload) -> dict[str, dict[str, str]]:
    job = job_configuration(
        workload,
        driver_template_uri="s3://assets/driver.yaml",
        executor_template_uri="s3://assets/executor.yaml",
        log_group="/logs",
        log_stream_prefix=workload.name,
        log_uri="s3://logs/a",
    )
    before = repr(job)
    made = endpoint.configuration(job)
    assert repr(job) == before, "the workload's own configuration was changed"
    items = cast(list[dict[str, object]], made["applicationConfiguration"])
    found = {str(item["classification"]): item["properties"] for item in items}
    return cast(dict[str, dict[str, str]], {**found, "monitoring": made["monitoringConfiguration"]})


def test_the_configuration_is_that_of_the_workload() -> None:
    made = rendered(
        SparkConnectSpec(name="a", spark_conf={"spark.sql.ansi.enabled": "true"}), NOTEBOOK
    )
    assert set(made) == {"spark-defaults", "emr-job-submitter", "monitoring"}
    spark = made["spark-defaults"]
    assert spark["spark.kubernetes.driver.podTemplateFile"] == "s3://assets/driver.yaml"
    assert spark["spark.kubernetes.executor.podTemplateFile"] == "s3://assets/executor.yaml"
    assert spark["spark.dynamicAllocation.maxExecutors"] == "20"
    assert spark["spark.sql.ansi.enabled"] == "true"
    assert made["emr-job-submitter"]["jobsubmitter.label.emr-eks/workload"] == "notebook"
    assert made["monitoring"] == {
        "persistentAppUI": "ENABLED",
        "cloudWatchMonitoringConfiguration": {
            "logGroupName": "/logs",
            "logStreamNamePrefix": "endpoints/a",
        },
        "s3MonitoringConfiguration": {"logUri": "s3://logs/a"},
    }


def test_a_session_starts_with_the_workloads_executors_and_not_with_emrs_two() -> None:
    made = rendered(SparkConnectSpec(name="a"), NOTEBOOK)
    assert made["spark-defaults"]["spark.executor.instances"] == "0"
    warm = replace(
        NOTEBOOK, dynamic_allocation=DynamicAllocation(min_executors=1, initial_executors=3)
    )
    assert (
        rendered(SparkConnectSpec(name="a"), warm)["spark-defaults"]["spark.executor.instances"]
        == "3"
    )


def test_too_many_properties_are_refused() -> None:
    many = {f"spark.sql.x{number}": "1" for number in range(90)}
    with pytest.raises(ConfigError, match="spark_conf must be at most 100 properties"):
        rendered(SparkConnectSpec(name="a", spark_conf=many), NOTEBOOK)


def test_arm64_is_allowed_with_a_warning() -> None:
    endpoint = SparkConnectSpec(name="a", workload="shared")
    assert endpoint.warnings(NOTEBOOK) == ()
    (warning,) = endpoint.warnings(SHARED)
    assert "arm64 nodes of workload 'shared'" in warning
