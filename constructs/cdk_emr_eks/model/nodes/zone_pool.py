"""A node pool that never has a node, and makes Karpenter quick at planning for many jobs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from cdk_emr_eks import labels
from cdk_emr_eks.model.networks.zones import Zone, check_zones
from cdk_emr_eks.model.nodes.node_class import node_class_reference
from cdk_emr_eks.model.nodes.node_pool import API_VERSION

ZONE_POOL: Final = "zones"
"""Name of the pool."""


def zone_pool(zones: tuple[Zone, ...], class_name: str) -> Mapping[str, object]:
    """Render a NodePool without taints whose limit is no node at all.

    For each pod with a pod affinity, or a spread that honors taints, Karpenter asks of each zone
    whether the pod tolerates the taints of one pool there: once for each pool and instance type,
    some ten thousand comparisons a pod where all pools have taints. Where one has none the zone is
    open to every pod, and there is nothing to compare. All drivers and executors have such terms,
    and every pool of a workload is in all zones, so the answer is the same. What it saves is
    measured in docs/design/simulation.md.

    Args:
        zones: Zones that nodes may be in.
        class_name: Name of any EC2NodeClass that is there: a pool without one is not ready, and
            then not looked at.

    Raises:
        ConfigError: If zones are missing or double.

    Source: https://github.com/kubernetes-sigs/karpenter/blob/v1.14.1/pkg/controllers/provisioning/scheduling/topologydomaingroup.go
    """
    check_zones(f"NodePool {ZONE_POOL!r}", zones)
    names = tuple(zone.name for zone in zones)
    return {
        "apiVersion": API_VERSION,
        "kind": "NodePool",
        "metadata": {"name": ZONE_POOL},
        "spec": {
            "limits": {"nodes": "0"},
            "template": {
                "spec": {
                    "nodeClassRef": node_class_reference(class_name),
                    "requirements": ({"key": labels.ZONE, "operator": "In", "values": names},),
                }
            },
        },
    }
