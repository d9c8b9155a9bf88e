"""What EMR's endpoints need in a cluster: a load balancer controller and gateway nodes."""

from __future__ import annotations

from constructs import DependencyGroup, IDependable

from cdk_emr_eks.addons.load_balancer_controller import (
    InstalledLoadBalancerController,
    LoadBalancerController,
)
from cdk_emr_eks.addons.protocol import InstalledAddons
from cdk_emr_eks.errors import refuse
from cdk_emr_eks.model.nodes.gateway_pool import GATEWAY, GatewayPool
from cdk_emr_eks.nodes.node_pools import NodePools


class ExistingEndpointPrerequisites:
    """The prerequisites of an imported cluster, which exist already.

    Args:
        ready: Dependency of endpoints. None: nothing of this app.
    """

    def __init__(self, ready: IDependable | None = None) -> None:
        self._ready = ready or DependencyGroup()

    def ensure(self) -> IDependable:
        """Return the dependency of endpoints."""
        return self._ready


class EndpointPrerequisites:
    """The prerequisites of a cluster of this app, created with the first endpoint.

    They are the AWS Load Balancer Controller, unless it is among the add-ons, and the node pool of
    gateways in the manifest of the node pools. EMR opens the cluster security group to each
    endpoint's load balancer. All nodes and pods have that group and no other group with the
    cluster's tag, so no option names it.

    Args:
        cluster_name: Literal name of the cluster, for errors.
        addons: The add-ons of the cluster.
        pools: The node pools of the cluster.
    """

    def __init__(self, *, cluster_name: str, addons: InstalledAddons, pools: NodePools) -> None:
        self._cluster_name = cluster_name
        self._addons = addons
        self._pools = pools
        self._gateway: GatewayPool | None = None
        self._ready: IDependable | None = None

    def ensure(self, gateway: GatewayPool | None = None) -> IDependable:
        """Return the dependency of endpoints, creating the prerequisites the first time.

        Args:
            gateway: The node pool of gateways. None: the existing one, or ``GatewayPool()``.

        Raises:
            ConfigError: If the pool exists with other options, or a workload has its name.
        """
        if self._ready is None:
            self._ready = self._create(gateway or GatewayPool())
        if gateway not in (None, self._gateway):
            rule, fix = "must be the same at each call", f"the first call had {self._gateway!r}"
            raise refuse(f"EmrEksCluster {self._cluster_name!r}", "gateway", rule, gateway, fix)
        return self._ready

    def _create(self, gateway: GatewayPool) -> IDependable:
        pools = self._pools
        if any(pool.workload == GATEWAY for pool in pools.pools):
            rule = "must not be the name of a workload, whose drivers would run on gateway nodes"
            raise refuse(f"Gateway pool of {self._cluster_name!r}", "name", rule, GATEWAY)
        controller = self._addons.ready(LoadBalancerController())
        if isinstance(controller, InstalledLoadBalancerController):
            controller = controller.ready
        pools.add(gateway.node_pool(pools.nodes.zones))
        pools.add(gateway.node_class)
        self._gateway = gateway
        return DependencyGroup(controller, pools)
