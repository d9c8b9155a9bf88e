"""Scenarios: the shipped ones, and errors of wrong ones."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from cdk_emr_eks.errors import ConfigError
from cdk_emr_eks.labels import CapacityType
from cdk_emr_eks.simulation.scenario import (
    FAULTS,
    AtOnce,
    AtTimes,
    ControlPlaneProcess,
    Crash,
    Every,
    JobGroup,
    NoCapacity,
    Poisson,
    SparkStage,
    Submission,
    parse_scenario,
    read_scenario,
    shipped_scenarios,
)
from cdk_emr_eks.units import Cpu


def test_every_shipped_scenario_has_a_description() -> None:
    scenarios = [read_scenario(name) for name in shipped_scenarios()]
    assert len(scenarios) >= 10
    assert [each.name for each in scenarios if not each.description] == []


def test_the_shipped_scenarios_have_every_kind_of_fault() -> None:
    found = {type(fault) for name in shipped_scenarios() for fault in read_scenario(name).faults}
    # Other tests may have registered more kinds.
    own = {each for each in FAULTS.values() if each.__module__.startswith("cdk_emr_eks.")}
    assert found == own


def test_the_scenarios_of_the_specification_have_their_sizes() -> None:
    full = read_scenario("full-cluster").jobs[0]
    assert (full.count, full.stages[0].executors, full.workload) == (210, 15, "critical")
    day = read_scenario("day")
    assert (day.total_jobs, day.speed) == (3_000, 30)
    assert read_scenario("default").total_jobs == 5


def test_a_file_gives_every_field_its_type(tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text(
        """
speed: 2
boot_time: 1h30m
jobs:
  - workload: shared
    tenant: analytics
    count: 3
    stages: [{executors: 2, run_time: 10m}, {executors: 0, run_time: 0.5s}]
    arrival: {kind: poisson, over: 1d, seed: 3}
    submission: spark
    spark_conf: {spark.executor.cores: 2, spark.dynamicAllocation.enabled: false}
faults:
  - {kind: no-capacity, at: 1m, zone: 2, capacity_type: spot}
  - {kind: crash, at: 2m, component: karpenter, down: 3s}
  - {kind: pool-limit, at: 0s, workload: shared, cpu: 1.5}
"""
    )
    scenario = read_scenario(file)
    group = scenario.jobs[0]
    assert (scenario.name, scenario.speed) == ("mine", 2)
    assert scenario.boot_time == timedelta(minutes=90)
    assert group.stages[0] == SparkStage(executors=2, run_time=timedelta(minutes=10))
    assert group.arrival == Poisson(over=timedelta(days=1), seed=3)
    assert group.submission is Submission.SPARK
    assert group.spark_conf == {
        "spark.executor.cores": "2",
        "spark.dynamicAllocation.enabled": "false",
    }
    lack, crash, limit = scenario.faults
    assert lack == NoCapacity(at=timedelta(minutes=1), zone="2", capacity_type=CapacityType.SPOT)
    assert isinstance(crash, Crash)
    assert crash.component is ControlPlaneProcess.KARPENTER
    assert limit.cpu == Cpu(1500)  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("text", "place", "said"),
    [
        ("jobs: [", "file", "must be YAML"),
        ("[]", "file", "must be a mapping"),
        ("jobs: 3", "jobs", "must be a list"),
        ("name: x", "file", "needs jobs"),
        ("jobs: []", "jobs", "must hold at least one group"),
        ("jobs: [{count: 0}]", "jobs[0].count", "must be at least 1, got 0"),
        ("jobs: [{cuont: 1}]", "jobs[0].cuont", "did you mean 'count'?"),
        ("jobs: [{run_time: 40}]", "jobs[0].run_time", "write '40s'"),
        ("jobs: [{executors: 1, stages: []}]", "jobs[0]", "must have either stages"),
        ("jobs: [{executors: true}]", "jobs[0].executors", "must be a whole number"),
        ("jobs: [{executors: -1}]", "jobs[0].executors", "must be 0 or more"),
        ("jobs: [{arrival: {kind: evry}}]", "jobs[0].arrival.kind", "did you mean 'every'?"),
        ("jobs: [{arrival: {kind: every}}]", "jobs[0].arrival", "needs gap"),
        ("jobs: [{arrival: {kind: every, gap: 0s}}]", "jobs[0].arrival.gap", "more than 0"),
        ("jobs: [{submission: yarn}]", "jobs[0].submission", "must be one of pods, spark"),
        ("jobs: [{spark_conf: {a: b}}]", "jobs[0].spark_conf", "must be Spark properties"),
        ("jobs: [{}]\nspeed: 0", "speed", "must be more than 0"),
        ("jobs: [{}]\nspot_share: 40", "spot_share", "must be above 0 and at most 1"),
        ("jobs: [{}]\nspeed: fast", "speed", "must be a number"),
        ("jobs: [{}]\nfaults: [{at: 1s}]", "faults[0].kind", "must be one of crash, drift"),
        (
            "jobs: [{}]\nfaults: [{kind: crash, at: 1s, component: kubelet}]",
            "faults[0].component",
            "must be one of karpenter",
        ),
        (
            "jobs: [{}]\nfaults: [{kind: spot-interruption, at: 1s, share: 2}]",
            "faults[0].share",
            "at most 1",
        ),
    ],
)
def test_problems_have_their_place(text: str, place: str, said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_scenario(text, "mine", "mine.yaml")
    assert caught.value.fields == (place,)
    assert said in str(caught.value)
    assert "mine.yaml" in str(caught.value)


def test_an_unknown_name_has_a_suggestion() -> None:
    with pytest.raises(ConfigError, match="did you mean 'spot-storm'"):
        read_scenario("spotstorm")


def test_arrivals_over_time() -> None:
    second = timedelta(seconds=1)
    assert AtOnce(start=second).times(2) == (1.0, 1.0)
    assert Every(gap=2 * second, start=second).times(3) == (1.0, 3.0, 5.0)
    assert AtTimes(moments=(5 * second, second)).times(3) == (1.0, 5.0, 5.0)
    random = Poisson(over=100 * second, seed=4, start=10 * second)
    times = random.times(500)
    assert times == random.times(500) == tuple(sorted(times))
    assert 10 <= times[0] < times[-1] <= 110
    # Uniform over the window: 250 +- 5 standard deviations of 11.2 in either half.
    assert 194 <= sum(time < 60 for time in times) <= 306


def test_python_values_check_themselves() -> None:
    with pytest.raises(ConfigError, match="count must be a whole number"):
        JobGroup(count="3")  # type: ignore[arg-type]


def test_a_test_runs_every_shipped_scenario() -> None:
    simulated = (Path(__file__).parent / "test_scenarios.py").read_text(encoding="utf-8")
    missing = {name for name in shipped_scenarios() if f'simulated("{name}")' not in simulated}
    # test_run.py runs it.
    assert missing == {"default"}
