"""Platforms without NAT: all charts and images come from ECR repositories of the region."""

from __future__ import annotations

import json
import re
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk.assertions import Annotations, Match

from cdk_emr_eks import AddonMirror, AddonRegistry, ConfigError, EmrEksCluster, Platform
from cdk_emr_eks.clusters.addon_registry import mirror_host
from tests.synth.platforms.isolated_app import NETWORK, PREFIX, isolated
from tests.synth.platforms.platform_parts import of_type, resources
from tests.synth.synthesized import Synthesized

CHART = "Custom::AWSCDK-EKS-HelmChart"
FUNCTION = "AWS::Lambda::Function"


@pytest.fixture(scope="module")
def app() -> Synthesized:
    return isolated()


def flat(value: Any) -> str:
    """Write a joined text with its references as in Fn::Sub."""
    if isinstance(value, str):
        return value
    if "Ref" in value:
        return f"${{{value['Ref']}}}"
    if "Fn::GetAtt" in value:
        return "${" + ".".join(value["Fn::GetAtt"]) + "}"
    parts: list[Any] = value["Fn::Join"][1]
    return "".join(map(flat, parts))


def charts(app: Synthesized) -> dict[str, dict[str, Any]]:
    found = app.of_type("Platform", CHART).values()
    return {each["Properties"]["Release"]: each["Properties"] for each in found}


def values(app: Synthesized, release: str) -> dict[str, Any]:
    read: dict[str, Any] = json.loads(flat(charts(app)[release]["Values"]))
    return read


def host(account: str = "${AWS::AccountId}") -> str:
    return f"{account}.dkr.ecr.${{AWS::Region}}.${{AWS::URLSuffix}}"


def test_charts_come_from_the_mirror(app: Synthesized) -> None:
    found = {name: flat(each["Repository"]) for name, each in charts(app).items()}
    assert found == {
        "karpenter-crd": f"oci://{host()}/{PREFIX}/karpenter/karpenter-crd",
        "karpenter": f"oci://{host()}/{PREFIX}/karpenter/karpenter",
        "aws-load-balancer-controller": (
            f"oci://{host()}/{PREFIX}-charts/aws-load-balancer-controller"
        ),
    }


def test_images_come_from_the_mirror_at_the_version_that_the_chart_names(app: Synthesized) -> None:
    karpenter = values(app, "karpenter")["controller"]["image"]
    assert karpenter == {"repository": f"{host()}/{PREFIX}/karpenter/controller"}
    balancers = values(app, "aws-load-balancer-controller")["image"]
    assert balancers == {"repository": f"{host()}/{PREFIX}/eks/aws-load-balancer-controller"}


def test_nothing_of_the_platform_is_pulled_from_the_internet(app: Synthesized) -> None:
    text = json.dumps(app.templates["Platform"])
    assert "public.ecr.aws" not in text
    assert "github.io" not in text


def test_the_handler_pulls_from_the_subnets_that_have_the_endpoints(app: Synthesized) -> None:
    (handler,) = (
        each["Properties"]
        for name, each in app.of_type("Platform", FUNCTION).items()
        if "KubectlProviderHandler" in name
    )
    endpoints = app.of_type("Platform", "AWS::EC2::VPCEndpoint").values()
    reached = {flat(each["Properties"]["ServiceName"]) for each in endpoints}
    for service in ("ecr.api", "ecr.dkr", "s3"):
        assert any(name.endswith(f".{service}") for name in reached)
    interface = next(each for each in endpoints if "SubnetIds" in each["Properties"])
    assert handler["VpcConfig"]["SubnetIds"] == interface["Properties"]["SubnetIds"]


def test_no_role_of_the_platform_may_import_or_make_repositories(app: Synthesized) -> None:
    text = json.dumps(app.templates["Platform"])
    assert "BatchImportUpstreamImage" not in text
    assert "ecr:CreateRepository" not in text


def test_the_registry_is_a_cache_and_the_chart_that_is_in_no_registry(app: Synthesized) -> None:
    rule = app.properties("Registry", "AWS::ECR::PullThroughCacheRule")
    assert rule == {"EcrRepositoryPrefix": PREFIX, "UpstreamRegistryUrl": "public.ecr.aws"}
    chart = app.properties("Registry", "AWS::ECR::Repository")
    assert chart["RepositoryName"] == f"{PREFIX}-charts/aws-load-balancer-controller"
    assert (chart["ImageTagMutability"], chart["EmptyOnDelete"]) == ("IMMUTABLE", True)


def test_the_commands_fill_what_the_platform_pulls(app: Synthesized) -> None:
    (output,) = app.templates["Registry"]["Outputs"].values()
    commands = flat(output["Value"])
    for each in charts(app).values():
        uri, version = flat(each["Repository"]), each["Version"]
        folder, _, name = uri.rpartition("/")
        pulled = f"helm pull {uri} --version {version}\n" in commands
        pushed = f"helm push {name}-{version}.tgz {folder}" in commands
        assert pulled or pushed, uri
    for image in (
        values(app, "karpenter")["controller"]["image"],
        values(app, "aws-load-balancer-controller")["image"],
    ):
        assert re.search(rf"docker pull {re.escape(image['repository'])}:v?\d", commands)
    # CloudFormation's limit, with the longest account, region and suffix in place of tokens.
    assert len(commands) < 4096


def test_without_a_mirror_it_is_said_and_with_one_it_is_not(app: Synthesized) -> None:
    stack = cdk.Stack(cdk.App(), "Private")
    EmrEksCluster(stack, "Cluster", platform=Platform(network=NETWORK))
    said = Match.string_like_regexp("ClusterSpec.mirror=AddonMirror")
    Annotations.from_stack(stack).has_warning("*", said)
    platform = app.app.node.find_child("Platform")
    assert isinstance(platform, cdk.Stack)
    Annotations.from_stack(platform).has_no_warning("*", said)
    left = Annotations.from_stack(platform).find_warning("*", Match.any_value())
    kinds = ("interface-endpoint-cost", "no-admins")
    assert all(any(kind in str(each.entry.data) for kind in kinds) for each in left)
    published = [flat(each["Repository"]) for each in of_type(resources(stack), CHART).values()]
    assert all(each.startswith("oci://public.ecr.aws/karpenter/") for each in published)


def test_a_mirror_of_another_account_is_named_with_it() -> None:
    stack = cdk.Stack(cdk.App(), "Stack")
    found = mirror_host(AddonMirror(account="999988887777"))
    assert flat(stack.resolve(found)) == host("999988887777")
    with pytest.raises(ConfigError, match=r"mirror\.account must be of the stack's own account"):
        AddonRegistry(stack, "Registry", mirror=AddonMirror(account="999988887777"))


@pytest.mark.parametrize("region", ["cn-north-1", "us-gov-west-1"])
def test_where_ecr_has_no_cache_no_registry_is_created(region: str) -> None:
    stack = cdk.Stack(cdk.App(), "Stack", env=cdk.Environment(region=region))
    with pytest.raises(ConfigError, match="AddonRegistry: region must be a region where ECR has"):
        AddonRegistry(stack, "Registry")
