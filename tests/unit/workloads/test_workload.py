"""A workload refuses what could not run, and warns about what is probably not intended."""

from __future__ import annotations

import doctest
from dataclasses import FrozenInstanceError, replace
from datetime import timedelta
from functools import partial
from typing import Any, cast

import pytest

from cdk_emr_eks.labels import Architecture, CapacityType
from cdk_emr_eks.model.instances.instances import Instances
from cdk_emr_eks.model.workloads import workload as workload_module
from cdk_emr_eks.model.workloads.catalog import CRITICAL, DEFAULT_WORKLOADS, NOTEBOOK, SHARED
from cdk_emr_eks.model.workloads.disruption import Disruption, DriftFreeze
from cdk_emr_eks.model.workloads.shapes import (
    DriverShape,
    DynamicAllocation,
    ExecutorShape,
    NodePoolLimits,
)
from cdk_emr_eks.model.workloads.storage import InstanceStore, PersistentVolumes, RootVolume
from cdk_emr_eks.model.workloads.workload import Workload, check_workloads
from cdk_emr_eks.units import Cpu, Memory
from tests.refusals import Call, refusals, refused

GIB = Memory.from_gib


def test_the_example_of_the_docstring_runs() -> None:
    result = doctest.testmod(workload_module)
    assert result.attempted >= 8
    assert result.failed == 0


def test_the_defaults_raise_no_warning() -> None:
    assert [each.name for each in DEFAULT_WORKLOADS] == ["critical", "shared", "notebook"]
    assert all(each.warnings() == () for each in DEFAULT_WORKLOADS)
    check_workloads(DEFAULT_WORKLOADS)


def test_notebooks_run_on_amd64_and_critical_jobs_on_demand() -> None:
    assert NOTEBOOK.architectures == (Architecture.AMD64,)
    assert CRITICAL.executor_capacities == (CapacityType.ON_DEMAND,)


def test_no_default_waits_for_spot() -> None:
    # Executors run in the zone of their driver, so they could wait for spot in it without end.
    for workload in DEFAULT_WORKLOADS:
        assert CapacityType.ON_DEMAND in workload.executor_capacities
    for workload in (SHARED, NOTEBOOK):
        assert workload.executor_capacities[0] is CapacityType.SPOT


@pytest.mark.parametrize("workload", [SHARED, NOTEBOOK], ids=lambda each: each.name)
def test_spot_pools_have_at_least_15_instance_types(workload: Workload) -> None:
    for architecture in workload.architectures:
        assert len(workload.executor_instances.types(architecture)) >= 15


def test_a_workload_is_a_value() -> None:
    conf = {"spark.sql.shuffle.partitions": "400"}
    workload = replace(SHARED, spark_conf=conf)
    conf["spark.sql.shuffle.partitions"] = "1"
    assert workload.spark_conf == {"spark.sql.shuffle.partitions": "400"}
    with pytest.raises(TypeError):
        workload.spark_conf["spark.sql.shuffle.partitions"] = "1"  # type: ignore[index]
    with pytest.raises(FrozenInstanceError):
        workload.priority = 1  # type: ignore[misc]
    assert replace(workload, priority=5).spark_conf == workload.spark_conf


def test_drivers_have_priority_over_executors_but_not_over_the_next_tier() -> None:
    classes = {
        cast(Any, each)["metadata"]["name"]: cast(int, each["value"])
        for workload in DEFAULT_WORKLOADS
        for each in workload.priority_classes()
    }
    order = sorted(classes, key=lambda name: classes[name])
    assert order == [
        "notebook-executor",
        "notebook-driver",
        "shared-executor",
        "shared-driver",
        "critical-executor",
        "critical-driver",
    ]
    assert SHARED.priority_classes()[1]["preemptionPolicy"] == "Never"
    assert classes[SHARED.driver_priority_class] > classes[SHARED.executor_priority_class]


