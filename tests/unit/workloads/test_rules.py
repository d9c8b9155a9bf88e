"""Rules and warnings of workloads, at their limits and one step beyond."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from cdk_emr_eks.labels import Architecture
from cdk_emr_eks.model.instances.instances import Instances
from cdk_emr_eks.model.instances.packing import PodPacking
from cdk_emr_eks.model.workloads.catalog import SHARED
from cdk_emr_eks.model.workloads.disruption import Disruption, DriftFreeze, go_duration
from cdk_emr_eks.model.workloads.rules import (
    limit_problems,
    size_warnings,
    spot_warnings,
    storage_warnings,
)
from cdk_emr_eks.model.workloads.shapes import DynamicAllocation, ExecutorShape, NodePoolLimits
from cdk_emr_eks.model.workloads.storage import PersistentVolumes, RootVolume
from cdk_emr_eks.units import Cpu, Memory
from tests.refusals import refused

TYPES = Instances(families=("m7g", "r7g"), sizes=("2xlarge", "4xlarge")).types()


def limits(millicores: int, mib: int) -> NodePoolLimits:
    return NodePoolLimits(cpu=Cpu(millicores), memory=Memory(mib))


def test_limits_allow_one_node_of_the_smallest_type() -> None:
    assert limit_problems("limits", limits(8_000, 32_768), TYPES) == ()
    for too_low in (limits(7_999, 32_768), limits(8_000, 32_767)):
        (problem,) = limit_problems("limits", too_low, TYPES)
        assert problem.rule == "must allow at least one node of the smallest type (m7g.2xlarge)"


def test_a_job_may_use_all_cores_of_a_pool() -> None:
    pool = limits(160_000, 1)
    assert size_warnings("W", 40, 4, pool) == ()
    assert size_warnings("W", 41, 4, pool) == (
        "W: one job may ask for 164 cores (41 executors), but a pool is limited to 160. Raise "
        "executor_limits or lower max_executors.",
    )


def packing(pods: int) -> PodPacking:
    return PodPacking(
        request=Cpu(1), memory=Memory(1), pods={"small": 1, "large": pods, "mid": 2}, share={}
    )


def test_a_node_attaches_24_volumes() -> None:
    assert list(storage_warnings("W", PersistentVolumes(count=8), (), packing(3))) == []
    (text,) = storage_warnings("W", PersistentVolumes(count=5), (), packing(5))
    assert text == (
        "W: a full large would need 25 volumes; EC2 attaches at most about 24. Choose smaller "
        "sizes, larger executors or fewer volumes."
    )
    assert list(storage_warnings("W", RootVolume(), (), packing(100))) == []


def test_a_spot_pool_of_15_types_has_no_warning() -> None:
    arm = (Architecture.ARM64,)
    fifteen = Instances(
        families=("m7g", "r7g", "c7g"), sizes=("large", "xlarge", "2xlarge", "4xlarge", "8xlarge")
    )
    assert list(spot_warnings("W", arm, fifteen)) == []
    assert len(list(spot_warnings("W", arm, replace(fifteen, sizes=fifteen.sizes[1:])))) == 1


@pytest.mark.parametrize("architectures", [(), (Architecture.ARM64,) * 2])
def test_architectures_are_one_or_two_different_ones(
    architectures: tuple[Architecture, ...],
) -> None:
    text = refused(lambda: replace(SHARED, architectures=architectures))
    assert "architectures must be one or two different architectures, preferred first" in text


def test_executor_nodes_outlast_idle_executors() -> None:
    minute = timedelta(minutes=1)
    idle = DynamicAllocation(executor_idle_timeout=minute)
    same = Disruption(executor_consolidate_after=minute)
    text = refused(lambda: replace(SHARED, dynamic_allocation=idle, disruption=same))
    assert text == (
        "Workload 'shared': disruption.executor_consolidate_after must be longer than dynamic "
        "allocation's executor_idle_timeout (0:01:00), got '0:01:00'."
    )
    longer = Disruption(executor_consolidate_after=timedelta(seconds=61))
    replace(SHARED, dynamic_allocation=idle, disruption=longer)


def test_off_heap_memory_leaves_512_mib_of_heap() -> None:
    # 10,000 MiB with 20 % overhead leave 8,000.
    ExecutorShape(memory=Memory(10_000), off_heap=Memory(7_488))
    text = refused(lambda: ExecutorShape(memory=Memory(10_000), off_heap=Memory(7_489)))
    assert text.startswith("ExecutorShape: off_heap must leave at least 512Mi of the memory")
    # Below 1,920 MiB the overhead is Spark's minimum of 384.
    ExecutorShape(memory=Memory(1_024), off_heap=Memory(128))
    refused(lambda: ExecutorShape(memory=Memory(1_024), off_heap=Memory(129)))


@pytest.mark.parametrize(
    ("shape", "mib"),
    [
        (ExecutorShape(), 1_024),
        (ExecutorShape(memory=Memory(5_000)), 5_000),
        (ExecutorShape(off_heap=Memory(100)), 1_024),
        (ExecutorShape(off_heap=Memory(200)), 512 + 200 + 384),
        (ExecutorShape(off_heap=Memory(10_000)), 13_140),
    ],
)
def test_least_memory_of_an_executor(shape: ExecutorShape, mib: int) -> None:
    assert shape.least_memory == Memory(mib)


@pytest.mark.parametrize(
    ("duration", "text"),
    [
        (timedelta(hours=720), "720h"),
        (timedelta(hours=1), "1h"),
        (timedelta(minutes=61), "61m"),
        (timedelta(minutes=1), "1m"),
        (timedelta(seconds=61), "61s"),
        (timedelta(seconds=1), "1s"),
    ],
)
def test_durations_as_karpenter_reads_them(duration: timedelta, text: str) -> None:
    assert go_duration(duration) == text


@pytest.mark.parametrize("nodes", ["0", "7", "120", "0%", "99%", "100%"])
def test_drift_nodes_are_a_number_or_a_percentage(nodes: str) -> None:
    Disruption(drift_nodes=nodes, executor_drift_nodes=nodes)


@pytest.mark.parametrize("nodes", ["", "101%", "-1", "1.5", "10 %"])
def test_other_drift_nodes_are_refused(nodes: str) -> None:
    rule = "must be a number of nodes or a percentage"
    assert f"drift_nodes {rule}" in refused(lambda: Disruption(drift_nodes=nodes))
    assert f"executor_drift_nodes {rule}" in refused(lambda: Disruption(executor_drift_nodes=nodes))


@pytest.mark.parametrize(
    "schedule", ["@annually", "@hourly", "0 9 * * mon-fri", "*/5 0-6 1,15 ? SUN"]
)
def test_schedules_that_karpenter_reads(schedule: str) -> None:
    DriftFreeze(schedule=schedule, duration=timedelta(minutes=1))


@pytest.mark.parametrize("schedule", ["@reboot", "0 9 * *", "0 9 * * * *", "nine 0 * * *"])
def test_other_schedules_are_refused(schedule: str) -> None:
    text = refused(lambda: DriftFreeze(schedule=schedule, duration=timedelta(minutes=1)))
    assert "schedule must be five cron fields in UTC" in text
