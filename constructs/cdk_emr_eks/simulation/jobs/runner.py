"""Submit the jobs of a scenario at their times, and pass each job the events of its pods."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from cdk_emr_eks.assembly.paths import sequence, text
from cdk_emr_eks.labels import JOB_ID
from cdk_emr_eks.simulation.control_plane.kube_api import KubeApi
from cdk_emr_eks.simulation.control_plane.kube_types import EventType, Object
from cdk_emr_eks.simulation.jobs.application import JobRuntime
from cdk_emr_eks.simulation.jobs.blueprint import Blueprint, choose_blueprints
from cdk_emr_eks.simulation.jobs.emr_identities import create_identities
from cdk_emr_eks.simulation.jobs.job import Job
from cdk_emr_eks.simulation.jobs.pods import JobRun
from cdk_emr_eks.simulation.jobs.record import JobRecord
from cdk_emr_eks.simulation.scenario import JobGroup, Scenario, SparkStage, Submission


@dataclass(frozen=True, kw_only=True, slots=True)
class JobSubmission:
    """A job, and the second of the scenario at which it is submitted."""

    moment: float
    run: JobRun
    stages: tuple[SparkStage, ...]
    submission: Submission


def job_submissions(
    scenario: Scenario, blueprints: Sequence[Blueprint], account: str, *, prefix: str
) -> tuple[JobSubmission, ...]:
    """Return all jobs of a scenario in the order of their submission.

    Args:
        scenario: The scenario.
        blueprints: Kinds of jobs of the platform.
        account: AWS account, which is part of the names of service accounts.
        prefix: Start of the ids of the jobs, different for each run.

    Raises:
        ConfigError: If a group names a tenant or a workload that the platform does not have.
    """
    found = [
        each
        for number, group in enumerate(scenario.jobs)
        for each in _group_submissions(group, blueprints, account, f"{prefix}{number}")
    ]
    return tuple(sorted(found, key=lambda each: each.moment))


def _group_submissions(
    group: JobGroup, blueprints: Sequence[Blueprint], account: str, prefix: str
) -> Iterator[JobSubmission]:
    kinds = choose_blueprints(blueprints, tenant=group.tenant, workload=group.workload)
    for number, moment in enumerate(group.arrival.times(group.count)):
        kind = kinds[number % len(kinds)]
        run = JobRun(
            # The end is random, as in EMR's ids: the zone of a job depends on it.
            id=f"{prefix}-{number:05}-{secrets.token_hex(1)}",
            blueprint=kind,
            spark={**kind.spark, **group.spark_conf},
            account=account,
            max_attempts=group.max_attempts,
        )
        yield JobSubmission(
            moment=moment, run=run, stages=group.stages, submission=group.submission
        )


class JobRunner:
    """Runs the jobs of a scenario.

    Args:
        jobs: The jobs, in the order of their submission.
        runtime: What jobs share; ``submit`` is for jobs that need Spark's submission client.
    """

    def __init__(self, jobs: Sequence[JobSubmission], runtime: JobRuntime) -> None:
        self._submissions = jobs
        self._runtime = runtime
        self._active: dict[str, Job] = {}
        self.records: list[JobRecord] = []

    @property
    def active(self) -> int:
        """Jobs that were submitted and have not ended."""
        return len(self._active)

    def on_pod(self, event: EventType, pod: Object) -> None:
        """Pass a change of a pod to its job."""
        job = self._active.get(text(pod, "metadata", "labels", JOB_ID))
        if job:
            job.on_pod(event, pod)

    def on_node(self, event: EventType, node: Object) -> None:
        """Record nodes that stopped reporting or were deleted: pods on them do no work."""
        name, failed = text(node, "metadata", "name"), self._runtime.failed_nodes
        ready = any(
            (text(each, "type"), text(each, "status")) == ("Ready", "True")
            for each in sequence(node, "status", "conditions")
        )
        if ready and event != "DELETED":
            failed.discard(name)
        elif name not in failed:
            failed.add(name)
            for job in self._active.values():
                job.wake()

    async def run(self) -> None:
        """Submit each job at its time, and return when all have ended.

        Raises:
            ExceptionGroup: With every error that is not a refusal of the API server.
        """
        async with asyncio.TaskGroup() as group:
            for each in self._submissions:
                await asyncio.sleep(self._runtime.clock.until(each.moment))
                group.create_task(self._run_job(each))

    def stop(self) -> None:
        """Record for every running job that the scenario reached its time limit."""
        for job in self._active.values():
            job.record.reason = job.record.reason or "the scenario reached its time limit"

    async def _run_job(self, each: JobSubmission) -> None:
        runtime = JobRuntime(
            api=self._runtime.api,
            clock=self._runtime.clock,
            submit=self._runtime.submit if each.submission is Submission.SPARK else None,
            failed_nodes=self._runtime.failed_nodes,
        )
        job = Job(each.run, each.stages, runtime)
        self.records.append(job.record)
        self._active[each.run.id] = job
        try:
            await job.run()
        finally:
            self._active.pop(each.run.id, None)


async def prepare_namespaces(jobs: Sequence[JobSubmission], api: KubeApi) -> None:
    """Create what EMR creates once in each namespace, before the scenario starts.

    Raises:
        RefusedError: If the cluster does not allow EMR to create it.
    """
    first = {
        (each.run.blueprint.namespace, each.run.blueprint.execution_role): each.run for each in jobs
    }
    await asyncio.gather(
        *(create_identities(api, run.blueprint, run.account) for run in first.values())
    )


def run_prefix() -> str:
    """Return the start of the ids of the jobs of one run: a letter, then random characters."""
    return f"j{secrets.token_hex(3)}"
