"""The arguments of ``EmrEksCluster``, checked and with their defaults, so that two compare."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from aws_cdk import aws_iam as iam

from cdk_emr_eks.addons.karpenter import Karpenter
from cdk_emr_eks.addons.protocol import Addon
from cdk_emr_eks.cluster import ClusterSpec
from cdk_emr_eks.field_types import check_argument
from cdk_emr_eks.network import ExistingNetwork, NetworkSpec
from cdk_emr_eks.spec.workload import Workload

_OPTIONS: Final[Mapping[str, object]] = {
    "cluster": ClusterSpec | None,
    "network": NetworkSpec | ExistingNetwork | None,
    "workloads": Sequence[Workload],
    "karpenter": Karpenter | None,
    "addons": Sequence[Addon],
    "admins": Sequence[iam.IRole],
    "stage_per_workload": bool,
}


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
        ConfigError: If one is of a wrong type.
    """
    given = (cluster, network, workloads, karpenter, addons, admins, stage_per_workload)
    for (option, hint), value in zip(_OPTIONS.items(), given, strict=True):
        check_argument("EmrEksCluster", option, hint, value)
    return {
        "cluster": cluster or ClusterSpec(),
        "network": network or NetworkSpec(),
        "workloads": tuple(workloads),
        "karpenter": karpenter or Karpenter(),
        "addons": tuple(addons),
        "admins": tuple(role.node.path for role in admins),
        "stage_per_workload": stage_per_workload,
    }
