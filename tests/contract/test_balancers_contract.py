"""The load balancer controller's rights and values are held against what its project publishes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, cast

from cdk_emr_eks.addons.load_balancer_controller import LoadBalancerController
from cdk_emr_eks.addons.load_balancer_controller.controller_policy import (
    OMITTED,
    OWNER,
    ControllerScope,
    controller_policies,
    published_actions,
)
from cdk_emr_eks.model.clusters.addon_mirror import (
    BALANCERS_IMAGE,
    PUBLIC_REGISTRY,
    AddonMirror,
)
from cdk_emr_eks.security.iam_statements import MAX_POLICY_CHARACTERS
from cdk_emr_eks.security.published_policies import (
    policy_size,
    published_documents,
    statements,
)
from cdk_emr_eks.versions import LOAD_BALANCER_CONTROLLER
from tests.contract.refresh_balancers import CHART_CONTEXT, leaves

DATA = Path(__file__).parent / "data"
CHART: Mapping[str, Any] = json.loads((DATA / "balancers_chart.json").read_text())
PUBLISHED: list[dict[str, Any]] = statements(
    published_documents("cdk_emr_eks.addons.load_balancer_controller", "iam_policy.json")[
        "controller"
    ]
)
CLUSTER = "data-platform"
SCOPE = ControllerScope(
    partition="aws",
    region="eu-west-1",
    account="111122223333",
    cluster_name=CLUSTER,
    vpc_arn="arn:aws:ec2:eu-west-1:*:vpc/vpc-1",
)
READS = ("Describe", "List", "Get")


def ours() -> list[Mapping[str, Any]]:
    documents = controller_policies(SCOPE).values()
    return [cast(Mapping[str, Any], s) for d in documents for s in cast(Any, d["Statement"])]


def actions(statements: list[Any]) -> set[str]:
    return {action for statement in statements for action in statement["Action"]}


def condition(statement: Mapping[str, Any]) -> dict[str, Any]:
    """The condition's keys with their values, whatever the operators."""
    groups = statement.get("Condition", {}).values()
    return {key: value for group in groups for key, value in group.items()}


def test_every_published_action_is_granted_or_omitted_for_a_reason() -> None:
    published = actions(PUBLISHED)
    assert published == set(published_actions())
    left_out = published - actions(ours())
    for action in left_out:
        assert any(fnmatchcase(action, pattern) for pattern in OMITTED), action
    for pattern, reason in OMITTED.items():
        assert reason
        assert any(fnmatchcase(action, pattern) for action in left_out), pattern
    assert actions(ours()) <= published


def test_what_changes_something_is_bound_to_the_cluster() -> None:
    # Named by service or by VPC, or the cluster's own nodes' group.
    named = {
        "AllowServiceLinkedRole": ("iam:AWSServiceName", "elasticloadbalancing.amazonaws.com"),
        "AllowRulesOfNodes": (f"aws:ResourceTag/kubernetes.io/cluster/{CLUSTER}", "owned"),
    }
    for statement in ours():
        verbs = [action.split(":")[1] for action in statement["Action"]]
        if all(verb.startswith(READS) for verb in verbs):
            continue
        found = condition(statement)
        if statement["Sid"] == "AllowNewGroupsInTheVpc":
            assert statement["Resource"] == SCOPE.vpc_arn
        elif statement["Sid"] in named:
            key, value = named[statement["Sid"]]
            assert found[key] == value
        else:
            tags = {found.get(f"aws:{kind}Tag/{OWNER}") for kind in ("Request", "Resource")}
            assert CLUSTER in tags, statement["Sid"]
        assert statement["Resource"] != "*", statement["Sid"]


def test_no_published_condition_is_given_up() -> None:
    """Where every published statement of an action asks for a tag, each of ours does."""
    for action in actions(ours()):
        granting = [s for s in PUBLISHED if action in s["Action"]]
        always = set.intersection(*(set(condition(s)) for s in granting))
        for statement in (s for s in ours() if action in s["Action"]):
            assert always <= set(condition(statement)), (action, statement["Sid"])


def test_the_cluster_tag_itself_is_never_changed() -> None:
    for statement in ours():
        if statement["Action"][-1].endswith(("DeleteTags", "RemoveTags")):
            assert statement["Condition"]["Null"] == {f"aws:RequestTag/{OWNER}": "true"}


def test_policies_stay_within_iams_limit_whatever_the_names() -> None:
    longest = ControllerScope(
        partition="aws-us-gov",
        region="us-isof-south-1",
        account="0" * 12,
        cluster_name="c" * 100,
        vpc_arn="arn:aws-us-gov:ec2:us-isof-south-1:*:vpc/vpc-0123456789abcdef0",
    )
    for name, document in controller_policies(longest).items():
        assert policy_size(document) <= MAX_POLICY_CHARACTERS, name


def test_data_is_of_the_pinned_chart() -> None:
    assert CHART["version"] == LOAD_BALANCER_CONTROLLER


def test_the_chart_reads_every_value() -> None:
    values = dict(leaves(LoadBalancerController().values(CHART_CONTEXT)))
    assert set(values) == set(CHART["effects"])
    still = {path for path, moved in CHART["effects"].items() if not moved}
    # It looks for the secret in the cluster, which a rendering has not.
    assert still == {"keepTLSSecret"}
    assert "keepTLSSecret" in CHART["defaults"]


def test_a_mirrored_image_is_the_one_that_the_chart_names() -> None:
    assert CHART["effects"]["image.repository"] == [
        "Deployment/aws-load-balancer-controller:spec.template.spec.containers.0.image"
    ]
    image = CHART["defaults"]["image"]
    assert image["repository"] == f"{PUBLIC_REGISTRY}/{BALANCERS_IMAGE}"
    commands = AddonMirror().fill_commands("mirror.example", region="eu-west-1")
    name = f"docker pull mirror.example/ecr-public/{BALANCERS_IMAGE}:{image['tag']}"
    assert name in commands


def test_feature_gates_are_the_controllers() -> None:
    config = cast(Any, LoadBalancerController().values(CHART_CONTEXT)["controllerConfig"])
    assert set(config["featureGates"]) <= set(CHART["features"])


def test_values_that_rely_on_the_charts_defaults() -> None:
    """What the library leaves alone and yet needs to be so."""
    defaults = CHART["defaults"]
    assert defaults["priorityClassName"] == "system-cluster-critical"
    assert defaults["clusterSecretsPermissions"] == {"allowAllSecrets": False}
    assert defaults["podMutatorWebhookConfig"]["failurePolicy"] == "Ignore"
    assert defaults["ingressClass"] == "alb"
    assert defaults["ingressClassConfig"] == {"default": False}
    assert defaults["enableServiceMutatorWebhook"] is True
