"""Capacity buffers in the cluster: one manifest for each workload that has buffers."""

from __future__ import annotations

from collections.abc import Sequence

from aws_cdk import aws_eks_v2 as eks
from constructs import Construct

from cdk_emr_eks.clusters.manifests import KubernetesObject, ManifestBundle


def add_capacity_buffers(
    scope: Construct,
    workload: str,
    objects: Sequence[KubernetesObject],
    *,
    cluster: eks.ICluster,
    pools: Sequence[Construct],
) -> None:
    """Add the capacity buffers of a workload: created after the node pools, deleted before them.

    The buffers of a workload are a separate custom resource, so that they are deleted when the
    workload no longer has buffers: an object removed from a manifest stays in the cluster, and its
    nodes with it.

    Args:
        scope: Scope of the manifest.
        workload: Name of the workload.
        objects: Buffers and pod templates of the workload. Empty: no manifest is created.
        cluster: The cluster, with its kubectl provider.
        pools: Manifests of the workload's node pools.
    """
    if not objects:
        return
    bundle = ManifestBundle(scope, f"Warm-{workload}", cluster=cluster)
    bundle.add(*objects)
    bundle.node.add_dependency(*pools)
