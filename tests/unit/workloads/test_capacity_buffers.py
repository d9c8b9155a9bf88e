"""Capacity buffers: what is refused, and requests that equal those of the pods of a job."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

import pytest

from cdk_emr_eks import CRITICAL, SHARED, CapacityBuffers, ConfigError, Workload, Zone
from cdk_emr_eks.labels import SparkRole
from cdk_emr_eks.model.instances.instances import Resources
from cdk_emr_eks.model.jobs.job_config import spark_defaults
from cdk_emr_eks.model.nodes.capacity_buffers import (
    buffer_manifests,
    needs_buffers,
    refuse_buffers,
)
from cdk_emr_eks.model.nodes.node_pool import node_pools
from cdk_emr_eks.model.workloads.capacity_buffers import buffer_problems
from cdk_emr_eks.model.workloads.executor_size import driver_size, executor_size
from cdk_emr_eks.model.workloads.shapes import NodePoolLimits
from cdk_emr_eks.units import Cpu, Memory
from tests.cli.assemblies import plain
from tests.refusals import refused

ZONES: Final = (Zone.named("eu-west-1a"), Zone(key="zone-2", name="eu-west-1b"))


def objects(buffers: CapacityBuffers, workload: Workload = SHARED) -> dict[tuple[str, str], Any]:
    found: Any = plain(buffer_manifests(replace(workload, capacity_buffers=buffers), ZONES))
    return {(each["kind"], each["metadata"]["name"]): each for each in found}


def replicas(buffers: CapacityBuffers) -> dict[str, int]:
    return {
        name.removeprefix("warm-shared-"): each["spec"]["replicas"]
        for (kind, name), each in objects(buffers).items()
        if kind == "CapacityBuffer"
    }


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({}, "CapacityBuffers: jobs must be more than 0, or executors must, got 0."),
        ({"jobs": -1}, "CapacityBuffers: jobs must be at least 0, got -1."),
        ({"executors": -2, "jobs": 1}, "CapacityBuffers: executors must be at least 0, got -2."),
        ({"jobs": True}, "CapacityBuffers: jobs must be a whole number, got True."),
        (
            {"jobs": 1, "zones": ()},
            "CapacityBuffers: zones must not be empty: None stands for all zones.",
        ),
        (
            {"jobs": 1, "zones": ("a", "a")},
            "CapacityBuffers: zones must not repeat a value, got 'a'.",
        ),
    ],
)
def test_invalid_buffers_are_refused(arguments: Mapping[str, Any], message: str) -> None:
    assert refused(lambda: CapacityBuffers(**arguments)) == message


def test_buffers_beyond_the_limits_of_a_pool_are_refused() -> None:
    most = executor_size(SHARED)
    cores = SHARED.executor_limits.cpu.millicores // (most.request_cores.millicores + 10)
    replace(SHARED, capacity_buffers=CapacityBuffers(executors=cores))
    with pytest.raises(ConfigError, match=r"capacity_buffers.executors must fit the executor_l"):
        replace(SHARED, capacity_buffers=CapacityBuffers(executors=cores + 1))
    with pytest.raises(ConfigError, match=r"capacity_buffers.jobs must fit the driver_limits"):
        replace(SHARED, capacity_buffers=CapacityBuffers(jobs=1_000))


def test_zones_that_share_a_pool_share_its_limits() -> None:
    half = SHARED.executor_limits.cpu.millicores // 2 // 3_810 + 1
    one_pool = replace(SHARED, per_zone=False, capacity_buffers=CapacityBuffers(executors=half))
    assert buffer_manifests(one_pool, ZONES[:1])
    with pytest.raises(ConfigError, match=r"capacity_buffers.executors must fit"):
        buffer_manifests(one_pool, ZONES)
    with pytest.raises(ConfigError, match=r"capacity_buffers.executors must fit"):
        replace(
            one_pool,
            capacity_buffers=CapacityBuffers(executors=half, zones=("eu-west-1a", "zone-2")),
        )


def test_a_zone_that_the_platform_lacks_is_refused() -> None:
    assert refused(lambda: objects(CapacityBuffers(jobs=1, zones=("eu-west-1b",)))) == (
        "Workload 'shared': capacity_buffers.zones must be keys of the platform's zones "
        "(eu-west-1a, zone-2), got 'eu-west-1b'."
    )


def test_each_zone_has_its_replicas() -> None:
    assert replicas(CapacityBuffers(jobs=2, executors=5)) == {
        f"{pod}-{zone.key}": count
        for zone in ZONES
        for pod, count in (("submitter", 2), ("driver", 2), ("executor", 5))
    }


def test_removed_buffers_have_0_replicas_and_no_object_is_left() -> None:
    # kubectl does not delete what a manifest no longer has, so every buffer stays, with 0 replicas.
    before = objects(CapacityBuffers(jobs=2, executors=5))
    after = objects(CapacityBuffers(jobs=1, zones=("zone-2",)))
    assert set(before) == set(after)
    found = replicas(CapacityBuffers(jobs=1, zones=("zone-2",)))
    assert {name: count for name, count in found.items() if count} == {
        "submitter-zone-2": 1,
        "driver-zone-2": 1,
    }


def test_a_workload_without_buffers_has_no_manifests() -> None:
    assert buffer_manifests(SHARED, ZONES) == ()


def test_clusters_without_support_refuse_buffers() -> None:
    buffered = replace(SHARED, capacity_buffers=CapacityBuffers(jobs=1))
    assert not needs_buffers([SHARED])
    assert needs_buffers([SHARED, buffered])
    refuse_buffers("Cluster 'data'", "workloads", [SHARED, CRITICAL], "upgrade Karpenter")
    text = refused(
        lambda: refuse_buffers("Cluster 'data'", "workloads", [CRITICAL, buffered], "do it")
    )
    assert text == (
        "Cluster 'data': workloads must have no capacity_buffers: the cluster's Karpenter does not "
        "support them, got 'shared'; do it."
    )


def test_buffers_can_use_the_whole_limits_of_a_pool() -> None:
    pods = {"a": Resources(Cpu(1), Memory(10)), "b": Resources(Cpu(2), Memory(20))}
    for cpu, mib, refused_amounts in ((6, 60, 0), (5, 60, 1), (6, 59, 1)):
        limits = NodePoolLimits(cpu=Cpu(cpu), memory=Memory(mib))
        assert len(buffer_problems(SparkRole.DRIVER, 2, pods, limits)) == refused_amounts


@pytest.mark.parametrize("workload", [SHARED, CRITICAL], ids=lambda each: str(each.name))
def test_buffers_request_what_real_pods_request(workload: Workload) -> None:
    found = objects(CapacityBuffers(jobs=1, executors=1), workload)
    conf = spark_defaults(workload)
    for role, shape in ((SparkRole.DRIVER, driver_size), (SparkRole.EXECUTOR, executor_size)):
        template = found["PodTemplate", f"warm-{workload.name}-{role}-zone-2"]["template"]
        requests = template["spec"]["containers"][0]["resources"]["requests"]
        spark = conf[f"spark.kubernetes.{role}.request.cores"]
        assert spark.endswith("m")
        # The logging container that EMR adds has 10 millicores.
        assert requests["cpu"] == Cpu(int(spark[:-1]) + 10).kubernetes
        assert requests["memory"] == shape(workload).pod_memory.kubernetes
        assert template["metadata"] == {}, "rooms must not count in the spread of real pods"
    submitter = found["PodTemplate", f"warm-{workload.name}-submitter-zone-2"]["template"]
    requests = submitter["spec"]["containers"][0]["resources"]["requests"]
    assert requests == {"cpu": "900m", "memory": Memory(712).kubernetes}


@pytest.mark.parametrize("workload", [SHARED, CRITICAL], ids=lambda each: str(each.name))
def test_buffers_use_nodes_of_their_workload_role_and_zone(workload: Workload) -> None:
    found = objects(CapacityBuffers(jobs=1, executors=1), workload)
    pools = node_pools(workload, ZONES)
    for (kind, name), each in found.items():
        if kind != "PodTemplate":
            continue
        spec = each["template"]["spec"]
        role = SparkRole.EXECUTOR if "-executor-" in name else SparkRole.DRIVER
        (zone,) = (zone for zone in ZONES if name.endswith(zone.key))
        fitting = [pool for pool in pools if _fits(plain(pool.manifest()), spec)]
        expected = [pool for pool in pools if pool.role is role and pool.zones == (zone,)]
        assert fitting == expected
        assert fitting


def _fits(pool: Any, spec: Any) -> bool:
    """Whether nodes of a pool take a pod: by labels, requirements and taints."""
    template = pool["spec"]["template"]
    has = {key: [value] for key, value in template["metadata"]["labels"].items()}
    has |= {each["key"]: each["values"] for each in template["spec"]["requirements"]}
    tolerated = {(each["key"], each["value"]) for each in spec["tolerations"]}
    taints = {(each["key"], each["value"]) for each in template["spec"]["taints"]}
    chosen = all(value in has.get(key, ()) for key, value in spec["nodeSelector"].items())
    return chosen and taints <= tolerated
