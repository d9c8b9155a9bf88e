"""Node classes: pinned image, encrypted disks, no way from a pod to the node's role."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Any, cast

import pytest

from cdk_emr_eks.errors import ConfigError
from cdk_emr_eks.labels import SparkRole
from cdk_emr_eks.model.networks.zones import Zone
from cdk_emr_eks.model.nodes.node_class import (
    NVME,
    NodeClass,
    ebs_node_class,
    node_class_for,
    node_classes,
)
from cdk_emr_eks.model.nodes.node_pool import node_pools
from cdk_emr_eks.model.workloads.catalog import CRITICAL, DEFAULT_WORKLOADS, NOTEBOOK
from cdk_emr_eks.model.workloads.storage import PersistentVolumes, RootVolume
from cdk_emr_eks.units import Memory
from tests.refusals import refused


def spec(node_class: NodeClass, **changes: Any) -> Mapping[str, Any]:
    manifest = node_class.manifest(cluster_name="data", role="node-role", **changes)
    return cast(Mapping[str, Any], manifest["spec"])


def test_nodes_have_a_role_or_an_instance_profile_and_not_both() -> None:
    assert spec(NVME)["role"] == "node-role"
    own = NVME.manifest(cluster_name="data", instance_profile="nodes")
    made = cast(Mapping[str, Any], own["spec"])
    assert (made["instanceProfile"], "role" in made) == ("nodes", False)
    for role, profile in ((None, None), ("a", "b")):
        with pytest.raises(ConfigError, match="role must be given, or instance_profile in its"):
            NVME.manifest(cluster_name="data", role=role, instance_profile=profile)


def test_each_node_class_that_pools_use_is_created_once() -> None:
    made = [each.name for each in node_classes(DEFAULT_WORKLOADS)]
    assert made == ["emr-ebs-100g", "emr-ebs-200g", "emr-nvme"]
    zones = (Zone.named("us-east-1a"),)
    used = {pool.node_class for each in DEFAULT_WORKLOADS for pool in node_pools(each, zones)}
    assert used == set(made)


def test_only_executors_with_instance_store_use_nvme() -> None:
    assert node_class_for(CRITICAL, SparkRole.EXECUTOR) is NVME
    assert spec(NVME)["instanceStorePolicy"] == "RAID0"
    driver = node_class_for(CRITICAL, SparkRole.DRIVER)
    assert "instanceStorePolicy" not in spec(driver)


def test_executors_with_volumes_have_a_small_root_volume() -> None:
    workload = replace(NOTEBOOK, storage=PersistentVolumes())
    assert node_class_for(workload, SparkRole.EXECUTOR).name == "emr-ebs-100g"


def test_different_volumes_are_different_classes() -> None:
    fast = RootVolume(size=Memory.from_gib(200), iops=6_000, throughput_mib=500)
    assert ebs_node_class(RootVolume()).name == "emr-ebs-200g"
    assert ebs_node_class(fast).name == "emr-ebs-200g-6000i-500t"


@pytest.mark.parametrize("node_class", node_classes(DEFAULT_WORKLOADS), ids=lambda c: c.name)
def test_every_node_class_is_encrypted_and_private(node_class: NodeClass) -> None:
    made = spec(node_class)
    (disk,) = made["blockDeviceMappings"]
    assert disk["rootVolume"] is True
    assert disk["ebs"]["encrypted"] is True
    assert disk["ebs"]["volumeType"] == "gp3"
    assert made["metadataOptions"]["httpTokens"] == "required"
    assert made["metadataOptions"]["httpPutResponseHopLimit"] == 1
    assert made["associatePublicIPAddress"] is False
    assert made["kubelet"] == {"maxPods": 110, "kubeReserved": {"memory": "1465Mi"}}
    for terms in ("subnetSelectorTerms", "securityGroupSelectorTerms"):
        assert made[terms] == [{"tags": {"karpenter.sh/discovery": "data"}}]


def test_role_and_key_may_be_tokens_and_tags_are_added() -> None:
    made = spec(NVME, volume_key="${Token[Key.1]}", tags={"team": "data"})
    assert made["blockDeviceMappings"][0]["ebs"]["kmsKeyID"] == "${Token[Key.1]}"
    assert made["tags"] == {
        "emr-eks/cluster": "data",
        "ebs.csi.aws.com/cluster-name": "data",
        "team": "data",
    }
    assert "kmsKeyID" not in spec(NVME)["blockDeviceMappings"][0]["ebs"]


@pytest.mark.parametrize(
    ("image", "message"),
    [
        (
            "al2023@latest",
            "NodeClass 'mine': image must be a pinned AL2023 alias such as 'al2023@v20261023', got "
            "'al2023@latest'; with 'latest' each image release replaces nodes.",
        ),
        (
            "bottlerocket@v1.54.0",
            "NodeClass 'mine': image must be a pinned AL2023 alias such as 'al2023@v20261023', got "
            "'bottlerocket@v1.54.0'.",
        ),
        (
            "al2023@v2026102",
            "NodeClass 'mine': image must be a pinned AL2023 alias such as 'al2023@v20261023', got "
            "'al2023@v2026102'.",
        ),
    ],
)
def test_invalid_images_are_refused(image: str, message: str) -> None:
    make = partial(NodeClass, name="mine", root_volume=RootVolume(), image=image)
    assert refused(make) == message


@pytest.mark.parametrize(
    "key",
    [
        "eks:eks-cluster-name",
        "karpenter.sh/nodepool",
        "karpenter.sh/nodeclaim",
        "karpenter.k8s.aws/ec2nodeclass",
        "kubernetes.io/cluster/data",
    ],
)
def test_tags_that_karpenter_sets_are_refused(key: str) -> None:
    assert refused(lambda: spec(NVME, tags={key: "x"})) == (
        f"NodeClass 'emr-nvme': tags must not have keys that Karpenter sets, got {key!r}."
    )
