"""Defects that comparable projects have, looked for in the templates of every app here."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, Final

import pytest

from cdk_emr_eks.assembly.text_view import TextView
from tests.conftest import APPS, Assemblies, Assembly
from tests.static.suppressions import FOREIGN

# Services that accept a role only from a principal of the account that may pass it to them.
OF_THE_ACCOUNT: Final = frozenset(
    {"ec2.amazonaws.com", "ec2.${AWS::URLSuffix}", "lambda.amazonaws.com"}
)


@pytest.fixture(params=list(APPS))
def app(request: pytest.FixtureRequest, assemblies: Assemblies) -> Assembly:
    return assemblies(request.param)


def text(value: object) -> str:
    """Write a value as text, with ${name} for what CloudFormation fills in."""
    return TextView({}).text(value)


def of_type(app: Assembly, kind: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Names and properties of all resources of a type in all stacks that are ours."""
    for stack, template in app.templates().items():
        for id, resource in template["Resources"].items():
            if stack not in FOREIGN and resource["Type"] == kind:
                yield f"{stack}.{id}", resource["Properties"]


def objects(app: Assembly) -> list[dict[str, Any]]:
    """All Kubernetes objects that the app applies."""
    stages = of_type(app, "Custom::AWSCDK-EKS-KubernetesResource")
    return [item for _, stage in stages for item in json.loads(text(stage["Manifest"]))]


def statements(document: dict[str, Any]) -> list[dict[str, Any]]:
    listed = document["Statement"]
    return listed if isinstance(listed, list) else [listed]


def test_only_cloudformation_and_administrators_can_use_the_cluster(app: Assembly) -> None:
    kinds = {item["kind"] for item in objects(app)}
    assert not kinds & {"ClusterRole", "ClusterRoleBinding"}
    assert "system:masters" not in json.dumps(app.templates())
    charts = {text(chart["Release"]) for _, chart in of_type(app, "Custom::AWSCDK-EKS-HelmChart")}
    assert charts <= {"karpenter", "karpenter-crd", "aws-load-balancer-controller"}


@pytest.mark.parametrize("name", ["reference", "minimal", "ara_post", "hundred_tenants"])
def test_no_template_for_any_region_names_a_partition(name: str, assemblies: Assemblies) -> None:
    assert "arn:aws:" not in json.dumps(assemblies(name).templates())


def test_no_image_is_built_and_nothing_is_copied_at_deployment(app: Assembly) -> None:
    for path in app.folder.glob("*.assets.json"):
        assert json.loads(path.read_text())["dockerImages"] == {}
    kinds = {
        each["Type"] for stack in app.templates().values() for each in stack["Resources"].values()
    }
    assert "Custom::CDKBucketDeployment" not in kinds


def test_pods_and_nodes_run_nothing_of_ours(app: Assembly) -> None:
    """Neither images in pod templates nor user data of nodes, which could fail or be forged."""
    templates = [path.read_text() for path in app.folder.glob("pod-templates/*/*.yaml")]
    assert templates
    assert not [each for each in templates if "image:" in each or "hostPath" in each]
    classes = [item for item in objects(app) if item["kind"] == "EC2NodeClass"]
    assert not [item for item in classes if "userData" in item["spec"]]


def test_services_may_use_a_role_for_this_account_only(app: Assembly) -> None:
    open_to = {
        text(statement["Principal"]["Service"])
        for _, role in of_type(app, "AWS::IAM::Role")
        if isinstance(role["AssumeRolePolicyDocument"], dict)
        for statement in statements(role["AssumeRolePolicyDocument"])
        if "Condition" not in statement
    }
    assert open_to <= OF_THE_ACCOUNT


def test_each_role_of_pods_is_used_by_the_accounts_of_its_trust(app: Assembly) -> None:
    allowed = {}
    for id, role in of_type(app, "AWS::IAM::Role"):
        (statement, *_) = statements(role["AssumeRolePolicyDocument"])
        if statement["Principal"].get("Service") == "pods.eks.amazonaws.com":
            tags = statement["Condition"]["StringEquals"]
            namespace = tags["aws:RequestTag/kubernetes-namespace"]
            accounts = tags["aws:RequestTag/kubernetes-service-account"]
            allowed[id] = {(namespace, text(account)) for account in accounts}
    used: dict[str, set[tuple[str, str]]] = {}
    for id, item in of_type(app, "AWS::EKS::PodIdentityAssociation"):
        name = f"{id.partition('.')[0]}.{item['RoleArn']['Fn::GetAtt'][0]}"
        used.setdefault(name, set()).add((text(item["Namespace"]), text(item["ServiceAccount"])))
    assert used
    assert all(pairs == allowed[name] for name, pairs in used.items())


def test_tenants_share_neither_namespace_nor_log_group(assemblies: Assemblies) -> None:
    """No role of one tenant may write, or be used, where another one's may."""
    namespaces: list[str] = []
    groups: list[str] = []
    for _, role in of_type(assemblies("hundred_tenants"), "AWS::IAM::Role"):
        (trust,) = statements(role["AssumeRolePolicyDocument"])
        if "RoleName" in role:
            tags = trust["Condition"]["StringEquals"]
            namespaces.append(tags["aws:RequestTag/kubernetes-namespace"])
            groups += [
                text(statement["Resource"])
                for statement in statements(role["Policies"][0]["PolicyDocument"])
                if "logs:PutLogEvents" in statement["Action"]
            ]
    assert len(namespaces) == len(set(namespaces)) == 100
    assert len(groups) == len(set(groups)) == 100
    assert all(group.endswith(":*") and group.count("*") == 1 for group in groups)
