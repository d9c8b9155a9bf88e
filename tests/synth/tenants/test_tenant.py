"""Tenants: resources, their number and order, and outputs."""

from __future__ import annotations

import json
from collections import Counter
from typing import cast

import aws_cdk as cdk
import pytest

from cdk_emr_eks.errors import ConfigError
from cdk_emr_eks.model.access.execution_role import ExecutionRoleSpec, JobLogs
from cdk_emr_eks.model.tenants.tenant import Tenant
from cdk_emr_eks.tenants.tenant import EmrEksTenant
from tests.synth.synthesized import Synthesized
from tests.synth.tenants.tenancy_app import (
    CLUSTER,
    WORKLOADS,
    new_app,
    new_context,
    synthesized,
)

MANIFEST = "Custom::AWSCDK-EKS-KubernetesResource"
ASSOCIATION = "AWS::EKS::PodIdentityAssociation"
CLUSTER_TYPE = "AWS::EMRContainers::VirtualCluster"


@pytest.fixture(scope="module")
def app() -> Synthesized:
    return synthesized()


def render(value: object) -> str:
    """An output's value as it is after deployment, with <names> for what AWS puts in."""
    if isinstance(value, str):
        return value
    ((function, argument),) = cast(dict[str, object], value).items()
    if function == "Fn::Join":
        return "".join(render(part) for part in cast(list[list[object]], argument)[1])
    return f"<{argument[0] if isinstance(argument, list) else argument}>"


def output(app: Synthesized, stack: str, name: str) -> str:
    return render(app.templates[stack]["Outputs"][name]["Value"])


def test_resources_of_a_tenant_with_pod_identity(app: Synthesized) -> None:
    kinds = Counter(item["Type"] for item in app.templates["Plain"]["Resources"].values())
    # The user and its policy are the test's own.
    del kinds["AWS::IAM::User"], kinds["AWS::IAM::Policy"]
    assert kinds == {
        MANIFEST: 1,
        CLUSTER_TYPE: 1,
        "AWS::Logs::LogGroup": 1,
        "AWS::IAM::Role": 1,
        ASSOCIATION: 3,
    }
    assert kinds.total() <= 9


def test_resources_of_a_tenant_with_irsa(app: Synthesized) -> None:
    kinds = Counter(item["Type"] for item in app.templates["Irsa"]["Resources"].values())
    assert kinds == {
        MANIFEST: 1,
        CLUSTER_TYPE: 1,
        "AWS::Logs::LogGroup": 1,
        "AWS::IAM::Role": 1,
    }


def test_namespace_objects_are_one_stage(app: Synthesized) -> None:
    manifest = app.properties("Plain", MANIFEST)["Manifest"]
    kinds = [item["kind"] for item in json.loads(manifest)]
    assert kinds == ["Namespace", "LimitRange", "ResourceQuota", *["NetworkPolicy"] * 2]


@pytest.mark.parametrize("stack", ["Plain", "Irsa", "Options", "Imported"])
def test_the_virtual_cluster_is_last_and_so_deleted_first(app: Synthesized, stack: str) -> None:
    waits = set(app.only(stack, CLUSTER_TYPE)[1]["DependsOn"])
    before = {
        *app.of_type(stack, MANIFEST),
        *app.of_type(stack, ASSOCIATION),
        *app.of_type(stack, "AWS::Logs::LogGroup"),
        *app.of_type(stack, "AWS::IAM::Role"),
    }
    before = {id for id in before if "SchedulerLimits" not in id and not id.startswith("AWS6")}
    assert before <= waits


def test_nothing_depends_on_the_virtual_cluster_by_mistake(app: Synthesized) -> None:
    (id,) = app.of_type("Plain", CLUSTER_TYPE)
    for kind in (MANIFEST, ASSOCIATION, "AWS::Logs::LogGroup", "AWS::IAM::Role"):
        assert id not in json.dumps(app.of_type("Plain", kind))


