"""A Spark application as its driver runs it: executors come, work, are lost, replaced, released."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Final

from cdk_emr_eks import labels
from cdk_emr_eks.assembly.paths import mapping, sequence
from cdk_emr_eks.labels import SparkRole
from cdk_emr_eks.model.access.execution_role import Component
from cdk_emr_eks.simulation.clock import Clock
from cdk_emr_eks.simulation.control_plane.kube_api import (
    Identity,
    Kind,
    KubeApi,
    Object,
    RefusedError,
    namespaced,
)
from cdk_emr_eks.simulation.jobs.allocation import BATCH_SECONDS, AllocationPolicy, Ramp
from cdk_emr_eks.simulation.jobs.pods import (
    EXECUTOR_ID,
    DriverReference,
    JobRun,
    executor_pod,
)
from cdk_emr_eks.simulation.jobs.record import JobRecord
from cdk_emr_eks.simulation.scenario import Stage

_CONFLICT: Final = 409

Submit = Callable[[JobRun, int], Awaitable[None]]
"""Makes the driver of an attempt."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Surroundings:
    """What all jobs share.

    Args:
        api: The API server.
        clock: The scenario's clock.
        submit: Makes the driver of an attempt, other than by a call of the API: Spark's own
            submission client. None: the pod is made directly.
        dark: Names of nodes that do not report: whatever runs there does no work.
    """

    api: KubeApi
    clock: Clock
    submit: Submit | None = None
    dark: set[str] = field(default_factory=set)


class Ended(Enum):
    """How an application ended."""

    DONE = auto()
    LOST = auto()


