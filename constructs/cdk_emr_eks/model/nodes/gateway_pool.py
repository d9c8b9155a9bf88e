"""The node pool of notebooks' gateways: small nodes that any pod may come to."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final

from cdk_emr_eks.errors import Problems
from cdk_emr_eks.field_types import check_types
from cdk_emr_eks.labels import Architecture, CapacityType, SparkRole
from cdk_emr_eks.model.instances.instances import Instances
from cdk_emr_eks.model.networks.zones import Zone
from cdk_emr_eks.model.nodes.node_class import NodeClass
from cdk_emr_eks.model.nodes.node_pool import NodePool
from cdk_emr_eks.model.workloads.disruption import Disruption
from cdk_emr_eks.model.workloads.shapes import NodePoolLimits
from cdk_emr_eks.model.workloads.storage import RootVolume
from cdk_emr_eks.model.workloads.workload_rules import limit_problems
from cdk_emr_eks.units import Cpu, Memory

GATEWAY: Final = "gateway"
"""Name of the pool, and of the workload that its nodes are labelled with."""

_NODE_CLASS: Final = "emr-gateway"
_INSTANCES: Final = Instances(
    families=("m6i", "m6a", "m7i", "m7a"), sizes=("large", "xlarge", "2xlarge")
)


@dataclass(frozen=True, kw_only=True, slots=True)
class GatewayPool:
    """Nodes of what EMR runs without a pod template: endpoints' gateways, and Python kernels.

    EMR writes those pods itself, with no toleration, so on a cluster whose pools all have taints
    they would be Pending forever. This pool has none; it is on-demand, x86 and small. Each endpoint
    has one gateway pod as long as it exists, so a platform with endpoints has at least one such
    node; kernels of Python come and go beside them. Kernels of Spark are drivers, on the nodes of
    their workload.

    Nodes go when they are empty, and drift replaces none: nothing tells Karpenter that somebody
    works in a kernel, and a kernel that is evicted is lost with all its variables. A node that
    expires is emptied whoever is on it.

    Args:
        instances: Instance types, of x86 families: EMR's endpoints do not run on arm64. Default:
            general purpose of 2 to 8 vCPUs; Karpenter buys the cheapest that fits.
        limits: Bound of all nodes of the pool. Default 128 vCPUs, 512 GiB.
        disruption: When nodes may go; of the times and budgets those of drivers count. Default:
            empty nodes after 5 minutes, no drift, replaced after 30 days.

    Raises:
        ConfigError: If a family is of arm64, or the limits do not allow one node.

    Source: https://docs.aws.amazon.com/emr/latest/EMR-on-EKS-DevelopmentGuide/prereqs-for-studio.html

    Example:
        >>> from cdk_emr_eks.model.networks.zones import Zone
        >>> pool = GatewayPool().node_pool((Zone(key="a", name="eu-west-1a"),))
        >>> pool.name, pool.tainted, str(pool.capacity_type)
        ('gateway', False, 'on-demand')
    """

    instances: Instances = _INSTANCES
    limits: NodePoolLimits = NodePoolLimits(cpu=Cpu.cores(128), memory=Memory.from_gib(512))
    disruption: Disruption = field(
        default_factory=lambda: Disruption(
            driver_consolidate_after=timedelta(minutes=5), drift_nodes="0"
        )
    )

    def __post_init__(self) -> None:
        check_types("GatewayPool", self)
        problems = Problems("GatewayPool")
        types = self.instances.types()
        arm = sorted(t.name for t in types if t.architecture is Architecture.ARM64)
        rule = "must be x86: EMR's managed endpoints do not run on arm64"
        problems.require(not arm, "instances", rule, ", ".join(arm))
        problems.extend(limit_problems("limits", self.limits, types))
        problems.raise_if_any()

    @property
    def node_class(self) -> NodeClass:
        """The class of the nodes, whose root volume has room for the images of kernels."""
        return NodeClass(name=_NODE_CLASS, root_volume=RootVolume(size=Memory.from_gib(100)))

    def node_pool(self, zones: tuple[Zone, ...]) -> NodePool:
        """Return the pool: one over all zones, since a gateway has no data in any."""
        return NodePool(
            name=GATEWAY,
            workload=GATEWAY,
            role=SparkRole.DRIVER,
            capacity_type=CapacityType.ON_DEMAND,
            architecture=Architecture.AMD64,
            zones=zones,
            instances=self.instances,
            node_class=self.node_class.name,
            limits=self.limits,
            disruption=self.disruption,
            tainted=False,
        )
