"""A whole cloud assembly on the plane and the emulated account, and away again."""

from __future__ import annotations

import graphlib
import time
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final

from cdk_emr_eks.assembly.reader import AssemblyError, open_assembly
from cdk_emr_eks.assembly.stack import Stack
from cdk_emr_eks.errors import Problems
from cdk_emr_eks.plan.model import Plan, TenantPlan
from cdk_emr_eks.plan.reader import read_plan
from cdk_emr_eks.simulation.control_plane.karpenter import KarpenterLaunch
from cdk_emr_eks.simulation.deploy.existing_network import ExistingNetwork
from cdk_emr_eks.simulation.deploy.launch import KARPENTER
from cdk_emr_eks.simulation.deploy.objects import Objects
from cdk_emr_eks.simulation.deploy.outcome import (
    DeploymentFailedError,
    Outcome,
    ResourceOutcome,
)
from cdk_emr_eks.simulation.deploy.site import ClusterIdentity, Site
from cdk_emr_eks.simulation.deploy.stack import StackDeployment

if TYPE_CHECKING:
    from rich.progress import Progress

    from cdk_emr_eks.simulation.aws import EmulatedAws
    from cdk_emr_eks.simulation.control_plane.plane import Plane

DESTROY_SECONDS: Final = timedelta(minutes=5)
"""How long a deletion may take as a whole."""
ROLLBACK_SECONDS: Final = 30.0
"""How long a failed deployment tries to clean up in each stack."""


class Deployment:
    """A deployed assembly.

    Args:
        plan: What the assembly says of itself.
        site: Where it went.
        stacks: Its stacks, in the order of deployment.
        network: Stand-ins of a network that was there before.

    Attributes:
        plan: Pools, tenants and zones as ``emr-eks plan`` shows them.
        resources: Every resource of every template, with what became of it.
        identities: Who may do what in the cluster, and which role pods have.
    """

    def __init__(
        self,
        *,
        plan: Plan,
        site: Site,
        stacks: tuple[StackDeployment, ...],
        network: ExistingNetwork,
    ) -> None:
        self.plan = plan
        self._network = network
        self._site = site
        self._stacks = stacks
        self.resources: tuple[ResourceOutcome, ...] = (
            *network.resources,
            *(outcome for stack in stacks for outcome in stack.resources),
        )
        self.identities: tuple[ClusterIdentity, ...] = tuple(site.identities)

    @property
    def not_simulated(self) -> tuple[ResourceOutcome, ...]:
        """The resources that would do something and here do not."""
        return tuple(r for r in self.resources if r.outcome is Outcome.NOT_SIMULATED)

    @property
    def workloads(self) -> tuple[str, ...]:
        """Names of the workloads that have node pools."""
        return tuple(dict.fromkeys(p.workload for p in self.plan.pools if p.workload))

    @property
    def tenants(self) -> tuple[TenantPlan, ...]:
        """The tenants, as their stacks say."""
        return self.plan.tenants

    @property
    def karpenter(self) -> KarpenterLaunch | None:
        """How the rendered chart starts Karpenter; None if the assembly does not install it."""
        return self._site.karpenter

    def destroy(self, within: timedelta = DESTROY_SECONDS) -> tuple[str, ...]:
        """Delete everything in the opposite order, as ``cdk destroy`` would.

        Karpenter must run until then, for its finalizers to end; it is stopped with its chart.

        Args:
            within: How long it may take as a whole; what is not gone by then is a problem.

        Returns:
            What could not be deleted, or not in time, and why. Empty: nothing is left behind.
        """
        end = time.monotonic() + within.total_seconds()
        problems: list[str] = []
        for stack in reversed(self._stacks):
            problems += stack.undo(max(end - time.monotonic(), 0.0))
        self._network.delete()
        return tuple(problems)


def deploy(
    assembly: Path,
    *,
    plane: Plane,
    aws: EmulatedAws,
    parameters: Mapping[str, Mapping[str, object]] | None = None,
    progress: Progress | None = None,
) -> Deployment:
    """Deploy a cloud assembly: its templates, resource by resource, as CloudFormation would.

    Args:
        assembly: Folder that ``cdk synth`` wrote.
        plane: Control plane that stands for the EKS cluster; started, and with nothing deployed.
        aws: Emulated account; started.
        parameters: Values of CloudFormation parameters by name, by stack. Default: the templates'
            own defaults.
        progress: A bar of rich's that gets a task. Default: none.

    Raises:
        AssemblyError: If the folder is no cloud assembly, or it builds upon a network, a cluster or
            a Karpenter that is there already.
        ConfigError: If a stack is for another account or Region than the emulated one.
        DeploymentFailedError: If the real deployment would fail, too, with what was refused. What
            was deployed before is deleted again.
    """
    opened = open_assembly(assembly)
    stacks, plan = _ordered(opened.stacks), read_plan(opened)
    _require_platform(assembly, stacks, plan)
    for stack in stacks:
        _check_environment(stack, aws)
    total = sum(len(stack.types()) for stack in stacks)
    task = progress.add_task("Deploying", total=total) if progress else None
    network = ExistingNetwork(stacks, aws)
    exports: dict[str, object] = {}
    done: list[StackDeployment] = []
    site = Site(plane=plane, aws=aws, assembly=assembly, objects=Objects(plane.client()))
    for stack in stacks:
        deployment = StackDeployment(
            name=stack.stack_name, template=network.template(stack), site=site, exports=exports
        )
        done.append(deployment)
        try:
            for outcome in deployment.run((parameters or {}).get(stack.stack_name, {})):
                if progress and task is not None:
                    progress.update(task, advance=1, description=f"Deploying {outcome.logical_id}")
        except (DeploymentFailedError, AssemblyError):
            _roll_back(done)
            network.delete()
            raise
    return Deployment(plan=plan, site=site, stacks=tuple(done), network=network)


def _roll_back(stacks: list[StackDeployment]) -> None:
    # The error is what the caller needs; what may be left is gone with the plane.
    for stack in reversed(stacks):
        stack.undo(ROLLBACK_SECONDS)


def _require_platform(assembly: Path, stacks: tuple[Stack, ...], plan: Plan) -> None:
    """Refuse what would need things that exist in somebody's account only."""
    charts = {component.name for component in plan.components if component.kind == "Helm chart"}
    missing = ""
    if not any("AWS::EKS::Cluster" in stack.types() for stack in stacks):
        missing = "makes no EKS cluster"
    elif plan.pools and KARPENTER not in charts:
        missing = "has node pools and does not install Karpenter"
    if missing:
        raise AssemblyError(
            f"The cloud assembly '{assembly}' {missing}. What is there already cannot be simulated."
        )


def _ordered(stacks: tuple[Stack, ...]) -> tuple[Stack, ...]:
    """Return the stacks, each after those it depends on; nested ones go with their parents."""
    own = {stack.stack_name: stack for stack in stacks if stack.stack_name}
    graph = {name: set(stack.dependencies) & own.keys() for name, stack in own.items()}
    return tuple(own[name] for name in graphlib.TopologicalSorter(graph).static_order())


def _check_environment(stack: Stack, aws: EmulatedAws) -> None:
    problems = Problems(f"Stack {stack.name!r}")
    for field, wanted, given in (
        ("account", stack.environment.account, aws.account),
        ("region", stack.environment.region, aws.region),
    ):
        fix = f"give EmulatedAws {field}={wanted!r}"
        problems.require(not wanted or wanted == given, field, f"must be {given}", wanted, fix)
    problems.raise_if_any()
