"""Parts of Karpenter's options, and what its chart needs to know of the cluster."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from enum import StrEnum

from cdk_emr_eks.checks import Check
from cdk_emr_eks.model.workloads.disruption import go_duration
from cdk_emr_eks.values import value


class KarpenterLogLevel(StrEnum):
    """How much the controller logs.

    Source: https://karpenter.sh/v1.14/reference/settings/
    """

    DEBUG = "debug"
    INFO = "info"
    ERROR = "error"


@value
class FeatureGates:
    """Turn features of Karpenter on or off. The defaults are Karpenter's.

    Args:
        node_repair: Replace nodes that stay unhealthy for longer than Karpenter tolerates. Alpha.
            Default False: Karpenter terminates such a node with the driver that may run on it.
        node_overlay: Let NodeOverlay objects change prices and capacity as Karpenter sees them.
            Alpha.
        reserved_capacity: Use on-demand capacity reservations that a node class selects. Beta.
        spot_to_spot_consolidation: Replace a spot node by a cheaper one. Alpha. The library's own
            node pools are not affected, since they consolidate empty nodes only.
        static_capacity: Allow node pools with a fixed number of nodes (``replicas``). Alpha.
        capacity_buffer: Keep the spare capacity of CapacityBuffer objects. Alpha. A cluster turns
            it on if a workload has ``capacity_buffers``.

    Raises:
        ConfigError: If a field is not True or False.

    Source: https://karpenter.sh/v1.14/reference/settings/#feature-gates
    """

    node_repair: bool = False
    node_overlay: bool = False
    reserved_capacity: bool = True
    spot_to_spot_consolidation: bool = False
    static_capacity: bool = False
    capacity_buffer: bool = False

    def values(self) -> Mapping[str, bool]:
        """Return the chart's ``settings.featureGates``."""
        return {
            "nodeRepair": self.node_repair,
            "nodeOverlay": self.node_overlay,
            "reservedCapacity": self.reserved_capacity,
            "spotToSpotConsolidation": self.spot_to_spot_consolidation,
            "staticCapacity": self.static_capacity,
            "capacityBuffer": self.capacity_buffer,
        }


@value
class SchedulingBatch:
    """When Karpenter schedules pending pods: a longer wait makes fewer and larger nodes.

    Args:
        idle: Time without a new pending pod after which a round starts. Default 1 second, as
            upstream.
        longest: Time after the first pending pod at which a round starts at the latest. Default 10
            seconds, as upstream.

    Raises:
        ConfigError: If a time is not in whole seconds, or idle is longer than longest.

    Source: https://karpenter.sh/v1.14/reference/settings/
    """

    idle: timedelta = timedelta(seconds=1)
    longest: timedelta = timedelta(seconds=10)

    def _rules(self, check: Check) -> None:
        check.whole_seconds("idle", at_least=1)
        check.whole_seconds("longest", at_least=1)
        rule = f"must not be longer than longest ({self.longest})"
        check.require(self.idle <= self.longest, "idle", rule, str(self.idle))

    def values(self) -> Mapping[str, str]:
        """Return the batch's part of the chart's ``settings``."""
        return {
            "batchIdleDuration": go_duration(self.idle),
            "batchMaxDuration": go_duration(self.longest),
        }


@value
class KarpenterChartContext:
    """What the chart ``karpenter`` needs to know of its cluster; texts may be tokens.

    Args:
        cluster_name: Name of the cluster.
        cluster_endpoint: URL of the API server.
        queue_name: Name of the interruption queue.
        region: AWS Region.
        node_selector: Labels of the system nodes, where the controller runs.
        tolerations: Kubernetes tolerations of the system nodes' taints.
        custom_networking: Whether pods have separate subnets.
        image: Repository of the controller's image. None: the chart's default.
    """

    cluster_name: str
    cluster_endpoint: str
    queue_name: str
    region: str
    node_selector: Mapping[str, str]
    tolerations: tuple[Mapping[str, str], ...]
    custom_networking: bool
    image: str | None = None
