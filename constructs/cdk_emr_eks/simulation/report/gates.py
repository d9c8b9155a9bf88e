"""Gates: conditions under which a simulation fails a CI."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from cdk_emr_eks.checks import Check
from cdk_emr_eks.simulation.jobs.record import JobOutcome
from cdk_emr_eks.values import value

if TYPE_CHECKING:
    from cdk_emr_eks.simulation.report.results import JobResult, Results

_OF_JOBS: Final[Mapping[str, tuple[str, Callable[[JobResult], bool]]]] = MappingProxyType(
    {
        "jobs-across-zones": ("jobs in more than one zone", lambda job: len(job.zones) > 1),
        "drivers-on-spot": ("jobs with a driver on spot", lambda job: job.driver_on_spot),
        "drivers-disrupted": (
            "jobs whose driver Karpenter disrupted voluntarily",
            lambda job: any(each.by_choice for each in job.lost_drivers),
        ),
        "drivers-lost": ("jobs that lost a driver", lambda job: bool(job.lost_drivers)),
        "jobs-failed": (
            "jobs that did not succeed",
            lambda job: job.outcome is not JobOutcome.SUCCEEDED,
        ),
        "pending": (
            "jobs that never had all their executors",
            lambda job: job.all_running is None,
        ),
        "executors-refused": (
            "jobs with executors that Kubernetes refused",
            lambda job: bool(job.refused),
        ),
    }
)
_NODES_LEFT: Final = "nodes-left"
# Values of ``--fail-if``.
CONDITIONS: Final = (*_OF_JOBS, _NODES_LEFT)


@value
class Gates:
    """Conditions under which a simulation counts as failed.

    Args:
        fail_if: Some of ``CONDITIONS``. Default none.
        max_hourly_cost: Maximum hourly cost of instances, in US dollars. Default no limit.
        max_start_seconds: Maximum time from the submission of a job to all its executors running.
            Default no limit.

    Raises:
        ConfigError: If a condition is unknown, or a limit is not positive.
    """

    fail_if: tuple[str, ...] = ()
    max_hourly_cost: float | None = None
    max_start_seconds: float | None = None

    def _rules(self, check: Check) -> None:
        check.one_of("fail_if", CONDITIONS)
        check.more_than("max_hourly_cost", 0)
        check.more_than("max_start_seconds", 0)

    def failures(self, results: Results) -> tuple[str, ...]:
        """Return a text for each failed gate; empty if the simulation passed."""
        found = [
            f"{name}: {count:,} {_OF_JOBS[name][0]}"
            for name in self.fail_if
            if name in _OF_JOBS and (count := _count(results.jobs, _OF_JOBS[name][1]))
        ]
        if _NODES_LEFT in self.fail_if and results.gone_after is None:
            found.append(f"{_NODES_LEFT}: {results.nodes_left:,} nodes after the time to settle")
        peak = max((sample.cost_per_hour for sample in results.samples), default=0.0)
        if self.max_hourly_cost is not None and peak > self.max_hourly_cost:
            found.append(f"max-hourly-cost: ${peak:,.2f}, at most ${self.max_hourly_cost:,.2f}")
        slowest = max((job.start_seconds or 0.0 for job in results.jobs), default=0.0)
        if self.max_start_seconds is not None and slowest > self.max_start_seconds:
            found.append(f"max-start-seconds: {slowest:.0f}, at most {self.max_start_seconds:.0f}")
        return tuple(found)


def _count(jobs: Sequence[JobResult], holds: Callable[[JobResult], bool]) -> int:
    return sum(holds(job) for job in jobs)
