"""Simulate one job from its submission to its end: EMR's part, and that of Spark's driver."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from typing import Final

from cdk_emr_eks.assembly.paths import text
from cdk_emr_eks.labels import JOB_COMPONENT
from cdk_emr_eks.model.access.execution_role import Component
from cdk_emr_eks.simulation.control_plane.kube_types import (
    EventType,
    ImpersonatedUser,
    Object,
    RefusedError,
    namespaced,
)
from cdk_emr_eks.simulation.jobs.application import Application, ApplicationEnd, JobRuntime
from cdk_emr_eks.simulation.jobs.emr_identities import EMR
from cdk_emr_eks.simulation.jobs.pods import JobRun, driver_pod, submitter_job
from cdk_emr_eks.simulation.jobs.record import JobOutcome, JobRecord
from cdk_emr_eks.simulation.jobs.spark_submit import SubmissionFailedError
from cdk_emr_eks.simulation.scenario import SparkStage

_SUBMITTER: Final = "job.submitter"
_SUCCEEDED: Final = {"status": {"phase": "Succeeded"}}


class Job:
    """Simulates EMR and Spark's driver for one job. Pod events are its only view of the cluster.

    Args:
        run: The job.
        stages: Stages of the job.
        runtime: What all jobs share.
    """

    def __init__(self, run: JobRun, stages: tuple[SparkStage, ...], runtime: JobRuntime) -> None:
        self._run = run
        self._stages = stages
        self._runtime = runtime
        self._changed = asyncio.Event()
        self._submitter = ""
        self._submitter_runs = False
        self._application: Application | None = None
        self.record = JobRecord(
            id=run.id,
            tenant=run.blueprint.tenant,
            workload=run.blueprint.workload,
            wanted=stages[0].executors,
        )

    async def run(self) -> None:
        """Submit the job, and return when it has ended."""
        record, clock = self.record, self._runtime.clock
        record.submitted = clock.wall()
        namespace = self._run.blueprint.namespace
        try:
            path = namespaced(namespace, "jobs", group="batch/v1")
            await self._runtime.api.create(path, submitter_job(self._run), identity=EMR)
            await self._attempts()
        except (RefusedError, SubmissionFailedError) as refused:
            record.outcome, record.reason = JobOutcome.REFUSED, str(refused)
        record.ended = clock.wall()
        await self.clean_up()

    def on_pod(self, event: EventType, pod: Object) -> None:
        """Handle a change of a pod of the job."""
        if text(pod, "metadata", "labels", JOB_COMPONENT) == _SUBMITTER:
            self._submitter = text(pod, "metadata", "name")
            # A submitter that succeeded has run, even if no watch saw it run.
            self._submitter_runs = text(pod, "status", "phase") in ("Running", "Succeeded")
        elif self._application:
            self._application.on_pod(event, pod)
        self._changed.set()

    def wake(self) -> None:
        """Count the working executors again, since a node failed."""
        if self._application:
            self._application.wake()

    async def clean_up(self) -> None:
        """Delete the objects of the job, as EMR does some time after its end."""
        api, namespace = self._runtime.api, self._run.blueprint.namespace
        if self._submitter and self.record.outcome is JobOutcome.SUCCEEDED:
            await self._finish(namespaced(namespace, "pods", self._submitter))
        try:
            path = namespaced(namespace, "jobs", self._run.id, group="batch/v1")
            await api.delete(path, identity=EMR)
            if self._application:
                await api.delete(self._application.driver_path, identity=EMR)
        except RefusedError as refused:
            self.record.reason = self.record.reason or f"not deleted: {refused}"

    async def _attempts(self) -> None:
        run, record = self._run, self.record
        # By the wall clock at any speed, since nodes and schedulers keep to the wall clock.
        patience = run.blueprint.start_timeout.total_seconds()
        start_by = self._runtime.clock.wall() + patience
        if not await self._wait(lambda: self._submitter_runs, start_by):
            record.outcome = JobOutcome.NOT_STARTED
            record.reason = "its submitter did not run within the start timeout"
            return
        for attempt in range(1, run.max_attempts + 1):
            record.attempts = attempt
            application = Application(run, attempt, self._stages, self._runtime, record)
            self._application = application
            try:
                await self._start_driver(attempt)
            except RefusedError as refused:
                # Two pods were counted in a quota at the same time. The submitter ends, and EMR
                # starts the job again if its retry policy allows it.
                if not refused.is_conflict or attempt == run.max_attempts:
                    raise
                continue
            if not await self._wait(partial(_is_up, application), start_by):
                record.outcome = JobOutcome.NOT_STARTED
                record.reason = "its driver did not run within the start timeout"
                return
            if await application.run() is ApplicationEnd.DONE:
                await self._finish(application.driver_path)
                record.outcome = JobOutcome.SUCCEEDED
                return
            start_by = self._runtime.clock.wall() + patience
        record.outcome = JobOutcome.FAILED
        record.reason = f"driver lost: {record.drivers_lost[-1]}"

    async def _start_driver(self, attempt: int) -> None:
        if self._runtime.submit:
            await self._runtime.submit(self._run, attempt)
            return
        namespace = self._run.blueprint.namespace
        account = self._run.service_account(Component.CLIENT)
        await self._runtime.api.create(
            namespaced(namespace, "pods"),
            driver_pod(self._run, attempt),
            identity=ImpersonatedUser.of_service_account(namespace, account),
        )

    async def _wait(self, holds: Callable[[], bool], until: float) -> bool:
        """Wait for a condition that pod events change; return whether it became true in time."""
        while not holds():
            left = until - self._runtime.clock.wall()
            if left <= 0:
                return False
            self._changed.clear()
            try:
                await asyncio.wait_for(self._changed.wait(), left)
            except TimeoutError:
                return holds()
        return True

    async def _finish(self, path: str) -> None:
        """Set a pod to succeeded, as its kubelet does when the containers end."""
        try:
            await self._runtime.api.patch(f"{path}/status", _SUCCEEDED)
        except RefusedError as refused:
            if not refused.is_not_found:
                raise


def _is_up(application: Application) -> bool:
    return bool(application.driver_uid)
