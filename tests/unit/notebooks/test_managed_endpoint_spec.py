"""Managed endpoints: names, times, images, and the configuration from a workload."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any, cast

import pytest

from cdk_emr_eks.errors import ConfigError
from cdk_emr_eks.model.jobs.job_config import job_configuration
from cdk_emr_eks.model.notebooks.managed_endpoint import KernelImages, ManagedEndpointSpec
from cdk_emr_eks.model.workloads.catalog import DEFAULT_WORKLOADS, NOTEBOOK

DIGEST = "sha256:" + "0123456789abcdef" * 4
PYTHON = f"111122223333.dkr.ecr.eu-west-1.amazonaws.com/python@{DIGEST}"
SPARK = f"111122223333.dkr.ecr.eu-west-1.amazonaws.com/spark@{DIGEST}"
JOB = job_configuration(
    NOTEBOOK,
    driver_template_uri="s3://assets/driver.yaml",
    executor_template_uri="s3://assets/executor.yaml",
    log_group="/emr-on-eks/data-platform/science",
    log_stream_prefix="notebook",
    log_uri="s3://logs/science",
)


def applications(spec: ManagedEndpointSpec) -> dict[str, Mapping[str, Any]]:
    items = cast(list[Mapping[str, Any]], spec.configuration(JOB)["applicationConfiguration"])
    return {item["classification"]: item for item in items}


def properties(spec: ManagedEndpointSpec, classification: str) -> Mapping[str, str]:
    return cast(Mapping[str, str], applications(spec)[classification]["properties"])


def test_spark_properties_of_the_endpoint_override_those_of_the_workload() -> None:
    spec = ManagedEndpointSpec(name="analysts", spark_conf={"spark.sql.ansi.enabled": "true"})
    found = properties(spec, "spark-defaults")
    (job,) = (
        item["properties"]
        for item in cast(list[Mapping[str, Any]], JOB["applicationConfiguration"])
        if item["classification"] == "spark-defaults"
    )
    own = {"spark.sql.ansi.enabled": "true", "spark.executor.instances": "0"}
    assert found == {**job, **own}
    assert found["spark.dynamicAllocation.maxExecutors"] == "20"
    assert found["spark.kubernetes.driver.podTemplateFile"] == "s3://assets/driver.yaml"


def test_a_new_kernel_starts_no_executor() -> None:
    found = properties(ManagedEndpointSpec(name="analysts"), "spark-defaults")
    # Spark starts with the largest of the three.
    keys = ("dynamicAllocation.minExecutors", "dynamicAllocation.initialExecutors")
    first = [found[f"spark.{key}"] for key in (*keys, "executor.instances")]
    assert first == ["0", "0", "0"]


def test_classifications_for_job_runs_are_left_out() -> None:
    assert set(applications(ManagedEndpointSpec(name="analysts"))) == {
        "spark-defaults",
        "jeg-config",
    }


def test_logs_use_the_jobs_log_group_with_the_endpoints_prefix() -> None:
    found = ManagedEndpointSpec(name="analysts").configuration(JOB)["monitoringConfiguration"]
    assert found == {
        "persistentAppUI": "ENABLED",
        "cloudWatchMonitoringConfiguration": {
            "logGroupName": "/emr-on-eks/data-platform/science",
            "logStreamNamePrefix": "endpoints/analysts",
        },
        "s3MonitoringConfiguration": {"logUri": "s3://logs/science"},
    }


@pytest.mark.parametrize(
    ("idle", "expected"),
    [
        (timedelta(minutes=90), {"cull_idle_timeout": "5400", "cull_interval": "300"}),
        (None, {"cull_idle_timeout": "0"}),
    ],
)
def test_idle_kernels_end(idle: timedelta | None, expected: Mapping[str, str]) -> None:
    spec = ManagedEndpointSpec(name="analysts", kernel_idle_timeout=idle)
    manager = "RemoteMappingKernelManager"
    assert properties(spec, "jeg-config") == {f"{manager}.{k}": v for k, v in expected.items()}


def test_self_hosted_jupyter_may_connect() -> None:
    spec = ManagedEndpointSpec(name="analysts", notebook_security_group_id="sg-0123456789abcdef0")
    assert properties(spec, "endpoint-configuration") == {
        "notebook-security-group-id": "sg-0123456789abcdef0",
    }


def test_kernels_can_have_custom_images() -> None:
    spec = ManagedEndpointSpec(name="a", kernel_images=KernelImages(python=PYTHON, spark=SPARK))
    assert applications(spec)["jupyter-kernel-overrides"]["configurations"] == [
        {"classification": "python3", "properties": {"container-image": PYTHON}},
        {"classification": "spark-python-kubernetes", "properties": {"container-image": SPARK}},
    ]
    only = KernelImages(spark="${Token[Image.12]}").configurations()
    assert [each["classification"] for each in only] == ["spark-python-kubernetes"]


def test_further_classifications_are_passed_on() -> None:
    spec = ManagedEndpointSpec(name="a", configurations={"core-site": {"fs.s3.maxRetries": "9"}})
    assert properties(spec, "core-site") == {"fs.s3.maxRetries": "9"}


@pytest.mark.parametrize(
    "classification",
    ["spark-defaults", "jeg-config", "endpoint-configuration", "jupyter-kernel-overrides"],
)
def test_derived_classifications_are_refused_with_an_alternative(classification: str) -> None:
    with pytest.raises(ConfigError, match=f"must not have, got '{classification}'; .*use "):
        ManagedEndpointSpec(name="a", configurations={classification: {"a": "b"}})


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"name": "-analysts"}, "begin with a letter or digit, got '-analysts'; try 'analysts'"),
        ({"name": "a" * 65}, "name must be 1 to 64 letters"),
        ({"workload": ""}, "workload must name a workload"),
        ({"release_label": "emr-6.10.0-latest"}, "must be at least emr-6.11.0"),
        ({"release_label": "emr-7.14.0"}, "try 'emr-7.14.0-latest'"),
        ({"kernel_idle_timeout": timedelta(minutes=1)}, "at least the check interval"),
        ({"kernel_check_interval": timedelta(milliseconds=1500)}, "must be whole seconds"),
        ({"kernel_check_interval": timedelta(0)}, "must be whole seconds, at least 1"),
        ({"spark_conf": {"spark.executor.cores": "2"}}, "must not set"),
        ({"spark_conf": {"spark.kubernetes.container.image": SPARK}}, "use kernel_images"),
        ({"notebook_security_group_id": "sg-1"}, "must be the id of a security group"),
        ({"configurations": {"core-site": {}}}, "must have 1 to 100 properties"),
        ({"configurations": {"core-site": {"a": "b" * 1025}}}, "at most 1024 characters"),
        ({"tags": {"aws:x": "y"}}, "do not start with 'aws:'"),
    ],
)
def test_invalid_values_are_refused(options: Mapping[str, Any], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        ManagedEndpointSpec(**{"name": "analysts", **options})


@pytest.mark.parametrize("image", ["kernel", "registry/kernel:latest", "registry/kernel:1.2"])
def test_images_by_tag_are_refused(image: str) -> None:
    with pytest.raises(ConfigError, match=r"python must be .*sha256"):
        KernelImages(python=image)


def test_no_image_at_all_is_refused() -> None:
    with pytest.raises(ConfigError, match="python or spark must be given"):
        KernelImages()


def test_too_many_properties_with_the_workloads_are_refused() -> None:
    many = {f"spark.x{number}": "1" for number in range(100)}
    with pytest.raises(ConfigError, match="spark_conf must be at most 100 properties"):
        ManagedEndpointSpec(name="a", spark_conf=many).configuration(JOB)


def test_only_the_notebook_workload_supports_endpoints() -> None:
    for workload in DEFAULT_WORKLOADS:
        spec = ManagedEndpointSpec(name="a", workload=workload.name)
        if workload is NOTEBOOK:
            spec.check_workload(workload)
            continue
        with pytest.raises(ConfigError, match=f"must be x86 only: .*got '{workload.name}'"):
            spec.check_workload(workload)


def test_a_workload_with_an_image_of_jobs_is_refused() -> None:
    workload = replace(NOTEBOOK, spark_conf={"spark.kubernetes.container.image": SPARK})
    with pytest.raises(ConfigError, match="which has no kernel, got 'notebook'"):
        ManagedEndpointSpec(name="a").check_workload(workload)
