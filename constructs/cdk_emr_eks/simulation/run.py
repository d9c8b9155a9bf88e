"""The whole simulation: control plane and account up, platform deployed, scenario, down again."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from cdk_emr_eks.assembly.reader import Assembly, open_assembly
from cdk_emr_eks.plan.pools import chosen_families, pool_plans
from cdk_emr_eks.plan.warm import warm_plans
from cdk_emr_eks.simulation.aws import EmulatedAws
from cdk_emr_eks.simulation.aws.emulated import ACCOUNT
from cdk_emr_eks.simulation.aws.prices import PRICED_REGION
from cdk_emr_eks.simulation.control_plane.plane import Plane
from cdk_emr_eks.simulation.deploy import Deployment, deploy
from cdk_emr_eks.simulation.jobs.blueprint import choose_blueprints, read_blueprints
from cdk_emr_eks.simulation.observe import Observer
from cdk_emr_eks.simulation.play import Played, Stage, play
from cdk_emr_eks.simulation.programs.binaries import Binaries, binaries
from cdk_emr_eks.simulation.ready import Rooms, wait_for_pools, wait_for_rooms
from cdk_emr_eks.simulation.results import (
    Results,
    driver_zones,
    job_results,
    packing_results,
)
from cdk_emr_eks.simulation.samples import Sample
from cdk_emr_eks.simulation.scenario import Scenario

if TYPE_CHECKING:
    from rich.progress import Progress

_MOST_WARNINGS: Final = 20
_MIB: Final = 2**20


class NoKarpenterError(RuntimeError):
    """The assembly does not install Karpenter, so nothing would ever run."""


@dataclass(kw_only=True, slots=True)
class Watching:
    """What a person sees while a simulation runs.

    Args:
        progress: A bar of rich's for what takes long. Default none.
        phase: Called with the name of each phase as it starts. Default nothing.
        sample: Called with the cluster about once a second. Default nothing.
    """

    progress: Progress | None = None
    phase: Callable[[str], None] = field(default=lambda _: None)
    sample: Callable[[Sample], None] = field(default=lambda _: None)


def simulate(
    assembly: Path,
    scenario: Scenario,
    *,
    directory: Path | None = None,
    watching: Watching | None = None,
    destroy: bool = True,
    arrange: Callable[[Stage], Stage] | None = None,
) -> Results:
    """Bring up a control plane, deploy a cloud assembly, play a scenario, take all of it down.

    Args:
        assembly: Folder that ``cdk synth`` wrote.
        scenario: What is played.
        directory: Folder for logs and data, which stay. Default: a temporary one that goes.
        watching: What a person sees meanwhile. Default nothing.
        destroy: Whether the deployment is deleted at the end, resource by resource, and what
            cannot be deleted is reported. Without it the processes are just ended. Default True.
        arrange: Called when all is deployed and Karpenter has not started, to change what is in the
            cluster or what jobs look like; the scenario is played on the stage that it returns. For
            pools of other instance families call ``offer_families`` of its account. Default nothing
            is changed.

    Returns:
        What the scenario showed.

    Raises:
        AssemblyError: If the folder is no cloud assembly of this library's.
        ConfigError: If the scenario names a tenant or a workload that the platform lacks.
        SimulationUnavailable: If a program is missing and cannot be built.
        DeploymentFailedError: If the real deployment would fail, too.
        NoKarpenterError: If the assembly does not install Karpenter.
    """
    watching = watching or Watching()
    phases = _Phases(watching)
    blueprints = read_blueprints(assembly)
    for group in scenario.jobs:
        # Known before minutes of building and starting are spent.
        choose_blueprints(blueprints, tenant=group.tenant, workload=group.workload)
    opened = open_assembly(assembly)
    pools = pool_plans(opened.applied)
    with phases.timed("programs"):
        programs = binaries(watching.progress)
    with _up(programs, opened, directory, phases, scenario.spot_share) as (plane, aws):
        with phases.timed("deployment"):
            deployment = deploy(assembly, plane=plane, aws=aws, progress=watching.progress)
        aws.offer_families(chosen_families(pools))
        stage = Stage(plane=plane, aws=aws, blueprints=blueprints)
        if arrange is not None:
            stage = arrange(stage)
        with phases.timed("Karpenter"):
            if deployment.karpenter is None:
                raise NoKarpenterError(
                    "The assembly does not install Karpenter: no node would come"
                )
            plane.start_karpenter(deployment.karpenter)
            problems = wait_for_pools(plane) if pools else ()
        rooms = Rooms()
        if warm_plans(opened.applied, pools):
            with phases.timed("warm capacity"):
                rooms = wait_for_rooms(plane)
            stage = replace(stage, warm_nodes=rooms.nodes)

        def show(sample: Sample, _: Observer) -> None:
            watching.sample(sample)

        with phases.timed("scenario"):
            played = asyncio.run(play(scenario, stage, show))
        problems += rooms.missing
        if destroy:
            with phases.timed("deletion"):
                problems += tuple(f"not deleted: {each}" for each in deployment.destroy())
        memory = {name: used // _MIB for name, used in plane.peak_memory().items()}
    return _results(scenario, played, deployment, phases, memory, problems)


class _Phases:
    """Seconds of each phase, in order."""

    def __init__(self, watching: Watching) -> None:
        self._watching = watching
        self.seconds: dict[str, float] = {}

    @contextmanager
    def timed(self, name: str) -> Iterator[None]:
        self._watching.phase(name)
        start = time.monotonic()
        try:
            yield
        finally:
            self.seconds[name] = time.monotonic() - start


@contextmanager
def _up(
    programs: Binaries,
    assembly: Assembly,
    directory: Path | None,
    phases: _Phases,
    spot_share: float,
) -> Iterator[tuple[Plane, EmulatedAws]]:
    """Bring up control plane and account; the account is that of the assembly, if it names one."""
    own = None if directory is None else directory / "aws"
    if own:
        own.mkdir(parents=True, exist_ok=True)
    plane = Plane(programs, directory=directory)
    number, region = _environment(assembly)
    account = EmulatedAws(
        programs.prices, directory=own, account=number, region=region, spot_share=spot_share
    )
    with ExitStack() as stack:
        with phases.timed("control plane"):
            stack.enter_context(plane)
        with phases.timed("account"):
            stack.enter_context(account)
        yield plane, account


def _environment(assembly: Assembly) -> tuple[str, str]:
    """Return account and Region that the stacks are bound to, the defaults where to none."""
    account, region = ACCOUNT, PRICED_REGION
    for stack in assembly.stacks:
        account = stack.environment.account or account
        region = stack.environment.region or region
    return account, region


def _results(
    scenario: Scenario,
    played: Played,
    deployment: Deployment,
    phases: _Phases,
    memory: dict[str, int],
    problems: tuple[str, ...],
) -> Results:
    observer = played.observer
    jobs = job_results(played.records, observer)
    return Results(
        scenario=scenario,
        jobs=jobs,
        samples=tuple(observer.series.samples),
        packing=packing_results(observer),
        cost=observer.cost,
        nodes=len(observer.nodes),
        driver_zones=driver_zones(observer, jobs),
        gone_after=played.gone_after,
        warm_nodes=played.warm_nodes,
        faults=tuple((each.at, each.what) for each in played.struck),
        warnings=tuple(
            (f"{reason}: {message}", count)
            for (reason, message), count in observer.warnings.most_common(_MOST_WARNINGS)
        ),
        phases=phases.seconds,
        peak_memory=memory,
        not_simulated=tuple(
            f"{each.stack} {each.logical_id} ({each.type}): {each.why}"
            for each in deployment.not_simulated
        ),
        problems=problems,
    )
