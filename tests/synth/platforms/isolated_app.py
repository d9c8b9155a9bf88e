"""A platform without NAT, and the stack with the repositories that it is installed from."""

from __future__ import annotations

from functools import cache

import aws_cdk as cdk

from cdk_emr_eks import (
    AddonMirror,
    AddonRegistry,
    ClusterSpec,
    EmrEksCluster,
    LoadBalancerController,
    Nat,
    NetworkSpec,
    Platform,
    Tenant,
)
from tests.synth.synthesized import Synthesized, synthesize
from tests.synth.tenants.tenancy_app import new_app

PREFIX = "platform-mirror"
NETWORK = NetworkSpec(nat=Nat.NONE, interface_endpoints=True)


@cache
def isolated() -> Synthesized:
    """Synthesize once for all tests."""
    app = new_app()
    registry = AddonRegistry(
        cdk.Stack(app, "Registry"), "Addons", mirror=AddonMirror(prefix=PREFIX)
    )
    cluster = EmrEksCluster(
        cdk.Stack(app, "Platform"),
        "EmrEksCluster",
        platform=Platform(
            cluster=ClusterSpec(mirror=registry.mirror),
            network=NETWORK,
            addons=(LoadBalancerController(),),
        ),
    )
    cluster.add_tenant(Tenant(name="analytics"))
    return synthesize(app)
