"""Virtual clusters: EMR's rights, sessions, limits and the service-linked role."""

from __future__ import annotations

import json
from typing import Any, cast

import aws_cdk as cdk
import pytest
from aws_cdk.assertions import Template

from cdk_emr_eks.errors import ConfigError
from cdk_emr_eks.model.tenants.virtual_cluster import (
    SchedulerLimits,
    VirtualClusterOptions,
    VirtualClusterSpec,
)
from cdk_emr_eks.tenants.virtual_cluster import EmrServiceLinkedRole, EmrVirtualCluster
from tests.synth.synthesized import Synthesized
from tests.synth.tenants.tenancy_app import CLUSTER, new_app, new_context, synthesized

TYPE = "AWS::EMRContainers::VirtualCluster"


@pytest.fixture(scope="module")
def app() -> Synthesized:
    return synthesized()


def test_properties(app: Synthesized) -> None:
    properties = app.properties("Plain", TYPE)
    assert {key: value for key, value in properties.items() if key != "Tags"} == {
        "Name": "analytics",
        "ContainerProvider": {
            "Type": "EKS",
            "Id": CLUSTER,
            "Info": {"EksInfo": {"Namespace": "analytics"}},
        },
    }


def test_no_access_entry_is_declared_for_emr(app: Synthesized) -> None:
    """EKS refuses access entries for service-linked roles; EMR creates its entry."""
    for template in app.templates.values():
        assert "AWSServiceRoleForAmazonEMRContainers" not in json.dumps(template["Resources"])


def test_sessions_have_their_security_configuration(app: Synthesized) -> None:
    properties = app.properties("Options", TYPE)
    assert properties["SessionEnabled"] is True
    assert properties["SecurityConfigurationId"] == "abc123"
    assert properties["Name"] == "Science"


def test_aws_auth_adds_rbac_and_says_what_the_config_map_needs(app: Synthesized) -> None:
    (stage,) = app.of_type("Options", "Custom::AWSCDK-EKS-KubernetesResource").values()
    manifest = json.loads(cast(dict[str, str], stage["Properties"])["Manifest"])
    assert [item["kind"] for item in manifest] == [
        "Namespace",
        "LimitRange",
        "NetworkPolicy",
        "NetworkPolicy",
        "Role",
        "RoleBinding",
    ]
    assert all(item["metadata"].get("namespace", "science") == "science" for item in manifest)
    (entry,) = (
        item["Value"]
        for name, item in app.templates["Options"]["Outputs"].items()
        if "AwsAuthEntry" in name
    )
    parts = cast(dict[str, list[list[object]]], entry)["Fn::Join"][1]
    text = "".join(part if isinstance(part, str) else "<>" for part in parts)
    assert text == (
        "- rolearn: arn:<>:iam::<>:role/AWSServiceRoleForAmazonEMRContainers\n"
        "  username: emr-containers\n"
    )
    assert "aws-auth" not in json.dumps(manifest)


def test_limits_are_set_by_a_call_that_may_touch_this_virtual_cluster_only(
    app: Synthesized,
) -> None:
    (id,) = app.of_type("Options", TYPE)
    custom = app.properties("Options", "Custom::EmrSchedulerLimits")
    for moment in ("Create", "Update"):
        call = json.dumps(custom[moment])
        assert "UpdateVirtualCluster" in call
        assert id in call
        assert '\\\\\\"maxConcurrentJobRuns\\\\\\":20' in json.dumps(call)
    assert "Delete" not in custom
    (policy,) = (
        item
        for name, item in app.of_type("Options", "AWS::IAM::Policy").items()
        if "SchedulerLimits" in name
    )
    properties = cast(dict[str, dict[str, list[dict[str, object]]]], policy["Properties"])
    (statement,) = properties["PolicyDocument"]["Statement"]
    assert statement["Action"] == "emr-containers:UpdateVirtualCluster"
    assert statement["Resource"] == {"Fn::GetAtt": [id, "Arn"]}


def test_logs_of_the_function_that_sets_limits_are_bounded_and_go() -> None:
    flags = {"@aws-cdk/aws-lambda:useCdkManagedLogGroup": True}
    stack = cdk.Stack(cdk.App(analytics_reporting=False, context=flags), "Stack")
    limits = SchedulerLimits(max_concurrent_job_runs=5)
    spec = VirtualClusterSpec(name="a", options=VirtualClusterOptions(scheduler_limits=limits))
    EmrVirtualCluster(stack, "VirtualCluster", context=new_context(stack), spec=spec)
    resources = cast(dict[str, Any], Template.from_stack(stack).to_json()["Resources"])
    ((id, group),) = (
        (id, item)
        for id, item in resources.items()
        if id.startswith("AWS679") and item["Type"] == "AWS::Logs::LogGroup"
    )
    assert group["Properties"]["RetentionInDays"] == 30
    assert group["DeletionPolicy"] == "Delete"
    # Otherwise the function, which is called again on deletion, would create the group again.
    (call,) = (item for item in resources.values() if item["Type"] == "Custom::EmrSchedulerLimits")
    assert id in call["DependsOn"]


def test_without_limits_there_is_no_lambda(app: Synthesized) -> None:
    for stack in ("Plain", "Irsa", "Imported"):
        assert not app.of_type(stack, "AWS::Lambda::Function")


def test_a_namespace_that_is_there_is_left_alone() -> None:
    app = new_app()
    stack = cdk.Stack(app, "Platform")
    spec = VirtualClusterSpec(name="theirs", create_namespace=False)
    made = EmrVirtualCluster(stack, "V", context=new_context(stack), spec=spec)
    assert [item.node.id for item in made.node.children] == ["Resource"]
    assert made.namespace == "theirs"


def test_what_the_platform_needs_first_is_waited_for() -> None:
    from dataclasses import replace

    app = new_app()
    stack = cdk.Stack(app, "Platform")
    first = cdk.CfnResource(stack, "First", type="AWS::CloudFormation::WaitConditionHandle")
    context = replace(new_context(stack), ready=(first,))
    EmrVirtualCluster(stack, "V", context=context, spec=VirtualClusterSpec(name="v"))
    EmrVirtualCluster(
        stack, "W", context=context, spec=VirtualClusterSpec(name="w", create_namespace=False)
    )
    resources = cast(
        dict[str, dict[str, object]],
        app.synth().get_stack_by_name("Platform").template["Resources"],
    )
    for prefix in ("VNamespace", "W"):
        (found,) = (
            item
            for id, item in resources.items()
            if id.startswith(prefix) and item["Type"] != "AWS::EMRContainers::SecurityConfiguration"
        )
        assert "First" in cast(list[str], found["DependsOn"])


def test_the_service_linked_role_is_created_once() -> None:
    app = new_app()
    EmrServiceLinkedRole(cdk.Stack(app, "One"), "Emr")
    with pytest.raises(ConfigError) as refused:
        EmrServiceLinkedRole(cdk.Stack(app, "Two"), "Emr")
    assert str(refused.value) == (
        "Two/Emr: service-linked role must be created once for an account; 'One/Emr' has it, "
        "got 'emr-containers.amazonaws.com'."
    )
