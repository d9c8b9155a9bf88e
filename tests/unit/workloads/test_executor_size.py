"""Executors fill nodes: at least 95 % of a full node's cores are requested, on every size."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cdk_emr_eks.labels import SparkRole
from cdk_emr_eks.model.instances.instances import (
    DAEMONSET_TOTAL,
    FAMILIES,
    Instances,
    Resources,
    allocatable,
)
from cdk_emr_eks.model.instances.packing import free, pack
from cdk_emr_eks.model.workloads.catalog import CRITICAL, DEFAULT_WORKLOADS, SHARED
from cdk_emr_eks.model.workloads.executor_size import SparkPodSize, driver_size, executor_size
from cdk_emr_eks.model.workloads.shapes import ExecutorShape
from cdk_emr_eks.model.workloads.workload import Workload
from cdk_emr_eks.units import Cpu, Memory

by_name = pytest.mark.parametrize("workload", DEFAULT_WORKLOADS, ids=lambda each: each.name)


def fit(workload: Workload, role: SparkRole, sized: SparkPodSize) -> None:
    """Fill a node of each type with pods, as the scheduler would, and compare."""
    for each in workload.instances(role).types():
        total = allocatable(each)
        cpu = total.cpu.millicores - DAEMONSET_TOTAL.cpu.millicores
        memory = total.memory.mib - DAEMONSET_TOTAL.memory.mib
        cpu -= workload.node_headroom.cpu.millicores
        memory -= workload.node_headroom.memory.mib
        pods = 0
        # The LimitRange of a tenant gives the logging container 10 millicores.
        pod_cpu = sized.request_cores.millicores + 10
        while cpu >= pod_cpu and memory >= sized.pod_memory.mib:
            cpu -= pod_cpu
            memory -= sized.pod_memory.mib
            pods += 1
        assert sized.pods[each.name] == pods
        requested = pods * sized.request_cores.millicores / total.cpu.millicores
        assert sized.packing[each.name] == pytest.approx(requested)
        assert requested >= 0.95, each.name
        assert pods == each.vcpu // sized.cores, each.name


@by_name
def test_executors_fill_each_size_of_the_default_pools(workload: Workload) -> None:
    fit(workload, SparkRole.EXECUTOR, executor_size(workload))


@by_name
def test_drivers_fill_each_size_of_the_default_pools(workload: Workload) -> None:
    fit(workload, SparkRole.DRIVER, driver_size(workload))


@by_name
def test_memory_of_the_pod_is_heap_overhead_and_logging_container(workload: Workload) -> None:
    sized = executor_size(workload)
    parts = sized.heap.mib + sized.overhead.mib + sized.off_heap.mib
    assert sized.pod_memory.mib == parts + 512


@pytest.mark.parametrize("cores", [1, 2, 4, 8, 16])
def test_a_full_node_is_never_overcommitted(cores: int) -> None:
    """For each family of the table, in all sizes that the shape fits."""
    headroom = Resources(Cpu(100), Memory(256))
    for family in FAMILIES.values():
        types = Instances(families=(family.name,), sizes=family.sizes).types()
        types = tuple(each for each in types if each.vcpu >= 2 * cores and each.vcpu >= 8)
        packing = pack(types, cores=cores, memory=None, headroom=headroom)
        for each in types:
            pods, room = packing.pods[each.name], free(each, headroom)
            assert pods * (packing.request.millicores + 10) <= room.cpu.millicores
            assert pods * (packing.memory.mib + 512) <= room.memory.mib
            assert pods >= each.vcpu // cores


def test_plain_requests_would_lose_a_quarter_of_a_node() -> None:
    """Eight slots that request 8 cores fit three times on 32 vCPUs, not four times."""
    node = Instances(families=("m7gd",), sizes=("8xlarge",)).types()[0]
    assert allocatable(node).cpu.millicores // 8000 == 3
    assert executor_size(CRITICAL).pods["m7gd.8xlarge"] == 4


def test_given_memory_limits_the_pods_of_a_node_and_gives_a_warning() -> None:
    greedy = replace(SHARED, executor=ExecutorShape(cores=4, memory=Memory.from_gib(26)))
    sized = executor_size(greedy)
    assert sized.pods["m7gd.2xlarge"] == 1
    assert sized.heap.mib + sized.overhead.mib == 26 * 1024
    assert sized.packing["m7gd.2xlarge"] == pytest.approx(3800 / 7910)
    assert any("m7gd.2xlarge 48%" in text for text in greedy.warnings())


def test_overhead_is_a_share_and_at_least_the_minimum_of_spark() -> None:
    small = replace(SHARED, executor=ExecutorShape(cores=4, memory=Memory(1024)))
    assert executor_size(small).overhead == Memory(384)
    wide = replace(SHARED, executor=ExecutorShape(cores=4, overhead_share=0.5))
    sized = executor_size(wide)
    assert abs(sized.overhead.mib - sized.heap.mib) <= 1


def test_off_heap_memory_is_part_of_the_container_memory() -> None:
    plain = executor_size(SHARED)
    off = executor_size(
        replace(SHARED, executor=ExecutorShape(cores=4, off_heap=Memory.from_gib(4)))
    )
    assert off.pod_memory == plain.pod_memory
    assert off.heap.mib == plain.heap.mib - 4096


def test_headroom_stays_free() -> None:
    without = replace(SHARED, node_headroom=Resources(Cpu(0), Memory(0)))
    assert executor_size(without).request_cores == Cpu((7910 - 190) // 2 - 10)
    assert executor_size(SHARED).request_cores == Cpu((7910 - 190 - 100) // 2 - 10)


def test_a_size_as_text() -> None:
    assert str(executor_size(CRITICAL)) == (
        "8 slots, 7790m CPU, 22949m heap + 5737m overhead; a full node has at least 97.7% of its "
        "cores requested"
    )
