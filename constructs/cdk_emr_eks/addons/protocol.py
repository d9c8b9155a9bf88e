"""Add-ons: values with options, each with one method that installs it, and their order."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from graphlib import CycleError, TopologicalSorter
from typing import Protocol

from aws_cdk import aws_eks_v2 as eks
from aws_cdk import aws_kms as kms
from constructs import Construct, IDependable

from cdk_emr_eks.clusters.addon_registry import mirror_host
from cdk_emr_eks.errors import refuse
from cdk_emr_eks.model.clusters.addon_mirror import PUBLIC_REGISTRY, AddonMirror
from cdk_emr_eks.networks.network import Network
from cdk_emr_eks.values import value


@value
class AddonContext:
    """The parts of a cluster that an add-on can use; the platform itself is not among them.

    Args:
        cluster: The EKS cluster to install into.
        cluster_name: Its literal name.
        network: VPC, zones and subnets.
        key: KMS key for what the add-on encrypts.
        node_selector: Puts the add-on's pods on the system nodes.
        tolerations: Kubernetes tolerations of the system nodes' taints.
        ready: Dependency of everything that runs in the cluster: system nodes, managed add-ons.
        mirror: ECR mirror of charts and images, which ``public`` and ``chart`` use. None: charts
            and images come from the registries where they are published.
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
        """Return the URI of a repository of ECR Public, without a tag.

        Args:
            repository: Its name, such as ``karpenter/controller``.
        """
        if self.mirror is None:
            return f"{PUBLIC_REGISTRY}/{repository}"
        return f"{mirror_host(self.mirror)}/{self.mirror.repository(repository)}"

    def chart(self, name: str, repository: str) -> str:
        """Return the repository of a chart that its publisher has in no OCI registry.

        Args:
            name: Name of the chart.
            repository: URL of the repository where it is published.
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
        """Install the add-on under ``scope`` and return the dependency of what uses it."""
        ...


def install_order(addons: Sequence[Addon], installed: Iterable[str] = ()) -> tuple[Addon, ...]:
    """Sort add-ons so that each comes after those it requires.

    Args:
        addons: The add-ons to install, in any order.
        installed: Names of installed add-ons.

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


class InstalledAddons:
    """The add-ons of a cluster, by name.

    Args:
        scope: Scope of the add-ons' constructs.
        context: The parts of the cluster that add-ons can use.
    """

    def __init__(self, scope: Construct, context: AddonContext) -> None:
        self._scope = scope
        self._context = context
        self._ready: dict[str, IDependable] = {}

    def __contains__(self, name: str) -> bool:
        return name in self._ready

    def install(self, *addons: Addon) -> tuple[IDependable, ...]:
        """Install add-ons, each after those that it requires.

        Returns:
            The dependency of each, in the order of the arguments.

        Raises:
            ConfigError: If one is installed already, or a required one is not installed.
        """
        for addon in install_order(addons, self._ready):
            holder = Construct(self._scope, f"Addon-{addon.name}")
            # Added before the resources of the add-on, so that later ones wait too.
            for name in addon.requires:
                holder.node.add_dependency(self._ready[name])
            self._ready[addon.name] = addon.install(holder, self._context)
        return tuple(self._ready[addon.name] for addon in addons)

    def ready(self, addon: Addon) -> IDependable:
        """Return the dependency of an add-on, installing it if its name is not installed."""
        if addon.name not in self:
            self.install(addon)
        return self._ready[addon.name]