class Application:
    """Plays one Spark driver.

    Work is counted in executor-seconds: a stage of 8 executors and a minute has 480 of them, and
    takes longer while executors are missing. What a lost executor had done is not done again.

    Args:
        run: The job.
        attempt: Which attempt, counted from 1.
        stages: What the application does.
        around: What all jobs share.
        record: Where losses and times are noted.
    """

    def __init__(
        self,
        run: JobRun,
        attempt: int,
        stages: tuple[Stage, ...],
        around: Surroundings,
        record: JobRecord,
    ) -> None:
        self._run = run
        self._attempt = attempt
        self._stages = stages
        self._around = around
        self._record = record
        self._policy = AllocationPolicy.of(run.spark)
        self._ramp = Ramp(self._policy)
        self._running: dict[str, bool] = {}
        # Executors by name: whether they run yet. Those that go are not in it any more.
        self._where: dict[str, str] = {}  # nodes of driver and executors
        self._next = 1
        self._changed = asyncio.Event()
        self._id = ""
        self._lost = ""
        self.driver_uid = ""
        namespace = run.blueprint.namespace
        self._pods = namespaced(namespace, "pods")
        self.driver_path = namespaced(namespace, "pods", run.driver_name(attempt))
        account = run.service_account(Component.DRIVER)
        self._identity = Identity.of_service_account(namespace, account)

    def on_pod(self, kind: Kind, pod: Object) -> None:
        """Take note of a change of one of the application's pods."""
        metadata = mapping(pod["metadata"])
        marks = mapping(metadata.get("labels"))
        phase = mapping(pod.get("status")).get("phase")
        going = kind == "DELETED" or "deletionTimestamp" in metadata or phase == "Failed"
        self._where[str(metadata["name"])] = str(mapping(pod.get("spec")).get("nodeName", ""))
        if metadata["name"] == self._run.driver_name(self._attempt):
            self._note_id(str(marks.get(labels.SPARK_APP_SELECTOR)))
            self._on_driver(pod, going=going, running=phase == "Running")
        elif marks.get(EXECUTOR_ID) and marks.get(labels.SPARK_APP_SELECTOR) == self._id:
            self._on_executor(str(metadata["name"]), going=going, running=phase == "Running")
        self._changed.set()

    async def run(self) -> Ended:
        """Go through the stages, from the moment that the driver runs."""
        if self._record.driver_running is None:
            self._record.driver_running = self._around.clock.wall()
        for stage in self._stages:
            await self._work_through(stage)
            if self._lost:
                self._record.drivers_lost.append(self._lost)
                return Ended.LOST
        self._running.clear()
        selector = (
            f"{labels.SPARK_APP_SELECTOR}={self._id},{labels.SPARK_ROLE}={SparkRole.EXECUTOR}"
        )
        await self._around.api.delete(self._pods, identity=self._identity, selector=selector)
        return Ended.DONE

    def wake(self) -> None:
        """Look again at who works: a node went dark."""
        self._changed.set()

    @property
    def _working(self) -> int:
        """Executors that work: none without a driver that tells them what to do."""
        if self._is_dark(self._run.driver_name(self._attempt)):
            return 0
        return sum(runs and not self._is_dark(name) for name, runs in self._running.items())

    def _is_dark(self, pod: str) -> bool:
        return self._where.get(pod, "") in self._around.dark

    def _note_id(self, application: str) -> None:
        # Spark's own client makes the id up, so it is known when the driver is there.
        if not self._id:
            self._id = application
            self._record.applications.append(application)

    def _on_driver(self, pod: Object, *, going: bool, running: bool) -> None:
        if going:
            self._lost = self._lost or loss_of(pod)
        elif running:
            self.driver_uid = str(mapping(pod["metadata"])["uid"])

    def _on_executor(self, name: str, *, going: bool, running: bool) -> None:
        if not going:
            if name in self._running:
                self._running[name] = running
        elif self._running.pop(name, None) is not None:
            self._record.executors_lost += 1

    async def _work_through(self, stage: Stage) -> None:
        """Work until the stage has none left, or the driver is lost."""
        clock, speed = self._around.clock, self._around.clock.speed
        wanted = self._policy.wanted(stage)
        # Without executors the driver works alone.
        left = max(stage.executors, 1) * stage.run_time.total_seconds()
        began = then = next_batch = clock.wall()
        idle_until = began + self._policy.idle_seconds / speed
        while not self._lost:
            now = clock.wall()
            dead = self._is_dark(self._run.driver_name(self._attempt))
            workers = min(self._working, stage.executors) if stage.executors else int(not dead)
            left -= workers * (now - then) * speed
            then = now
            if left <= 0:
                return
            if self._working >= wanted and self._record.all_running is None:
                self._record.all_running = now
            if dead:
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
        """Ask for the next batch of missing executors."""
        missing = self._ramp.grow(wanted) - len(self._running)
        batch = range(min(missing, self._policy.batch))
        results = await asyncio.gather(*(self._create() for _ in batch), return_exceptions=True)
        for result in results:
            if isinstance(result, RefusedError):
                # Spark logs it and asks again with the next batch. A conflict is no answer yet:
                # many pods at one time make Kubernetes count a quota twice.
                if result.status == _CONFLICT:
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
        name = str(mapping(pod["metadata"])["name"])
        # Known before it is there, since its events may come before the answer.
        self._running[name] = False
        try:
            await self._around.api.create(self._pods, pod, identity=self._identity)
        except RefusedError:
            self._running.pop(name, None)
            raise

    async def _release(self, surplus: int) -> None:
        """Give idle executors back, those that do not run yet first."""
        by_use = sorted(self._running, key=lambda name: self._running[name])
        for name in by_use[:surplus]:
            self._running.pop(name, None)
            await self._around.api.delete(f"{self._pods}/{name}", identity=self._identity)

    async def _pause(self, seconds: float) -> None:
        self._changed.clear()
        if self._lost:
            return
        try:
            await asyncio.wait_for(self._changed.wait(), seconds)
        except TimeoutError:
            return


def loss_of(pod: Object) -> str:
    """Say why a pod is lost, as Kubernetes or Karpenter noted it on the pod."""
    status = mapping(pod.get("status"))
    for condition in map(mapping, sequence(status.get("conditions"))):
        if condition.get("type") == "DisruptionTarget" and condition.get("status") == "True":
            return f"{condition.get('reason')}: {condition.get('message')}"
    return str(status.get("reason") or status.get("message") or "deleted")


def _without_names(message: str) -> str:
    """Return a refusal without the name of the pod, so that equal ones are counted as one."""
    _, quote, rest = message.partition('" ')
    return rest if quote else message
