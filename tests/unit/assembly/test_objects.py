"""Kubernetes objects and charts of an assembly."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from cdk_emr_eks.assembly import open_assembly
from tests.unit.assembly.assemblies import resource, resources, write_assembly

MANIFEST = "Custom::AWSCDK-EKS-KubernetesResource"
CHART = "Custom::AWSCDK-EKS-HelmChart"
POOL: dict[str, Any] = {
    "kind": "NodePool",
    "metadata": {"name": "shared", "labels": {"a": "b"}},
    "spec": {"weight": 1},
}


def test_objects_and_charts_with_their_cluster(tmp_path: Path) -> None:
    template = resources(
        Eks=resource("AWS::EKS::Cluster"),
        Pools=resource(MANIFEST, Manifest=json.dumps([POOL]), ClusterName={"Ref": "Eks"}),
        Karpenter=resource(
            CHART,
            Repository="oci://public.ecr.aws/karpenter/karpenter",
            Release="karp",
            Version="1.14.1",
            Chart="",
            ClusterName="existing",
            Values={"Fn::Join": ["", ['{"name":"', {"Ref": "Eks"}, '"}']]},
        ),
        Broken=resource(MANIFEST, Manifest={"Fn::Join": ["", ["[", {"Ref": "Eks"}, "]"]]}),
    )
    applied = open_assembly(write_assembly(tmp_path, {"Platform": template})).applied
    (pool,) = applied.of_kind("NodePool")
    assert (pool.kind, pool.name, pool.namespace) == ("NodePool", "shared", "")
    assert (pool.labels, pool.spec) == ({"a": "b"}, {"weight": 1})
    assert (pool.stack, pool.resource, pool.cluster) == ("Platform", "Pools", "Platform/Eks")
    (chart,) = applied.charts
    assert (chart.name, chart.release, chart.version) == ("karpenter", "karp", "1.14.1")
    assert (chart.namespace, chart.cluster) == ("default", "existing")
    assert chart.values == {"name": "${Eks}"}
    (unread,) = applied.unread
    assert unread.text.startswith("the JSON of Broken cannot be read, so it is left out")


def test_a_literal_name_is_that_of_the_cluster_in_the_same_stage(tmp_path: Path) -> None:
    eks = resource("AWS::EKS::Cluster", Name="spark")
    pools = resource(MANIFEST, Manifest=json.dumps([POOL]), ClusterName="spark")
    for stage in ("Dev", "Prod"):
        write_assembly(
            tmp_path / stage,
            {f"{stage}Eks": resources(Eks=eks), f"{stage}Pools": resources(P=pools)},
        )
    stages = {
        stage: {
            "type": "cdk:cloud-assembly",
            "properties": {"directoryName": stage, "displayName": stage},
        }
        for stage in ("Dev", "Prod")
    }
    top = write_assembly(tmp_path, {"Pools": resources(P=pools)}, artifacts=stages)
    applied = open_assembly(top).applied
    assert {item.stack: item.cluster for item in applied.objects} == {
        "Pools": "DevEks/Eks",
        "DevPools": "DevEks/Eks",
        "ProdPools": "ProdEks/Eks",
    }
