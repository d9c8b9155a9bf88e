"""Ephemeral jobs: their rules, the names of their resources and the namespace template."""

from __future__ import annotations

import fnmatch
import json
import re

import pytest

from cdk_emr_eks.errors import ConfigError
from cdk_emr_eks.model.ephemeral.job import EphemeralJobSpec, namespace_pattern, placeholder
from cdk_emr_eks.model.ephemeral.namespace_stack import namespace_template
from cdk_emr_eks.model.ephemeral.states import pascal_case

HASH = "0123456789abcdef" * 2 + "01234567"


def job(name: str = "etl") -> EphemeralJobSpec:
    return EphemeralJobSpec(name=name, workload="shared", entry_point="s3://b/j.py")


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"name": "a" * 23}, "name must be a DNS label (a-z, 0-9, '-', at most 22 characters)"),
        ({"name": "9to5"}, "name must begin with a letter, got '9to5'"),
        ({"entry_point": ""}, "entry_point must be 1 to 256 characters"),
        ({"arguments": ("",)}, "arguments must be 1 to 10280 characters each"),
        ({"timeout_minutes": 0}, "timeout_minutes must be from 1 to 10080"),
        ({"timeout_minutes": 10081}, "timeout_minutes must be from 1 to 10080"),
        ({"image": "repository:latest"}, "image"),
        ({"tags": {"emr-eks/ephemeral-job": "x"}}, "tags must not have the job's own"),
        ({"tags": {"aws:x": "y"}}, "tags must have keys"),
        ({"submit_parameters": "--conf spark.my.password=hunter2"}, "must not hold a secret"),
    ],
)
def test_invalid_values_are_refused(given: dict[str, object], words: str) -> None:
    values: dict[str, object] = {"name": "etl", "workload": "shared", "entry_point": "s3://b/j.py"}
    with pytest.raises(ConfigError, match=re.escape(words)) as refused:
        EphemeralJobSpec(**{**values, **given})  # type: ignore[arg-type]
    assert "hunter2" not in str(refused.value)


def test_the_pattern_of_a_job_matches_no_namespace_of_another_job() -> None:
    short, long = namespace_pattern("etl"), namespace_pattern("etl-daily")
    assert fnmatch.fnmatchcase(f"etl-{HASH}", short)
    assert not fnmatch.fnmatchcase(f"etl-daily-{HASH}", short)
    assert not fnmatch.fnmatchcase(f"etl-{HASH}", long)
    assert not fnmatch.fnmatchcase("etl-daily", short)
    assert len(placeholder("a" * 22)) == 63


def test_names_differ_by_cluster() -> None:
    one, other = job().machine_names("one"), job().machine_names("other")
    assert len({*one, *other}) == 4
    assert all(len(name) <= 80 for name in job("a" * 22).machine_names("c" * 100))
    assert job().role_name("one") != job().role_name("other")
    assert len(job("a" * 22).role_name("c" * 100)) <= 32


def test_the_template_replaces_every_occurrence_of_the_namespace() -> None:
    name = placeholder("etl")
    objects = [
        {"kind": "Namespace", "metadata": {"name": name}},
        {"kind": "Quota", "metadata": {"namespace": name, "labels": {"x": '"quoted" ${y}'}}},
    ]
    text = namespace_template(
        objects=objects,
        placeholder=name,
        service_token="arn:f",
        cluster_name="c",
        role_arn="arn:r",
        service_accounts=["a", "b"],
    )
    resources = json.loads(text)["Resources"]
    by, parts = resources["Namespace"]["Properties"]["Manifest"]["Fn::Join"]
    made = by.join(name if part == {"Ref": "Namespace"} else part for part in parts)
    assert json.loads(made) == objects
    assert parts.count({"Ref": "Namespace"}) == 2
    accounts = [resources[f"Association{number}"]["Properties"] for number in range(2)]
    assert [each["ServiceAccount"] for each in accounts] == ["a", "b"]
    assert all(each["Namespace"] == {"Ref": "Namespace"} for each in accounts)


def test_members_are_in_pascal_case_and_properties_are_not() -> None:
    given = {
        "s3MonitoringConfiguration": {"logUri": "s3://b"},
        "applicationConfiguration": [
            {"classification": "spark-defaults", "properties": {"spark.x": "1"}}
        ],
    }
    assert pascal_case(given) == {
        "S3MonitoringConfiguration": {"LogUri": "s3://b"},
        "ApplicationConfiguration": [
            {"Classification": "spark-defaults", "Properties": {"spark.x": "1"}}
        ],
    }
