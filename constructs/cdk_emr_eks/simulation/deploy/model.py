"""Values of a deployment: its target, its requests, and the outcome of each resource."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, TypeAlias

from cdk_emr_eks.assembly.evaluation import ResourceValues
from cdk_emr_eks.simulation.control_plane.karpenter import KarpenterLaunch
from cdk_emr_eks.simulation.deploy.objects import Objects

if TYPE_CHECKING:
    from cdk_emr_eks.simulation.aws import EmulatedAws
    from cdk_emr_eks.simulation.control_plane.plane import Plane

# Deletes what was deployed, in at most the given seconds; returns the problems.
Undo: TypeAlias = Callable[[float], tuple[str, ...]]


class DeployOutcome(StrEnum):
    """How much of a resource the simulation has."""

    # The objects are on the real API server.
    APPLIED = "applied"
    # The resource is in the emulated AWS account, where other programs find it.
    EMULATED = "emulated"
    # Only an identifier was invented, and the simulation uses nothing else of the resource.
    RECORDED = "recorded"
    # The resource would have an effect in AWS, and has none here.
    NOT_SIMULATED = "not simulated"
    # A condition of the template excludes the resource, as in AWS.
    OMITTED = "omitted"


@dataclass(frozen=True, kw_only=True, slots=True)
class ResourceRecord:
    """Outcome of one resource of a template.

    Args:
        stack: Name of the stack.
        logical_id: Logical id in the template.
        type: CloudFormation type.
        outcome: How much of the resource the simulation has.
        why: What replaces the resource, or why it is not simulated; empty if the outcome says it.
    """

    stack: str
    logical_id: str
    type: str
    outcome: DeployOutcome
    why: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Request:
    """A resource to deploy.

    Args:
        stack: Name of the stack in CloudFormation.
        logical_id: Logical id in the template.
        type: CloudFormation type.
        properties: Properties, with functions evaluated.
    """

    stack: str
    logical_id: str
    type: str
    properties: Mapping[str, object]

    def text(self, name: str, default: str = "") -> str:
        """Return a property as text, or the default if the property is missing."""
        value = self.properties.get(name)
        return default if value is None else str(value)


@dataclass(frozen=True, kw_only=True, slots=True)
class Deployed:
    """A deployed resource.

    Args:
        values: Values for references of the template.
        outcome: How much of the resource the simulation has.
        why: See ``ResourceRecord``.
        undo: Deletes the resource; None if nothing was created.
    """

    values: ResourceValues
    outcome: DeployOutcome
    why: str = ""
    undo: Undo | None = None


class NotSimulatedError(RuntimeError):
    """The simulation cannot deploy a resource; the message says why."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ClusterIdentity:
    """An IAM role with access to the cluster, or a service account with access to AWS.

    Args:
        principal: ARN of the IAM role.
        kind: ``access entry``, ``pod identity`` or ``EMR``.
        user: Kubernetes user to impersonate; for Pod Identity, the full name of a service account.
        groups: Kubernetes groups.
        rights: Cluster roles or access policies, with the namespaces that they apply to.
    """

    principal: str
    kind: str
    user: str
    groups: tuple[str, ...] = ()
    rights: tuple[str, ...] = ()

    def __str__(self) -> str:
        held = ", ".join((*self.rights, *self.groups)) or "no rights in the cluster"
        return f"{self.principal} is {self.user} ({self.kind}): {held}"


@dataclass(kw_only=True, slots=True)
class DeployTarget:
    """Control plane and account of one deployment.

    Args:
        plane: Control plane that replaces the EKS cluster.
        aws: Emulated account.
        objects: Kubernetes objects of the control plane.
        cluster: Name of the EKS cluster, once it is created.
        identities: Identities that have access so far.
        karpenter: How to start Karpenter, once its chart is installed.
        missing_charts: Releases that were not installed. Their CRDs are missing, too.
    """

    plane: Plane
    aws: EmulatedAws
    objects: Objects
    cluster: str = ""
    identities: list[ClusterIdentity] = field(default_factory=list)
    karpenter: KarpenterLaunch | None = None
    missing_charts: list[str] = field(default_factory=list)


def physical_name(request: Request, longest: int = 64) -> str:
    """Return a generated name: stack, logical id and twelve characters, as CloudFormation does.

    The name is the same in each simulation, so two reports can be compared.

    Args:
        request: Resource without a name.
        longest: Number of characters that the name may have.
    """
    digest = hashlib.sha256(f"{request.stack}/{request.logical_id}".encode()).digest()
    end = base64.b32encode(digest).decode()[:12]
    return f"{request.stack}-{request.logical_id}"[: longest - 13] + f"-{end}"
