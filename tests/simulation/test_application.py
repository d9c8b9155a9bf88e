"""A simulated job on failed nodes: it does no work until its pods are deleted."""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import timedelta
from typing import Any, cast

import pytest

from cdk_emr_eks.assembly import open_assembly
from cdk_emr_eks.simulation.control_plane.kube_api import KubeApi
from cdk_emr_eks.simulation.jobs.application import Application, ApplicationEnd, JobRuntime
from cdk_emr_eks.simulation.jobs.blueprint import Blueprint, read_blueprints
from cdk_emr_eks.simulation.jobs.pods import JobRun, driver_pod
from cdk_emr_eks.simulation.jobs.record import JobRecord
from cdk_emr_eks.simulation.jobs.runner import JobRunner
from cdk_emr_eks.simulation.observe.timeline import Clock
from cdk_emr_eks.simulation.scenario import SparkStage
from tests.conftest import Assemblies


class Api:
    """An API server that runs each executor immediately, and sends the event to the application."""

    def __init__(self) -> None:
        self.application: Application | None = None
        self.calls: Counter[str] = Counter()

    async def create(self, path: str, content: Any, **_: object) -> None:
        assert path
        self.calls["create"] += 1
        assert self.application
        self.application.on_pod("MODIFIED", running(content, "of-executors"))

    async def delete(self, path: str, **_: object) -> None:
        assert path
        self.calls["delete"] += 1


def running(pod: Any, node: str) -> Any:
    metadata = {**pod["metadata"], "uid": "uid"}
    spec = {**pod["spec"], "nodeName": node}
    return {"metadata": metadata, "spec": spec, "status": {"phase": "Running"}}


def node(name: str, *, ready: bool) -> Any:
    conditions = [{"type": "Ready", "status": "True" if ready else "Unknown"}]
    return {"metadata": {"name": name}, "status": {"conditions": conditions}}


@pytest.fixture(scope="module")
def blueprint(assemblies: Assemblies) -> Blueprint:
    return read_blueprints(open_assembly(assemblies("reference").folder))[0]


async def simulated(
    blueprint: Blueprint, dark: str
) -> tuple[ApplicationEnd | None, ApplicationEnd | None]:
    """Run a short job; return how it ended, and how it ended after the deletion of its driver."""
    api = Api()
    runtime = JobRuntime(api=cast(KubeApi, api), clock=Clock(1_000), failed_nodes=set())
    runner = JobRunner((), runtime)
    run = JobRun(id="j1", blueprint=blueprint, spark=blueprint.spark, account="123456789012")
    stages = (SparkStage(executors=1, run_time=timedelta(seconds=20)),)
    record = JobRecord(id="j1", tenant="t", workload="w", wanted=1)
    application = api.application = Application(run, 1, stages, runtime, record)
    pod = running(driver_pod(run, 1), "of-driver")
    application.on_pod("MODIFIED", pod)
    for name in ("of-driver", "of-executors"):
        runner.on_node("ADDED", node(name, ready=True))
    if dark:
        runner.on_node("MODIFIED", node(dark, ready=False))
    task = asyncio.create_task(application.run())
    # A job on ready nodes ends within two seconds.
    early, _ = await asyncio.wait({task}, timeout=3 if dark else 30)
    application.on_pod("DELETED", pod)
    late, _ = await asyncio.wait({task}, timeout=5)
    return (task.result() if early else None, task.result() if late else None)


def test_a_job_on_ready_nodes_finishes(blueprint: Blueprint) -> None:
    assert asyncio.run(simulated(blueprint, "")) == (ApplicationEnd.DONE, ApplicationEnd.DONE)


@pytest.mark.parametrize("dark", ["of-driver", "of-executors"])
def test_pods_on_failed_nodes_do_no_work(blueprint: Blueprint, dark: str) -> None:
    assert asyncio.run(simulated(blueprint, dark)) == (None, ApplicationEnd.LOST)
