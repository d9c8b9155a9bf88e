"""Karpenter's rights, events and values are held against what its project publishes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from cdk_emr_eks.addons.karpenter import FeatureGates, Karpenter
from cdk_emr_eks.addons.karpenter.construct import NODE_POLICIES, SESSION_MANAGER_POLICY
from cdk_emr_eks.addons.karpenter.controller_policy import PolicyScope, controller_policies
from cdk_emr_eks.addons.karpenter.interruption import EVENTS
from cdk_emr_eks.addons.karpenter.options import KarpenterChartContext
from cdk_emr_eks.model.clusters.addon_mirror import KARPENTER_IMAGE, PUBLIC_REGISTRY
from cdk_emr_eks.security.published_policies import published_documents
from tests.contract.chart_values import environment_of, leaves, places_of, unread_values
from tests.contract.refresh import policy_data

_TEMPLATE = Path(__file__).parent / "data/karpenter_cloudformation.json"
_CHART: Mapping[str, Any] = json.loads((_TEMPLATE.parent / "karpenter_chart.json").read_text())
_RESOURCES: Mapping[str, Any] = json.loads(_TEMPLATE.read_text())["resources"]

# Upstream's own placeholders: the texts can then be compared as they are.
_SCOPE = PolicyScope(
    partition="${AWS::Partition}",
    region="${AWS::Region}",
    account="${AWS::AccountId}",
    cluster_name="${ClusterName}",
    node_role_arn="${KarpenterNodeRole.Arn}",
    queue_arn="${KarpenterInterruptionQueue.Arn}",
)
_CHART_CONTEXT = KarpenterChartContext(
    cluster_name="data-platform",
    cluster_endpoint="https://api",
    queue_name="queue",
    region="eu-west-1",
    node_selector={"emr-eks/system": "true"},
    tolerations=({"key": "emr-eks/system", "operator": "Exists"},),
    custom_networking=True,
    image="mirror.example/karpenter/controller",
)


def _of_type(kind: str) -> dict[str, Any]:
    return {n: each["Properties"] for n, each in _RESOURCES.items() if each["Type"] == kind}


def _normal(value: object) -> object:
    """Lists of strings are sets to IAM, and one string is a list of one."""
    if isinstance(value, Mapping):
        return {key: _normal(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        items = [_normal(item) for item in value]
        texts = sorted(item for item in items if isinstance(item, str))
        if len(texts) < len(items):
            return items
        return texts[0] if len(texts) == 1 else texts
    return value


def _statements(document: Mapping[str, Any]) -> dict[str, Any]:
    return {each["Sid"]: _normal(each) for each in document["Statement"]}


def _published() -> list[dict[str, Any]]:
    policies = _of_type("AWS::IAM::ManagedPolicy").values()
    return [_statements(json.loads(each["PolicyDocument"]["Fn::Sub"])) for each in policies]


def test_the_data_of_the_library_is_the_published_template() -> None:
    """After an update of the contract data: `make refresh-karpenter`, then read the diff."""
    data = published_documents("cdk_emr_eks.addons.karpenter", "controller_policies.json")
    assert data == policy_data(_RESOURCES)


def test_controller_policies_are_upstreams_statement_for_statement() -> None:
    ours = controller_policies(_SCOPE, zonal_shift=True).values()
    published = _published()
    assert len(published) == 6
    key = min
    assert sorted(map(_statements, ours), key=key) == sorted(published, key=key)


def test_without_zonal_shift_exactly_its_statement_is_missing() -> None:
    ours = controller_policies(_SCOPE, zonal_shift=False).values()
    names = {sid for document in ours for sid in _statements(document)}
    published = {sid for document in _published() for sid in document}
    assert published - names == {"AllowZonalShiftStatusReadOnly"}
    assert names <= published


def test_the_five_events_are_upstreams() -> None:
    published = {
        (tuple(each["EventPattern"]["source"]), tuple(each["EventPattern"]["detail-type"]))
        for each in _of_type("AWS::Events::Rule").values()
    }
    assert {((source,), (detail,)) for _, source, detail in EVENTS} == published
    assert len(EVENTS) == len(published) == 5


def test_the_queue_policy_is_upstreams_but_for_two_narrowings() -> None:
    (queue,) = _of_type("AWS::SQS::Queue").values()
    assert (queue["MessageRetentionPeriod"], queue["SqsManagedSseEnabled"]) == (300, True)
    (policy,) = _of_type("AWS::SQS::QueuePolicy").values()
    allow, deny = policy["PolicyDocument"]["Statement"]
    # Should upstream add a sender or an action, what we left out must be thought over.
    assert allow["Principal"]["Service"] == ["events.amazonaws.com", "sqs.amazonaws.com"]
    assert allow["Action"] == "sqs:SendMessage"
    assert "Condition" not in allow
    assert deny["Condition"] == {"Bool": {"aws:SecureTransport": False}}


def test_a_mirrored_image_is_the_one_that_the_chart_names_by_digest() -> None:
    unmirrored = dict(leaves(Karpenter().values(replace(_CHART_CONTEXT, image=None))))
    mirrored = dict(leaves(Karpenter().values(_CHART_CONTEXT)))
    assert set(mirrored) - set(unmirrored) == {"controller.image.repository"}
    image = _CHART["defaults"]["controller"]["image"]
    assert image["repository"] == f"{PUBLIC_REGISTRY}/{KARPENTER_IMAGE}"
    assert image["digest"].startswith("sha256:")


def test_node_role_lacks_of_upstreams_policies_only_what_is_said() -> None:
    (role,) = (r for n, r in _of_type("AWS::IAM::Role").items() if "Node" in n)
    published = {each["Fn::Sub"].rpartition("/")[2] for each in role["ManagedPolicyArns"]}
    ours = {*NODE_POLICIES, SESSION_MANAGER_POLICY}
    assert ours <= published
    assert published - ours == {"AmazonEKS_CNI_Policy"}


def test_the_chart_reads_every_value_as_it_is_meant() -> None:
    values = Karpenter(zonal_shift=True, isolated_vpc=True).values(_CHART_CONTEXT)
    assert unread_values(values) == []
    for path, _ in leaves(values):
        # Free maps such as controller.resources were tried as a whole.
        known = path.startswith("controller.resources.")
        assert places_of("controller.resources" if known else path), f"{path} moves nothing"


@pytest.mark.parametrize(
    ("value", "variable"),
    [
        ("settings.clusterName", "CLUSTER_NAME"),
        ("settings.clusterEndpoint", "CLUSTER_ENDPOINT"),
        ("settings.interruptionQueue", "INTERRUPTION_QUEUE"),
        ("settings.eksControlPlane", "EKS_CONTROL_PLANE"),
        ("settings.reservedENIs", "RESERVED_ENIS"),
        ("settings.batchIdleDuration", "BATCH_IDLE_DURATION"),
        ("settings.batchMaxDuration", "BATCH_MAX_DURATION"),
        ("settings.enableZonalShift", "ENABLE_ZONAL_SHIFT"),
        ("settings.isolatedVPC", "ISOLATED_VPC"),
        ("logLevel", "LOG_LEVEL"),
    ],
)
def test_values_set_the_variable_that_the_controller_reads(value: str, variable: str) -> None:
    assert value in dict(leaves(Karpenter().values(_CHART_CONTEXT)))
    assert environment_of(value) == variable


def test_feature_gates_are_the_charts_with_its_defaults() -> None:
    chart = json.loads((_TEMPLATE.parent / "karpenter_chart.json").read_text())
    assert FeatureGates().values() == chart["defaults"]["settings"]["featureGates"]
