"""A scenario: jobs that arrive over time, and what goes wrong meanwhile."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from typing import Final

from cdk_emr_eks.errors import Problems
from cdk_emr_eks.field_types import check_types, hold_mappings
from cdk_emr_eks.simulation.scenario.arrival import Arrival, AtOnce
from cdk_emr_eks.simulation.scenario.fault import Fault

EACH = "*"
"""In place of a workload's or a tenant's name: each of the platform's in turn."""

_ZERO = timedelta()
DEFAULT_SPOT_SHARE: Final = 0.4
"""Spot prices as a share of on-demand prices where nobody says it: an assumption."""


class Submission(StrEnum):
    """How jobs reach the cluster."""

    PODS = "pods"
    """The pods of EMR's shape, made directly: for thousands of jobs."""
    SPARK = "spark"
    """The driver through Spark's own submission client: about 5 seconds of CPU for each job."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Stage:
    """A part of a job with as much work as some executors do in some time.

    Args:
        executors: Executors that its tasks can keep busy.
        run_time: How long it takes with all of them. With fewer it takes longer: its work is
            ``executors`` times ``run_time``.

    Raises:
        ConfigError: If a number is out of its range.
    """

    executors: int
    run_time: timedelta

    def __post_init__(self) -> None:
        check_types("Stage", self)
        problems = Problems("Stage")
        problems.require(self.executors >= 0, "executors", "must be 0 or more", self.executors)
        problems.require(self.run_time > _ZERO, "run_time", "must be more than 0", self.run_time)
        problems.raise_if_any()


@dataclass(frozen=True, kw_only=True, slots=True)
class JobGroup:
    """Jobs of one kind.

    Args:
        workload: Workload of the platform, or ``*``: each in turn. Default each.
        tenant: Tenant of the platform, or ``*``: each in turn that has the workload. Default each.
        count: How many jobs. Default 1.
        stages: What each job does, one stage after the other. Dynamic allocation follows: missing
            executors are requested, idle ones are released after the configured time. Default one
            stage of 4 executors for a minute.
        arrival: When the jobs are submitted. Default all at the start.
        submission: How. Default pods of EMR's shape.
        max_attempts: How often EMR starts a job whose driver was lost. Default 1: no retry.
        spark_conf: Spark properties that win over the platform's job configuration, as
            ``sparkSubmitParameters`` do. Default none.

    Raises:
        ConfigError: If a number is out of its range, or there is no stage.
    """

    workload: str = EACH
    tenant: str = EACH
    count: int = 1
    stages: tuple[Stage, ...] = (Stage(executors=4, run_time=timedelta(minutes=1)),)
    arrival: Arrival = field(default_factory=AtOnce)
    submission: Submission = Submission.PODS
    max_attempts: int = 1
    spark_conf: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        check_types("JobGroup", self)
        hold_mappings(self)
        problems = Problems("JobGroup")
        problems.require(self.count > 0, "count", "must be at least 1", self.count)
        problems.require(bool(self.stages), "stages", "must hold at least one stage")
        rule = "must be at least 1"
        problems.require(self.max_attempts > 0, "max_attempts", rule, self.max_attempts)
        rule = "must be Spark properties ('spark.')"
        for key in self.spark_conf:
            problems.require(key.startswith("spark."), "spark_conf", rule, key)
        problems.raise_if_any()


@dataclass(frozen=True, kw_only=True, slots=True)
class Scenario:
    """Jobs, faults, and the clock they run by.

    Args:
        name: Name in the report.
        jobs: Groups of jobs.
        faults: What goes wrong. Default nothing.
        description: What it is for, in a sentence. Default empty.
        speed: How much faster than the wall clock arrivals, run times, idle timeouts and the times
            of faults pass. The control plane cannot be hurried: Karpenter's times
            (``consolidateAfter``, batching) and the start of nodes keep to the wall clock. Default
            1.
        boot_time: From the purchase of an instance to its node, by the wall clock. Default 30
            seconds.
        time_limit: The scenario ends after this time by the wall clock, done or not. Default 15
            minutes.
        settle: How long after the last job the nodes are watched as they go, by the wall clock;
            shorter if all of them are gone. Default 0: not at all.
        spot_share: Spot prices as a share of on-demand prices, above 0 and at most 1, the same for
            all instance types. Default 0.4: an assumption, measured nowhere; give what your own
            account shows.

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

    def __post_init__(self) -> None:
        where = "Scenario"
        check_types(where, self)
        problems = Problems(f"Scenario {self.name!r}")
        problems.require(bool(self.jobs), "jobs", "must hold at least one group")
        problems.require(self.speed > 0, "speed", "must be more than 0", self.speed)
        for name in ("boot_time", "settle"):
            given = getattr(self, name)
            problems.require(given >= _ZERO, name, "must not be negative", str(given))
        share = self.spot_share
        problems.require(0 < share <= 1, "spot_share", "must be above 0 and at most 1", share)
        limit = self.time_limit
        problems.require(limit > _ZERO, "time_limit", "must be more than 0", str(limit))
        problems.raise_if_any()

    @property
    def total_jobs(self) -> int:
        """Jobs of all groups."""
        return sum(group.count for group in self.jobs)
