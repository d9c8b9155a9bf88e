"""A hundred users, each of whom stays in one stack, within CloudFormation's limits."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest

from cdk_emr_eks.errors import ConfigError
from cdk_emr_eks.model.notebooks.notebook_user import NotebookUser
from cdk_emr_eks.model.notebooks.studio import StudioSpec
from cdk_emr_eks.platforms.notebook_platform import NotebookPlatform
from cdk_emr_eks.stacks.spread import MAX_ENDPOINTS, notebook_stacks
from tests.synth.deploy_policy.deploy_app import statements_of
from tests.synth.iam_decisions import Account, Request, allows
from tests.synth.platforms.notebook_app import endpoint, new_cluster, new_network, own, user

Templates = Mapping[str, Mapping[str, Any]]
# CloudFormation: 500 resources, 200 outputs, 1 MB.
# https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html
MOST_RESOURCES = 450
MOST_OUTPUTS = 200
MOST_BYTES = 900_000


def synth(
    users: Sequence[NotebookUser], *, folder: Path | None = None, **options: Any
) -> Templates:
    """Templates by stack: cluster and Studio in one, users and endpoints in others."""
    app = cdk.App(analytics_reporting=False, outdir=str(folder) if folder else None)
    base = cdk.Stack(app, "Base")
    platform = NotebookPlatform(
        base,
        "Notebooks",
        cluster=new_cluster(base),
        studio=StudioSpec(name="research", rules_per_security_group=200),
        network=new_network(base),
    )
    notebook_stacks(app, "Notebooks", platform=platform, users=users, **options)
    return {each.stack_name: json.loads(json.dumps(each.template)) for each in app.synth().stacks}


def everybody(count: int) -> list[NotebookUser]:
    """Return users with a separate endpoint, namespace and data each."""
    return [user(f"user{number:03}", own(f"user{number:03}")) for number in range(count)]


@cache
def hundred() -> Templates:
    return synth(everybody(100), endpoint_stacks=10, user_stacks=2)


def test_no_stack_of_a_hundred_users_nears_a_limit() -> None:
    for stack, template in hundred().items():
        assert len(template["Resources"]) <= MOST_RESOURCES, stack
        assert len(template["Outputs"]) <= MOST_OUTPUTS, stack
        assert len(json.dumps(template, indent=1)) <= MOST_BYTES, stack
    kinds = Counter(
        each["Type"] for template in hundred().values() for each in template["Resources"].values()
    )
    assert kinds["AWS::EMRContainers::Endpoint"] == 100
    assert kinds["AWS::EMRContainers::VirtualCluster"] == 100
    assert kinds["AWS::IAM::ManagedPolicy"] == 100


def test_a_user_costs_so_many_resources() -> None:
    def total(users: Sequence[NotebookUser]) -> Counter[str]:
        found = synth(users).values()
        return Counter(r["Type"] for each in found for r in each["Resources"].values())

    one = total([user("ann", endpoint())])
    # Who shares an endpoint has a policy, and nothing else.
    assert total([user("ann", endpoint()), user("bob", "team")]) - one == {
        "AWS::IAM::ManagedPolicy": 1
    }
    # An endpoint with separate data has a separate namespace.
    assert total([user("ann", endpoint()), user("bob", own("bob"))]) - one == {
        "AWS::IAM::ManagedPolicy": 1,
        "AWS::EMRContainers::Endpoint": 1,
        "AWS::EC2::SecurityGroupIngress": 1,
        "AWS::EC2::SecurityGroupEgress": 1,
        "AWS::EMRContainers::VirtualCluster": 1,
        "Custom::AWSCDK-EKS-KubernetesResource": 1,
        "AWS::Logs::LogGroup": 1,
        "AWS::IAM::Role": 1,
        "AWS::EKS::PodIdentityAssociation": 3,
    }


def test_each_of_a_hundred_users_opens_one_endpoint() -> None:
    account = Account(hundred())
    action = "emr-containers:GetManagedEndpointSessionCredentials"
    requests = {}
    for number in range(100):
        arn, role = account.endpoint(f"user{number:03}-endpoint")
        keys = {"emr-containers:ExecutionRoleArn": role}
        requests[number] = Request(action=action, resource=arn, keys=keys)
    for number in range(0, 100, 7):
        who = f"IAM user user{number:03}"
        assert [each for each, r in requests.items() if account.may(who, r)] == [number]


def test_users_stay_in_their_stack_when_others_are_added_and_removed() -> None:
    def places(templates: Templates) -> dict[str, str]:
        return {
            r["Properties"].get("Name", r["Properties"].get("Description", "")): f"{stack}/{id}"
            for stack, template in templates.items()
            for id, r in template["Resources"].items()
            if r["Type"] in ("AWS::EMRContainers::Endpoint", "AWS::IAM::ManagedPolicy")
        }

    before = places(synth(everybody(12), endpoint_stacks=4, user_stacks=2))
    users = everybody(14)[2:]
    after = places(synth(users, endpoint_stacks=4, user_stacks=2))
    kept = before.keys() & after.keys()
    assert len(kept) == 2 * 10
    assert {name: before[name] for name in kept} == {name: after[name] for name in kept}


def test_an_endpoint_that_users_of_two_stacks_share_is_created_once() -> None:
    users = [user(f"user{n}", endpoint() if n == 0 else "team") for n in range(8)]
    templates = synth(users, user_stacks=2)
    assert {"NotebooksEndpoints", "NotebooksUsers01", "NotebooksUsers02"} <= set(templates)
    account = Account(templates)
    arn, role = account.endpoint("team")
    keys = {"emr-containers:ExecutionRoleArn": role}
    action = "emr-containers:GetManagedEndpointSessionCredentials"
    request = Request(action=action, resource=arn, keys=keys)
    assert all(account.may(f"IAM user user{n}", request) for n in range(8))


def test_an_endpoint_in_use_by_another_stack_can_be_replaced() -> None:
    # CloudFormation refuses to change an export that is imported, and an endpoint that is replaced
    # has another ARN.
    def policies(release: str) -> str:
        templates = synth([user("ann", endpoint(release_label=release))])
        exported = [
            output["Value"]
            for output in templates["NotebooksEndpoints"]["Outputs"].values()
            if "Export" in output
        ]
        resources = templates["NotebooksEndpoints"]["Resources"]
        kinds = {resources[each.get("Ref") or each["Fn::GetAtt"][0]]["Type"] for each in exported}
        assert "AWS::EMRContainers::Endpoint" not in kinds
        return json.dumps(templates["NotebooksUsers"]["Resources"])

    # The users' stack changes with the endpoint, so that it is deployed and reads the new ARN.
    assert policies("emr-7.14.0-latest") != policies("emr-7.13.0-latest")
    assert policies("emr-7.14.0-latest") == policies("emr-7.14.0-latest")


def test_who_deploys_users_may_read_the_outputs_of_endpoints(tmp_path: Path) -> None:
    synth([user("ann", endpoint())], folder=tmp_path)
    statements = statements_of(tmp_path)
    base = "arn:aws:cloudformation:eu-west-1:111122223333:stack/"
    action = "cloudformation:DescribeStacks"
    for stack, allowed in (("NotebooksEndpoints", True), ("Base", True), ("Other", False)):
        request = Request(action=action, resource=f"{base}{stack}/1")
        assert allows(statements, request) is allowed, stack


def test_too_few_stacks_are_refused_before_anything_is_created() -> None:
    said = rf"endpoint_stacks must be large enough for at most {MAX_ENDPOINTS} .* try 3"
    with pytest.raises(ConfigError, match=said):
        synth(everybody(21))
    for wrong in (0, "2", True):
        with pytest.raises(ConfigError, match="user_stacks must be a whole number, at least 1"):
            synth(everybody(2), user_stacks=wrong)
    with pytest.raises(ConfigError, match="must be unique, and another"):
        synth([*everybody(2), *everybody(1)])
