"""Deploy a whole cloud assembly to the control plane and the emulated account, and delete it."""

from __future__ import annotations

import graphlib
import ipaddress
import json
import re
import time
from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from cdk_emr_eks.assembly.reader import Assembly, AssemblyError
from cdk_emr_eks.assembly.references import stacks_read
from cdk_emr_eks.assembly.stack import Stack, StackKind
from cdk_emr_eks.checks import Check
from cdk_emr_eks.plan.model import Plan, TenantPlan
from cdk_emr_eks.plan.reader import read_plan
from cdk_emr_eks.simulation.control_plane.karpenter import KarpenterLaunch
from cdk_emr_eks.simulation.deploy.kubectl import KARPENTER
from cdk_emr_eks.simulation.deploy.model import (
    ClusterIdentity,
    DeployOutcome,
    DeployTarget,
    ResourceRecord,
)
from cdk_emr_eks.simulation.deploy.objects import Objects
from cdk_emr_eks.simulation.deploy.stack import StackDeployment
from cdk_emr_eks.simulation.errors import DeploymentFailedError

if TYPE_CHECKING:
    from rich.progress import Progress

    from cdk_emr_eks.simulation.aws import EmulatedAws
    from cdk_emr_eks.simulation.control_plane.plane import Plane

# Time for a whole deletion.
DESTROY_SECONDS: Final = timedelta(minutes=5)
# Time that a failed deployment has to delete the resources of each stack.
ROLLBACK_SECONDS: Final = 30.0

_CLUSTER: Final = "AWS::EKS::Cluster"
_IDS: Final = re.compile(r"\b(?:subnet|vpc)-[0-9a-f]{8,17}\b")
_BLOCK: Final = ipaddress.ip_network("10.0.0.0/16")
_SUBNET_PREFIX: Final = 20


class AssemblyDeployment:
    """A deployed assembly.

    Args:
        plan: Plan of the assembly.
        target: Control plane and account.
        stacks: Stacks, in the order of deployment.
        network: Stand-ins for an existing network.

    Attributes:
        plan: Pools, tenants and zones as ``emr-eks plan`` shows them.
        resources: Every resource of every template, with its outcome.
        identities: Identities with access to the cluster, and roles of pods.
    """

    def __init__(
        self,
        *,
        plan: Plan,
        target: DeployTarget,
        stacks: tuple[StackDeployment, ...],
        network: NetworkStandIns,
    ) -> None:
        self.plan = plan
        self._network = network
        self._target = target
        self._stacks = stacks
        self.resources: tuple[ResourceRecord, ...] = (
            *network.resources,
            *(record for stack in stacks for record in stack.resources),
        )
        self.identities: tuple[ClusterIdentity, ...] = tuple(target.identities)

    @property
    def not_simulated(self) -> tuple[ResourceRecord, ...]:
        """Resources that would have an effect in AWS and have none here."""
        return tuple(r for r in self.resources if r.outcome is DeployOutcome.NOT_SIMULATED)

    @property
    def workloads(self) -> tuple[str, ...]:
        """Names of the workloads that have node pools."""
        return tuple(dict.fromkeys(p.workload for p in self.plan.pools if p.workload))

    @property
    def tenants(self) -> tuple[TenantPlan, ...]:
        """Tenants of the plan."""
        return self.plan.tenants

    @property
    def karpenter(self) -> KarpenterLaunch | None:
        """How to start Karpenter; None if the assembly does not install it."""
        return self._target.karpenter

    def destroy(self, within: timedelta = DESTROY_SECONDS) -> tuple[str, ...]:
        """Delete everything in reverse order, as ``cdk destroy`` does.

        Karpenter must run until its chart is uninstalled, since its finalizers hold nodes.

        Args:
            within: Time for the whole deletion. What remains after it is a problem.

        Returns:
            What could not be deleted in time, and why; empty if nothing remains.
        """
        end = time.monotonic() + within.total_seconds()
        problems: list[str] = []
        for stack in reversed(self._stacks):
            problems += stack.undo(max(end - time.monotonic(), 0.0))
        self._network.delete()
        return tuple(problems)


def deploy(
    assembly: Assembly,
    *,
    plane: Plane,
    aws: EmulatedAws,
    parameters: Mapping[str, Mapping[str, object]] | None = None,
    progress: Progress | None = None,
) -> AssemblyDeployment:
    """Deploy a cloud assembly, resource by resource, as CloudFormation does.

    Args:
        assembly: The opened assembly.
        plane: Control plane that replaces the EKS cluster; started, without objects.
        aws: Emulated account; started.
        parameters: Values of CloudFormation parameters, by stack and name. Default: the defaults
            of the templates.
        progress: Progress bar of rich that gets a task. Default: none.

    Raises:
        AssemblyError: If the assembly needs an existing network, cluster or Karpenter.
        ConfigError: If a stack is for another account or Region than the emulated one.
        DeploymentFailedError: If the real deployment would fail, with the reasons. What was
            deployed before is deleted.
    """
    stacks, plan = _ordered(assembly.stacks), read_plan(assembly)
    _require_platform(assembly, plan)
    for stack in stacks:
        _check_environment(stack, aws)
    total = sum(len(stack.types()) for stack in stacks)
    task = progress.add_task("Deploying", total=total) if progress else None
    network = NetworkStandIns(_deployed(assembly.stacks), aws)
    templates = {stack: network.template(stack) for stack in _deployed(assembly.stacks)}
    exports: dict[str, object] = {}
    outputs: dict[tuple[str, str], object] = {}
    done: list[StackDeployment] = []
    target = DeployTarget(plane=plane, aws=aws, objects=Objects(plane.client()))
    for stack in stacks:
        deployment = StackDeployment(
            stack=stack,
            name=stack.stack_name,
            templates=templates,
            target=target,
            exports=exports,
            outputs_of_stacks=outputs,
        )
        done.append(deployment)
        try:
            for record in deployment.run((parameters or {}).get(stack.stack_name, {})):
                if progress and task is not None:
                    progress.update(task, advance=1, description=f"Deploying {record.logical_id}")
        except (DeploymentFailedError, AssemblyError):
            _roll_back(done)
            network.delete()
            raise
    return AssemblyDeployment(plan=plan, target=target, stacks=tuple(done), network=network)


