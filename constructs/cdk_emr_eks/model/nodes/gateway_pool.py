"""The node pool of notebook gateways: small nodes that accept any pod."""

from __future__ import annotations

from dataclasses import field
from datetime import timedelta
from typing import Final

from cdk_emr_eks.checks import Check
from cdk_emr_eks.labels import Architecture, CapacityType, SparkRole
from cdk_emr_eks.model.instances.instances import Instances
from cdk_emr_eks.model.networks.zones import Zone
from cdk_emr_eks.model.nodes.node_class import NodeClass
from cdk_emr_eks.model.nodes.node_pool import NodePool
from cdk_emr_eks.model.workloads.disruption import Disruption
from cdk_emr_eks.model.workloads.rules import limit_problems
from cdk_emr_eks.model.workloads.shapes import NodePoolLimits
from cdk_emr_eks.model.workloads.storage import RootVolume
from cdk_emr_eks.units import Cpu, Memory
from cdk_emr_eks.values import value

# Name of the pool, and the workload in the labels of its nodes.
GATEWAY: Final = "gateway"

_NODE_CLASS: Final = "emr-gateway"
_INSTANCES: Final = Instances(
    families=("m6i", "m6a", "m7i", "m7a"), sizes=("large", "xlarge", "2xlarge")
)


@value
class GatewayPool:
    """Nodes for pods that EMR runs without a pod template: endpoint gateways and Python kernels.

    EMR creates those pods without tolerations, so on a cluster whose pools all have taints they
    would stay Pending. This pool has no taints; it is on-demand, x86 and small. Each endpoint has
    one gateway pod as long as it exists, so a platform with endpoints always has at least one such
    node. Kernels of Python start and end on these nodes. Kernels of Spark are drivers, on the nodes
    of their workload.

    Karpenter terminates a node when it is empty, and drift replaces none: Karpenter cannot see that
    a user works in a kernel, and an evicted kernel loses its variables. A node that expires is
    drained with all its pods.

    Args:
        instances: Instance types, of x86 families: EMR's endpoints do not run on arm64. Default:
            general purpose of 2 to 8 vCPUs; Karpenter starts the cheapest that fits.
        limits: Limits of all nodes of the pool. Default 128 vCPUs, 512 GiB.
        disruption: When Karpenter may terminate nodes; the times and budgets of drivers apply.
            Default: empty nodes after 5 minutes, no drift, replacement after 30 days.

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

    def _rules(self, check: Check) -> None:
        types = self.instances.types()
        arm = sorted(each.name for each in types if each.architecture is Architecture.ARM64)
        rule = "must be x86: EMR's managed endpoints do not run on arm64"
        check.require(not arm, "instances", rule, ", ".join(arm))
        check.add(limit_problems("limits", self.limits, types))

    @property
    def node_class(self) -> NodeClass:
        """The node class, whose root volume has room for the images of kernels."""
        return NodeClass(name=_NODE_CLASS, root_volume=RootVolume(size=Memory.from_gib(100)))

    def node_pool(self, zones: tuple[Zone, ...]) -> NodePool:
        """Return the pool: one for all zones, since a gateway keeps no data in a zone."""
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
