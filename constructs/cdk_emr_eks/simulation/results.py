"""What a scenario showed: plain values, from which every report is made."""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from cdk_emr_eks.labels import CapacityType
from cdk_emr_eks.simulation.jobs.record import JobRecord, Outcome
from cdk_emr_eks.simulation.observe import Observer
from cdk_emr_eks.simulation.samples import Sample
from cdk_emr_eks.simulation.scenario import Scenario

CONSOLIDATION: Final = frozenset({"Underutilized", "Empty", "Drifted", "Expired"})
"""Reasons for which Karpenter gives up a node by its own choice."""


@dataclass(frozen=True, kw_only=True, slots=True)
class LostDriver:
    """A driver that was lost.

    Args:
        reason: What Kubernetes or Karpenter noted on its pod.
        by_choice: Karpenter's reason if it gave up the node by its own choice; else empty.
    """

    reason: str
    by_choice: str


@dataclass(frozen=True, kw_only=True, slots=True)
class JobResult:
    """One job; times are seconds of the wall clock since the scenario's start.

    Args:
        id: Its id.
        tenant: Its tenant.
        workload: Its workload.
        outcome: How it ended.
        reason: Why it did not succeed; empty if it did.
        submitted: When EMR took it.
        driver_running: When its first driver ran, or None.
        all_running: When all executors that its first stage wants ran, or None.
        ended: When it ended, or None.
        attempts: Drivers that were started.
        zones: Zones of the attempt that spread widest, its driver's first.
        capacity_types: Capacity types of its executors' nodes.
        driver_on_spot: Whether a driver of it was on a spot node.
        lost_drivers: Drivers that it lost.
        lost_executors: Executors that it lost while it needed them.
        refused: Executors that the API server did not take, by its message.
        cost: Its part of the cost of all instances, in US dollars.
    """

    id: str
    tenant: str
    workload: str
    outcome: Outcome
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
        """From submission to all executors running."""
        return None if self.all_running is None else self.all_running - self.submitted


@dataclass(frozen=True, kw_only=True, slots=True)
class PackingResult:
    """How full the executor nodes of a workload were, as shares of their allocatable cores.

    Args:
        peak: At the moment when executors requested most.
        mean: Over the whole time, nodes that start and nodes that wait to go included.
    """

    peak: float
    mean: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Results:
    """Everything that a simulation showed.

    Args:
        scenario: What was played.
        jobs: Every job.
        samples: The cluster over time.
        packing: By workload.
        cost: US dollars for all instances over the scenario's hours.
        nodes: Nodes that ever were.
        driver_zones: Jobs by the zone of their last driver.
        gone_after: Seconds from the end of the last job until only nodes of warm capacity were
            left; None if others were, or were not waited for.
        warm_nodes: Nodes of warm capacity: there before the first job, and after the last.
        faults: When which fault struck, in words.
        warnings: Warnings of the cluster with their number, most frequent first.
        phases: Seconds that each phase of the simulation took.
        peak_memory: MiB that each process had at most.
        not_simulated: What of the assembly the simulation does not honour, with reasons.
        problems: What went wrong beside the scenario: pools that were not ready, warm capacity that
            did not come, and what could not be deleted.
    """

    scenario: Scenario
    jobs: tuple[JobResult, ...]
    samples: tuple[Sample, ...]
    packing: Mapping[str, PackingResult]
    cost: float
    nodes: int
    driver_zones: Mapping[str, int]
    gone_after: float | None
    warm_nodes: int = 0
    faults: tuple[tuple[float, str], ...] = ()
    warnings: tuple[tuple[str, int], ...] = ()
    phases: Mapping[str, float] = field(default_factory=dict)
    peak_memory: Mapping[str, int] = field(default_factory=dict)
    not_simulated: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()

    @property
    def nodes_left(self) -> int:
        """Nodes that were there at the end, beyond those of warm capacity."""
        if not self.samples:
            return 0
        return max(sum(self.samples[-1].nodes.values()) - self.warm_nodes, 0)


def job_results(records: Sequence[JobRecord], observer: Observer) -> tuple[JobResult, ...]:
    """Join what jobs noted with where the observer saw their pods."""
    total = sum(observer.core_seconds.values())
    return tuple(
        _job(record, observer, observer.core_seconds.get(record.id, 0.0) / total if total else 0.0)
        for record in sorted(records, key=lambda each: each.submitted)
    )


def packing_results(observer: Observer) -> dict[str, PackingResult]:
    """Return the packing of each workload that had executor nodes with executors."""
    return {
        workload: PackingResult(
            peak=each.peak_requested / each.peak_allocatable,
            mean=each.requested / each.allocatable,
        )
        for workload, each in sorted(observer.packing.items())
        if each.peak_allocatable and each.allocatable
    }


def driver_zones(observer: Observer, jobs: Sequence[JobResult]) -> dict[str, int]:
    """Count the jobs by the zone of their driver; zones with nodes and no driver count 0."""
    counted = Counter({node.zone: 0 for node in observer.nodes.values() if node.zone})
    counted.update(job.zones[0] for job in jobs if job.zones)
    return dict(sorted(counted.items()))


def quantile(values: Sequence[float], share: float) -> float:
    """Return the value that this share of the values does not exceed."""
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
