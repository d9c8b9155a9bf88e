"""The gateway pool accepts pods that EMR creates, and Karpenter does not disrupt them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, cast

import pytest

from cdk_emr_eks import labels
from cdk_emr_eks.errors import ConfigError
from cdk_emr_eks.model.instances.instances import DAEMONSET_REQUESTS, Instances, allocatable
from cdk_emr_eks.model.networks.zones import Zone
from cdk_emr_eks.model.nodes.crds import validate_manifest
from cdk_emr_eks.model.nodes.gateway_pool import (
    GATEWAY,
    GatewayPool,
)
from cdk_emr_eks.model.nodes.node_pool import NodePool, node_pools
from cdk_emr_eks.model.workloads.catalog import DEFAULT_WORKLOADS, NOTEBOOK
from cdk_emr_eks.model.workloads.shapes import NodePoolLimits
from cdk_emr_eks.units import Cpu, Memory

ZONES = (Zone.named("us-east-1a"), Zone.named("us-east-1b"))
POOL = GatewayPool().node_pool(ZONES)


def template(pool: NodePool) -> Mapping[str, Any]:
    return cast(Mapping[str, Any], cast(Any, pool.manifest()["spec"])["template"])


def test_pods_without_selector_and_toleration_run_on_the_gateway_pool_only() -> None:
    # EMR creates such pods for gateways and Python kernels.
    assert not template(POOL)["spec"]["taints"]
    others = [pool for workload in DEFAULT_WORKLOADS for pool in node_pools(workload, ZONES)]
    assert all(template(pool)["spec"]["taints"] for pool in others)


def test_karpenter_accepts_the_gateway_pool_and_its_node_class() -> None:
    validate_manifest(POOL.manifest())
    node_class = GatewayPool().node_class.manifest(cluster_name="data-platform", role="nodes")
    validate_manifest(node_class)
    assert template(POOL)["spec"]["nodeClassRef"]["name"] == GatewayPool().node_class.name


def test_nodes_are_x86_on_demand_and_in_all_zones() -> None:
    needs = {each["key"]: each["values"] for each in template(POOL)["spec"]["requirements"]}
    assert needs[labels.ARCHITECTURE] == ("amd64",)
    assert needs[labels.CAPACITY_TYPE] == ("on-demand",)
    assert needs[labels.ZONE] == ("us-east-1a", "us-east-1b")


def test_karpenter_terminates_empty_gateway_nodes_only() -> None:
    disruption = cast(Mapping[str, Any], POOL.manifest()["spec"])["disruption"]
    assert disruption["consolidationPolicy"] == "WhenEmpty"
    assert disruption["budgets"] == (
        {"nodes": "100%", "reasons": ("Empty",)},
        {"nodes": "0", "reasons": ("Drifted",)},
    )


def test_the_smallest_node_has_room_for_a_gateway() -> None:
    smallest = GatewayPool().instances.types()[0]
    daemons = sum(each.cpu.millicores for each in DAEMONSET_REQUESTS)
    # EMR does not document the requests of a gateway. A node has at least a core and 4 GiB.
    assert smallest.vcpu == 2
    assert allocatable(smallest).cpu.millicores - daemons >= 1000
    assert allocatable(smallest).memory.mib >= 4096


def test_the_pool_and_its_node_class_have_matching_names() -> None:
    assert POOL.name == GATEWAY
    assert template(POOL)["metadata"]["labels"][labels.WORKLOAD] == GATEWAY


def test_invalid_gateway_pools_are_refused() -> None:
    with pytest.raises(ConfigError, match=r"instances must be x86.*got 'm7g\.large'"):
        GatewayPool(instances=Instances(families=("m7g", "m7i"), sizes=("large",)))
    with pytest.raises(ConfigError, match="limits must allow at least one node"):
        GatewayPool(limits=NodePoolLimits(cpu=Cpu.cores(1), memory=Memory.from_gib(512)))


def test_untainted_pools_keep_their_labels_and_refuse_spot_drivers() -> None:
    with pytest.raises(ConfigError, match="node_labels must not set what the pool"):
        replace(POOL, node_labels={labels.WORKLOAD: "other"})
    with pytest.raises(ConfigError, match="node_labels must not set what the pool"):
        replace(POOL, node_labels={"karpenter.sh/nodepool": "other"})
    with pytest.raises(ConfigError, match="capacity_type must be on-demand"):
        replace(POOL, capacity_type=labels.CapacityType.SPOT)


def test_pools_of_workloads_still_have_their_taints() -> None:
    for pool in node_pools(NOTEBOOK, ZONES):
        keys = [taint["key"] for taint in template(pool)["spec"]["taints"]]
        assert keys == [labels.WORKLOAD, labels.ROLE]
        assert set(template(pool)["metadata"]["labels"]) == set(keys)
