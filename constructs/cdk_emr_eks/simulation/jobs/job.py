"""One job from submission to end: EMR's part, and that of Spark's driver."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from typing import Final

from cdk_emr_eks.assembly.paths import mapping
from cdk_emr_eks.model.access.execution_role import Component
from cdk_emr_eks.simulation.control_plane.kube_api import (
    Identity,
    Kind,
    Object,
    RefusedError,
    namespaced,
)
from cdk_emr_eks.simulation.jobs.additions import COMPONENT
from cdk_emr_eks.simulation.jobs.application import Application, Ended, Surroundings
from cdk_emr_eks.simulation.jobs.identity import EMR
from cdk_emr_eks.simulation.jobs.pods import JobRun, driver_pod, submitter_job
from cdk_emr_eks.simulation.jobs.record import JobRecord, Outcome
from cdk_emr_eks.simulation.jobs.spark_submit import SubmissionFailedError
from cdk_emr_eks.simulation.scenario import Stage

_SUBMITTER: Final = "job.submitter"
_CONFLICT: Final = "Conflict"
_SUCCEEDED: Final = {"status": {"phase": "Succeeded"}}


class Job:
    """Plays EMR and Spark's driver for one job; all it knows of the cluster are pod events.

    Args:
        run: The job.
        stages: What it does.
        around: What all jobs share.
    """

    def __init__(self, run: JobRun, stages: tuple[Stage, ...], around: Surroundings) -> None:
        self._run = run
        self._stages = stages
        self._around = around
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
        """Submit the job, and see it through to its end."""
        record, clock = self.record, self._around.clock
        record.submitted = clock.wall()
        namespace = self._run.blueprint.namespace
        try:
            path = namespaced(namespace, "jobs", group="batch/v1")
            await self._around.api.create(path, submitter_job(self._run), identity=EMR)
            await self._attempts()
        except (RefusedError, SubmissionFailedError) as refused:
            record.outcome, record.reason = Outcome.REFUSED, str(refused)
        record.ended = clock.wall()
        await self.clean_up()

    def on_pod(self, kind: Kind, pod: Object) -> None:
        """Take note of a change of one of the job's pods."""
        metadata = mapping(pod["metadata"])
        part = mapping(metadata.get("labels")).get(COMPONENT)
        if part == _SUBMITTER:
            self._submitter = str(metadata["name"])
            # Once it has run it has submitted, also if that was missed while no watch was there.
            phase = mapping(pod.get("status")).get("phase")
            self._submitter_runs = phase in ("Running", "Succeeded")
        elif self._application:
            self._application.on_pod(kind, pod)
        self._changed.set()

    def wake(self) -> None:
        """Look again at who works: a node went dark."""
        if self._application:
            self._application.wake()

    async def clean_up(self) -> None:
        """Remove what the job left behind, as EMR does some time after its end."""
        api, namespace = self._around.api, self._run.blueprint.namespace
        if self._submitter and self.record.outcome is Outcome.SUCCEEDED:
            await self._finish(namespaced(namespace, "pods", self._submitter))
        try:
            path = namespaced(namespace, "jobs", self._run.id, group="batch/v1")
            await api.delete(path, identity=EMR)
            if self._application:
                await api.delete(self._application.driver_path, identity=EMR)
        except RefusedError as refused:
            self.record.reason = self.record.reason or f"left behind: {refused}"

    async def _attempts(self) -> None:
        run, record = self._run, self.record
        # By the wall clock, however fast the scenario: nodes and schedulers cannot be hurried.
        patience = run.blueprint.start_timeout.total_seconds()
        start_by = self._around.clock.wall() + patience
        if not await self._wait(lambda: self._submitter_runs, start_by):
            record.outcome = Outcome.NOT_STARTED
            record.reason = "its submitter did not run within the start timeout"
            return
        for attempt in range(1, run.max_attempts + 1):
            record.attempts = attempt
            application = Application(run, attempt, self._stages, self._around, record)
            self._application = application
            try:
                await self._start_driver(attempt)
            except RefusedError as refused:
                # Two pods at one time counted in a quota. The submitter ends, and EMR starts the
                # job again if its retry policy says so.
                if refused.reason != _CONFLICT or attempt == run.max_attempts:
                    raise
                continue
            if not await self._wait(partial(_is_up, application), start_by):
                record.outcome = Outcome.NOT_STARTED
                record.reason = "its driver did not run within the start timeout"
                return
            if await application.run() is Ended.DONE:
                await self._finish(application.driver_path)
                record.outcome = Outcome.SUCCEEDED
                return
            start_by = self._around.clock.wall() + patience
        record.outcome = Outcome.FAILED
        record.reason = f"driver lost: {record.drivers_lost[-1]}"

    async def _start_driver(self, attempt: int) -> None:
        if self._around.submit:
            await self._around.submit(self._run, attempt)
            return
        namespace = self._run.blueprint.namespace
        account = self._run.service_account(Component.CLIENT)
        await self._around.api.create(
            namespaced(namespace, "pods"),
            driver_pod(self._run, attempt),
            identity=Identity.of_service_account(namespace, account),
        )

    async def _wait(self, holds: Callable[[], bool], until: float) -> bool:
        """Wait for something that pod events bring about; tell whether it came in time."""
        while not holds():
            left = until - self._around.clock.wall()
            if left <= 0:
                return False
            self._changed.clear()
            try:
                await asyncio.wait_for(self._changed.wait(), left)
            except TimeoutError:
                return holds()
        return True

    async def _finish(self, path: str) -> None:
        """Let a pod's containers end well, which is the kubelet's to say."""
        try:
            await self._around.api.patch(f"{path}/status", _SUCCEEDED)
        except RefusedError as refused:
            if refused.status != 404:
                raise


def _is_up(application: Application) -> bool:
    return bool(application.driver_uid)
