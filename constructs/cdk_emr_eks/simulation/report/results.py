"""Results of a scenario: plain values for every report."""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from cdk_emr_eks.labels import CapacityType
from cdk_emr_eks.simulation.jobs.record import JobOutcome, JobRecord
from cdk_emr_eks.simulation.observe.observer import Observer
from cdk_emr_eks.simulation.observe.timeline import Sample
from cdk_emr_eks.simulation.scenario import Scenario

# Reasons of voluntary disruption by Karpenter.
CONSOLIDATION: Final = frozenset({"Underutilized", "Empty", "Drifted", "Expired"})


@dataclass(frozen=True, kw_only=True, slots=True)
class LostDriver:
    """A lost driver.

    Args:
        reason: Reason in the status of its pod.
        by_choice: Karpenter's reason, if it disrupted the node voluntarily; else empty.
    """

    reason: str
    by_choice: str


@dataclass(frozen=True, kw_only=True, slots=True)
class JobResult:
    """One job. Times are wall-clock seconds since the start of the scenario.

    Args:
        id: Id of the job.
        tenant: Name of the tenant.
        workload: Name of the workload.
        outcome: How it ended.
        reason: Why it did not succeed; empty if it did.
        submitted: When EMR accepted it.
        driver_running: When its first driver ran, or None.
        all_running: When all executors that its first stage needs ran, or None.
        ended: When it ended, or None.
        attempts: Number of started drivers.
        zones: Zones of the attempt with the most zones, that of its driver first.
        capacity_types: Capacity types of the nodes of its executors.
        driver_on_spot: Whether one of its drivers was on a spot node.
        lost_drivers: Drivers that it lost.
        lost_executors: Number of executors that it lost while it needed them.
        refused: Number of refused executors, by message of the API server.
        cost: Its part of the cost of all instances, in US dollars.
    """

    id: str
    tenant: str
    workload: str
    outcome: JobOutcome
    reason: str
    submitted: float
    driver_running: float | None
    all_running: float | None
    ended: float | None
    attempts: int
    zones: tuple[str, ...]
    capacity_types: tuple[str, ...]
    driver_on_spot: bool
    lost_drivers: tuple[LostDriver, ...]
    lost_executors: int
    refused: Mapping[str, int]
    cost: float

    @property
    def start_seconds(self) -> float | None:
        """Seconds from submission to all executors running."""
        return None if self.all_running is None else self.all_running - self.submitted


@dataclass(frozen=True, kw_only=True, slots=True)
class PackingResult:
    """Requested cores of executors, as shares of the allocatable cores of their nodes.

    Args:
        peak: At the moment of the highest request.
        mean: Over the whole time, with nodes that start and nodes that are about to be deleted.
    """

    peak: float
    mean: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Results:
    """All results of a simulation.

    Args:
        scenario: The scenario.
        jobs: Every job.
        samples: The cluster over time.
        packing: Use of executor nodes, by workload.
        cost: US dollars for all instances over the hours of the scenario.
        nodes: Number of all nodes that existed.
        driver_zones: Number of jobs, by the zone of the driver.
        gone_after: Seconds from the end of the last job until only nodes with capacity buffers
            remained; None if others remained, or the scenario does not wait.
        buffer_nodes: Number of nodes that hold capacity buffers before the first job and after the
            last one.
        faults: Second and text of each step of the faults.
        warnings: Warnings of the cluster with their number, most frequent first.
        phases: Seconds of each phase of the simulation.
        peak_memory: Peak memory of each process, in MiB.
        not_simulated: Resources of the assembly that are not simulated, with reasons.
        problems: Problems outside of the scenario: node pools that were not ready, capacity buffers
            that no node holds, and objects that could not be deleted.
    """

    scenario: Scenario
    jobs: tuple[JobResult, ...]
    samples: tuple[Sample, ...]
    packing: Mapping[str, PackingResult]
    cost: float
    nodes: int
    driver_zones: Mapping[str, int]
    gone_after: float | None
    buffer_nodes: int = 0
    faults: tuple[tuple[float, str], ...] = ()
    warnings: tuple[tuple[str, int], ...] = ()
    phases: Mapping[str, float] = field(default_factory=dict)
    peak_memory: Mapping[str, int] = field(default_factory=dict)
    not_simulated: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()

    @property
    def nodes_left(self) -> int:
        """Number of nodes at the end, without those that hold capacity buffers."""
        if not self.samples:
            return 0
        return max(sum(self.samples[-1].nodes.values()) - self.buffer_nodes, 0)


def job_results(records: Sequence[JobRecord], observer: Observer) -> tuple[JobResult, ...]:
    """Combine the records of jobs with the observed nodes of their pods."""
    total = sum(observer.core_seconds.values())
    return tuple(
        _job(record, observer, observer.core_seconds.get(record.id, 0.0) / total if total else 0.0)
        for record in sorted(records, key=lambda each: each.submitted)
    )


def packing_results(observer: Observer) -> dict[str, PackingResult]:
    """Return the packing of each workload that had executors on executor nodes."""
    return {
        workload: PackingResult(
            peak=each.peak_requested / each.peak_allocatable,
            mean=each.requested / each.allocatable,
        )
        for workload, each in sorted(observer.packing.items())
        if each.peak_allocatable and each.allocatable
    }


def driver_zones(observer: Observer, jobs: Sequence[JobResult]) -> dict[str, int]:
    """Count the jobs by the zone of their driver; zones with nodes and without drivers count 0."""
    counted = Counter({node.zone: 0 for node in observer.nodes.values() if node.zone})
    counted.update(job.zones[0] for job in jobs if job.zones)
    return dict(sorted(counted.items()))


def quantile(values: Sequence[float], share: float) -> float:
    """Return the value that the given share of the values does not exceed."""
    if len(values) == 1:
        return values[0]
    cuts = statistics.quantiles(values, n=100, method="inclusive")
    return cuts[min(98, max(0, round(share * 100) - 1))]


def _job(record: JobRecord, observer: Observer, share: float) -> JobResult:
    nodes, placements = observer.nodes, observer.placements
    placed = [placements[each] for each in record.applications if each in placements]
    zones: tuple[str, ...] = ()
    for placement in placed:
        named = [placement.driver, *sorted(placement.executors)]
        seen = tuple(dict.fromkeys(nodes[name].zone for name in named if name in nodes))
        zones = seen if len(seen) >= len(zones) else zones
    executors = {name for each in placed for name in each.executors}
    drivers = [each.driver for each in placed]
    lost = tuple(
        LostDriver(reason=reason, by_choice=_by_choice(observer, drivers, number))
        for number, reason in enumerate(record.drivers_lost)
    )
    return JobResult(
        id=record.id,
        tenant=record.tenant,
        workload=record.workload,
        outcome=record.outcome,
        reason=record.reason,
        submitted=record.submitted,
        driver_running=record.driver_running,
        all_running=record.all_running,
        ended=record.ended,
        attempts=record.attempts,
        zones=zones,
        capacity_types=tuple(
            sorted({nodes[name].capacity_type for name in executors if name in nodes})
        ),
        driver_on_spot=any(
            nodes[name].capacity_type == CapacityType.SPOT for name in drivers if name in nodes
        ),
        lost_drivers=lost,
        lost_executors=record.executors_lost,
        refused=dict(record.refused),
        cost=observer.cost * share,
    )


def _by_choice(observer: Observer, drivers: Sequence[str], attempt: int) -> str:
    node = drivers[attempt] if attempt < len(drivers) else ""
    reason = observer.disrupted.get(node, "")
    return reason if reason in CONSOLIDATION else ""