@pytest.mark.parametrize(
    ("changes", "warning"),
    [
        (
            {"executor_instances": Instances(families=("m7gd",), sizes=("2xlarge", "4xlarge"))},
            "Workload 'shared': its arm64 spot pools have 2 instance types; with fewer than 15 "
            "spot is reclaimed more often. Add families or sizes to executor_instances.",
        ),
        (
            {"storage": RootVolume()},
            "Workload 'shared': m6gd.2xlarge and others have NVMe disks that this storage leaves "
            "unused. Choose InstanceStore() or families without disks.",
        ),
        (
            {"driver_instances": Instances(families=("m7g",), sizes=("xlarge",))},
            "Workload 'shared': drivers of this shape request less than 95% of the allocatable "
            "cores of a full node: m7g.xlarge 92%. Choose larger sizes, other cores or memory.",
        ),
        (
            {"executor_limits": NodePoolLimits(cpu=Cpu.cores(100), memory=GIB(800))},
            "Workload 'shared': one job may ask for 160 cores (40 executors), but a pool is "
            "limited to 100. Raise executor_limits or lower max_executors.",
        ),
    ],
)
def test_a_risky_workload_has_a_warning(changes: dict[str, Any], warning: str) -> None:
    assert replace(SHARED, **changes).warnings() == (warning,)


def test_more_volumes_than_ec2_attaches_give_a_warning() -> None:
    workload = replace(
        NOTEBOOK, storage=PersistentVolumes(count=4), executor=ExecutorShape(cores=2)
    )
    assert workload.warnings() == (
        "Workload 'notebook': a full m5.4xlarge would need 32 volumes; EC2 attaches at most about "
        "24. Choose smaller sizes, larger executors or fewer volumes.",
    )


ARM_PLAIN = Instances(families=("m7g",), sizes=("2xlarge", "4xlarge"))

