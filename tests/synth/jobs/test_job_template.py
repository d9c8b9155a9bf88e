"""Job templates: a workload's configuration in CloudFormation's words."""

from __future__ import annotations

import json
from typing import cast

import aws_cdk as cdk
import pytest

from cdk_emr_eks.errors import ConfigError
from cdk_emr_eks.jobs.job_template import JobTemplate
from cdk_emr_eks.model.jobs.job_template import JobTemplateSpec
from cdk_emr_eks.model.tenants.tenant import Tenant
from cdk_emr_eks.tenants.tenant import EmrEksTenant
from tests.synth.tenants.tenancy_app import CLUSTER, new_app, new_context, synthesized


@pytest.fixture(scope="module")
def data() -> dict[str, object]:
    properties = synthesized().properties("Options", "AWS::EMRContainers::JobTemplate")
    return cast(dict[str, object], properties["JobTemplateData"])


def test_driver_and_parameters(data: dict[str, object]) -> None:
    assert data["JobDriver"] == {
        "SparkSubmitJobDriver": {
            "EntryPoint": "s3://code/job.py",
            "EntryPointArguments": ["--day", "${day}", "--parts", "${parts}"],
            "SparkSubmitParameters": "--conf spark.sql.ansi.enabled=true",
        }
    }
    assert data["ParameterConfiguration"] == {
        "day": {"Type": "STRING"},
        "parts": {"Type": "NUMBER", "DefaultValue": "8"},
    }


def test_the_role_is_fixed(data: dict[str, object]) -> None:
    ((function, argument),) = cast(dict[str, list[str]], data["ExecutionRoleArn"]).items()
    role = synthesized().of_type("Options", "AWS::IAM::Role")[argument[0]]["Properties"]
    assert (function, role["RoleName"]) == ("Fn::GetAtt", "emr-writer-with-a-rather-long-name")


def test_configuration_is_the_workloads(data: dict[str, object]) -> None:
    overrides = cast(dict[str, object], data["ConfigurationOverrides"])
    names = [
        item["Classification"]
        for item in cast(list[dict[str, object]], overrides["ApplicationConfiguration"])
    ]
    assert names == ["spark-defaults", "emr-job-submitter", "emr-containers-defaults"]
    assert overrides["MonitoringConfiguration"] == {
        "PersistentAppUI": "ENABLED",
        "CloudWatchMonitoringConfiguration": {
            "LogGroupName": f"/emr-on-eks/{CLUSTER}/science",
            "LogStreamNamePrefix": "shared",
        },
        "S3MonitoringConfiguration": {"LogUri": "s3://logs/emr/science"},
    }
    assert "podTemplateFile" in json.dumps(overrides)


def test_unknown_workloads_and_roles_are_refused() -> None:
    stack = cdk.Stack(new_app(), "Platform")
    tenant = EmrEksTenant(
        stack, "T", context=new_context(stack), tenant=Tenant(name="t", workloads=("shared",))
    )
    spec = JobTemplateSpec(name="job", workload="critical", entry_point="s3://b/j.py")
    with pytest.raises(ConfigError, match="Tenant 't': workload must be one of shared"):
        JobTemplate(stack, "J", tenant=tenant, spec=spec)
    spec = JobTemplateSpec(name="job", workload="shared", entry_point="s3://b/j.py")
    with pytest.raises(
        ConfigError, match=r"role must be an execution role with the use .jobs., one of emr-t-"
    ):
        JobTemplate(stack, "K", tenant=tenant, spec=spec, role="none")
