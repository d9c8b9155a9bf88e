"""Plays a scenario on a control plane that has the platform on it."""

from __future__ import annotations

import asyncio
import base64
import contextlib
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from typing import Final

from cdk_emr_eks.simulation.aws import EmulatedAws
from cdk_emr_eks.simulation.clock import Clock
from cdk_emr_eks.simulation.control_plane.kube_api import NODES, PODS, KubeApi
from cdk_emr_eks.simulation.control_plane.plane import Plane
from cdk_emr_eks.simulation.control_plane.process import ProcessEnded
from cdk_emr_eks.simulation.deploy.launch import KARPENTER
from cdk_emr_eks.simulation.faults import Faults, Struck
from cdk_emr_eks.simulation.feed import Feed
from cdk_emr_eks.simulation.jobs.application import Submit, Surroundings
from cdk_emr_eks.simulation.jobs.blueprint import Blueprint
from cdk_emr_eks.simulation.jobs.record import JobRecord
from cdk_emr_eks.simulation.jobs.runner import (
    Arriving,
    JobRunner,
    arrivals,
    prepare,
    run_prefix,
)
from cdk_emr_eks.simulation.jobs.spark_submit import SparkSubmit
from cdk_emr_eks.simulation.observe import Observer
from cdk_emr_eks.simulation.samples import Sample
from cdk_emr_eks.simulation.scenario import Scenario, Submission

_SAMPLE_SECONDS: Final = 1.0
_CHECK_SECONDS: Final = 2.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Stage:
    """Where a scenario is played.

    Args:
        plane: The control plane, with Karpenter running.
        aws: The emulated AWS.
        blueprints: Kinds of jobs that the platform has.
        warm_nodes: Nodes of warm capacity: there before the first job, and after the last. Default
            none.
    """

    plane: Plane
    aws: EmulatedAws
    blueprints: Sequence[Blueprint]
    warm_nodes: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class Played:
    """What was noted while a scenario was played.

    Args:
        observer: Of the cluster.
        records: Of each job.
        struck: Of the faults.
        gone_after: Seconds from the end of the last job until only nodes of warm capacity were
            left; None if not waited for, or others were.
        warm_nodes: Nodes of warm capacity.
    """

    observer: Observer
    records: Sequence[JobRecord]
    struck: Sequence[Struck]
    gone_after: float | None
    warm_nodes: int


async def play(
    scenario: Scenario, stage: Stage, show: Callable[[Sample, Observer], None]
) -> Played:
    """Play a scenario to its end, or to its time limit.

    Args:
        scenario: What is played.
        stage: Where.
        show: Called with each sample, about once a second.

    Raises:
        ConfigError: If the scenario names a tenant or a workload that the platform lacks.
        RefusedError: If the cluster does not let EMR make what it makes in a namespace.
        SimulationUnavailable: If a job asks for Spark's own client, and it is not here.
    """
    jobs = arrivals(scenario, stage.blueprints, stage.aws.account, prefix=run_prefix())
    stage.plane.fleet.boot(scenario.boot_time.total_seconds())
    plane = stage.plane
    authority = base64.b64decode(plane.ca_bundle).decode()
    async with KubeApi(plane.server, plane.token, authority) as api:
        await prepare(jobs, api)
        feed = Feed(api)
        clock = Clock(scenario.speed)
        observer = Observer(stage.aws.prices.hourly, scenario.speed)
        runner = JobRunner(
            jobs, Surroundings(api=api, clock=clock, submit=_submit(jobs, plane, api))
        )
        faults = Faults(plane, stage.aws, api, observer, clock)
        observer.attach(feed)
        feed.listen(PODS, runner.on_pod)
        feed.listen(NODES, runner.on_node)
        background = [
            asyncio.create_task(feed.run()),
            asyncio.create_task(_sample(observer, runner, clock, show)),
            asyncio.create_task(faults.run(scenario.faults)),
            asyncio.create_task(_keep_karpenter(plane, faults)),
        ]
        try:
            await _within(runner.run(), background, scenario.time_limit.total_seconds())
            runner.stop()
            settle = scenario.settle.total_seconds()
            gone = await _until_gone(observer, clock, settle, stage.warm_nodes)
        finally:
            for task in background:
                task.cancel()
            await asyncio.gather(*background, return_exceptions=True)
    return Played(
        observer=observer,
        records=runner.records,
        struck=faults.struck,
        gone_after=gone,
        warm_nodes=stage.warm_nodes,
    )


def _submit(jobs: Sequence[Arriving], plane: Plane, api: KubeApi) -> Submit | None:
    """Return Spark's own client, if a job asks for it."""
    if all(job.submission is Submission.PODS for job in jobs):
        return None
    directory = plane.directory / "spark"
    directory.mkdir(parents=True, exist_ok=True)
    authority = directory / "authority.pem"
    authority.write_bytes(base64.b64decode(plane.ca_bundle))
    client = SparkSubmit(api, server=plane.server, authority=authority, directory=directory)
    return client.submit


async def _within(
    jobs: Coroutine[object, object, None], others: Sequence[asyncio.Task[None]], seconds: float
) -> None:
    """Run the jobs for at most some time; what goes wrong beside them ends them."""
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


async def _sample(
    observer: Observer, runner: JobRunner, clock: Clock, show: Callable[[Sample, Observer], None]
) -> None:
    while True:
        show(observer.sample(clock.wall(), runner.active), observer)
        await asyncio.sleep(_SAMPLE_SECONDS)


async def _keep_karpenter(plane: Plane, faults: Faults) -> None:
    """Start Karpenter again when it ends, as its Deployment would.

    It ends by itself when it loses its lease, as while the API server is away.

    Raises:
        ProcessEnded: If another process ends: then there is no control plane any more.
    """
    while True:
        try:
            plane.check()
        except ProcessEnded as ended:
            if ended.name != KARPENTER:
                raise
            with contextlib.suppress(ProcessEnded):  # the API server may still be away
                await asyncio.to_thread(plane.restart, KARPENTER)
            faults.note("restart", "karpenter ended by itself and was started again")
        await asyncio.sleep(_CHECK_SECONDS)


async def _until_gone(
    observer: Observer, clock: Clock, seconds: float, staying: int
) -> float | None:
    """Wait until no instance is left but those that stay; tell how long, None if one is."""
    began = clock.wall()
    while clock.wall() - began < seconds:
        if observer.alive <= staying:
            return clock.wall() - began
        await asyncio.sleep(0.5)
    return None
