"""The deploy policy of an app: rights bound to its names, in files that IAM accepts."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest

from cdk_emr_eks.assembly import open_assembly
from cdk_emr_eks.deploy_policy import deploy_policies, write_policies
from cdk_emr_eks.security.iam_statements import MAX_POLICY_CHARACTERS
from tests.synth.deploy_policy.deploy_app import (
    Statement,
    by_action,
    new_app,
    resources,
    statements_of,
)
from tests.synth.tenants.tenancy_app import CLUSTER, synthesized


@pytest.fixture(scope="module")
def statements() -> list[Statement]:
    return statements_of(synthesized().outdir)


def test_names_of_the_app_are_all_it_may_touch(statements: list[Statement]) -> None:
    clusters = resources(statements, "eks:CreateCluster")
    assert clusters == [f"arn:aws:eks:*:*:cluster/{CLUSTER}"]
    for action in ("eks:CreateAccessEntry", "eks:UpdateAccessEntry", "eks:CreateNodegroup"):
        for arn in resources(statements, action):
            assert arn.split(":", 5)[5].split("/")[1] == CLUSTER
    for arn in resources(statements, "iam:CreateRole"):
        assert arn.split(":role/")[1][:3] in {"emr", "Pla", "Opt"}, arn
    own = (f"/emr-on-eks/{CLUSTER}/", "/aws/lambda/Platform*", "/aws/lambda/Options*")
    for arn in resources(statements, "logs:CreateLogGroup"):
        assert arn.split(":log-group:")[1].startswith(own), arn


def test_roles_go_only_to_the_services_that_get_one(statements: list[Statement]) -> None:
    services = {
        service
        for each in by_action(statements, "iam:PassRole")
        for service in each["Condition"]["StringEquals"]["iam:PassedToService"]
    }
    assert services == {"eks.amazonaws.com", "lambda.amazonaws.com", "pods.eks.amazonaws.com"}
    assert "*" not in resources(statements, "iam:PassRole")


def test_only_the_app_s_policies_may_be_attached(statements: list[Statement]) -> None:
    arns = [
        arn
        for each in by_action(statements, "iam:AttachRolePolicy")
        for arn in each["Condition"]["ArnLike"]["iam:PolicyARN"]
    ]
    assert "arn:aws:iam::aws:policy/AmazonEKSClusterPolicy" in arns
    assert "arn:aws:iam::111122223333:policy/more" in arns
    assert not any("AdministratorAccess" in arn or arn.endswith("policy/*") for arn in arns)


def test_emr_may_create_its_own_access_entry(statements: list[Statement]) -> None:
    associating = [
        each
        for each in by_action(statements, "eks:AssociateAccessPolicy")
        if "AWSServiceRoleForAmazonEMRContainers" in json.dumps(each)
    ]
    assert associating
    for each in associating:
        assert each["Condition"] == {"StringEquals": {"eks:accessScope": "namespace"}}
        for arn in each["Resource"]:
            assert f"access-entry/{CLUSTER}/role/" in arn
            assert arn.endswith("/AWSServiceRoleForAmazonEMRContainers/*")
    services = {
        each["Condition"]["StringEquals"]["iam:AWSServiceName"]
        for each in by_action(statements, "iam:CreateServiceLinkedRole")
    }
    assert services == {"eks.amazonaws.com", "emr-containers.amazonaws.com"}


def test_custom_resources_may_invoke_functions_of_the_app(statements: list[Statement]) -> None:
    assert resources(statements, "lambda:InvokeFunction") == [
        "arn:aws:lambda:*:*:function:Options*",
        "arn:aws:lambda:*:*:function:Platform*",
        "arn:aws:lambda:eu-west-1:111122223333:function:kubectl",
    ]


def test_unused_services_have_no_rights(statements: list[Statement]) -> None:
    text = json.dumps(statements)
    for absent in ("sqs:", "events:", "eks:CreateNodegroup", "ec2:CreateVpnGateway", '"*:*"'):
        assert absent not in text


def test_only_resources_without_a_name_have_a_star(statements: list[Statement]) -> None:
    wide = {
        action.split(":")[0]
        for each in statements
        if each["Resource"] == ["*"]
        for action in each["Action"]
    }
    assert wide <= {"ec2", "emr-containers", "kms", "logs"}


def test_files_fit_a_managed_policy_and_old_files_are_deleted(tmp_path: Path) -> None:
    app = new_app(tmp_path)
    for number in range(30):
        stack = cdk.Stack(app, f"Stack{number}")
        cdk.aws_sqs.CfnQueue(stack, "Queue", queue_name=f"jobs-{number}")
        cdk.aws_iam.CfnOIDCProvider(stack, "Oidc", url="https://example.com")
    app.synth()
    stale = tmp_path / "cloudformation-execution-policy-7.json"
    stale.write_text("{}")
    (path,) = write_policies(deploy_policies(open_assembly(tmp_path)), tmp_path)
    assert path.name == "cloudformation-execution-policy.json"
    assert not stale.exists()
    document: Any = json.loads(path.read_text())
    assert len(json.dumps(document, separators=(",", ":"))) <= MAX_POLICY_CHARACTERS
    # The word that the names begin with replaces many names.
    assert resources(document["Statement"], "sqs:CreateQueue") == ["arn:aws:sqs:*:*:jobs-*"]


def test_many_names_never_become_a_pattern_for_the_whole_account(tmp_path: Path) -> None:
    """The common start of `Platform...` and `emr-...` once was every role of the account."""
    app = new_app(tmp_path)
    stack = cdk.Stack(app, "Platform")
    names = ["ops", *(f"emr-team-{number:02}" for number in range(40))]
    for number, name in enumerate([*names, None]):
        cdk.aws_iam.CfnRole(stack, f"Role{number}", role_name=name, assume_role_policy_document={})
    app.synth()
    assert resources(statements_of(tmp_path), "iam:CreateRole") == [
        "arn:aws:iam::*:role/Platform*",
        "arn:aws:iam::*:role/emr-team-*",
        "arn:aws:iam::*:role/ops",
    ]


def test_large_policies_are_split(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("cdk_emr_eks.deploy_policy.documents.MAX_POLICY_CHARACTERS", 600)
    app = new_app(tmp_path)
    stack = cdk.Stack(app, "S")
    cdk.aws_sqs.CfnQueue(stack, "Queue")
    cdk.aws_kms.CfnKey(stack, "Key", key_policy={})
    app.synth()
    paths = write_policies(deploy_policies(open_assembly(tmp_path)), tmp_path)
    assert [path.name for path in paths] == [
        f"cloudformation-execution-policy-{number}.json" for number in (1, 2)
    ]


def test_a_statement_that_is_too_large_is_split(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("cdk_emr_eks.deploy_policy.documents.MAX_POLICY_CHARACTERS", 300)
    app = new_app(tmp_path)
    cdk.aws_sqs.CfnQueue(cdk.Stack(app, "S"), "Queue")
    app.synth()
    policies = deploy_policies(open_assembly(tmp_path))
    sizes = [
        len(json.dumps(document, separators=(",", ":")))
        for policy in policies
        for document in policy.documents
    ]
    assert len(sizes) > 1
    assert max(sizes) <= 300
    assert by_action(statements_of(tmp_path), "sqs:UntagQueue")


def test_names_are_read_as_written(tmp_path: Path) -> None:
    app = new_app(tmp_path)
    stack = cdk.Stack(app, "A-stack-with-a-very-long-name")
    for number, name in enumerate(("/a/b", "c", cdk.Fn.join("-", ["d", cdk.Aws.STACK_NAME]))):
        cdk.aws_ssm.CfnParameter(stack, f"P{number}", name=name, type="String", value="1")
    cdk.aws_logs.CfnLogGroup(stack, "Logs", log_group_name="/emr/x")
    cdk.aws_iam.CfnRole(stack, "Role", assume_role_policy_document={})
    cdk.aws_iam.CfnRole(
        stack, "Deep", role_name="it", path="/teams/", assume_role_policy_document={}
    )
    app.synth()
    found = statements_of(tmp_path)
    assert resources(found, "ssm:PutParameter") == [
        f"arn:aws:ssm:*:*:parameter/{name}" for name in ("a/b", "c", "d-*")
    ]
    assert resources(found, "logs:CreateLogGroup") == ["arn:aws:logs:*:*:log-group:/emr/x*"]
    assert resources(found, "iam:CreateRole") == [
        "arn:aws:iam::*:role/A-stack-with-a-very-long*",
        "arn:aws:iam::*:role/teams/it",
    ]


def test_generated_names_without_the_stack_s_name_are_known(tmp_path: Path) -> None:
    # A first deployment was refused these two when the policy had the name of the stack.
    app = new_app(tmp_path)
    stack = cdk.Stack(app, "Platform")
    content = cdk.aws_lambda.CfnLayerVersion.ContentProperty(s3_bucket="b", s3_key="k")
    cdk.aws_lambda.CfnLayerVersion(stack, "KubectlLayer", content=content)
    cdk.aws_lambda.CfnFunction(
        stack, "Handler", role="role", code=cdk.aws_lambda.CfnFunction.CodeProperty()
    )
    cdk.aws_ssm.CfnParameter(
        stack, "A-barrier-with-a-name-beyond-measure", type="String", value="1"
    )
    app.synth()
    found = statements_of(tmp_path)
    for action in ("PublishLayerVersion", "GetLayerVersion"):
        for arn in resources(found, f"lambda:{action}"):
            assert arn.startswith("arn:aws:lambda:*:*:layer:KubectlLayer*")
    parameters = resources(found, "ssm:PutParameter")
    assert parameters == ["arn:aws:ssm:*:*:parameter/CFN-Abarrierwithanamebeyondm*"]


def test_eks_may_look_for_its_own_roles(tmp_path: Path) -> None:
    app = new_app(tmp_path)
    stack = cdk.Stack(app, "S")
    cdk.aws_eks.CfnNodegroup(stack, "Nodes", cluster_name="c", node_role="r", subnets=["s"])
    app.synth()
    found = resources(statements_of(tmp_path), "iam:GetRole")
    assert "arn:aws:iam::*:role/aws-service-role/eks*.amazonaws.com/*" in found


def test_only_service_linked_roles_of_the_app_may_be_created(tmp_path: Path) -> None:
    app = new_app(tmp_path)
    service = "spot.amazonaws.com"
    cdk.aws_iam.CfnServiceLinkedRole(cdk.Stack(app, "S"), "Spot", aws_service_name=service)
    app.synth()
    found = resources(statements_of(tmp_path), "iam:CreateServiceLinkedRole")
    assert found == [f"arn:aws:iam::*:role/aws-service-role/{service}/*"]


@pytest.mark.parametrize("listed", [True, False])
def test_a_stack_that_lists_its_zones_may_read_them(listed: bool, tmp_path: Path) -> None:
    app = new_app(tmp_path)
    zone = cdk.Fn.select(0, cdk.Fn.get_azs()) if listed else "eu-west-1a"
    cdk.aws_ec2.CfnSubnet(cdk.Stack(app, "S"), "Subnet", vpc_id="vpc-1", availability_zone=zone)
    app.synth()
    found = statements_of(tmp_path)
    for verb in ("DescribeAvailabilityZones", "DescribeAccountAttributes"):
        assert len(by_action(found, f"ec2:{verb}")) == listed, verb


def test_each_account_and_region_has_its_own_policy(tmp_path: Path) -> None:
    app = new_app(tmp_path)
    for region, partition in (("cn-north-1", "aws-cn"), ("us-gov-west-1", "aws-us-gov")):
        stage = cdk.Stage(
            app, partition, env=cdk.Environment(account="111122223333", region=region)
        )
        stack = cdk.Stack(stage, "S")
        cdk.aws_ec2.CfnInternetGateway(stack, "Gateway")
        cdk.aws_iam.CfnRole(stack, "Role", assume_role_policy_document={})
    app.synth()
    policies = deploy_policies(open_assembly(tmp_path))
    assert [str(policy.environment) for policy in policies] == [
        "aws://111122223333/cn-north-1",
        "aws://111122223333/us-gov-west-1",
    ]
    china: Any = policies[0].documents[0]["Statement"]
    assert resources(china, "iam:CreateRole") == ["arn:aws-cn:iam::111122223333:role/aws-cn-S*"]
    (gateways,) = by_action(china, "ec2:CreateInternetGateway")
    assert gateways["Condition"] == {"StringEquals": {"aws:RequestedRegion": "cn-north-1"}}
    assert "us-gov" not in json.dumps(china)
    assert [path.name for path in write_policies(policies, tmp_path)] == [
        "cloudformation-execution-policy-111122223333-cn-north-1.json",
        "cloudformation-execution-policy-111122223333-us-gov-west-1.json",
    ]
