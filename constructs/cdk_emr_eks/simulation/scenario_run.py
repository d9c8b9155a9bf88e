"""Run a scenario on a control plane that has the platform deployed."""

from __future__ import annotations

import asyncio
import base64
import contextlib
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from typing import Final

from cdk_emr_eks.simulation.aws import EmulatedAws
from cdk_emr_eks.simulation.control_plane.kube_api import KubeApi
from cdk_emr_eks.simulation.control_plane.kube_types import NODES, PODS
from cdk_emr_eks.simulation.control_plane.plane import Plane
from cdk_emr_eks.simulation.control_plane.process import ProcessEnded
from cdk_emr_eks.simulation.deploy.kubectl import KARPENTER
from cdk_emr_eks.simulation.faults.context import FaultContext, FaultRecord
from cdk_emr_eks.simulation.faults.fault import inject_faults
from cdk_emr_eks.simulation.jobs.application import JobRuntime, Submit
from cdk_emr_eks.simulation.jobs.blueprint import Blueprint
from cdk_emr_eks.simulation.jobs.record import JobRecord
from cdk_emr_eks.simulation.jobs.runner import (
    JobRunner,
    JobSubmission,
    job_submissions,
    prepare_namespaces,
    run_prefix,
)
from cdk_emr_eks.simulation.jobs.spark_submit import SparkSubmit
from cdk_emr_eks.simulation.observe.observer import Feed, Observer
from cdk_emr_eks.simulation.observe.timeline import Clock, Sample
from cdk_emr_eks.simulation.scenario import Scenario, Submission

_SAMPLE_SECONDS: Final = 1.0
_CHECK_SECONDS: Final = 2.0


@dataclass(frozen=True, kw_only=True, slots=True)
class SimulationEnvironment:
    """Control plane and account that a scenario runs on.

    Args:
        plane: Control plane, with Karpenter running.
        aws: Emulated account.
        blueprints: Kinds of jobs of the platform.
        buffer_nodes: Number of nodes that hold capacity buffers before the first job and after the
            last one. Default 0.
    """

    plane: Plane
    aws: EmulatedAws
    blueprints: Sequence[Blueprint]
    buffer_nodes: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class SimulationRecord:
    """What was recorded while a scenario ran.

    Args:
        observer: Observations of the cluster.
        jobs: Record of each job.
        faults: Steps of the faults.
        gone_after: Seconds from the end of the last job until only nodes with capacity buffers
            remained; None if the scenario does not wait for it, or other nodes remained.
        buffer_nodes: Number of nodes that hold capacity buffers.
    """

    observer: Observer
    jobs: Sequence[JobRecord]
    faults: Sequence[FaultRecord]
    gone_after: float | None
    buffer_nodes: int


async def run_scenario(
    scenario: Scenario,
    environment: SimulationEnvironment,
    show: Callable[[Sample, Observer], None],
) -> SimulationRecord:
    """Run a scenario to its end, or to its time limit.

    Args:
        scenario: The scenario.
        environment: Control plane and account.
        show: Called with each sample, about once a second.

    Raises:
        ConfigError: If the scenario names a tenant or a workload that the platform does not have.
        RefusedError: If the cluster refuses the objects that EMR creates in a namespace.
        SimulationUnavailable: If a job needs Spark's submission client, and it is not installed.
    """
    plane, aws = environment.plane, environment.aws
    jobs = job_submissions(scenario, environment.blueprints, aws.account, prefix=run_prefix())
    plane.fleet.boot(scenario.boot_time.total_seconds())
    authority = base64.b64decode(plane.ca_bundle).decode()
    async with KubeApi(plane.server, plane.token, authority) as api:
        await prepare_namespaces(jobs, api)
        feed, clock = Feed(api), Clock(scenario.speed)
        observer = Observer(aws.prices.hourly, scenario.speed)
        runtime = JobRuntime(api=api, clock=clock, submit=_spark_client(jobs, plane, api))
        runner = JobRunner(jobs, runtime)
        faults = FaultContext(plane=plane, aws=aws, api=api, observer=observer, clock=clock)
        observer.attach(feed)
        feed.listen(PODS, runner.on_pod)
        feed.listen(NODES, runner.on_node)
        background = [
            asyncio.create_task(feed.run()),
            asyncio.create_task(_take_samples(observer, runner, clock, show)),
            asyncio.create_task(inject_faults(scenario.faults, faults)),
            asyncio.create_task(_restart_karpenter(plane, faults)),
        ]
        try:
            await _run_within(runner.run(), background, scenario.time_limit.total_seconds())
            runner.stop()
            settle = scenario.settle.total_seconds()
            gone_after = await _wait_until_gone(observer, clock, settle, environment.buffer_nodes)
        finally:
            for task in background:
                task.cancel()
            await asyncio.gather(*background, return_exceptions=True)
    return SimulationRecord(
        observer=observer,
        jobs=runner.records,
        faults=faults.records,
        gone_after=gone_after,
        buffer_nodes=environment.buffer_nodes,
    )


def _spark_client(jobs: Sequence[JobSubmission], plane: Plane, api: KubeApi) -> Submit | None:
    """Return Spark's submission client, if a job needs it."""
    if all(job.submission is Submission.PODS for job in jobs):
        return None
    directory = plane.directory / "spark"
    directory.mkdir(parents=True, exist_ok=True)
    authority = directory / "authority.pem"
    authority.write_bytes(base64.b64decode(plane.ca_bundle))
    client = SparkSubmit(api, server=plane.server, authority=authority, directory=directory)
    return client.submit


async def _run_within(
    jobs: Coroutine[object, object, None], others: Sequence[asyncio.Task[None]], seconds: float
) -> None:
    """Run the jobs for at most some seconds. An error of another task ends them."""
    task = asyncio.create_task(jobs)
    waiting: set[asyncio.Task[None]] = {task, *others}
    loop = asyncio.get_running_loop()
    until = loop.time() + seconds
    try:
        while not task.done() and loop.time() < until:
            done, waiting = await asyncio.wait(
                waiting, timeout=until - loop.time(), return_when=asyncio.FIRST_COMPLETED
            )
            for each in done:
                each.result()
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def _take_samples(
    observer: Observer, runner: JobRunner, clock: Clock, show: Callable[[Sample, Observer], None]
) -> None:
    while True:
        show(observer.sample(clock.wall(), runner.active), observer)
        await asyncio.sleep(_SAMPLE_SECONDS)


async def _restart_karpenter(plane: Plane, faults: FaultContext) -> None:
    """Restart Karpenter when it ends, as its Deployment does.

    Karpenter ends when it loses its lease, for example while the API server is down.

    Raises:
        ProcessEnded: If another process ends, since the control plane then does not work.
    """
    while True:
        try:
            plane.check()
        except ProcessEnded as ended:
            if ended.name != KARPENTER:
                raise
            # The API server may still be down.
            with contextlib.suppress(ProcessEnded):
                await asyncio.to_thread(plane.restart, KARPENTER)
            faults.record("restart", "karpenter ended by itself and was restarted")
        await asyncio.sleep(_CHECK_SECONDS)


async def _wait_until_gone(
    observer: Observer, clock: Clock, seconds: float, staying: int
) -> float | None:
    """Wait until only nodes with capacity buffers remain; return the seconds, None if others do."""
    start = clock.wall()
    while clock.wall() - start < seconds:
        if observer.alive <= staying:
            return clock.wall() - start
        await asyncio.sleep(0.5)
    return None
