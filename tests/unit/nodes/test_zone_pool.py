"""The node pool without nodes."""

from __future__ import annotations

from cdk_emr_eks.model.networks.zones import Zone
from cdk_emr_eks.model.nodes.zone_pool import ZONE_POOL, zone_pool
from tests.refusals import refused

ZONES = (Zone.named("eu-west-1a"), Zone.named("eu-west-1b"))


def test_the_pool_has_no_taints_and_never_a_node() -> None:
    assert zone_pool(ZONES, "emr-nvme") == {
        "apiVersion": "karpenter.sh/v1",
        "kind": "NodePool",
        "metadata": {"name": "zones"},
        "spec": {
            "limits": {"nodes": "0"},
            "template": {
                "spec": {
                    "nodeClassRef": {
                        "group": "karpenter.k8s.aws",
                        "kind": "EC2NodeClass",
                        "name": "emr-nvme",
                    },
                    "requirements": (
                        {
                            "key": "topology.kubernetes.io/zone",
                            "operator": "In",
                            "values": ("eu-west-1a", "eu-west-1b"),
                        },
                    ),
                }
            },
        },
    }


def test_zones_are_required_and_differ() -> None:
    assert refused(lambda: zone_pool((), "emr-nvme")) == (
        f"NodePool {ZONE_POOL!r}: zones must have at least one zone."
    )
    same_name = (Zone(key="a", name="eu-west-1a"), Zone(key="b", name="eu-west-1a"))
    assert refused(lambda: zone_pool(same_name, "emr-nvme")) == (
        "NodePool 'zones': zones must differ in name, got 'eu-west-1a, eu-west-1a'."
    )
