"""What an add-on is: a frozen value of options with one method that builds it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from typing import Protocol

from aws_cdk import aws_eks_v2 as eks
from aws_cdk import aws_kms as kms
from constructs import Construct, IDependable

from cdk_emr_eks.clusters.addon_registry import mirror_host
from cdk_emr_eks.errors import refuse
from cdk_emr_eks.model.clusters.addon_mirror import PUBLIC_REGISTRY, AddonMirror
from cdk_emr_eks.networks.network import Network


@dataclass(frozen=True, kw_only=True, slots=True)
class AddonContext:
    """What an add-on may know of the platform; it never holds the platform itself.

    Args:
        cluster: The EKS cluster to install into.
        cluster_name: Its literal name.
        network: VPC, zones and subnets.
        key: KMS key for what the add-on encrypts.
        node_selector: Puts the add-on's pods on the system nodes.
        tolerations: Kubernetes tolerations of the system nodes' taints.
        ready: Dependency of what runs in the cluster: its system nodes and managed add-ons.
        mirror: Where charts and images are mirrored; ``public`` and ``chart`` follow it. None:
            they are pulled from where they are published.
    """

    cluster: eks.ICluster
    cluster_name: str
    network: Network
    key: kms.IKey
    node_selector: Mapping[str, str]
    tolerations: tuple[Mapping[str, str], ...]
    ready: IDependable
    mirror: AddonMirror | None = None

    def public(self, repository: str) -> str:
        """Return the URI that a repository of ECR Public is pulled by, without a tag.

        Args:
            repository: Its name, such as ``karpenter/controller``.
        """
        if self.mirror is None:
            return f"{PUBLIC_REGISTRY}/{repository}"
        return f"{mirror_host(self.mirror)}/{self.mirror.repository(repository)}"

    def chart(self, name: str, repository: str) -> str:
        """Return where a chart is pulled from that its publisher has in no registry.

        Args:
            name: Name of the chart.
            repository: URL of the repository that it is published in.
        """
        if self.mirror is None:
            return repository
        return f"oci://{mirror_host(self.mirror)}/{self.mirror.chart(name)}"


class Addon(Protocol):
    """An installable part of the platform. One add-on, one file."""

    @property
    def name(self) -> str:
        """Unique name, which is also the construct id: PascalCase, contract once released."""
        ...

    @property
    def requires(self) -> tuple[str, ...]:
        """Names of add-ons that must be ready before this one."""
        ...

    def install(self, scope: Construct, context: AddonContext) -> IDependable:
        """Build the add-on under ``scope`` and return what dependants must wait for."""
        ...


def install_order(addons: Sequence[Addon], installed: Iterable[str] = ()) -> tuple[Addon, ...]:
    """Sort add-ons so that each comes after those it requires.

    Args:
        addons: The add-ons to install, in any order.
        installed: Names of add-ons that are there already.

    Raises:
        ConfigError: If two have one name, one requires an unknown add-on, or they form a cycle.
    """
    by_name: dict[str, Addon] = {}
    present = set(installed)
    for addon in addons:
        if addon.name in by_name or addon.name in present:
            where = f"Add-on {addon.name!r}"
            raise refuse(where, "name", "must be installed only once", addon.name)
        by_name[addon.name] = addon
    for addon in addons:
        unknown = sorted(set(addon.requires) - set(by_name) - present)
        if unknown:
            known = ", ".join(sorted({*by_name, *present})) or "none"
            rule = f"must name installed add-ons ({known})"
            raise refuse(f"Add-on {addon.name!r}", "requires", rule, ", ".join(unknown))
    edges = {name: set(addon.requires) & set(by_name) for name, addon in by_name.items()}
    try:
        return tuple(by_name[name] for name in TopologicalSorter(edges).static_order())
    except CycleError as error:
        circle = " -> ".join(error.args[1])
        raise refuse("Add-ons", "requires", "must not form a cycle", circle) from error
