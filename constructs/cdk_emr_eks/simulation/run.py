"""Run a whole simulation: start control plane and account, deploy, run the scenario, stop."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from kubernetes import client
from tenacity import Retrying, retry_if_result, stop_after_delay, wait_fixed

from cdk_emr_eks.assembly.paths import mapping, sequence, text
from cdk_emr_eks.assembly.reader import Assembly, AssemblyError
from cdk_emr_eks.model.nodes.capacity_buffers import API_VERSION as BUFFERS
from cdk_emr_eks.plan.packing import capacity_buffer_plans
from cdk_emr_eks.plan.pools import chosen_families, pool_plans
from cdk_emr_eks.simulation.aws import EmulatedAws
from cdk_emr_eks.simulation.aws.emulated import ACCOUNT
from cdk_emr_eks.simulation.control_plane.plane import Plane
from cdk_emr_eks.simulation.deploy import AssemblyDeployment, deploy
from cdk_emr_eks.simulation.errors import NoKarpenterError
from cdk_emr_eks.simulation.jobs.blueprint import choose_blueprints, read_blueprints
from cdk_emr_eks.simulation.observe.observer import Observer
from cdk_emr_eks.simulation.observe.timeline import Sample
from cdk_emr_eks.simulation.prices import PRICED_REGION
from cdk_emr_eks.simulation.programs.binaries import Binaries, binaries
from cdk_emr_eks.simulation.report.results import (
    Results,
    driver_zones,
    job_results,
    packing_results,
)
from cdk_emr_eks.simulation.scenario import Scenario
from cdk_emr_eks.simulation.scenario_run import (
    SimulationEnvironment,
    SimulationRecord,
    run_scenario,
)

if TYPE_CHECKING:
    from rich.progress import Progress

_MAX_WARNINGS: Final = 20
_MIB: Final = 2**20
_KARPENTER: Final = "karpenter.sh/v1"
# Reason of the condition `Provisioning` when nodes have the room of a capacity buffer.
_HELD: Final = "FitsExistingCapacity"
_NO_STATUS: Final = "Karpenter has set no status"
_POOL_SECONDS: Final = 60.0
_BUFFER_SECONDS: Final = 300.0


@dataclass(kw_only=True, slots=True)
class ProgressHooks:
    """Callbacks that show the progress of a simulation.

    Args:
        progress: Progress bar of rich, for long steps. Default none.
        phase: Called with the name of each phase when it starts. Default nothing.
        sample: Called with a sample of the cluster about once a second. Default nothing.
    """

    progress: Progress | None = None
    phase: Callable[[str], None] = field(default=lambda _: None)
    sample: Callable[[Sample], None] = field(default=lambda _: None)


def simulate(
    assembly: Assembly,
    scenario: Scenario,
    *,
    directory: Path | None = None,
    hooks: ProgressHooks | None = None,
    destroy: bool = True,
    arrange: Callable[[SimulationEnvironment], SimulationEnvironment] | None = None,
) -> Results:
    """Start a control plane, deploy a cloud assembly, run a scenario, and stop everything.

    Args:
        assembly: The opened cloud assembly.
        scenario: The scenario.
        directory: Folder for logs and data, which are kept. Default: a temporary folder.
        hooks: Callbacks that show progress. Default none.
        destroy: Whether to delete the deployment at the end, resource by resource, and to report
            what cannot be deleted. Otherwise the processes are only stopped. Default True.
        arrange: Called after the deployment and before Karpenter starts, to change objects of the
            cluster or the form of jobs. The scenario runs on the environment that it returns. For
            pools of other instance families, call ``offer_families`` of its account. Default none.

    Returns:
        Results of the scenario.

    Raises:
        AssemblyError: If the assembly has no job configuration, creates no platform, or is for more
            than one account or Region.
        ConfigError: If the scenario names a tenant or a workload that the platform does not have.
        SimulationUnavailable: If a program is missing and cannot be built.
        DeploymentFailedError: If the real deployment would fail, too.
        NoKarpenterError: If the assembly does not install Karpenter.
    """
    hooks = hooks or ProgressHooks()
    phases = _Phases(hooks)
    account, region = _environment(assembly)
    blueprints = read_blueprints(assembly)
    for group in scenario.jobs:
        # Reports a wrong name before minutes of building and starting.
        choose_blueprints(blueprints, tenant=group.tenant, workload=group.workload)
    pools = pool_plans(assembly.applied)
    with phases.timed("programs"):
        programs = binaries(hooks.progress)
    aws_directory = None if directory is None else directory / "aws"
    emulated = EmulatedAws(
        programs.prices,
        directory=aws_directory,
        account=account,
        region=region,
        spot_share=scenario.spot_share,
    )
    with _started(programs, emulated, directory, phases) as plane:
        with phases.timed("deployment"):
            deployment = deploy(assembly, plane=plane, aws=emulated, progress=hooks.progress)
        emulated.offer_families(chosen_families(pools))
        environment = SimulationEnvironment(plane=plane, aws=emulated, blueprints=blueprints)
        if arrange is not None:
            environment = arrange(environment)
        with phases.timed("Karpenter"):
            if deployment.karpenter is None:
                raise NoKarpenterError(
                    "The assembly does not install Karpenter, so no node would start"
                )
            plane.start_karpenter(deployment.karpenter)
            problems = wait_for_pools(plane) if pools else ()
        buffers = BufferState()
        if capacity_buffer_plans(assembly.applied, pools):
            with phases.timed("capacity buffers"):
                buffers = wait_for_buffers(plane)
            environment = replace(environment, buffer_nodes=buffers.nodes)

        def show(sample: Sample, _: Observer) -> None:
            hooks.sample(sample)

        with phases.timed("scenario"):
            record = asyncio.run(run_scenario(scenario, environment, show))
        problems += buffers.missing
        if destroy:
            with phases.timed("deletion"):
                problems += tuple(f"not deleted: {each}" for each in deployment.destroy())
        memory = {name: used // _MIB for name, used in plane.peak_memory().items()}
    return _results(scenario, record, deployment, phases, memory, problems)


class _Phases:
    """Seconds of each phase, in order."""

    def __init__(self, hooks: ProgressHooks) -> None:
        self._hooks = hooks
        self.seconds: dict[str, float] = {}

    @contextmanager
    def timed(self, name: str) -> Iterator[None]:
        self._hooks.phase(name)
        start = time.monotonic()
        try:
            yield
        finally:
            self.seconds[name] = time.monotonic() - start


@contextmanager
def _started(
    programs: Binaries, account: EmulatedAws, directory: Path | None, phases: _Phases
) -> Iterator[Plane]:
    """Start the control plane and the account, and stop both at the end."""
    plane = Plane(programs, directory=directory)
    with ExitStack() as stack:
        with phases.timed("control plane"):
            stack.enter_context(plane)
        with phases.timed("account"):
            stack.enter_context(account)
        yield plane


def _environment(assembly: Assembly) -> tuple[str, str]:
    """Return account and Region of the stacks, or the defaults where synth does not know them.

    Raises:
        AssemblyError: If stacks have different accounts or Regions.
    """
    accounts = {stack.environment.account for stack in assembly.stacks} - {""}
    regions = {stack.environment.region for stack in assembly.stacks} - {""}
    if len(accounts) > 1 or len(regions) > 1:
        found = sorted({str(stack.environment) for stack in assembly.stacks})
        raise AssemblyError(
            f"The cloud assembly '{assembly.folder}' has stacks for several environments "
            f"({', '.join(found)}). A simulation has one account and one Region: simulate the "
            "folder of one stage, or an app with one environment."
        )
    return next(iter(accounts), ACCOUNT), next(iter(regions), PRICED_REGION)


def _results(
    scenario: Scenario,
    record: SimulationRecord,
    deployment: AssemblyDeployment,
    phases: _Phases,
    memory: dict[str, int],
    problems: tuple[str, ...],
) -> Results:
    observer = record.observer
    jobs = job_results(record.jobs, observer)
    return Results(
        scenario=scenario,
        jobs=jobs,
        samples=tuple(observer.series.samples),
        packing=packing_results(observer),
        cost=observer.cost,
        nodes=len(observer.nodes),
        driver_zones=driver_zones(observer, jobs),
        gone_after=record.gone_after,
        buffer_nodes=record.buffer_nodes,
        faults=tuple((each.at, each.text) for each in record.faults),
        warnings=tuple(
            (f"{reason}: {message}", count)
            for (reason, message), count in observer.warnings.most_common(_MAX_WARNINGS)
        ),
        phases=phases.seconds,
        peak_memory=memory,
        not_simulated=tuple(
            f"{each.stack} {each.logical_id} ({each.type}): {each.why}"
            for each in deployment.not_simulated
        ),
        problems=problems,
    )


# ---- readiness


@dataclass(frozen=True, kw_only=True, slots=True)
class BufferState:
    """State of the capacity buffers before the first job.

    Args:
        nodes: Number of nodes. As many remain after the last job.
        missing: A problem for each capacity buffer that nodes do not hold.
    """

    nodes: int = 0
    missing: tuple[str, ...] = ()


def wait_for_pools(plane: Plane) -> tuple[str, ...]:
    """Wait until every node pool is ready, for at most one minute.

    A pod that is created earlier finds no node pool, and Karpenter retries after ten seconds.

    Args:
        plane: Control plane, with Karpenter running.

    Returns:
        A problem for each node pool that is not ready.
    """
    with plane.client() as api:
        return _poll(lambda: _problems(api, _KARPENTER, "nodepools", _pool_problem), _POOL_SECONDS)


def wait_for_buffers(plane: Plane) -> BufferState:
    """Wait until nodes hold every capacity buffer, for at most five minutes.

    Args:
        plane: Control plane, with Karpenter running.
    """
    with plane.client() as api:
        missing = _poll(
            lambda: _problems(api, BUFFERS, "capacitybuffers", _buffer_problem), _BUFFER_SECONDS
        )
        nodes = len(_listed(api, _KARPENTER, "nodeclaims"))
    return BufferState(nodes=nodes, missing=missing)


def _poll(problems: Callable[[], tuple[str, ...]], seconds: float) -> tuple[str, ...]:
    """Poll until no problem is reported; return the remaining problems after the timeout."""
    left: tuple[str, ...] = Retrying(
        retry=retry_if_result(bool),
        wait=wait_fixed(0.2),
        stop=stop_after_delay(seconds),
        retry_error_callback=lambda state: state.outcome and state.outcome.result(),
    )(problems)
    return left


def _problems(
    api: client.ApiClient,
    version: str,
    plural: str,
    problem_of: Callable[[Mapping[str, object]], str],
) -> tuple[str, ...]:
    return tuple(problem for item in _listed(api, version, plural) if (problem := problem_of(item)))


def _listed(api: client.ApiClient, version: str, plural: str) -> list[Mapping[str, object]]:
    group, _, number = version.partition("/")
    custom: Any = client.CustomObjectsApi(api)
    return list(custom.list_cluster_custom_object(group, number, plural)["items"])


def _pool_problem(pool: Mapping[str, object]) -> str:
    ready = _condition(pool, "Ready")
    if text(ready, "status") == "True":
        return ""
    reason = text(ready, "message") or _NO_STATUS
    return f"NodePool {text(pool, 'metadata', 'name')} is not ready: {reason}"


def _buffer_problem(buffer: Mapping[str, object]) -> str:
    reason = text(_condition(buffer, "Provisioning"), "reason")
    if reason == _HELD or not mapping(buffer, "spec").get("replicas"):
        return ""
    name = text(buffer, "metadata", "name")
    return f"no node holds the capacity buffer {name}: {reason or _NO_STATUS}"


def _condition(item: Mapping[str, object], kind: str) -> Mapping[str, object]:
    """Return a condition of the status, empty if Karpenter has not set it."""
    conditions = map(mapping, sequence(item, "status", "conditions"))
    return next((each for each in conditions if text(each, "type") == kind), {})
