"""A node pool that never has a node; with it, Karpenter plans faster for many jobs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from cdk_emr_eks import labels
from cdk_emr_eks.model.networks.zones import Zone, check_zones
from cdk_emr_eks.model.nodes.node_class import node_class_reference
from cdk_emr_eks.model.nodes.node_pool import API_VERSION

# Name of the pool.
ZONE_POOL: Final = "zones"


def zone_pool(zones: tuple[Zone, ...], class_name: str) -> Mapping[str, object]:
    """Render a NodePool without taints whose limit is 0 nodes.

    For each pod with a pod affinity, or a spread that honors taints, Karpenter tests in each zone
    whether the pod tolerates the taints of one pool: once for each pool and instance type, which is
    about ten thousand comparisons a pod where all pools have taints. A pool without taints opens
    the zone to every pod, so Karpenter compares nothing. All drivers and executors have such terms,
    and every pool of a workload is in all zones, so the result is the same.
    docs/design/simulation.md has the time that this saves.

    Args:
        zones: Zones of the platform.
        class_name: Name of any existing EC2NodeClass: Karpenter ignores a pool without one.

    Raises:
        ConfigError: If zones are missing or repeated.

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
