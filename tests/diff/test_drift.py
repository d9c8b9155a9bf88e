"""Which nodes drift, and how fast Karpenter replaces them, by its documentation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from cdk_emr_eks.assembly.objects import ClusterObject
from cdk_emr_eks.diff.drift import class_drift, paces, pool_drift

EVICTED = "a node with do-not-disrupt pods, such as drivers, stays until they end"
SLOW = f"Karpenter replaces at most 10% of a pool at a time; {EVICTED}; other pods are evicted"
ZONE = {"key": "topology.kubernetes.io/zone", "operator": "In", "values": ["a", "b"]}


def pool(
    template: Mapping[str, object] | None = None,
    requirements: tuple[Mapping[str, object], ...] = (ZONE,),
    labels: Mapping[str, str] | None = None,
    **spec: object,
) -> dict[str, Any]:
    inside = {"requirements": [*requirements], "nodeClassRef": {"name": "c"}, **(template or {})}
    outside = {"metadata": {"labels": labels or {}}, "spec": inside}
    return {"kind": "NodePool", "metadata": {"name": "p"}, "spec": {"template": outside, **spec}}


def budgets(*found: Mapping[str, object]) -> dict[str, object]:
    return {"disruption": {"budgets": [*found]}}


@pytest.mark.parametrize(
    "new",
    [
        pool(weight=50),
        pool(limits={"cpu": "1"}),
        pool(disruption={"consolidateAfter": "1h"}),
        pool(requirements=({**ZONE, "values": ["b", "a", "c"]},)),
        pool(requirements=({**ZONE, "minValues": 2},)),
        pool(requirements=()),
        pool({"expireAfter": "1h"}, limits={"nodes": 0}),
    ],
    ids=["weight", "limits", "disruption", "wider", "minValues", "fewer", "no node"],
)
def test_what_drifts_no_node(new: Mapping[str, object]) -> None:
    assert list(pool_drift(pool(), new)) == []


def test_the_order_of_taints_drifts_no_node() -> None:
    taints = [{"key": "a"}, {"key": "b"}]
    old, new = pool({"taints": taints}), pool({"taints": taints[::-1]})
    assert list(pool_drift(old, new)) == []


@pytest.mark.parametrize(
    "new",
    [
        pool({"taints": [{"key": "a"}]}),
        pool({"nodeClassRef": {"name": "d"}}),
        pool({"expireAfter": "1h"}),
        pool({"terminationGracePeriod": "1h"}),
        pool(labels={"team": "a"}),
    ],
    ids=["taints", "class", "expiry", "grace", "labels"],
)
def test_the_template_of_a_pool_drifts_all_its_nodes(new: Mapping[str, object]) -> None:
    assert list(pool_drift(pool(), new)) == [f"nodes drift (all): {SLOW}"]


@pytest.mark.parametrize(
    ("need", "which"),
    [
        ({**ZONE, "values": ["b", "c"]}, "those of zone a"),
        ({**ZONE, "operator": "NotIn"}, "those that do not meet the requirement of zone"),
        (
            {"key": "x/cpu", "operator": "Gt", "values": ["8"]},
            "those that do not meet the requirement of cpu",
        ),
    ],
)
def test_a_narrower_requirement_drifts_the_nodes_that_it_excludes(
    need: Mapping[str, object], which: str
) -> None:
    assert list(pool_drift(pool(), pool(requirements=(need,)))) == [
        f"nodes drift ({which}): {SLOW}"
    ]


@pytest.mark.parametrize(
    ("spec", "template", "pace"),
    [
        (
            budgets({"nodes": "0", "reasons": ["Drifted"]}),
            {"expireAfter": "720h"},
            "the drift budget is 0, so each node is deleted when it is empty or at the age of 720h",
        ),
        (
            budgets({"nodes": "0"}),
            {"expireAfter": "Never"},
            "the drift budget is 0, so each node is deleted manually",
        ),
        (
            budgets({"nodes": "20%", "reasons": ["Empty"]}),
            {},
            f"Karpenter replaces all at once; {EVICTED}; other pods are evicted",
        ),
        (
            budgets({"nodes": "5"}, {"nodes": "0", "schedule": "@daily", "duration": "8h"}),
            {"terminationGracePeriod": "24h"},
            "Karpenter replaces at most 5 of a pool at a time (0 from @daily for 8h); "
            f"{EVICTED}, at most 24h; other pods are evicted",
        ),
    ],
    ids=["none in use", "none at all", "no budget of drift", "freeze"],
)
def test_budgets_and_grace_say_how_fast(
    spec: dict[str, object], template: dict[str, object], pace: str
) -> None:
    old, new = pool(template), pool({**template, "taints": [{"key": "a"}]})
    new["spec"] |= spec
    assert list(pool_drift(old, new)) == [f"nodes drift (all): {pace}"]


@pytest.mark.parametrize(
    ("field", "which"),
    [
        ("ipPrefixCount", None),
        ("amiSelectorTerms", "those whose image the terms no longer select"),
        ("subnetSelectorTerms", "those whose subnet the terms no longer select"),
        ("blockDeviceMappings", "all"),
        ("kubelet", "all"),
        ("tags", "all"),
    ],
)
def test_a_class_drifts_nodes_of_its_pools(field: str, which: str | None) -> None:
    old = {"metadata": {"name": "c"}, "spec": {field: 1}}
    new = {"metadata": {"name": "c"}, "spec": {field: 2}}
    other = pool({"nodeClassRef": {"name": "d"}})
    pools = [ClusterObject(stack="s", resource="r", content=each) for each in (pool(), other)]
    expected = [f"nodes of p drift ({which}): {SLOW}"] if which else []
    assert list(class_drift(old, new, pools)) == expected


def test_pools_of_one_workload_and_one_pace_are_named_once() -> None:
    named = {"emr-eks/workload": "w", "emr-eks/role": "driver"}
    contents = [pool(labels=named), pool(labels=named), pool(limits={"nodes": "0"})]
    pools = [ClusterObject(stack="s", resource="r", content=each) for each in contents]
    assert list(paces("all", pools)) == [f"nodes of w-driver drift (all): {SLOW}"]
