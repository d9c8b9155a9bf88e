"""Results of the observer for changes in the cluster."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from cdk_emr_eks import labels
from cdk_emr_eks.simulation.jobs.record import JobOutcome, JobRecord
from cdk_emr_eks.simulation.observe.observer import Observer, cores
from cdk_emr_eks.simulation.observe.timeline import Series
from cdk_emr_eks.simulation.report.results import (
    driver_zones,
    job_results,
    packing_results,
    quantile,
)
from tests.simulation.results_builder import sample

PRICES = {("m7g.2xlarge", "on-demand"): 0.4, ("m7gd.4xlarge", "spot"): 0.3}


@pytest.fixture
def observer() -> Observer:
    return Observer(lambda kind, capacity: PRICES[kind, capacity], 1.0)


def node(name: str, zone: str = "a", capacity: str = "on-demand", role: str = "driver") -> Any:
    kind = "m7g.2xlarge" if capacity == "on-demand" else "m7gd.4xlarge"
    return {
        "metadata": {
            "name": name,
            "uid": name,
            "labels": {
                labels.WORKLOAD: "shared",
                labels.ROLE: role,
                labels.ZONE: zone,
                labels.CAPACITY_TYPE: capacity,
                "node.kubernetes.io/instance-type": kind,
            },
        },
        "spec": {"providerID": f"aws:///{zone}/i-{name}"},
        "status": {"allocatable": {"cpu": "15890m"}},
    }


def claim(name: str, kind: str, capacity: str, reason: str = "") -> Any:
    conditions = [{"type": "DisruptionReason", "reason": reason}] if reason else []
    marks = {"node.kubernetes.io/instance-type": kind, labels.CAPACITY_TYPE: capacity}
    return {
        "metadata": {"name": name, "uid": name, "labels": marks},
        "status": {"providerID": "x", "nodeName": f"node-{name}", "conditions": conditions},
    }


def pod(job: str, part: str, on: str = "", number: int = 0, phase: str = "Running") -> Any:
    return {
        "metadata": {
            "name": f"{job}-{part}-{number}",
            "uid": f"{job}-{part}-{number}",
            "labels": {
                "emr-containers.amazonaws.com/job.id": job,
                "emr-containers.amazonaws.com/component": part,
                labels.SPARK_APP_SELECTOR: f"spark-{job}",
                labels.WORKLOAD: "shared",
            },
        },
        "spec": {
            **({"nodeName": on} if on else {}),
            "containers": [
                {"resources": {"requests": {"cpu": "3800m"}}},
                {"resources": {"requests": {"cpu": "10m"}}},
            ],
        },
        "status": {"phase": phase if on else "Pending"},
    }


def record(job: str, **changes: Any) -> JobRecord:
    return JobRecord(
        id=job,
        tenant="t",
        workload="shared",
        wanted=1,
        attempts=1,
        applications=[f"spark-{job}"],
        outcome=JobOutcome.SUCCEEDED,
        **changes,
    )


def test_nodes_and_pods_are_counted(observer: Observer) -> None:
    observer.on_node("ADDED", node("d"))
    observer.on_node("ADDED", node("e", "b", "spot", "executor"))
    observer.on_node("ADDED", {"metadata": {"name": "system", "labels": {}}})
    observer.on_pod("ADDED", pod("j", "driver", "d"))
    observer.on_pod("ADDED", pod("j", "executor", "e", 1))
    observer.on_pod("ADDED", pod("j", "executor", "", 2))
    found = observer.sample(1.0, 1)
    assert found.nodes == {("a", "on-demand"): 1, ("b", "spot"): 1}
    assert found.pending == {"executor": 1}
    assert (found.executors, found.jobs) == (1, 1)
    assert found.requested == pytest.approx({"shared": 3.81})
    assert found.allocatable == pytest.approx({"shared": 15.89})
    observer.on_pod("DELETED", pod("j", "executor", "e", 1))
    observer.on_node("DELETED", node("e", "b", "spot", "executor"))
    later = observer.sample(2.0, 1)
    assert later.nodes == {("a", "on-demand"): 1}
    assert later.executors == 0


def test_an_instance_costs_from_launch_to_end(observer: Observer) -> None:
    observer.on_claim("ADDED", claim("1", "m7g.2xlarge", "on-demand"))
    observer.sample(0.0, 0)
    observer.on_claim("ADDED", claim("2", "m7gd.4xlarge", "spot"))
    assert observer.sample(1800.0, 0).cost_per_hour == pytest.approx(0.7)
    observer.on_claim("DELETED", claim("2", "m7gd.4xlarge", "spot"))
    observer.sample(3600.0, 0)
    assert observer.cost == pytest.approx(0.35 + 0.2)
    assert observer.alive == 1


def test_costs_are_for_the_hours_of_the_scenario() -> None:
    fast = Observer(lambda kind, capacity: PRICES[kind, capacity], 60.0)
    fast.on_claim("ADDED", claim("1", "m7g.2xlarge", "on-demand"))
    fast.sample(60.0, 0)
    assert fast.cost == pytest.approx(0.4)


def test_a_job_in_two_zones_is_reported(observer: Observer) -> None:
    observer.on_node("ADDED", node("d", "a"))
    for name, zone in (("e", "a"), ("f", "b")):
        observer.on_node("ADDED", node(name, zone, "spot", "executor"))
    for job, nodes in (("whole", ["e"]), ("split", ["e", "f"])):
        observer.on_pod("ADDED", pod(job, "driver", "d"))
        for number, name in enumerate(nodes):
            observer.on_pod("ADDED", pod(job, "executor", name, number))
    observer.sample(10.0, 2)
    whole, split = job_results([record("whole"), record("split", submitted=1.0)], observer)
    assert (whole.zones, split.zones) == (("a",), ("a", "b"))
    assert (whole.capacity_types, whole.driver_on_spot) == (("spot",), False)
    assert driver_zones(observer, (whole, split)) == {"a": 2, "b": 0}


def test_costs_are_shared_by_cores_and_time(observer: Observer) -> None:
    observer.on_node("ADDED", node("d"))
    observer.on_claim("ADDED", claim("1", "m7g.2xlarge", "on-demand"))
    for job, pods in (("small", 1), ("large", 3)):
        for number in range(pods):
            observer.on_pod("ADDED", pod(job, "executor", "d", number))
    observer.sample(3600.0, 2)
    large, small = sorted(
        job_results([record("small"), record("large")], observer), key=lambda each: -each.cost
    )
    assert [large.cost, small.cost] == pytest.approx([0.3, 0.1])


def test_drivers_on_spot_and_voluntary_disruption_are_reported(observer: Observer) -> None:
    observer.on_node("ADDED", node("node-1", "a", "spot"))
    observer.on_pod("ADDED", pod("j", "driver", "node-1"))
    observer.on_claim("MODIFIED", claim("1", "m7gd.4xlarge", "spot", "Underutilized"))
    (found,) = job_results([record("j", drivers_lost=["evicted"])], observer)
    assert found.driver_on_spot
    (lost,) = found.lost_drivers
    assert (lost.reason, lost.by_choice) == ("evicted", "Underutilized")


def test_packing_has_the_peak_and_the_mean_of_executor_nodes(observer: Observer) -> None:
    observer.on_node("ADDED", node("e", "a", "spot", "executor"))
    for number in range(4):
        observer.on_pod("ADDED", pod("j", "executor", "e", number))
    observer.sample(10.0, 1)
    for number in range(2):
        observer.on_pod("DELETED", pod("j", "executor", "e", number))
    observer.sample(20.0, 1)
    packing = packing_results(observer)["shared"]
    assert packing.peak == pytest.approx(4 * 3.81 / 15.89)
    assert packing.mean == pytest.approx(3 * 3.81 / 15.89)


def test_warnings_are_counted_and_bounded(observer: Observer) -> None:
    for number in range(1000):
        event = {"type": "Warning", "reason": "FailedScheduling", "message": str(number % 300)}
        observer.on_event("ADDED", event)
    observer.on_event("ADDED", {"type": "Normal", "reason": "Scheduled", "message": "x"})
    assert len(observer.warnings) == 200
    assert observer.warnings["FailedScheduling", "0"] == 4


def test_a_series_keeps_its_bound_and_its_ends() -> None:
    series = Series(most=100)
    for at in range(10_000):
        series.add(sample(float(at)))
    times = [each.at for each in series.samples]
    assert len(times) <= 100
    assert times[0] == 0
    assert times[-1] > 9_700
    gaps = [later - earlier for earlier, later in itertools.pairwise(times)]
    # Even distances, except for the last doubling.
    assert max(gaps) <= 4 * min(gaps)


@pytest.mark.parametrize(
    ("text", "amount"), [("4", 4.0), ("3800m", 3.8), ("0.5", 0.5), ("0", 0.0), ("2k", 2000.0)]
)
def test_quantities_of_cpu(text: str, amount: float) -> None:
    assert cores(text) == pytest.approx(amount)


def test_quantiles() -> None:
    values = [float(number) for number in range(1, 101)]
    assert quantile(values, 0.5) == pytest.approx(50.5, abs=1)
    assert quantile(values, 0.95) == pytest.approx(95, abs=1)
    assert quantile([7.0], 0.95) == 7.0
