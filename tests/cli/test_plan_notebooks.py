"""``emr-eks plan`` on notebooks: studios, endpoints, and who may open which by the policies."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest
from click.testing import CliRunner

from cdk_emr_eks.cli import main
from cdk_emr_eks.plan import EndpointPlan, Plan, StudioPlan
from tests.cli import assemblies
from tests.cli.assemblies import resource

OPEN = "emr-containers:GetManagedEndpointSessionCredentials"


def endpoint(name: str, kind: str = "JUPYTER_ENTERPRISE_GATEWAY") -> Mapping[str, object]:
    return resource(
        "AWS::EMRContainers::Endpoint",
        Name=name,
        Type=kind,
        ReleaseLabel="emr-7.14.0-latest",
        VirtualClusterId={"Fn::ImportValue": "Platform:VcId"},
        ExecutionRoleArn={"Fn::ImportValue": "Platform:RoleArn"},
    )


def allow(*endpoints: str, action: object = OPEN, effect: str = "Allow") -> dict[str, object]:
    arns = [{"Fn::Join": ["", [{"Fn::GetAtt": [each, "Arn"]}, "/x"]]} for each in endpoints]
    return {"Statement": [{"Effect": effect, "Action": action, "Resource": arns}]}


def template() -> Mapping[str, object]:
    return {
        "Resources": {
            "Studio": resource("AWS::EMR::Studio", Name="lab", AuthMode="SSO"),
            "Saml": resource(
                "AWS::EMR::Studio", Name="corp", AuthMode="IAM", IdpAuthUrl="https://idp"
            ),
            "Plain": resource("AWS::EMR::Studio", Name="plain", AuthMode="IAM"),
            "Jupyter": endpoint("jupyter"),
            "Other": endpoint("other"),
            "Connect": endpoint("connect", "SPARK_CONNECT"),
            "Session": resource("AWS::IAM::ManagedPolicy", PolicyDocument=allow("Jupyter")),
            "AnnsSession": resource(
                "AWS::EMR::StudioSessionMapping",
                StudioId={"Ref": "Studio"},
                IdentityName="ann",
                IdentityType="USER",
                SessionPolicyArn={"Ref": "Session"},
            ),
            "Attached": resource(
                "AWS::IAM::ManagedPolicy",
                PolicyDocument=allow(
                    "Jupyter", "Other", action=["s3:GetObject", "emr-containers:Get*"]
                ),
                Users=["bob"],
                Groups=["analysts"],
            ),
            "Role": resource(
                "AWS::IAM::Role",
                RoleName="eve",
                Policies=[{"PolicyName": "p", "PolicyDocument": allow("Other")}],
                ManagedPolicyArns=[{"Ref": "Session"}],
            ),
            "Denied": resource(
                "AWS::IAM::ManagedPolicy",
                PolicyDocument=allow("Connect", effect="Deny"),
                Users=["mallory"],
            ),
            "Describes": resource(
                "AWS::IAM::ManagedPolicy",
                PolicyDocument=allow("Connect", action="emr-containers:DescribeManagedEndpoint"),
                Users=["oscar"],
            ),
        }
    }


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    exports = {
        "Vc": {"Value": {"Ref": "analyticsVc"}, "Export": {"Name": "Platform:VcId"}},
        "Role": {
            "Value": {"Fn::GetAtt": ["analyticsRole", "Arn"]},
            "Export": {"Name": "Platform:RoleArn"},
        },
    }
    platform = dict(assemblies.platform())
    stacks = {"Platform": {**platform, "Outputs": exports}, "Notebooks": template()}
    return assemblies.write(tmp_path_factory.mktemp("notebooks"), stacks)


@pytest.fixture(scope="module")
def plan(folder: Path) -> Plan:
    return assemblies.plan_of(folder)


def test_studios_say_how_people_sign_in(plan: Plan) -> None:
    assert plan.studios == tuple(
        StudioPlan(stack="Notebooks", name=name, sign_in=sign_in, members=members)
        for name, sign_in, members in (
            ("lab", "IAM Identity Center", ("user ann",)),
            ("corp", "SAML", ()),
            ("plain", "IAM", ()),
        )
    )


def test_endpoints_are_followed_into_the_stack_of_their_virtual_cluster(plan: Plan) -> None:
    assert plan.endpoints[2] == EndpointPlan(
        stack="Notebooks",
        cluster="Platform/Cluster1234",
        name="connect",
        type="Spark Connect",
        release="emr-7.14.0-latest",
        virtual_cluster="analytics-vc",
        role="emr-analytics",
        opened_by=(),
    )


def test_who_may_open_an_endpoint_is_read_from_the_policies(plan: Plan) -> None:
    opened = {item.name: item.opened_by for item in plan.endpoints}
    assert opened == {
        "jupyter": ("group analysts", "role eve", "user ann", "user bob"),
        "other": ("group analysts", "role eve", "user bob"),
        # A denial opens nothing, and neither does a look at it.
        "connect": (),
    }


def test_both_are_printed(folder: Path) -> None:
    lines = CliRunner().invoke(main, ["plan", str(folder)]).output.splitlines()
    rows = [" ".join(line.split()) for line in lines]
    assert "lab IAM Identity Center user ann" in rows
    assert "plain IAM by IAM policy" in rows
    assert "connect Spark Connect analytics-vc emr-analytics no principal of this app" in rows
