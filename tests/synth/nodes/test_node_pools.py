"""Node pools in the template: names, order, and refused input."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache
from typing import Any

import pytest

from cdk_emr_eks.addons.karpenter import Karpenter
from cdk_emr_eks.clusters.manifests import MAX_MANIFEST_BYTES
from cdk_emr_eks.errors import ConfigError
from cdk_emr_eks.model.networks.zones import Zone
from cdk_emr_eks.model.nodes.crds import validate_manifest
from cdk_emr_eks.model.nodes.node_pool import node_pools
from cdk_emr_eks.model.nodes.zone_pool import ZONE_POOL
from cdk_emr_eks.model.workloads.catalog import CRITICAL, DEFAULT_WORKLOADS, SHARED
from cdk_emr_eks.model.workloads.workload import Workload
from cdk_emr_eks.nodes.node_pools import NodePools
from tests.synth.addons.karpenter_app import (
    App,
    Resource,
    add_pools,
    new_app,
    of_type,
    only,
    reference,
    waits_for,
)

MANIFEST = "Custom::AWSCDK-EKS-KubernetesResource"


def _objects(resource: Resource) -> list[dict[str, Any]]:
    text = resource["Properties"]["Manifest"]
    if not isinstance(text, str):
        parts = text["Fn::Join"][1]
        text = "".join(p if isinstance(p, str) else "token" for p in parts)
    found: list[dict[str, Any]] = json.loads(text)
    return found


def _made(
    workloads: Sequence[Workload] = (CRITICAL,), *, bundle_per_workload: bool = False
) -> tuple[App, NodePools]:
    app = new_app()
    karpenter = Karpenter().install(app.stack, app.context)
    return app, add_pools(app, karpenter, workloads, bundle_per_workload=bundle_per_workload)


@cache
def _reference_objects() -> list[dict[str, Any]]:
    return _objects(only(reference(), MANIFEST, "Capacity")[1])


def _raw_pool(name: str = "gpu", **spec: object) -> Mapping[str, Any]:
    pool = next(each for each in _reference_objects() if each["kind"] == "NodePool")
    return {**pool, "metadata": {"name": name}, "spec": {**pool["spec"], **spec}}


def test_pools_of_each_workload_and_zone_come_before_the_classes() -> None:
    kinds = [each["kind"] for each in _reference_objects()]
    pools = kinds.count("NodePool")
    assert kinds == ["NodePool"] * pools + ["EC2NodeClass"] * (len(kinds) - pools)
    names = {each["metadata"]["name"] for each in _reference_objects()[:pools]}
    zones = tuple(Zone(key=f"zone-{number}", name=f"z{number}") for number in (1, 2, 3))
    expected = {pool.name for each in DEFAULT_WORKLOADS for pool in node_pools(each, zones)}
    assert names == {*expected, ZONE_POOL}


def test_each_pool_refers_to_a_class_of_the_stage() -> None:
    objects = _reference_objects()
    classes = {each["metadata"]["name"] for each in objects if each["kind"] == "EC2NodeClass"}
    used = {
        each["spec"]["template"]["spec"]["nodeClassRef"]["name"]
        for each in objects
        if each["kind"] == "NodePool"
    }
    assert used == classes


def test_one_pool_is_open_to_every_pod_in_all_zones_and_never_has_a_node() -> None:
    """The pool for zones must not be a way to nodes without taints."""
    pools = [each for each in _reference_objects() if each["kind"] == "NodePool"]
    (pool,) = [each for each in pools if "taints" not in each["spec"]["template"]["spec"]]
    assert pool["metadata"]["name"] == ZONE_POOL
    assert pool["spec"]["limits"] == {"nodes": "0"}
    (wanted,) = pool["spec"]["template"]["spec"]["requirements"]
    of_others = {
        json.dumps(zone)
        for each in pools
        for need in each["spec"]["template"]["spec"]["requirements"]
        for zone in need["values"]
        if need["key"] == wanted["key"]
    }
    assert {json.dumps(zone) for zone in wanted["values"]} == of_others


def test_no_other_pool_takes_its_name() -> None:
    _, pools = _made()
    with pytest.raises(ConfigError) as caught:
        pools.add(replace(pools.pools[0], name=ZONE_POOL))
    assert "NodePool 'zones': metadata.name must be different" in str(caught.value)


def test_what_is_applied_obeys_karpenters_own_schema() -> None:
    for each in _reference_objects():
        validate_manifest(each)


def test_classes_select_the_networks_subnets_and_the_clusters_group() -> None:
    for each in _reference_objects():
        if each["kind"] == "EC2NodeClass":
            spec = each["spec"]
            assert spec["subnetSelectorTerms"] == [
                {"tags": {"karpenter.sh/discovery": "data-platform"}}
            ]
            assert spec["securityGroupSelectorTerms"] == [
                {"tags": {"aws:eks:cluster-name": "data-platform"}}
            ]


def test_default_pools_use_less_than_a_third_of_the_room() -> None:
    resource = only(reference(), MANIFEST, "Capacity")[1]
    assert len(json.dumps(_objects(resource))) < MAX_MANIFEST_BYTES / 3


def test_a_later_pool_still_comes_before_the_classes() -> None:
    app, pools = _made()
    pools.add(_raw_pool())
    typed = replace(pools.pools[0], name="more-drivers")
    pools.add(typed)
    assert typed in pools.pools
    objects = _objects(only(app.template(), MANIFEST, "Capacity")[1])
    kinds = [each["kind"] for each in objects]
    assert kinds == sorted(kinds, reverse=True)
    assert {"gpu", "more-drivers"} <= {each["metadata"]["name"] for each in objects}


def test_a_name_is_used_once() -> None:
    _, pools = _made()
    taken = pools.pools[0].name
    with pytest.raises(ConfigError) as caught:
        pools.add(_raw_pool(taken))
    assert str(caught.value) == (
        f"NodePool {taken!r}: metadata.name must be different from those of the cluster's other "
        f"objects of its kind, got {taken!r}."
    )
    before = pools.pools
    with pytest.raises(ConfigError):
        pools.add(before[0])
    assert pools.pools == before


def test_a_raw_manifest_must_be_one_that_karpenter_takes() -> None:
    _, pools = _made()
    with pytest.raises(ConfigError, match="weight"):
        pools.add(_raw_pool(weight=1000))
    with pytest.raises(ConfigError, match="kind"):
        pools.add({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "pool"}})


def test_two_workloads_of_one_name_are_refused_before_anything_is_created() -> None:
    app = new_app()
    karpenter = Karpenter().install(app.stack, app.context)
    with pytest.raises(ConfigError, match="'critical'"):
        add_pools(app, karpenter, (CRITICAL, CRITICAL))
    assert app.stack.node.try_find_child("NodePools") is None


def test_warnings_of_workloads_are_annotations_that_can_be_acknowledged() -> None:
    few = replace(SHARED, executor_instances=replace(SHARED.executor_instances, sizes=("4xlarge",)))
    assert few.warnings()
    app, _ = _made((few,))
    found = app.warnings()
    for text in few.warnings():
        assert f"{text} [ack: cdk-emr-eks:workload-shared]" in found
    quiet, _ = _made((SHARED,))
    assert not SHARED.warnings()
    assert not any("workload-shared" in text for text in quiet.warnings())


def test_a_stage_for_each_workload_when_one_would_be_too_large() -> None:
    app, _ = _made(DEFAULT_WORKLOADS, bundle_per_workload=True)
    resources = app.template()
    stages = of_type(resources, MANIFEST)
    assert len(stages) == 1 + len(DEFAULT_WORKLOADS)
    shared, content = only(resources, MANIFEST, "Capacity")
    assert [each["kind"] for each in _objects(content)] == ["NodePool"] + ["EC2NodeClass"] * 3
    chart, _ = only(resources, "Custom::AWSCDK-EKS-HelmChart", "Chart")
    for workload in DEFAULT_WORKLOADS:
        name, stage = only(resources, MANIFEST, f"Workload{workload.name}")
        assert {each["kind"] for each in _objects(stage)} == {"NodePool"}
        # Deleted before the classes, and both before Karpenter.
        assert {shared, chart} <= waits_for(resources, name)
        # Pools may be there from the time of one stage for all.
        assert stage["Properties"]["Overwrite"] == "true"


def test_a_workload_more_moves_no_other() -> None:
    ids = []
    for workloads in ((CRITICAL,), (SHARED, CRITICAL)):
        app, _ = _made(workloads, bundle_per_workload=True)
        ids.append(only(app.template(), MANIFEST, "Workloadcritical"))
    assert ids[0][0] == ids[1][0]
    assert ids[0][1]["Properties"]["Manifest"] == ids[1][1]["Properties"]["Manifest"]


def test_too_many_pools_for_one_manifest_are_refused_with_the_way_out() -> None:
    many = tuple(replace(SHARED, name=f"shared-{number}", priority=1_000) for number in range(20))
    with pytest.raises(ConfigError) as caught:
        _made(many)
    assert "Node pools: workloads must fit into 120000 bytes of one manifest" in str(caught.value)
    assert "write Platform(bundle_per_workload=True)" in str(caught.value)
    _made(many, bundle_per_workload=True)
