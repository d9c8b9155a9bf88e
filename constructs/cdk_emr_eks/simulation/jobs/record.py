"""What became of each job."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum


class Outcome(StrEnum):
    """How a job ended."""

    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    REFUSED = "refused"
    """The API server did not take its first pod or its driver."""
    NOT_STARTED = "not-started"
    """EMR gave up: the driver did not run within the job's start timeout."""


@dataclass(kw_only=True, slots=True)
class JobRecord:
    """One job; times are seconds of the wall clock since the scenario's start, None: not reached.

    Args:
        id: Id of the job.
        tenant: Name of its tenant.
        workload: Name of its workload.
        wanted: Executors that its first stage wants.
        submitted: When EMR took it.
        driver_running: When its driver first ran.
        all_running: When as many executors as its first stage wants first ran.
        ended: When it ended.
        outcome: How.
        reason: Why it did not succeed, in words.
        attempts: Drivers that were started.
        applications: Spark's id of each attempt whose driver was seen.
        executors_lost: Executors that vanished while the job needed them.
        drivers_lost: Reason of each loss of a driver.
        refused: Messages of the API server for executors that it did not take, with their number.
    """

    id: str
    tenant: str
    workload: str
    wanted: int
    submitted: float = 0.0
    driver_running: float | None = None
    all_running: float | None = None
    ended: float | None = None
    outcome: Outcome = Outcome.RUNNING
    reason: str = ""
    attempts: int = 0
    applications: list[str] = field(default_factory=list)
    executors_lost: int = 0
    drivers_lost: list[str] = field(default_factory=list)
    refused: Counter[str] = field(default_factory=Counter)
