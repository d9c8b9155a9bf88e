"""Jobs: releases, parameters and sizes that are just allowed, and that are just refused."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

import pytest

from cdk_emr_eks.errors import ConfigError
from cdk_emr_eks.model.ephemeral.job import EphemeralJobSpec
from cdk_emr_eks.model.jobs.job_config import IMAGE, job_configuration, with_image, with_spark
from cdk_emr_eks.model.jobs.job_template import JobParameter, JobParameterType, JobTemplateSpec
from cdk_emr_eks.model.workloads.catalog import NOTEBOOK, SHARED
from cdk_emr_eks.model.workloads.storage import PersistentVolumes
from cdk_emr_eks.model.workloads.workload import Workload
from cdk_emr_eks.units import Memory
from tests.refusals import refused

URI: Final = "111122223333.dkr.ecr.eu-west-1.amazonaws.com/spark@sha256:" + "0" * 64
VOLUMES: Final = replace(NOTEBOOK, storage=PersistentVolumes(count=1, size=Memory.from_gib(50)))
TOKEN: Final = "${Token[TOKEN.1]}"


def configuration(workload: Workload = SHARED, **options: Any) -> Any:
    given = {
        "driver_template_uri": "s3://assets/driver.yaml",
        "executor_template_uri": "s3://assets/executor.yaml",
        "log_group": "/logs",
        "log_stream_prefix": "shared",
    }
    return job_configuration(workload, **{**given, **options})


def template(**options: Any) -> JobTemplateSpec:
    given = {"name": "job", "workload": "shared", "entry_point": "s3://b/job.py"}
    return JobTemplateSpec(**{**given, **options})


@pytest.mark.parametrize(
    ("workload", "allowed", "old"),
    [
        (SHARED, "emr-6.11.0-latest", "emr-6.10.0-latest"),
        (VOLUMES, "emr-6.12.0-latest", "emr-6.11.0-latest"),
        (replace(VOLUMES, storage=PersistentVolumes(reuse=False)), "emr-6.11.0-latest", None),
    ],
)
def test_features_start_with_a_release(workload: Workload, allowed: str, old: str | None) -> None:
    configuration(workload, release_label=allowed)
    if old is not None:
        with pytest.raises(ConfigError, match="release_label must be at least"):
            configuration(workload, release_label=old)


def test_a_configuration_has_at_most_100_properties() -> None:
    applications = configuration()["applicationConfiguration"]
    count = len(applications[0]["properties"])
    conf = {f"spark.x{number}": "1" for number in range(100 - count)}
    full: Any = with_spark("here", configuration(), conf)
    assert len(full["applicationConfiguration"][0]["properties"]) == 100
    with pytest.raises(ConfigError, match=r"at most 100 properties, .* got 101"):
        with_spark("here", full, {"spark.y": "1"})


def test_a_property_has_at_most_1024_characters() -> None:
    for conf in ({"k" * 1024: "v"}, {"k": "v" * 1024}):
        with_spark("here", configuration(), conf)
    for conf in ({"k" * 1025: "v"}, {"k": "v" * 1025}):
        with pytest.raises(ConfigError, match="keys and values of at most 1024 characters"):
            with_spark("here", configuration(), conf)


def test_an_image_replaces_that_of_the_release() -> None:
    plain = configuration()
    changed: Any = with_image("here", plain, URI)
    assert changed["applicationConfiguration"][0]["properties"][IMAGE] == URI
    assert IMAGE == "spark.kubernetes.container.image"
    # Other classifications are unchanged.
    assert changed["applicationConfiguration"][1:] == plain["applicationConfiguration"][1:]
    assert "must be an image with its digest" in refused(lambda: with_image("here", plain, "a:1"))
    assert with_image("here", plain, None) is plain


def test_labels_are_on_driver_executors_and_submitter() -> None:
    found = {
        each["classification"]: each["properties"]
        for each in configuration(pod_labels={"team": "a"})["applicationConfiguration"]
    }
    assert found["spark-defaults"]["spark.kubernetes.driver.label.team"] == "a"
    assert found["spark-defaults"]["spark.kubernetes.executor.label.team"] == "a"
    assert found["emr-job-submitter"]["jobsubmitter.label.team"] == "a"


@pytest.mark.parametrize("text", ["0", "-1", "10.5", "007"])
def test_numbers_are_defaults_of_number_parameters(text: str) -> None:
    assert JobParameter(type=JobParameterType.NUMBER, default=text).default == text


@pytest.mark.parametrize("text", ["", "a", "1.", ".5", "1e3", "+1", "1 "])
def test_other_text_is_no_default_of_a_number_parameter(text: str) -> None:
    JobParameter(default=text)
    expected = f"JobParameter: default must be a number, got {text!r}."
    assert refused(lambda: JobParameter(type=JobParameterType.NUMBER, default=text)) == expected


def test_types_of_parameters_are_emrs() -> None:
    assert [each.value for each in JobParameterType] == ["STRING", "NUMBER"]
    assert JobParameter() == JobParameter(type=JobParameterType.STRING, default=None)


@pytest.mark.parametrize("bracket", "()[]{}")
def test_each_bracket_is_refused_in_an_argument(bracket: str) -> None:
    with pytest.raises(ConfigError, match="arguments must not hold") as caught:
        template(arguments=(f"a{bracket}",))
    assert set(caught.value.fields) == {"arguments"}


def test_parameters_are_found_in_all_texts() -> None:
    texts = {
        "entry_point": "s3://b/${a.b-c_9}.py",
        "submit_parameters": "--class ${a.b-c_9}",
        "arguments": ("--x=${a.b-c_9}",),
    }
    for name, text in texts.items():
        template(**{name: text}, parameters={"a.b-c_9": JobParameter()})
        with pytest.raises(ConfigError, match="parameters must declare each"):
            template(**{name: text})


@pytest.mark.parametrize(
    "parameters",
    [
        "--conf spark.a.password=x",
        "--conf=spark.a.password=x",
        '--conf "spark.a.password=x"',
        "--conf  spark.a.token=x --class Main",
    ],
)
def test_plain_secrets_are_found_in_submit_parameters(parameters: str) -> None:
    for build in (
        lambda: template(submit_parameters=parameters),
        lambda: EphemeralJobSpec(
            name="j", workload="shared", entry_point="s3://b/j.py", submit_parameters=parameters
        ),
    ):
        with pytest.raises(ConfigError, match="must not hold a secret") as caught:
            build()
        assert caught.value.fields == ("submit_parameters",)


@pytest.mark.parametrize(
    ("name", "allowed"),
    [("a", True), ("a" * 22, True), ("a-9", True), ("9a", False), ("a-", False), ("a" * 23, False)],
)
def test_names_of_ephemeral_jobs(name: str, allowed: bool) -> None:
    def build() -> EphemeralJobSpec:
        return EphemeralJobSpec(name=name, workload="shared", entry_point="s3://b/j.py")

    if allowed:
        assert build().timeout_minutes == 24 * 60
        assert build().where == f"Ephemeral job {name!r}"
        return
    with pytest.raises(ConfigError) as caught:
        build()
    assert caught.value.fields == ("name",)


def test_an_image_by_token_passes() -> None:
    assert template(image=TOKEN).image == TOKEN
    assert template(image=URI).image == URI
    with pytest.raises(ConfigError) as caught:
        template(image="a:1", name="a b", release_label="7.14")
    assert caught.value.fields == ("name", "release_label", "image")
