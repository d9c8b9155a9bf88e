"""Record of each job."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum


class JobOutcome(StrEnum):
    """How a job ended."""

    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    # The API server refused its first pod or its driver.
    REFUSED = "refused"
    # EMR gave up, since the driver did not run within the start timeout of the job.
    NOT_STARTED = "not-started"


@dataclass(kw_only=True, slots=True)
class JobRecord:
    """One job. Times are wall-clock seconds since the start of the scenario; None: not reached.

    Args:
        id: Id of the job.
        tenant: Name of the tenant.
        workload: Name of the workload.
        wanted: Executors that its first stage needs.
        submitted: When EMR accepted it.
        driver_running: When its first driver ran.
        all_running: When all executors that its first stage needs first ran.
        ended: When it ended.
        outcome: How it ended.
        reason: Why it did not succeed.
        attempts: Number of started drivers.
        applications: Spark's application id of each attempt whose driver was observed.
        executors_lost: Number of executors that were lost while the job needed them.
        drivers_lost: Reason of the loss of each lost driver.
        refused: Number of refused executors, by message of the API server.
    """

    id: str
    tenant: str
    workload: str
    wanted: int
    submitted: float = 0.0
    driver_running: float | None = None
    all_running: float | None = None
    ended: float | None = None
    outcome: JobOutcome = JobOutcome.RUNNING
    reason: str = ""
    attempts: int = 0
    applications: list[str] = field(default_factory=list)
    executors_lost: int = 0
    drivers_lost: list[str] = field(default_factory=list)
    refused: Counter[str] = field(default_factory=Counter)
