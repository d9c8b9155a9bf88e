"""A simulated job from submission to end: retries and timeouts."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import Any, cast

import pytest

from cdk_emr_eks.assembly import open_assembly
from cdk_emr_eks.labels import JOB_COMPONENT, JOB_ID
from cdk_emr_eks.simulation.control_plane.kube_api import KubeApi
from cdk_emr_eks.simulation.control_plane.kube_types import RefusedError
from cdk_emr_eks.simulation.jobs.application import JobRuntime
from cdk_emr_eks.simulation.jobs.blueprint import Blueprint, read_blueprints
from cdk_emr_eks.simulation.jobs.job import Job
from cdk_emr_eks.simulation.jobs.pods import JobRun
from cdk_emr_eks.simulation.jobs.record import JobOutcome, JobRecord
from cdk_emr_eks.simulation.observe.timeline import Clock
from cdk_emr_eks.simulation.scenario import SparkStage
from tests.conftest import Assemblies

QUOTA = RefusedError(409, "Conflict", "the object has been modified")
FULL = RefusedError(403, "Forbidden", "exceeded quota")


class Api:
    """An API server whose pods run immediately, and a driver after a delay and refusals."""

    def __init__(self, refusals: list[RefusedError], driver_after: float = 0.0) -> None:
        self.job: Job | None = None
        self._refusals = refusals
        self._driver_after = driver_after

    async def create(self, path: str, content: Any, **_: object) -> None:
        if path.endswith("/jobs"):
            self._runs({**content["spec"]["template"], "metadata": self._submitter(content)})
            return
        if content["metadata"]["labels"][JOB_COMPONENT] != "driver":
            self._runs(content)
            return
        if self._refusals:
            raise self._refusals.pop(0)
        asyncio.get_running_loop().call_later(self._driver_after, self._runs, content)

    async def patch(self, path: str, content: Any) -> None:
        assert path.endswith("/status")
        assert content

    async def delete(self, path: str, **_: object) -> None:
        assert path

    def _submitter(self, job: Any) -> dict[str, Any]:
        labels = job["spec"]["template"]["metadata"]["labels"]
        assert labels[JOB_ID] == "j1"
        return {"name": "submitter", "labels": labels}

    def _runs(self, pod: Any) -> None:
        metadata = {**pod["metadata"], "uid": pod["metadata"]["name"]}
        spec = {**pod["spec"], "nodeName": "node"}
        assert self.job
        self.job.on_pod("MODIFIED", {**pod, "metadata": metadata, "spec": spec, **_RUNNING})


_RUNNING: dict[str, Any] = {"status": {"phase": "Running"}}


@pytest.fixture(scope="module")
def blueprint(assemblies: Assemblies) -> Blueprint:
    found = read_blueprints(open_assembly(assemblies("reference").folder))[0]
    return replace(found, start_timeout=timedelta(seconds=2))


def simulated(blueprint: Blueprint, api: Api, attempts: int = 1) -> JobRecord:
    """Run a job of 20 seconds at a thousand times speed."""
    run = JobRun(
        id="j1",
        blueprint=blueprint,
        spark=blueprint.spark,
        account="123456789012",
        max_attempts=attempts,
    )

    async def simulate() -> JobRecord:
        runtime = JobRuntime(api=cast(KubeApi, api), clock=Clock(1_000), failed_nodes=set())
        stages = (SparkStage(executors=1, run_time=timedelta(seconds=20)),)
        api.job = Job(run, stages, runtime)
        await api.job.run()
        return api.job.record

    return asyncio.run(simulate())


def test_a_quota_conflict_uses_one_attempt(blueprint: Blueprint) -> None:
    record = simulated(blueprint, Api([QUOTA]), attempts=2)
    assert (record.outcome, record.attempts) == (JobOutcome.SUCCEEDED, 2)


def test_a_quota_conflict_at_the_last_attempt_ends_the_job(blueprint: Blueprint) -> None:
    record = simulated(blueprint, Api([QUOTA, QUOTA]), attempts=2)
    assert (record.outcome, record.reason) == (JobOutcome.REFUSED, str(QUOTA))


def test_other_refusals_are_not_retried(blueprint: Blueprint) -> None:
    record = simulated(blueprint, Api([FULL]), attempts=3)
    assert (record.outcome, record.attempts) == (JobOutcome.REFUSED, 1)


def test_the_start_timeout_keeps_to_the_wall_clock(blueprint: Blueprint) -> None:
    # At a thousand times speed, two seconds would end immediately.
    assert simulated(blueprint, Api([], driver_after=0.5)).outcome is JobOutcome.SUCCEEDED
    late = simulated(blueprint, Api([], driver_after=4))
    assert (late.outcome, late.reason) == (
        JobOutcome.NOT_STARTED,
        "its driver did not run within the start timeout",
    )
