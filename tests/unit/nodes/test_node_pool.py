"""Pools agree with pod templates, protect drivers, and fall back inside a zone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any, cast

import pytest

from cdk_emr_eks.errors import ConfigError
from cdk_emr_eks.labels import Architecture, CapacityType, SparkRole
from cdk_emr_eks.model.instances.instances import Instances
from cdk_emr_eks.model.networks.zones import Zone
from cdk_emr_eks.model.nodes.node_pool import NodePool, node_pools
from cdk_emr_eks.model.pods.pod_template import driver_template, executor_template
from cdk_emr_eks.model.workloads.catalog import CRITICAL, DEFAULT_WORKLOADS, NOTEBOOK, SHARED
from cdk_emr_eks.model.workloads.disruption import Disruption, DriftFreeze
from cdk_emr_eks.model.workloads.shapes import NodePoolLimits
from cdk_emr_eks.model.workloads.workload import Workload
from cdk_emr_eks.units import Cpu, Memory
from tests.refusals import refused

ZONES = (Zone.named("us-east-1a"), Zone.named("us-east-1b"), Zone.named("us-east-1c"))
BOTH = replace(
    SHARED,
    architectures=(Architecture.ARM64, Architecture.AMD64),
    driver_instances=Instances(families=("m7g", "m7i"), sizes=("2xlarge",)),
    executor_instances=Instances(families=("m7gd", "m6id"), sizes=("2xlarge", "4xlarge")),
)

by_name = pytest.mark.parametrize("workload", DEFAULT_WORKLOADS, ids=lambda each: each.name)


def spec(pool: NodePool) -> Mapping[str, Any]:
    return cast(Mapping[str, Any], pool.manifest()["spec"])


def labels_of(pool: NodePool) -> dict[str, str]:
    """Labels that a node of the pool will have, as Karpenter derives them."""
    found = dict(spec(pool)["template"]["metadata"]["labels"])
    for each in spec(pool)["template"]["spec"]["requirements"]:
        if each["operator"] == "In" and len(each["values"]) == 1:
            found[each["key"]] = each["values"][0]
    return found


def lands(template: Mapping[str, object], pool: NodePool) -> bool:
    """Whether a pod of the template may land on a node of the pool: selector and taints."""
    pod = cast(Mapping[str, Any], template["spec"])
    node = labels_of(pool)
    selected = all(node.get(key) == value for key, value in pod["nodeSelector"].items())
    tolerated = {(each["key"], each["value"], each["effect"]) for each in pod["tolerations"]}
    taints = spec(pool)["template"]["spec"]["taints"]
    return selected and all(
        (each["key"], each["value"], each["effect"]) in tolerated for each in taints
    )


def test_one_pool_for_each_zone_role_and_capacity_type() -> None:
    assert [pool.name for pool in node_pools(SHARED, ZONES[:2])] == [
        "shared-driver-us-east-1a",
        "shared-executor-spot-us-east-1a",
        "shared-executor-on-demand-us-east-1a",
        "shared-driver-us-east-1b",
        "shared-executor-spot-us-east-1b",
        "shared-executor-on-demand-us-east-1b",
    ]
    assert [pool.name for pool in node_pools(CRITICAL, ZONES[:1])] == [
        "critical-driver-us-east-1a",
        "critical-executor-on-demand-us-east-1a",
    ]


def test_without_per_zone_one_pool_spans_all_zones() -> None:
    pools = node_pools(replace(NOTEBOOK, per_zone=False), ZONES)
    assert [pool.name for pool in pools] == [
        "notebook-driver",
        "notebook-executor-spot",
        "notebook-executor-on-demand",
    ]
    assert all(pool.zones == ZONES for pool in pools)


def test_pool_names_have_the_zone_key_where_the_zone_name_is_a_token() -> None:
    zone = Zone(key="zone-1", name="${Token[AZ.12]}")
    pool = node_pools(NOTEBOOK, (zone,))[0]
    assert pool.name == "notebook-driver-zone-1"
    assert labels_of(pool)["topology.kubernetes.io/zone"] == "${Token[AZ.12]}"


def test_spot_is_tried_before_on_demand_and_arm_before_amd() -> None:
    weights = {pool.name: pool.weight for pool in node_pools(BOTH, ZONES[:1])}
    assert weights == {
        "shared-driver-us-east-1a-arm64": 20,
        "shared-driver-us-east-1a-amd64": 10,
        "shared-executor-spot-us-east-1a-arm64": 20,
        "shared-executor-spot-us-east-1a-amd64": 10,
        "shared-executor-on-demand-us-east-1a-arm64": 2,
        "shared-executor-on-demand-us-east-1a-amd64": 1,
    }


def test_a_pool_has_only_families_of_its_architecture() -> None:
    for pool in node_pools(BOTH, ZONES[:1]):
        families = next(
            each["values"]
            for each in spec(pool)["template"]["spec"]["requirements"]
            if each["key"] == "karpenter.k8s.aws/instance-family"
        )
        assert len(families) == 1
        assert ("g" in families[0]) is (pool.architecture is Architecture.ARM64)


def test_longest_names_stay_within_63_characters() -> None:
    longest = replace(BOTH, name="a" * 20)
    names = [pool.name for pool in node_pools(longest, (Zone.named("us-east-1-atl-wlz"),))]
    assert max(map(len, names)) == 63


@by_name
@pytest.mark.parametrize("other", DEFAULT_WORKLOADS, ids=lambda each: each.name)
def test_pods_run_on_pools_of_their_workload_and_role_only(
    workload: Workload, other: Workload
) -> None:
    for pool in node_pools(other, ZONES):
        mine = workload.name == other.name
        assert lands(driver_template(workload), pool) is (mine and pool.role is SparkRole.DRIVER)
        assert lands(executor_template(workload), pool) is (
            mine and pool.role is SparkRole.EXECUTOR
        )


@by_name
def test_a_pod_without_a_pod_template_runs_on_no_pool(workload: Workload) -> None:
    pod: Mapping[str, object] = {"spec": {"nodeSelector": {}, "tolerations": []}}
    assert not any(lands(pod, pool) for pool in node_pools(workload, ZONES))


@by_name
def test_drivers_are_on_demand_and_their_nodes_are_not_disrupted(workload: Workload) -> None:
    for pool in node_pools(workload, ZONES):
        if pool.role is not SparkRole.DRIVER:
            continue
        assert pool.capacity_type is CapacityType.ON_DEMAND
        assert spec(pool)["disruption"]["consolidationPolicy"] == "WhenEmpty"
        template = spec(pool)["template"]["spec"]
        assert template["terminationGracePeriod"] == "24h"
        assert template["expireAfter"] == "720h"
    annotations = cast(Any, driver_template(workload))["metadata"]["annotations"]
    assert annotations == {"karpenter.sh/do-not-disrupt": "true"}


@by_name
def test_executor_nodes_outlast_the_idle_time_of_executors(workload: Workload) -> None:
    idle = workload.dynamic_allocation.executor_idle_timeout
    assert workload.disruption.executor_consolidate_after > idle
    for pool in node_pools(workload, ZONES):
        assert spec(pool)["disruption"]["consolidationPolicy"] == "WhenEmpty"


def test_budgets_allow_empty_nodes_and_no_drift_of_busy_executors() -> None:
    disruption = Disruption(
        drift_nodes="2",
        drift_freeze=DriftFreeze(schedule="0 6 * * mon-fri", duration=timedelta(hours=10)),
    )
    assert disruption.budgets(SparkRole.DRIVER) == (
        {"nodes": "100%", "reasons": ("Empty",)},
        {"nodes": "2", "reasons": ("Drifted",)},
        {
            "nodes": "0",
            "reasons": ("Drifted",),
            "schedule": "0 6 * * mon-fri",
            "duration": "10h",
        },
    )
    assert disruption.budgets(SparkRole.EXECUTOR)[1] == {"nodes": "0", "reasons": ("Drifted",)}


def test_instance_store_asks_for_nvme_on_executors_only() -> None:
    for pool in node_pools(SHARED, ZONES[:1]):
        keys = {each["key"]: each for each in spec(pool)["template"]["spec"]["requirements"]}
        nvme = keys.get("karpenter.k8s.aws/instance-local-nvme")
        assert (nvme is not None) is (pool.role is SparkRole.EXECUTOR)


def test_limits_are_those_of_the_role() -> None:
    assert spec(node_pools(NOTEBOOK, ZONES)[0])["limits"] == {"cpu": "200", "memory": "1600Gi"}
    assert spec(node_pools(NOTEBOOK, ZONES)[1])["limits"] == {"cpu": "800", "memory": "6400Gi"}


def pool(**changes: Any) -> NodePool:
    values: dict[str, Any] = {
        "name": "mine",
        "workload": "mine",
        "role": SparkRole.EXECUTOR,
        "capacity_type": CapacityType.SPOT,
        "architecture": Architecture.ARM64,
        "zones": ZONES[:1],
        "instances": Instances(families=("m7gd",), sizes=("2xlarge",)),
        "node_class": "emr-nvme",
        "limits": NodePoolLimits(cpu=Cpu.cores(100), memory=Memory.from_gib(400)),
    }
    return NodePool(**(values | changes))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"name": "My_Pool"},
            "NodePool 'My_Pool': name must be a DNS label (a-z, 0-9, '-', at most 63 characters), "
            "got 'My_Pool'; try 'my-pool'.",
        ),
        ({"zones": ()}, "NodePool 'mine': zones must have at least one zone."),
        (
            {"zones": (ZONES[0], ZONES[0])},
            "NodePool 'mine':\n"
            "  - zones must differ in key, got 'us-east-1a, us-east-1a'.\n"
            "  - zones must differ in name, got 'us-east-1a, us-east-1a'.",
        ),
        (
            {"role": SparkRole.DRIVER},
            "NodePool 'mine': capacity_type must be on-demand for drivers: a job dies with its "
            "driver, got 'spot'.",
        ),
        ({"weight": 101}, "NodePool 'mine': weight must be from 1 to 100, got 101."),
        (
            {"architecture": Architecture.AMD64},
            "NodePool 'mine': instances must have a family of amd64, got 'm7gd'.",
        ),
        (
            {"instances": Instances(families=("m7g",), sizes=("2xlarge",)), "local_nvme": True},
            "NodePool 'mine': instances must all have NVMe disks for local_nvme, got 'm7g'.",
        ),
    ],
)
def test_invalid_pools_are_refused(changes: dict[str, Any], message: str) -> None:
    assert refused(lambda: pool(**changes)) == message


@pytest.mark.parametrize(
    "key",
    [
        "emr-eks/workload",
        "emr-eks/role",
        "karpenter.sh/capacity-type",
        "karpenter.k8s.aws/instance-family",
        "kubernetes.io/arch",
        "topology.kubernetes.io/zone",
        "node.kubernetes.io/instance-type",
        "node-role.kubernetes.io/worker",
    ],
)
def test_labels_of_karpenter_and_of_the_pool_are_refused(key: str) -> None:
    with pytest.raises(ConfigError, match="must not set what the pool or Karpenter sets") as caught:
        pool(node_labels={key: "x"})
    assert caught.value.fields == ("node_labels",)


def test_other_labels_are_on_the_nodes() -> None:
    own = {"team": "a", "example.com/kubernetes.io/arch": "x"}
    assert labels_of(pool(node_labels=own)).items() >= own.items()


@pytest.mark.parametrize(
    ("key", "name", "message"),
    [
        (
            "${Token[AZ.1]}",
            "${Token[AZ.1]}",
            "Zone '${Token[AZ.1]}': key must be known at synth, not a token, got '${Token[AZ.1]}'.",
        ),
        (
            "us-east-1-wl1-bos-wlz1",
            "us-east-1-wl1-bos-wlz1",
            "Zone 'us-east-1-wl1-bos-wlz1': key must be a DNS label (a-z, 0-9, '-', at most 17 "
            "characters), got 'us-east-1-wl1-bos-wlz1'; try 'us-east-1-wl1-bos'.",
        ),
        ("zone-1", "", "Zone 'zone-1': name must not be empty."),
    ],
)
def test_invalid_zones_are_refused(key: str, name: str, message: str) -> None:
    assert refused(lambda: Zone(key=key, name=name)) == message
