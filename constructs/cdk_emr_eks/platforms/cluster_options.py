"""The arguments of ``EmrEksCluster``, checked and with their defaults, so that two compare."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from ipaddress import IPv4Network
from typing import Final

from aws_cdk import aws_iam as iam

from cdk_emr_eks.addons.karpenter import Karpenter
from cdk_emr_eks.addons.protocol import Addon
from cdk_emr_eks.clusters.cluster import ClusterSpec
from cdk_emr_eks.errors import refuse
from cdk_emr_eks.field_types import check_argument
from cdk_emr_eks.model.networks.network import Nat
from cdk_emr_eks.model.nodes.capacity_buffers import needs_buffers
from cdk_emr_eks.model.workloads.workload import Workload
from cdk_emr_eks.networks.network import ExistingNetwork, NetworkSpec

_OPTIONS: Final[Mapping[str, object]] = {
    "cluster": ClusterSpec | None,
    "network": NetworkSpec | ExistingNetwork | None,
    "workloads": Sequence[Workload],
    "karpenter": Karpenter | None,
    "addons": Sequence[Addon],
    "admins": Sequence[iam.IRole],
    "stage_per_workload": bool,
}


def chosen_karpenter(
    karpenter: Karpenter | None,
    workloads: Sequence[Workload],
    network: NetworkSpec | ExistingNetwork | None,
) -> Karpenter:
    """Return Karpenter as it is installed.

    It has capacity buffers where a workload needs them, and knows of a network without a way out.
    """
    chosen = karpenter or Karpenter()
    if isinstance(network, NetworkSpec) and network.nat is Nat.NONE:
        chosen = replace(chosen, isolated_vpc=True)
    if not needs_buffers(workloads):
        return chosen
    return replace(chosen, feature_gates=replace(chosen.feature_gates, capacity_buffer=True))


def cluster_options(
    cluster: ClusterSpec | None,
    network: NetworkSpec | ExistingNetwork | None,
    workloads: Sequence[Workload],
    karpenter: Karpenter | None,
    addons: Sequence[Addon],
    admins: Sequence[iam.IRole],
    stage_per_workload: bool,
) -> dict[str, object]:
    """Return the arguments with their defaults filled in.

    Raises:
        ConfigError: If one is of a wrong type, or Services would have addresses of the network.
    """
    given = (cluster, network, workloads, karpenter, addons, admins, stage_per_workload)
    for (option, hint), value in zip(_OPTIONS.items(), given, strict=True):
        check_argument("EmrEksCluster", option, hint, value)
    spec, place = cluster or ClusterSpec(), network or NetworkSpec()
    if isinstance(place, NetworkSpec):
        _check_services(spec, place)
    return {
        "cluster": spec,
        "network": place,
        "workloads": tuple(workloads),
        "karpenter": karpenter or Karpenter(),
        "addons": tuple(addons),
        "admins": tuple(role.node.path for role in admins),
        "stage_per_workload": stage_per_workload,
    }


def check_same(name: str, wanted: Mapping[str, object], made: Mapping[str, object]) -> None:
    """Check that a cluster which is there was made with the options that are wanted.

    Raises:
        ConfigError: If one differs: it would be ignored.
    """
    for option, value in wanted.items():
        if value != made[option]:
            rule = "must be the same at each call for one cluster"
            fix = f"the first call had {made[option]!r}"
            raise refuse(f"EmrEksCluster {name!r}", option, rule, value, fix)


def _check_services(cluster: ClusterSpec, network: NetworkSpec) -> None:
    services = IPv4Network(cluster.service_cidr)
    for field in ("cidr", "pod_cidr"):
        block = getattr(network, field)
        if services.overlaps(IPv4Network(block)):
            rule = f"must not overlap with the network's {field} {block}"
            where = f"ClusterSpec {cluster.name!r}"
            raise refuse(where, "service_cidr", rule, cluster.service_cidr)