BAD: dict[str, tuple[dict[str, Any], str]] = {
    "name is no DNS label": (
        {"name": "Shared_Jobs"},
        "Workload 'Shared_Jobs': name must be a DNS label (a-z, 0-9, '-', at most 20 characters), "
        "got 'Shared_Jobs'; try 'shared-jobs'.",
    ),
    "name is too long": (
        {"name": "a-very-long-workload-name"},
        "Workload 'a-very-long-workload-name': name must be a DNS label (a-z, 0-9, '-', at most 20 "
        "characters), got 'a-very-long-workload-name'; try 'a-very-long-workload'.",
    ),
    "name is a token": (
        {"name": "${Token[x.1]}"},
        "Workload '${Token[x.1]}': name must be known at synth, not a token, got '${Token[x.1]}'.",
    ),
    "no architecture": (
        {"architectures": ()},
        "Workload 'shared': architectures must be one or two different architectures, preferred "
        "first, got ''.",
    ),
    "architecture twice": (
        {"architectures": (Architecture.ARM64, Architecture.ARM64)},
        "Workload 'shared': architectures must be one or two different architectures, preferred "
        "first, got 'arm64, arm64'.",
    ),
    "family of another architecture": (
        {"driver_instances": Instances(families=("m7g", "m7i"), sizes=("2xlarge",))},
        "Workload 'shared': driver_instances must be of the workload's architectures (arm64), got "
        "'m7i'.",
    ),
    "architecture without a family": (
        {"architectures": (Architecture.ARM64, Architecture.AMD64)},
        "Workload 'shared':\n"
        "  - driver_instances must have a family of amd64.\n"
        "  - executor_instances must have a family of amd64.",
    ),
    "instance store without NVMe": (
        {"executor_instances": Instances(families=("m7g", "m7gd"), sizes=("2xlarge",))},
        "Workload 'shared': executor_instances must have local NVMe disks for InstanceStore, got "
        "'m7g'; choose families with a 'd' such as m7gd, or another storage.",
    ),
    "executor larger than the smallest size": (
        {"executor": ExecutorShape(cores=16)},
        "Workload 'shared': executor_instances must not have sizes below the 16 cores of the pod, "
        "got 'm6gd.2xlarge'; m6gd.2xlarge has 8 vCPUs.",
    ),
    "driver memory larger than the smallest size": (
        {"driver": DriverShape(memory=GIB(30))},
        "Workload 'shared': driver_instances must have room for a Spark container of 30Gi, got "
        "'m6g.2xlarge'; m6g.2xlarge has 27574Mi next to the logging container.",
    ),
    "off-heap that leaves no heap": (
        {"executor": ExecutorShape(cores=4, off_heap=GIB(12))},
        "Workload 'shared': executor_instances must have room for a Spark container of 16000Mi, "
        "got 'm6gd.2xlarge'; m6gd.2xlarge has 13531Mi next to the logging container.",
    ),
    "fallback without spot": (
        {"executor_capacity": CapacityType.ON_DEMAND},
        "Workload 'shared': on_demand_fallback must be False unless executor_capacity is spot, got "
        "True.",
    ),
    "limits below one node": (
        {"executor_limits": NodePoolLimits(cpu=Cpu.cores(4), memory=GIB(800))},
        "Workload 'shared': executor_limits must allow at least one node of the smallest type "
        "(m6gd.2xlarge), got 'cpu 4, memory 800Gi'.",
    ),
    "nodes go before executors are idle": (
        {"disruption": Disruption(executor_consolidate_after=timedelta(seconds=30))},
        "Workload 'shared': disruption.executor_consolidate_after must be longer than dynamic "
        "allocation's executor_idle_timeout (0:01:00), got '0:00:30'.",
    ),
    "start timeout shorter than a node's start": (
        {"job_start_timeout": timedelta(seconds=30)},
        "Workload 'shared': job_start_timeout must be whole seconds, at least 2 minutes: nodes "
        "have to start first, got '0:00:30'.",
    ),
    "priority of Kubernetes' own": (
        {"priority": 2_000_000_000},
        "Workload 'shared': priority must be from 0 to 1000000, got 2000000000.",
    ),
    "Spark property that EMR sets": (
        {"spark_conf": {"spark.kubernetes.namespace": "mine"}},
        "Workload 'shared': spark_conf must not set, got 'spark.kubernetes.namespace'; EMR on EKS "
        "sets it and refuses another value.",
    ),
    "Spark property that the shape derives": (
        {"spark_conf": {"spark.executor.memory": "8g"}},
        "Workload 'shared': spark_conf must not set, got 'spark.executor.memory'; use "
        "Workload.executor.",
    ),
    "Spark property of dynamic allocation": (
        {"spark_conf": {"spark.dynamicAllocation.maxExecutors": "9"}},
        "Workload 'shared': spark_conf must not set, got 'spark.dynamicAllocation.maxExecutors'; "
        "use Workload.dynamic_allocation.",
    ),
    "property that is not Spark's": (
        {"spark_conf": {"fs.s3.maxConnections": "9"}},
        "Workload 'shared': spark_conf must have keys that start 'spark.', got "
        "'fs.s3.maxConnections'.",
    ),
    "property that is not text": (
        {"spark_conf": {"spark.sql.adaptive.enabled": True}},
        "Workload 'shared': spark_conf must have text as the value of "
        "'spark.sql.adaptive.enabled', got True; write 'true'.",
    ),
    "property that is too long": (
        {"spark_conf": {"spark.jars": "x" * 1025}},
        "Workload 'shared': spark_conf must have keys and values of at most 1024 characters, got "
        "'spark.jars (1025)'.",
    ),
    "two problems at once": (
        {"priority": -1, "job_start_timeout": timedelta(0)},
        "Workload 'shared':\n"
        "  - job_start_timeout must be whole seconds, at least 2 minutes: nodes have to start "
        "first, got '0:00:00'.\n"
        "  - priority must be from 0 to 1000000, got -1.",
    ),
}


