"""What EMR's managed endpoints need in a cluster, beside the controller of load balancers."""

from __future__ import annotations

from constructs import Construct, DependencyGroup, IDependable

from cdk_emr_eks.clusters.cluster import EksCluster
from cdk_emr_eks.errors import refuse
from cdk_emr_eks.model.networks.zones import Zone
from cdk_emr_eks.model.nodes.gateway_pool import GATEWAY, GatewayPool
from cdk_emr_eks.nodes.node_pools import NodePools


class EndpointParts(Construct):
    """The gateway pool, and what endpoints wait for.

    The pool goes into the cluster's stage of node pools, so no resource is made. EMR opens the
    cluster's security group to each endpoint's load balancer; all nodes and pods have that group
    and no other of the cluster's, so it need not be told which.

    Args:
        cluster: The cluster.
        pools: The cluster's node pools.
        zones: Zones that the gateway's nodes may be in.
        gateway: The pool.
        controller: What load balancers wait for.

    Attributes:
        gateway: The pool.
        ready: Dependency of endpoints; they are deleted before all of it.

    Raises:
        ConfigError: If a workload has the pool's name.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        cluster: EksCluster,
        pools: NodePools,
        zones: tuple[Zone, ...],
        gateway: GatewayPool,
        controller: IDependable,
    ) -> None:
        if any(pool.workload == GATEWAY for pool in pools.pools):
            rule = "must not be the name of a workload: its drivers would come to the gateway's"
            raise refuse(f"Gateway pool of {cluster.name!r}", "name", rule, GATEWAY)
        super().__init__(scope, id)
        self.gateway = gateway
        self._cluster_name = cluster.name
        pools.add(gateway.node_pool(zones))
        pools.add(gateway.node_class)
        self.ready: IDependable = DependencyGroup(controller, pools)

    def with_pool(self, gateway: GatewayPool | None) -> IDependable:
        """Return what endpoints wait for.

        Args:
            gateway: The pool that the caller wants. None: the one that is there.

        Raises:
            ConfigError: If the pool is there with other options: the caller's would be ignored.
        """
        if gateway not in (None, self.gateway):
            rule, fix = "must be the same at each call", f"the first call had {self.gateway!r}"
            raise refuse(f"EmrEksCluster {self._cluster_name!r}", "gateway", rule, gateway, fix)
        return self.ready