def test_log_group_has_a_literal_name_retention_and_key(app: Synthesized) -> None:
    group = app.properties("Plain", "AWS::Logs::LogGroup")
    assert group["LogGroupName"] == f"/emr-on-eks/{CLUSTER}/analytics"
    assert group["RetentionInDays"] == 30
    assert "Fn::ImportValue" in group["KmsKeyId"]
    (kept,) = (
        each
        for each in app.of_type("Options", "AWS::Logs::LogGroup").values()
        if "/emr-on-eks/" in json.dumps(each)
    )
    assert kept["DeletionPolicy"] == "Retain"
    assert "DeletionPolicy" not in app.only("Plain", "AWS::Logs::LogGroup")[1]


def test_key_serves_the_cluster_s_job_logs_only(app: Synthesized) -> None:
    key = app.properties("Platform", "AWS::KMS::Key")["KeyPolicy"]["Statement"]
    (logs,) = (item for item in key if item.get("Sid") == "JobLogs")
    arn = render(logs["Condition"]["ArnLike"]["kms:EncryptionContext:aws:logs:arn"])
    assert arn.endswith(f":log-group:/emr-on-eks/{CLUSTER}/*")


def test_everything_is_tagged_for_costs(app: Synthesized) -> None:
    for kind in (CLUSTER_TYPE, "AWS::Logs::LogGroup", "AWS::IAM::Role", ASSOCIATION):
        for item in app.of_type("Plain", kind).values():
            tags = item["Properties"]["Tags"]
            assert {tag["Key"]: tag["Value"] for tag in tags} == {
                "emr-eks/tenant": "analytics",
                "cost-center": "42",
            }


def test_outputs_of_a_tenant(app: Synthesized) -> None:
    assert set(app.templates["Plain"]["Outputs"]) == {
        "AnalyticsVirtualClusterId",
        "AnalyticsExecutionRoleArn",
        "AnalyticsCriticalConfig",
        "AnalyticsSharedConfig",
        "AnalyticsNotebookConfig",
        "AnalyticsStartJobRun",
    }
    assert {name for name in app.templates["Options"]["Outputs"] if "RoleArn" in name} == {
        "DataScienceExecutionRoleArn",
        "DataScienceExecutionRoleArnEmrWriterWithARatherLongName",
    }


@pytest.mark.parametrize("workload", WORKLOADS)
def test_configurations_are_what_start_job_run_takes(app: Synthesized, workload: str) -> None:
    configuration = json.loads(output(app, "Plain", f"Analytics{workload.title()}Config"))
    assert set(configuration) == {"applicationConfiguration", "monitoringConfiguration"}
    watch = configuration["monitoringConfiguration"]["cloudWatchMonitoringConfiguration"]
    assert watch["logGroupName"] == f"/emr-on-eks/{CLUSTER}/analytics"
    defaults = {
        item["classification"]: item["properties"]
        for item in configuration["applicationConfiguration"]
    }["spark-defaults"]
    for role in ("driver", "executor"):
        uri = defaults[f"spark.kubernetes.{role}.podTemplateFile"]
        assert uri.startswith("s3://<cdk-")
        assert uri.endswith(".yaml")


def test_the_start_command_reads_its_configuration_from_the_stack(app: Synthesized) -> None:
    command = output(app, "Plain", "AnalyticsStartJobRun")
    assert command.startswith("aws emr-containers start-job-run --region <AWS::Region> ")
    assert "OutputKey=='AnalyticsCriticalConfig'" in command
    assert "--stack-name <AWS::StackName>" in command
    assert json.loads(command.split("--job-driver '")[1].split("'")[0])


def test_outputs_are_not_exports(app: Synthesized) -> None:
    """An export holds 1,024 characters, a configuration is longer."""
    for item in app.templates["Plain"]["Outputs"].values():
        assert "Export" not in item


def test_an_imported_cluster_needs_nothing_of_this_app(app: Synthesized) -> None:
    assert "Fn::ImportValue" not in json.dumps(app.templates["Imported"])
    manifest = app.properties("Imported", MANIFEST)
    assert manifest["ServiceToken"] == "arn:aws:lambda:eu-west-1:111122223333:function:kubectl"