def _roll_back(stacks: list[StackDeployment]) -> None:
    # The caller needs the first error. What remains is lost when the control plane stops.
    for stack in reversed(stacks):
        stack.undo(ROLLBACK_SECONDS)


def _deployed(stacks: Iterable[Stack]) -> list[Stack]:
    """Return the stacks without the products of Service Catalog, which users launch later."""
    return [
        stack
        for stack in stacks
        if stack.kind is not StackKind.PRODUCT
        and (stack.parent is None or stack.parent.stack.kind is not StackKind.PRODUCT)
    ]


def _require_platform(assembly: Assembly, plan: Plan) -> None:
    """Refuse an assembly that needs resources which exist only in a real account."""
    charts = {component.name for component in plan.components if component.kind == "Helm chart"}
    missing = ""
    if not any(_CLUSTER in stack.types() for stack in _deployed(assembly.stacks)):
        missing = "creates no EKS cluster"
    elif plan.pools and KARPENTER not in charts:
        missing = "has node pools and does not install Karpenter"
    if missing:
        raise AssemblyError(
            f"The cloud assembly '{assembly.folder}' {missing}. Existing resources cannot be "
            "simulated: simulate an app that creates the whole platform."
        )


def _ordered(stacks: Iterable[Stack]) -> tuple[Stack, ...]:
    """Return the stacks that the CDK deploys, each after the stacks that it depends on."""
    own = {stack.stack_name: stack for stack in stacks if stack.kind is StackKind.STACK}
    graph = {
        name: {*stack.dependencies, *stacks_read(stack)} & (own.keys() - {name})
        for name, stack in own.items()
    }
    return tuple(own[name] for name in graphlib.TopologicalSorter(graph).static_order())


def _check_environment(stack: Stack, aws: EmulatedAws) -> None:
    check = Check(f"Stack {stack.name!r}")
    for field, wanted, given in (
        ("account", stack.environment.account, aws.account),
        ("region", stack.environment.region, aws.region),
    ):
        fix = f"pass {field}={wanted!r} to EmulatedAws"
        check.require(not wanted or wanted == given, field, f"must be {given}", wanted, fix)
    check.raise_if_any()


class NetworkStandIns:
    """Subnets of the emulated account for existing ones, of which templates have only the ids.

    Nothing else is known of existing subnets. The stand-ins are in the zones of the Region, in the
    order in which the ids appear, and have no tags. Each is listed among the resources.

    Args:
        stacks: Stacks whose templates are read.
        aws: Emulated account.

    Attributes:
        ids: Id of the stand-in, by existing id.
        resources: A record of each stand-in.
    """

    def __init__(self, stacks: Iterable[Stack], aws: EmulatedAws) -> None:
        self.ids: dict[str, str] = {}
        self.resources: list[ResourceRecord] = []
        self._ec2 = aws.client("ec2")
        found = dict.fromkeys(
            (stack.stack_name or stack.name, name)
            for stack in stacks
            for name in _IDS.findall(json.dumps(stack.template))
        )
        if not found:
            return
        self._vpc = self._ec2.create_vpc(CidrBlock=str(_BLOCK))["Vpc"]["VpcId"]
        answer = self._ec2.describe_availability_zones()["AvailabilityZones"]
        zones = sorted(str(zone["ZoneName"]) for zone in answer)
        blocks = _BLOCK.subnets(new_prefix=_SUBNET_PREFIX)
        for stack, name in found:
            if name in self.ids:
                continue
            why = "a stand-in for an existing one"
            if name.startswith("vpc-"):
                self.ids[name] = self._vpc
            else:
                zone = zones[len(self._subnets) % len(zones)]
                created = self._ec2.create_subnet(
                    VpcId=self._vpc, CidrBlock=str(next(blocks)), AvailabilityZone=zone
                )
                self.ids[name] = created["Subnet"]["SubnetId"]
                why += f", assumed to be in {zone} and without tags"
            self.resources.append(
                ResourceRecord(
                    stack=stack,
                    logical_id=name,
                    type="AWS::EC2::VPC" if name.startswith("vpc-") else "AWS::EC2::Subnet",
                    outcome=DeployOutcome.EMULATED,
                    why=why,
                )
            )

    @property
    def _subnets(self) -> list[str]:
        return [created for name, created in self.ids.items() if name.startswith("subnet-")]

    def template(self, stack: Stack) -> Mapping[str, object]:
        """Return the template of a stack with the ids of the stand-ins."""
        if not self.ids:
            return stack.template
        text = _IDS.sub(lambda id: self.ids.get(id.group(), id.group()), json.dumps(stack.template))
        template: Mapping[str, object] = json.loads(text)
        return template

    def delete(self) -> None:
        """Delete the stand-ins."""
        if not self.ids:
            return
        for subnet in self._subnets:
            self._ec2.delete_subnet(SubnetId=subnet)
        self._ec2.delete_vpc(VpcId=self._vpc)
        self.ids.clear()
