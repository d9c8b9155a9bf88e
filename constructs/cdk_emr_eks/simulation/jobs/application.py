"""Simulate a Spark driver: it requests executors, works, replaces lost ones, releases idle ones."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from enum import Enum, auto

from cdk_emr_eks import labels
from cdk_emr_eks.assembly.paths import mapping, sequence, text
from cdk_emr_eks.labels import SparkRole
from cdk_emr_eks.model.access.execution_role import Component
from cdk_emr_eks.simulation.control_plane.kube_api import KubeApi
from cdk_emr_eks.simulation.control_plane.kube_types import (
    EventType,
    ImpersonatedUser,
    Object,
    RefusedError,
    namespaced,
)
from cdk_emr_eks.simulation.jobs.allocation import BATCH_SECONDS, AllocationPolicy, Ramp
from cdk_emr_eks.simulation.jobs.pods import EXECUTOR_ID, DriverReference, JobRun, executor_pod
from cdk_emr_eks.simulation.jobs.record import JobRecord
from cdk_emr_eks.simulation.observe.timeline import Clock
from cdk_emr_eks.simulation.scenario import SparkStage

# Creates the driver of an attempt.
Submit = Callable[[JobRun, int], Awaitable[None]]


@dataclass(frozen=True, kw_only=True, slots=True)
class JobRuntime:
    """What all jobs of a scenario share.

    Args:
        api: API server.
        clock: Clock of the scenario.
        submit: Creates the driver of an attempt with Spark's submission client. None: the
            simulation creates the pod.
        failed_nodes: Names of nodes that do not report. Pods on them do no work.
    """

    api: KubeApi
    clock: Clock
    submit: Submit | None = None
    failed_nodes: set[str] = field(default_factory=set)


class ApplicationEnd(Enum):
    """How an application ended."""

    DONE = auto()
    LOST = auto()


class Application:
    """Simulates one Spark driver.

    Work is measured in executor-seconds: a stage of 8 executors and one minute has 480, and takes
    longer while executors are missing. The finished work of a lost executor is not repeated.

    Args:
        run: The job.
        attempt: Number of the attempt, counted from 1.
        stages: Stages of the application.
        runtime: What all jobs share.
        record: Record for losses and times.
    """

    def __init__(
        self,
        run: JobRun,
        attempt: int,
        stages: tuple[SparkStage, ...],
        runtime: JobRuntime,
        record: JobRecord,
    ) -> None:
        self._run = run
        self._attempt = attempt
        self._stages = stages
        self._runtime = runtime
        self._record = record
        self._policy = AllocationPolicy.of(run.spark)
        self._ramp = Ramp(self._policy)
        # Whether an executor runs yet, by name. Lost and released executors are removed.
        self._running: dict[str, bool] = {}
        # Nodes of driver and executors, by name of the pod.
        self._nodes: dict[str, str] = {}
        self._next = 1
        self._changed = asyncio.Event()
        self._id = ""
        self._lost = ""
        self.driver_uid = ""
        namespace = run.blueprint.namespace
        self._pods = namespaced(namespace, "pods")
        self.driver_path = namespaced(namespace, "pods", run.driver_name(attempt))
        account = run.service_account(Component.DRIVER)
        self._identity = ImpersonatedUser.of_service_account(namespace, account)

    def on_pod(self, event: EventType, pod: Object) -> None:
        """Handle a change of a pod of the application."""
        metadata, phase = mapping(pod, "metadata"), text(pod, "status", "phase")
        name, pod_labels = text(metadata, "name"), mapping(metadata, "labels")
        application = text(pod_labels, labels.SPARK_APP_SELECTOR)
        ending = event == "DELETED" or "deletionTimestamp" in metadata or phase == "Failed"
        self._nodes[name] = text(pod, "spec", "nodeName")
        if name == self._run.driver_name(self._attempt):
            self._set_id(application)
            self._on_driver(pod, ending=ending, running=phase == "Running")
        elif pod_labels.get(EXECUTOR_ID) and application == self._id:
            self._on_executor(name, ending=ending, running=phase == "Running")
        self._changed.set()

    async def run(self) -> ApplicationEnd:
        """Run the stages, from the moment that the driver runs."""
        if self._record.driver_running is None:
            self._record.driver_running = self._runtime.clock.wall()
        for stage in self._stages:
            await self._run_stage(stage)
            if self._lost:
                self._record.drivers_lost.append(self._lost)
                return ApplicationEnd.LOST
        self._running.clear()
        selector = (
            f"{labels.SPARK_APP_SELECTOR}={self._id},{labels.SPARK_ROLE}={SparkRole.EXECUTOR}"
        )
        await self._runtime.api.delete(self._pods, identity=self._identity, selector=selector)
        return ApplicationEnd.DONE

    def wake(self) -> None:
        """Count the working executors again, since a node failed."""
        self._changed.set()

    @property
    def _working(self) -> int:
        """Number of executors that work; 0 without a working driver."""
        if self._is_on_failed_node(self._run.driver_name(self._attempt)):
            return 0
        return sum(
            runs and not self._is_on_failed_node(name) for name, runs in self._running.items()
        )

    def _is_on_failed_node(self, pod: str) -> bool:
        return self._nodes.get(pod, "") in self._runtime.failed_nodes

    def _set_id(self, application: str) -> None:
        # Spark's client invents the id, so it is known when the driver exists.
        if not self._id:
            self._id = application
            self._record.applications.append(application)

    def _on_driver(self, pod: Object, *, ending: bool, running: bool) -> None:
        if ending:
            self._lost = self._lost or reason_of_loss(pod)
        elif running:
            self.driver_uid = text(pod, "metadata", "uid")

    def _on_executor(self, name: str, *, ending: bool, running: bool) -> None:
        if not ending:
            if name in self._running:
                self._running[name] = running
        elif self._running.pop(name, None) is not None:
            self._record.executors_lost += 1

    async def _run_stage(self, stage: SparkStage) -> None:
        """Work until the stage is done, or the driver is lost."""
        clock, speed = self._runtime.clock, self._runtime.clock.speed
        wanted = self._policy.wanted(stage)
        # Without executors the driver works alone.
        left = max(stage.executors, 1) * stage.run_time.total_seconds()
        start = then = next_batch = clock.wall()
        idle_until = start + self._policy.idle_seconds / speed
        while not self._lost:
            now = clock.wall()
            failed = self._is_on_failed_node(self._run.driver_name(self._attempt))
            workers = min(self._working, stage.executors) if stage.executors else int(not failed)
            left -= workers * (now - then) * speed
            then = now
            if left <= 0:
                return
            if self._working >= wanted and self._record.all_running is None:
                self._record.all_running = now
            if failed:
                await self._pause(BATCH_SECONDS)
                continue
            if now >= next_batch:
                next_batch = now + BATCH_SECONDS
                await self._request(wanted)
            if now >= idle_until and len(self._running) > wanted:
                await self._release(len(self._running) - wanted)
            pause = left / (workers * speed) if workers else BATCH_SECONDS
            if len(self._running) < wanted:
                pause = min(pause, next_batch - now)
            elif len(self._running) > wanted:
                pause = min(pause, max(idle_until - now, BATCH_SECONDS))
            await self._pause(max(pause, 0.01))

    async def _request(self, wanted: int) -> None:
        """Request the next batch of missing executors."""
        missing = self._ramp.grow(wanted) - len(self._running)
        batch = range(min(missing, self._policy.batch))
        results = await asyncio.gather(*(self._create() for _ in batch), return_exceptions=True)
        for result in results:
            if isinstance(result, RefusedError):
                # Spark logs the refusal and requests the executor again with the next batch. A
                # conflict is not a refusal: two pods were counted in a quota at the same time.
                if result.is_conflict:
                    continue
                self._record.refused[_without_names(str(result))] += 1
            elif isinstance(result, BaseException):
                raise result

    async def _create(self) -> None:
        number, self._next = self._next, self._next + 1
        driver = DriverReference(
            name=self._run.driver_name(self._attempt), uid=self.driver_uid, application=self._id
        )
        pod = executor_pod(self._run, driver, number)
        name = text(pod, "metadata", "name")
        # Added before it exists, since its events can arrive before the response.
        self._running[name] = False
        try:
            await self._runtime.api.create(self._pods, pod, identity=self._identity)
        except RefusedError:
            self._running.pop(name, None)
            raise

    async def _release(self, surplus: int) -> None:
        """Release idle executors, first those that do not run yet."""
        by_use = sorted(self._running, key=lambda name: self._running[name])
        for name in by_use[:surplus]:
            self._running.pop(name, None)
            await self._runtime.api.delete(f"{self._pods}/{name}", identity=self._identity)

    async def _pause(self, seconds: float) -> None:
        self._changed.clear()
        if self._lost:
            return
        try:
            await asyncio.wait_for(self._changed.wait(), seconds)
        except TimeoutError:
            return


def reason_of_loss(pod: Object) -> str:
    """Return why a pod was lost, as Kubernetes or Karpenter wrote it into its status."""
    status = mapping(pod, "status")
    for condition in sequence(status, "conditions"):
        if (text(condition, "type"), text(condition, "status")) == ("DisruptionTarget", "True"):
            return f"{text(condition, 'reason')}: {text(condition, 'message')}"
    return text(status, "reason") or text(status, "message") or "deleted"


def _without_names(message: str) -> str:
    """Return a refusal without the name of the pod, so that equal refusals are counted together."""
    _, quote, rest = message.partition('" ')
    return rest if quote else message