def test_one_namespace_has_one_virtual_cluster_in_the_whole_app() -> None:
    app = new_app()
    context = new_context(cdk.Stack(app, "Platform"))
    EmrEksTenant(cdk.Stack(app, "One"), "A", context=context, tenant=Tenant(name="data"))
    other = Tenant(
        name="other", namespace="data", execution_roles=(ExecutionRoleSpec(name="other"),)
    )
    with pytest.raises(ConfigError) as refused:
        EmrEksTenant(cdk.Stack(app, "Two"), "B", context=context, tenant=other)
    assert str(refused.value) == (
        "Two/B/VirtualCluster: namespace must have one virtual cluster only; "
        "'One/A/VirtualCluster' has it, got 'data'."
    )
    taken = Tenant(
        name="third",
        execution_roles=(ExecutionRoleSpec(name=Tenant(name="data").roles(CLUSTER)[0].name),),
    )
    with pytest.raises(ConfigError) as refused:
        EmrEksTenant(cdk.Stack(app, "Three"), "C", context=context, tenant=taken)
    assert refused.value.fields == ("name",)


def logging_to(name: str, uri: str) -> Tenant:
    return Tenant(name=name, logs=JobLogs(s3_uri=uri))


@pytest.mark.parametrize(
    "uri", ["s3://logs/emr/", "s3://logs/emr/one", "s3://logs", "s3://logs/emr/one/deeper"]
)
def test_a_tenant_may_not_log_where_another_one_does(uri: str) -> None:
    app = new_app()
    context = new_context(cdk.Stack(app, "Platform"))
    stack = cdk.Stack(app, "Tenants")
    first = logging_to("one", "s3://logs/emr/one")
    EmrEksTenant(stack, "One", context=context, tenant=first)
    with pytest.raises(ConfigError) as refused:
        EmrEksTenant(stack, "Two", context=context, tenant=logging_to("two", uri))
    assert str(refused.value) == (
        "Tenants/Two: logs.s3_uri must be apart from the logs of other tenants, which jobs could "
        f"read and forge; 'Tenants/One' has 's3://logs/emr/one', got {uri.rstrip('/')!r}."
    )


def test_tenants_may_log_side_by_side_in_one_bucket() -> None:
    app = new_app()
    context = new_context(cdk.Stack(app, "Platform"))
    stack = cdk.Stack(app, "Tenants")
    for name in ("one", "one-more"):
        tenant = logging_to(name, f"s3://logs/emr/{name}")
        EmrEksTenant(stack, name, context=context, tenant=tenant)


def test_stages_may_each_have_the_namespace() -> None:
    app = new_app()
    for name in ("Dev", "Prod"):
        stage = cdk.Stage(app, name)
        context = new_context(cdk.Stack(stage, "Platform"))
        tenant = Tenant(name="data")
        EmrEksTenant(cdk.Stack(stage, "Tenants"), "Data", context=context, tenant=tenant)


def test_every_pod_of_a_job_has_the_tenants_label(app: Synthesized) -> None:
    configuration = json.loads(output(app, "Plain", "AnalyticsCriticalConfig"))
    found = {
        each["classification"]: each["properties"]
        for each in configuration["applicationConfiguration"]
    }
    assert found["spark-defaults"]["spark.kubernetes.driver.label.emr-eks/tenant"] == "analytics"
    assert found["spark-defaults"]["spark.kubernetes.executor.label.emr-eks/tenant"] == "analytics"
    assert found["emr-job-submitter"]["jobsubmitter.label.emr-eks/tenant"] == "analytics"


def test_a_tenant_without_the_workload_has_no_configuration_of_it() -> None:
    app = new_app()
    stack = cdk.Stack(app, "Platform")
    tenant = EmrEksTenant(
        stack, "T", context=new_context(stack), tenant=Tenant(name="t", workloads=("shared",))
    )
    with pytest.raises(ConfigError, match="workload must be one of shared, got 'critical'"):
        tenant.job_configuration("critical")
    with pytest.raises(
        ConfigError, match=r"role must be an execution role with the use .jobs., one of emr-t-"
    ):
        tenant.grant_start_job_run(cdk.aws_iam.User(stack, "U"), role="none")
