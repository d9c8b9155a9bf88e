"""The deploy policy of an app: rights narrowed to its names, in files that IAM takes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import cast

import aws_cdk as cdk
import pytest

from cdk_emr_eks.deploy_policy import MAX_POLICY_CHARACTERS, deploy_policies, write_deploy_policy
from cdk_emr_eks.deploy_policy.right import right
from cdk_emr_eks.errors import ConfigError
from tests.synth.tenants.tenancy_app import CLUSTER, new_app, synthesized

Statement = dict[str, object]


@pytest.fixture(scope="module")
def statements() -> list[Statement]:
    documents = deploy_policies(synthesized().outdir, extra={"AWS::IAM::User": (USER,)})
    return [item for document in documents for item in cast(list[Statement], document["Statement"])]


USER = right("iam", "CreateUser DeleteUser GetUser", "arn:{partition}:iam::{account}:user/{name}")


def by_action(statements: list[Statement], action: str) -> list[Statement]:
    return [item for item in statements if action in cast(list[str], item["Action"])]


def test_names_of_the_app_are_all_it_may_touch(statements: list[Statement]) -> None:
    (cluster,) = by_action(statements, "eks:CreateCluster")
    assert cluster["Resource"] == [f"arn:aws:eks:*:*:cluster/{CLUSTER}"]
    for action in ("eks:CreateAccessEntry", "eks:UpdateAccessEntry", "eks:CreateNodegroup"):
        for item in by_action(statements, action):
            arns = cast(list[str], item["Resource"])
            assert all(arn.split(":", 5)[5].split("/")[1] == CLUSTER for arn in arns)
    (roles,) = by_action(statements, "iam:CreateRole")
    for arn in cast(list[str], roles["Resource"]):
        assert arn.split(":role/")[1][:3] in {"emr", "Pla", "Opt"}, arn
    (groups,) = by_action(statements, "logs:CreateLogGroup")
    own = (f"/emr-on-eks/{CLUSTER}/", "/aws/lambda/Platform*", "/aws/lambda/Options*")
    assert all(
        arn.split(":log-group:")[1].startswith(own) for arn in cast(list[str], groups["Resource"])
    )


def test_roles_go_only_to_the_services_that_get_one(statements: list[Statement]) -> None:
    (passed,) = by_action(statements, "iam:PassRole")
    assert passed["Condition"] == {
        "StringEquals": {
            "iam:PassedToService": [
                "eks.amazonaws.com",
                "lambda.amazonaws.com",
                "pods.eks.amazonaws.com",
            ]
        }
    }
    assert "*" not in cast(list[str], passed["Resource"])


def test_only_the_app_s_policies_may_be_attached(statements: list[Statement]) -> None:
    (attach,) = by_action(statements, "iam:AttachRolePolicy")
    arns = cast(dict[str, dict[str, list[str]]], attach["Condition"])["ArnLike"]["iam:PolicyARN"]
    assert "arn:aws:iam::aws:policy/AmazonEKSClusterPolicy" in arns
    assert "arn:aws:iam::111122223333:policy/more" in arns
    assert not any("AdministratorAccess" in arn or arn.endswith("policy/*") for arn in arns)


def test_emr_may_make_its_own_access_entry(statements: list[Statement]) -> None:
    (associate,) = (
        item
        for item in by_action(statements, "eks:AssociateAccessPolicy")
        if "AWSServiceRoleForAmazonEMRContainers" in json.dumps(item)
    )
    assert associate["Condition"] == {"StringEquals": {"eks:accessScope": "namespace"}}
    for arn in cast(list[str], associate["Resource"]):
        assert f"access-entry/{CLUSTER}/role/" in arn
        assert arn.endswith("/AWSServiceRoleForAmazonEMRContainers/*")
    linked = by_action(statements, "iam:CreateServiceLinkedRole")
    services = {
        cast(dict[str, dict[str, str]], item["Condition"])["StringEquals"]["iam:AWSServiceName"]
        for item in linked
    }
    assert services == {"eks.amazonaws.com", "emr-containers.amazonaws.com"}


def test_custom_resources_may_invoke_functions_of_the_app(statements: list[Statement]) -> None:
    (invoke,) = by_action(statements, "lambda:InvokeFunction")
    assert set(cast(list[str], invoke["Resource"])) == {
        "arn:aws:lambda:*:*:function:Platform*",
        "arn:aws:lambda:*:*:function:Options*",
        "arn:aws:lambda:eu-west-1:111122223333:function:kubectl",
    }


def test_what_the_app_does_not_have_is_not_in_it(statements: list[Statement]) -> None:
    text = json.dumps(statements)
    for absent in ("sqs:", "events:", "eks:CreateNodegroup", "ec2:CreateVpnGateway", '"*:*"'):
        assert absent not in text


def test_only_what_has_no_name_is_for_everything(statements: list[Statement]) -> None:
    wide = {
        action.split(":")[0]
        for item in statements
        if item["Resource"] == ["*"]
        for action in cast(list[str], item["Action"])
    }
    assert wide <= {"ec2", "emr-containers", "kms", "logs"}


def test_an_unknown_type_is_an_error() -> None:
    with pytest.raises(ConfigError) as refused:
        deploy_policies(synthesized().outdir)
    assert str(refused.value).endswith(
        ": type must have rights, got 'AWS::IAM::User'; give them in extra."
    )


def test_files_fit_a_managed_policy_and_old_ones_go(tmp_path: Path) -> None:
    app = cdk.App(analytics_reporting=False, outdir=str(tmp_path))
    for number in range(30):
        stack = cdk.Stack(app, f"Stack{number}")
        cdk.aws_sqs.CfnQueue(stack, "Queue", queue_name=f"{number}-a-name-of-its-own")
        cdk.aws_iam.CfnOIDCProvider(stack, "Oidc", url="https://example.com")
    app.synth()
    stale = tmp_path / "cloudformation-execution-policy-7.json"
    stale.write_text("{}")
    (path,) = write_deploy_policy(tmp_path)
    assert path.name == "cloudformation-execution-policy.json"
    assert not stale.exists()
    document = json.loads(path.read_text())
    assert len(json.dumps(document, separators=(",", ":"))) <= MAX_POLICY_CHARACTERS
    (queues,) = by_action(document["Statement"], "sqs:CreateQueue")
    # Many names become what they begin with.
    assert len(queues["Resource"]) == 1  # type: ignore[arg-type]


def test_large_policies_are_split(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("cdk_emr_eks.deploy_policy.policy.MAX_POLICY_CHARACTERS", 600)
    app = cdk.App(analytics_reporting=False, outdir=str(tmp_path))
    stack = cdk.Stack(app, "S")
    cdk.aws_sqs.CfnQueue(stack, "Queue")
    cdk.aws_kms.CfnKey(stack, "Key", key_policy={})
    app.synth()
    paths = write_deploy_policy(tmp_path)
    assert [path.name for path in paths] == [
        f"cloudformation-execution-policy-{number}.json" for number in (1, 2)
    ]


def test_names_are_read_as_written(tmp_path: Path) -> None:
    app = cdk.App(analytics_reporting=False, outdir=str(tmp_path))
    stack = cdk.Stack(app, "A-stack-with-a-very-long-name")
    for number, name in enumerate(("/a/b", "c", cdk.Fn.join("-", ["d", cdk.Aws.STACK_NAME]))):
        cdk.aws_ssm.CfnParameter(stack, f"P{number}", name=name, type="String", value="1")
    cdk.aws_logs.CfnLogGroup(stack, "Logs", log_group_name="/emr/x")
    cdk.aws_iam.CfnRole(stack, "Role", assume_role_policy_document={})
    app.synth()
    (document,) = deploy_policies(tmp_path)
    found = cast(list[Statement], document["Statement"])
    (parameters,) = by_action(found, "ssm:PutParameter")
    assert parameters["Resource"] == [
        f"arn:aws:ssm:*:*:parameter/{name}" for name in ("a/b", "c", "d-*")
    ]
    (groups,) = by_action(found, "logs:CreateLogGroup")
    assert groups["Resource"] == ["arn:aws:logs:*:*:log-group:/emr/x*"]
    (roles,) = by_action(found, "iam:CreateRole")
    assert roles["Resource"] == ["arn:aws:iam::*:role/A-stack-with-a-very-long*"]


def test_names_that_hold_no_stack_name_are_foreseen(tmp_path: Path) -> None:
    # With the stack's name in the policy, a first deployment was refused these two.
    app = cdk.App(analytics_reporting=False, outdir=str(tmp_path))
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
    (document,) = deploy_policies(tmp_path)
    found = cast(list[Statement], document["Statement"])
    for action in ("PublishLayerVersion", "GetLayerVersion"):
        for item in by_action(found, f"lambda:{action}"):
            for arn in cast(list[str], item["Resource"]):
                assert arn.startswith("arn:aws:lambda:*:*:layer:KubectlLayer*")
    (parameters,) = by_action(found, "ssm:PutParameter")
    assert parameters["Resource"] == ["arn:aws:ssm:*:*:parameter/CFN-Abarrierwithanamebeyondm*"]


def test_eks_may_look_for_its_own_roles(tmp_path: Path) -> None:
    app = cdk.App(analytics_reporting=False, outdir=str(tmp_path))
    stack = cdk.Stack(app, "S")
    cdk.aws_eks.CfnNodegroup(stack, "Nodes", cluster_name="c", node_role="r", subnets=["s"])
    app.synth()
    (document,) = deploy_policies(tmp_path)
    looks = by_action(cast(list[Statement], document["Statement"]), "iam:GetRole")
    found = {arn for item in looks for arn in cast(list[str], item["Resource"])}
    assert "arn:aws:iam::*:role/aws-service-role/eks*.amazonaws.com/*" in found


def test_service_linked_roles_of_the_app_may_be_made_and_no_others(tmp_path: Path) -> None:
    app = cdk.App(analytics_reporting=False, outdir=str(tmp_path))
    service = "spot.amazonaws.com"
    cdk.aws_iam.CfnServiceLinkedRole(cdk.Stack(app, "S"), "Spot", aws_service_name=service)
    app.synth()
    (document,) = deploy_policies(tmp_path)
    (make,) = by_action(cast(list[Statement], document["Statement"]), "iam:CreateServiceLinkedRole")
    assert make["Resource"] == [f"arn:aws:iam::*:role/aws-service-role/{service}/*"]


@pytest.mark.parametrize("listed", [True, False])
def test_a_stack_that_lists_its_zones_may_read_them(listed: bool, tmp_path: Path) -> None:
    app = cdk.App(analytics_reporting=False, outdir=str(tmp_path))
    zone = cdk.Fn.select(0, cdk.Fn.get_azs()) if listed else "eu-west-1a"
    cdk.aws_ec2.CfnSubnet(cdk.Stack(app, "S"), "Subnet", vpc_id="vpc-1", availability_zone=zone)
    app.synth()
    (document,) = deploy_policies(tmp_path)
    found = cast(list[Statement], document["Statement"])
    for verb in ("DescribeAvailabilityZones", "DescribeAccountAttributes"):
        assert len(by_action(found, f"ec2:{verb}")) == listed, verb


def test_regions_and_stages_are_read() -> None:
    app = new_app()
    for region, partition in (("cn-north-1", "aws-cn"), ("us-gov-west-1", "aws-us-gov")):
        stage = cdk.Stage(
            app, partition, env=cdk.Environment(account="111122223333", region=region)
        )
        stack = cdk.Stack(stage, "S")
        cdk.aws_ec2.CfnInternetGateway(stack, "Gateway")
        cdk.aws_iam.CfnRole(stack, "Role", assume_role_policy_document={})
    (document,) = deploy_policies(Path(app.synth().directory))
    found = cast(list[Statement], document["Statement"])
    (roles,) = by_action(found, "iam:CreateRole")
    assert roles["Resource"] == [
        "arn:aws-cn:iam::111122223333:role/aws-cn-S*",
        "arn:aws-us-gov:iam::111122223333:role/aws-us-gov-S*",
    ]
    gateways = by_action(found, "ec2:CreateInternetGateway")
    regions = [cast(dict[str, dict[str, str]], item["Condition"]) for item in gateways]
    assert regions == [
        {"StringEquals": {"aws:RequestedRegion": "cn-north-1"}},
        {"StringEquals": {"aws:RequestedRegion": "us-gov-west-1"}},
    ]
