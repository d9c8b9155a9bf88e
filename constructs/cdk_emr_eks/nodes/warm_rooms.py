"""Warm capacity in the cluster: a stage of capacity buffers for each workload that has some."""

from __future__ import annotations

from collections.abc import Sequence

from aws_cdk import aws_eks_v2 as eks
from constructs import Construct

from cdk_emr_eks.clusters.manifests import KubernetesObject, ManifestStage


def add_rooms(
    scope: Construct,
    workload: str,
    objects: Sequence[KubernetesObject],
    *,
    cluster: eks.ICluster,
    pools: Sequence[Construct],
) -> None:
    """Add a workload's capacity buffers: after the node pools, and gone before them.

    They are a custom resource of their own, so that they go when the workload has warm capacity no
    longer: what is taken out of a manifest would stay in the cluster, and its nodes with it.

    Args:
        scope: Where they are made.
        workload: Name of the workload.
        objects: Its buffers and pod templates. None: nothing is made.
        cluster: The cluster, with its kubectl provider.
        pools: Stages of its node pools.
    """
    if not objects:
        return
    stage = ManifestStage(scope, f"Warm-{workload}", cluster=cluster)
    stage.add(*objects)
    stage.node.add_dependency(*pools)
