"""Declare a scenario: jobs that arrive over time, and faults."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import field
from datetime import timedelta
from enum import StrEnum
from typing import Final

from cdk_emr_eks.checks import Check
from cdk_emr_eks.simulation.faults.fault import Fault
from cdk_emr_eks.simulation.prices import DEFAULT_SPOT_SHARE
from cdk_emr_eks.values import value

# In place of the name of a workload or tenant: each of the platform in turn.
EACH: Final = "*"

_ZERO: Final = timedelta()


# ---- arrival


@value
class AtOnce:
    """All jobs arrive at one moment.

    Args:
        start: Time from the start of the scenario. Default 0.

    Raises:
        ConfigError: If the time is negative.
    """

    start: timedelta = _ZERO

    def _rules(self, check: Check) -> None:
        check.require(self.start >= _ZERO, "start", "must not be negative", self.start)

    def times(self, count: int) -> tuple[float, ...]:
        """Return the seconds from the start of the scenario, for each of ``count`` jobs."""
        return (self.start.total_seconds(),) * count


@value
class Every:
    """Jobs arrive one after the other, at a fixed rate.

    Args:
        gap: Time between two jobs.
        start: Time of the first job. Default 0.

    Raises:
        ConfigError: If a time is negative, or the gap is 0.
    """

    gap: timedelta
    start: timedelta = _ZERO

    def _rules(self, check: Check) -> None:
        check.require(self.gap > _ZERO, "gap", "must be more than 0", self.gap)
        check.require(self.start >= _ZERO, "start", "must not be negative", self.start)

    def times(self, count: int) -> tuple[float, ...]:
        """Return the seconds from the start of the scenario, for each of ``count`` jobs."""
        first, gap = self.start.total_seconds(), self.gap.total_seconds()
        return tuple(first + number * gap for number in range(count))


@value
class AtTimes:
    """One job arrives at each of the given times. With more jobs than times, the times repeat.

    Args:
        moments: Times from the start of the scenario.

    Raises:
        ConfigError: If there is no time, or a time is negative.
    """

    moments: tuple[timedelta, ...]

    def _rules(self, check: Check) -> None:
        check.require(bool(self.moments), "moments", "must hold at least one time")
        not_negative = all(moment >= _ZERO for moment in self.moments)
        check.require(not_negative, "moments", "must not be negative")

    def times(self, count: int) -> tuple[float, ...]:
        """Return the seconds from the start of the scenario, for each of ``count`` jobs."""
        given = self.moments
        return tuple(sorted(given[n % len(given)].total_seconds() for n in range(count)))


@value
class Poisson:
    """Jobs arrive independently of each other, spread over a window.

    The group has the number of jobs. With that number, the moments of a Poisson process are
    independent and uniform over the window, and are drawn so.

    Args:
        over: Length of the window.
        seed: Seed of the draw. The same seed gives the same moments.
        start: Start of the window. Default 0.

    Raises:
        ConfigError: If a time is negative, or the window has no length.
    """

    over: timedelta
    seed: int
    start: timedelta = _ZERO

    def _rules(self, check: Check) -> None:
        check.require(self.over > _ZERO, "over", "must be more than 0", self.over)
        check.require(self.start >= _ZERO, "start", "must not be negative", self.start)

    def times(self, count: int) -> tuple[float, ...]:
        """Return the seconds from the start of the scenario, for each of ``count`` jobs."""
        draw = random.Random(self.seed)
        first, length = self.start.total_seconds(), self.over.total_seconds()
        return tuple(sorted(first + draw.random() * length for _ in range(count)))


Arrival = AtOnce | Every | AtTimes | Poisson


# ---- jobs


class Submission(StrEnum):
    """How jobs are submitted to the cluster."""

    # The simulation creates pods of EMR's form: suitable for thousands of jobs.
    PODS = "pods"
    # Spark's own submission client creates the driver: about 5 seconds of CPU for each job.
    SPARK = "spark"


@value
class SparkStage:
    """A stage of a Spark job, with the work that some executors do in some time.

    Args:
        executors: Executors that its tasks can keep busy.
        run_time: Time that it takes with all of them. With fewer it takes longer: its work is
            ``executors`` times ``run_time``.

    Raises:
        ConfigError: If a number is out of its range.
    """

    executors: int
    run_time: timedelta

    def _rules(self, check: Check) -> None:
        check.require(self.executors >= 0, "executors", "must be 0 or more", self.executors)
        check.require(self.run_time > _ZERO, "run_time", "must be more than 0", self.run_time)


@value
class JobGroup:
    """Jobs of one kind.

    Args:
        workload: Workload of the platform, or ``*``: each in turn. Default each.
        tenant: Tenant of the platform, or ``*``: each in turn that has the workload. Default each.
        count: Number of jobs. Default 1.
        stages: Stages of each job, in order. Dynamic allocation follows them: missing executors
            are requested, and idle ones are released after the configured time. Default one stage
            of 4 executors for one minute.
        arrival: When the jobs are submitted. Default all at the start.
        submission: How the jobs are submitted. Default pods of EMR's form.
        max_attempts: How often EMR starts a job whose driver was lost. Default 1: no retry.
        spark_conf: Spark properties that override the platform's job configuration, as
            ``sparkSubmitParameters`` do. Default none.

    Raises:
        ConfigError: If a number is out of its range, or there is no stage.
    """

    workload: str = EACH
    tenant: str = EACH
    count: int = 1
    stages: tuple[SparkStage, ...] = (SparkStage(executors=4, run_time=timedelta(minutes=1)),)
    arrival: Arrival = field(default_factory=AtOnce)
    submission: Submission = Submission.PODS
    max_attempts: int = 1
    spark_conf: Mapping[str, str] = field(default_factory=dict)

    def _rules(self, check: Check) -> None:
        check.at_least("count", 1)
        check.require(bool(self.stages), "stages", "must hold at least one stage")
        check.at_least("max_attempts", 1)
        rule = "must be Spark properties ('spark.')"
        for key in self.spark_conf:
            check.require(key.startswith("spark."), "spark_conf", rule, key)


@value
class Scenario:
    """Jobs, faults, and the clock of both.

    Args:
        name: Name in the report.
        jobs: Groups of jobs.
        faults: Faults. Default none.
        description: Purpose, in a sentence. Default empty.
        speed: How much faster than the wall clock are arrivals, run times, idle timeouts and the
            times of faults. The control plane keeps to the wall clock: Karpenter's times
            (``consolidateAfter``, batching) and the start of nodes do not change. Default 1.
        boot_time: Time from the launch of an instance to its node, by the wall clock. Default 30
            seconds.
        time_limit: The scenario ends after this time of the wall clock, even if jobs still run.
            Default 15 minutes.
        settle: How long to wait after the last job until all nodes are deleted, by the wall clock.
            Default 0: do not wait.
        spot_share: Spot prices as a share of on-demand prices, more than 0 and at most 1, the same
            for all instance types. Default 0.4: an assumption that is not measured; set the share
            that your account shows.

    Raises:
        ConfigError: If there are no jobs, or a number is out of its range.
    """

    name: str
    jobs: tuple[JobGroup, ...]
    faults: tuple[Fault, ...] = ()
    description: str = ""
    speed: float = 1.0
    boot_time: timedelta = timedelta(seconds=30)
    time_limit: timedelta = timedelta(minutes=15)
    settle: timedelta = _ZERO
    spot_share: float = DEFAULT_SPOT_SHARE

    def _rules(self, check: Check) -> None:
        check.require(bool(self.jobs), "jobs", "must hold at least one group")
        check.require(self.speed > 0, "speed", "must be more than 0", self.speed)
        for name in ("boot_time", "settle"):
            given = getattr(self, name)
            check.require(given >= _ZERO, name, "must not be negative", given)
        share = self.spot_share
        check.require(0 < share <= 1, "spot_share", "must be above 0 and at most 1", share)
        limit = self.time_limit
        check.require(limit > _ZERO, "time_limit", "must be more than 0", limit)

    @property
    def total_jobs(self) -> int:
        """Number of jobs of all groups."""
        return sum(group.count for group in self.jobs)
