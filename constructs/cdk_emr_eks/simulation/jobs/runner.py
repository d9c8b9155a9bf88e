"""All jobs of a scenario: each arrives in its time, and gets the events of its pods."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from cdk_emr_eks.assembly.paths import mapping, sequence
from cdk_emr_eks.labels import JOB_ID
from cdk_emr_eks.simulation.control_plane.kube_api import Kind, KubeApi, Object
from cdk_emr_eks.simulation.jobs.application import Surroundings
from cdk_emr_eks.simulation.jobs.blueprint import Blueprint, choose_blueprints
from cdk_emr_eks.simulation.jobs.identity import make_identities
from cdk_emr_eks.simulation.jobs.job import Job
from cdk_emr_eks.simulation.jobs.pods import JobRun
from cdk_emr_eks.simulation.jobs.record import JobRecord
from cdk_emr_eks.simulation.scenario import JobGroup, Scenario, Stage, Submission


@dataclass(frozen=True, kw_only=True, slots=True)
class Arriving:
    """A job and the scenario's second in which it is submitted."""

    moment: float
    run: JobRun
    stages: tuple[Stage, ...]
    submission: Submission


def arrivals(
    scenario: Scenario, blueprints: Sequence[Blueprint], account: str, *, prefix: str
) -> tuple[Arriving, ...]:
    """Return all jobs of a scenario in the order of their submission.

    Args:
        scenario: The scenario.
        blueprints: Kinds of jobs that the platform has.
        account: AWS account, part of the service accounts' names.
        prefix: Start of the jobs' ids, different for each run.

    Raises:
        ConfigError: If a group names a tenant or a workload that the platform lacks.
    """
    found = [
        each
        for number, group in enumerate(scenario.jobs)
        for each in _of_group(group, blueprints, account, f"{prefix}{number}")
    ]
    return tuple(sorted(found, key=lambda each: each.moment))


def _of_group(
    group: JobGroup, blueprints: Sequence[Blueprint], account: str, prefix: str
) -> Iterator[Arriving]:
    kinds = choose_blueprints(blueprints, tenant=group.tenant, workload=group.workload)
    for number, moment in enumerate(group.arrival.times(group.count)):
        kind = kinds[number % len(kinds)]
        run = JobRun(
            # As of EMR's ids, nobody can say how it ends: jobs draw their zones by that.
            id=f"{prefix}-{number:05}-{secrets.token_hex(1)}",
            blueprint=kind,
            spark={**kind.spark, **group.spark_conf},
            account=account,
            max_attempts=group.max_attempts,
        )
        yield Arriving(moment=moment, run=run, stages=group.stages, submission=group.submission)


class JobRunner:
    """Runs the jobs of a scenario.

    Args:
        jobs: The jobs in the order of their submission.
        around: What they share; ``submit`` is for those that ask for Spark's submission client.
    """

    def __init__(self, jobs: Sequence[Arriving], around: Surroundings) -> None:
        self._arriving = jobs
        self._around = around
        self._active: dict[str, Job] = {}
        self.records: list[JobRecord] = []

    @property
    def active(self) -> int:
        """Jobs that were submitted and have not ended."""
        return len(self._active)

    def on_pod(self, kind: Kind, pod: Object) -> None:
        """Pass a change of a pod on to its job."""
        job_id = mapping(mapping(pod["metadata"]).get("labels")).get(JOB_ID)
        job = self._active.get(str(job_id))
        if job:
            job.on_pod(kind, pod)

    def on_node(self, kind: Kind, node: Object) -> None:
        """Take note of nodes that do not report any more, or are gone: their pods do no work."""
        name, dark = str(mapping(node["metadata"])["name"]), self._around.dark
        conditions = map(mapping, sequence(mapping(node.get("status")).get("conditions")))
        ready = any(
            (each.get("type"), each.get("status")) == ("Ready", "True") for each in conditions
        )
        if ready and kind != "DELETED":
            dark.discard(name)
        elif name not in dark:
            dark.add(name)
            for job in self._active.values():
                job.wake()

    async def run(self) -> None:
        """Submit each job in its time, and return when all have ended.

        Raises:
            ExceptionGroup: With every error that is no refusal of the API server.
        """
        async with asyncio.TaskGroup() as group:
            for each in self._arriving:
                await asyncio.sleep(self._around.clock.until(each.moment))
                group.create_task(self._one(each))

    def stop(self) -> None:
        """Note of every job that still runs that the scenario's time was over."""
        for job in self._active.values():
            job.record.reason = job.record.reason or "the scenario's time limit came first"

    async def _one(self, each: Arriving) -> None:
        around = Surroundings(
            api=self._around.api,
            clock=self._around.clock,
            submit=self._around.submit if each.submission is Submission.SPARK else None,
            dark=self._around.dark,
        )
        job = Job(each.run, each.stages, around)
        self.records.append(job.record)
        self._active[each.run.id] = job
        try:
            await job.run()
        finally:
            self._active.pop(each.run.id, None)


async def prepare(jobs: Sequence[Arriving], api: KubeApi) -> None:
    """Make what EMR makes once in each namespace, before a scenario's time begins.

    Raises:
        RefusedError: If the cluster does not let EMR make it.
    """
    first = {
        (each.run.blueprint.namespace, each.run.blueprint.execution_role): each.run for each in jobs
    }
    await asyncio.gather(
        *(make_identities(api, run.blueprint, run.account) for run in first.values())
    )


def run_prefix() -> str:
    """Return the start of the ids of one run's jobs: a letter, then random letters and digits."""
    return f"j{secrets.token_hex(3)}"
