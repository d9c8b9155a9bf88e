"""Where a deployment goes, and what it has made that other resources or the caller ask for."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from cdk_emr_eks.simulation.control_plane.karpenter import KarpenterLaunch
from cdk_emr_eks.simulation.deploy.objects import Objects

if TYPE_CHECKING:
    from cdk_emr_eks.simulation.aws import EmulatedAws
    from cdk_emr_eks.simulation.control_plane.plane import Plane


@dataclass(frozen=True, kw_only=True, slots=True)
class ClusterIdentity:
    """Who may do what in the cluster, or in AWS from a pod of the cluster.

    Args:
        principal: ARN of the IAM role.
        kind: ``access entry``, ``pod identity`` or ``EMR``.
        user: Kubernetes user, to impersonate; a service account's full name for Pod Identity.
        groups: Kubernetes groups.
        rights: Cluster roles or access policies it has, with the namespaces they hold in.
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
class Site:
    """The plane and the account of one deployment.

    Args:
        plane: Control plane that stands for the EKS cluster.
        aws: Emulated account.
        assembly: Folder of the cloud assembly.
        objects: The plane's API.
        cluster: Name of the EKS cluster, once it is made.
        identities: Who was let in so far.
        karpenter: How Karpenter is to be started, once its chart is installed.
        missing_charts: Releases that were not installed; their CRDs are missing, too.
    """

    plane: Plane
    aws: EmulatedAws
    assembly: Path
    objects: Objects
    cluster: str = ""
    identities: list[ClusterIdentity] = field(default_factory=list)
    karpenter: KarpenterLaunch | None = None
    missing_charts: list[str] = field(default_factory=list)
