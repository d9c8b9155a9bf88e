"""Findings of a simulation: the same sentences in every report."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from cdk_emr_eks.simulation.jobs.record import JobOutcome
from cdk_emr_eks.simulation.report.results import JobResult, Results, quantile

_WELL_PACKED: Final = 0.9
_NAMED: Final = 3


class Level(StrEnum):
    """How good a finding is."""

    GOOD = "good"
    NOTE = "note"
    BAD = "bad"


@dataclass(frozen=True, kw_only=True, slots=True)
class Finding:
    """One sentence.

    Args:
        level: How good it is.
        text: The sentence.
    """

    level: Level
    text: str


def findings(results: Results) -> tuple[Finding, ...]:
    """Return the findings, the most important first."""
    return tuple(
        finding
        for part in (_outcomes, _zones, _drivers, _starts, _executors, _packing, _cost, _rest)
        for finding in part(results)
    )


def _good(text: str) -> Finding:
    return Finding(level=Level.GOOD, text=text)


def _note(text: str) -> Finding:
    return Finding(level=Level.NOTE, text=text)


def _bad(text: str) -> Finding:
    return Finding(level=Level.BAD, text=text)


def _outcomes(results: Results) -> Iterator[Finding]:
    total = len(results.jobs)
    by_outcome = Counter(job.outcome for job in results.jobs)
    done = by_outcome.pop(JobOutcome.SUCCEEDED, 0)
    if done == total:
        yield _good(f"All {total:,} jobs succeeded.")
        return
    yield _bad(f"{done:,} of {total:,} jobs succeeded.")
    words = {JobOutcome.RUNNING: "had not ended", JobOutcome.NOT_STARTED: "did not start"}
    for outcome, count in by_outcome.most_common():
        reasons = Counter(job.reason for job in results.jobs if job.outcome is outcome)
        reason, _ = reasons.most_common(1)[0]
        because = f": {reason}" if reason else ""
        yield _bad(f"{count:,} jobs {words.get(outcome, f'were {outcome}')}{because}.")


def _zones(results: Results) -> Iterator[Finding]:
    placed = [job for job in results.jobs if job.zones]
    across = [job for job in placed if len(job.zones) > 1]
    if across:
        yield _bad(
            f"{len(across):,} of {len(placed):,} jobs ran in several zones ({_names(across)}): "
            "they pay for traffic between zones, and shuffle slower."
        )
    elif placed:
        yield _good(f"Each of {len(placed):,} jobs ran in one zone.")
    counts = results.driver_zones
    if not placed:
        return
    each = ", ".join(f"{zone} {count:,}" for zone, count in counts.items())
    most = max(counts.values()) / sum(counts.values())
    if len(placed) > 1 and most == 1:
        yield _note(f"All jobs ran in the same zone ({each}): its loss would stop all of them.")
    else:
        yield _note(f"Jobs by zone: {each}; the zone with the most jobs has {most:.0%}.")


def _drivers(results: Results) -> Iterator[Finding]:
    on_spot = [job for job in results.jobs if job.driver_on_spot]
    if on_spot:
        yield _bad(f"{len(on_spot):,} drivers ran on spot nodes ({_names(on_spot)}).")
    else:
        yield _good("No driver ran on a spot node.")
    lost = [each for job in results.jobs for each in job.lost_drivers]
    chosen = [each for each in lost if each.by_choice]
    if chosen:
        reasons = ", ".join(sorted({each.by_choice for each in chosen}))
        yield _bad(f"Karpenter disrupted {len(chosen):,} drivers voluntarily ({reasons}).")
    else:
        yield _good("Karpenter disrupted no driver voluntarily.")
    if len(lost) > len(chosen):
        reason, _ = Counter(each.reason for each in lost).most_common(1)[0]
        again = sum(
            job.attempts > 1 and job.outcome is JobOutcome.SUCCEEDED for job in results.jobs
        )
        yield _note(
            f"{len(lost) - len(chosen):,} drivers were lost for other reasons ({reason}); "
            f"{again:,} jobs succeeded after a retry."
        )


def _starts(results: Results) -> Iterator[Finding]:
    starts = [job.start_seconds for job in results.jobs if job.start_seconds is not None]
    if starts:
        boot = results.scenario.boot_time.total_seconds()
        yield _note(
            f"From submission to all executors running: median {quantile(starts, 0.5):.0f} s, "
            f"95 % within {quantile(starts, 0.95):.0f} s, at most {max(starts):.0f} s, "
            f"with instances that boot in {boot:.0f} s."
        )
    never = [job for job in results.jobs if job.all_running is None]
    if never:
        yield _bad(f"{len(never):,} jobs never had all of their executors ({_names(never)}).")


def _executors(results: Results) -> Iterator[Finding]:
    lost = sum(job.lost_executors for job in results.jobs)
    if lost:
        yield _note(f"{lost:,} executors were lost and requested again.")
    refused: Counter[str] = Counter()
    for job in results.jobs:
        refused.update(job.refused)
    for message, count in refused.most_common(_NAMED):
        jobs = sum(message in job.refused for job in results.jobs)
        yield _bad(
            f"Kubernetes refused executors of {jobs:,} jobs, {count:,} times: {message.strip()}."
        )


def _packing(results: Results) -> Iterator[Finding]:
    for workload, packing in results.packing.items():
        text = (
            f"Executors of {workload} requested {packing.peak:.0%} of their nodes' allocatable "
            f"cores at the peak, and {packing.mean:.0%} over the whole time."
        )
        yield _good(text) if packing.peak >= _WELL_PACKED else _note(text)


def _cost(results: Results) -> Iterator[Finding]:
    peak = max((sample.cost_per_hour for sample in results.samples), default=0.0)
    each = results.cost / len(results.jobs) if results.jobs else 0.0
    share = results.scenario.spot_share
    yield _note(
        f"Instances cost ${results.cost:,.2f} in total, ${each:,.3f} per job, and at most "
        f"${peak:,.2f} per hour. Spot prices are an assumption: {share:.0%} of the on-demand price."
    )


def _rest(results: Results) -> Iterator[Finding]:
    if results.buffer_nodes:
        yield _note(
            f"{results.buffer_nodes:,} nodes hold capacity buffers before the first job and after "
            "the last one; all costs include them."
        )
    if results.gone_after is not None:
        after = results.gone_after
        yield _good(f"The last node was deleted {after:.0f} s after the last job.")
    elif results.scenario.settle.total_seconds():
        yield _bad(f"{results.nodes_left:,} nodes remained after the time to settle.")
    if results.scenario.speed != 1:
        yield _note(
            f"The scenario ran at {results.scenario.speed:g} times speed, the control plane at "
            "normal speed: nodes boot and wait by the wall clock, so costs are too high."
        )
    for problem in results.problems:
        yield _bad(problem)
    if results.not_simulated:
        count = len(results.not_simulated)
        yield _note(f"{count:,} resources are not simulated; HTML and JSON have the reasons.")


def _names(jobs: list[JobResult]) -> str:
    shown = ", ".join(job.id for job in jobs[:_NAMED])
    return shown if len(jobs) <= _NAMED else f"{shown} and {len(jobs) - _NAMED:,} more"