@refusals({name: (partial(replace, SHARED, **given), text) for name, (given, text) in BAD.items()})
def test_invalid_workloads_are_refused(call: Call, message: str) -> None:
    assert refused(call) == message


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda: RootVolume(size=GIB(8)),
            "RootVolume: size must be at least 20Gi: it holds the system, the kubelet and two "
            "EMR images, got '8Gi'.",
        ),
        (
            lambda: RootVolume(iops=100),
            "RootVolume:\n"
            "  - iops must be from 3000 to 80000, got 100.\n"
            "  - throughput_mib must be at most a quarter of iops, as EBS allows 0.25 MiB/s "
            "for each, got 125.",
        ),
        (
            lambda: RootVolume(throughput_mib=1000),
            "RootVolume: throughput_mib must be at most a quarter of iops, as EBS allows 0.25 "
            "MiB/s for each, got 1000.",
        ),
        (
            lambda: RootVolume(size=GIB(20), iops=16_000),
            "RootVolume: iops must be at most 500 for each GiB of size, got 16000.",
        ),
        (
            lambda: PersistentVolumes(size=Memory(512)),
            "PersistentVolumes: size must be whole GiB, at least 1: the unit that EBS sells, "
            "got '512Mi'.",
        ),
        (
            lambda: PersistentVolumes(count=0),
            "PersistentVolumes: count must be from 1 to 8, got 0.",
        ),
        (
            lambda: ExecutorShape(cores=0),
            "ExecutorShape: cores must be from 1 to 64, got 0.",
        ),
        (
            lambda: ExecutorShape(overhead_share=1.5),
            "ExecutorShape: overhead_share must be from 0.05 to 0.8, got 1.5.",
        ),
        (
            lambda: ExecutorShape(memory=Memory(512)),
            "ExecutorShape: memory must be at least 1Gi, got '512Mi'.",
        ),
        (
            lambda: ExecutorShape(memory=GIB(4), off_heap=GIB(3)),
            "ExecutorShape: off_heap must leave at least 512Mi of the memory to the heap, got "
            "'3Gi'.",
        ),
        (
            lambda: DynamicAllocation(min_executors=8, max_executors=4),
            "DynamicAllocation: max_executors must be at least min_executors (8), got 4.",
        ),
        (
            lambda: DynamicAllocation(initial_executors=50),
            "DynamicAllocation: initial_executors must be from min_executors (0) to "
            "max_executors (40), got 50.",
        ),
        (
            lambda: DynamicAllocation(executor_idle_timeout=timedelta(milliseconds=5)),
            "DynamicAllocation: executor_idle_timeout must be whole seconds, at least 1 second, "
            "got '0:00:00.005000'.",
        ),
        (
            lambda: NodePoolLimits(cpu=Cpu(0), memory=GIB(1)),
            "NodePoolLimits: cpu must be more than 0, got '0m'.",
        ),
        (
            lambda: Disruption(expire_after=timedelta(hours=24)),
            "Disruption: expire_after must be longer than longest_job (1 day, 0:00:00), got '1 "
            "day, 0:00:00'.",
        ),
        (
            lambda: Disruption(longest_job=timedelta(minutes=90)),
            "Disruption: longest_job must be whole hours, at least 1 hour, got '1:30:00'.",
        ),
        (
            lambda: Disruption(drift_nodes="ten"),
            "Disruption: drift_nodes must be a number of nodes or a percentage such as '10%', got "
            "'ten'.",
        ),
        (
            lambda: DriftFreeze(schedule="mornings", duration=timedelta(hours=1)),
            "DriftFreeze: schedule must be five cron fields in UTC, or one of @daily, @weekly, "
            "@monthly ..., got 'mornings'.",
        ),
        (
            lambda: DriftFreeze(schedule="every day at six o'clock", duration=timedelta(hours=1)),
            "DriftFreeze: schedule must be five cron fields in UTC, or one of @daily, @weekly, "
            '@monthly ..., got "every day at six o\'clock".',
        ),
        (
            lambda: DriftFreeze(schedule="@daily", duration=timedelta(seconds=90)),
            "DriftFreeze: duration must be whole minutes, at least 1 minute, got '0:01:30'.",
        ),
    ],
)
def test_invalid_parts_of_a_workload_are_refused(make: Call, message: str) -> None:
    assert refused(make) == message


@refusals(
    {
        "no workload": (
            lambda: check_workloads(()),
            "Workloads: workloads must have at least one: nothing could run.",
        ),
        "one name twice": (
            lambda: check_workloads((SHARED, SHARED)),
            "Workloads: name must be used once, got 'shared'.",
        ),
        "priorities 99 apart": (
            lambda: check_workloads((SHARED, replace(CRITICAL, priority=2_099))),
            "Workloads: priority must equal that of 'shared' or be 100 apart from it, got "
            "\"'critical': 2099\"; 'shared' has 2000.",
        ),
    }
)
def test_workloads_that_contradict_each_other_are_refused(call: Call, message: str) -> None:
    assert refused(call) == message


def test_one_workload_is_enough() -> None:
    check_workloads((SHARED,))


@pytest.mark.parametrize("priority", [2_000, 2_100])
def test_priorities_are_equal_or_100_apart(priority: int) -> None:
    check_workloads((SHARED, replace(CRITICAL, priority=priority)))


def test_persistent_volumes_need_no_nvme_disks() -> None:
    workload = replace(SHARED, executor_instances=ARM_PLAIN, storage=PersistentVolumes())
    assert not any("NVMe" in text for text in workload.warnings())
    assert isinstance(SHARED.storage, InstanceStore)
