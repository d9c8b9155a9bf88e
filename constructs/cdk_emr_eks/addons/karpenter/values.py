"""Values of the chart ``karpenter``: what the library sets, and nothing that it leaves alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from cdk_emr_eks import labels
from cdk_emr_eks.errors import Problems
from cdk_emr_eks.field_types import check_types
from cdk_emr_eks.model.workloads.disruption import go_duration

SERVICE_ACCOUNT = "karpenter"


class KarpenterLogLevel(StrEnum):
    """How much the controller logs.

    Source: https://karpenter.sh/v1.14/reference/settings/
    """

    DEBUG = "debug"
    INFO = "info"
    ERROR = "error"


@dataclass(frozen=True, kw_only=True, slots=True)
class FeatureGates:
    """Karpenter's features that can be turned on or off. The defaults are upstream's.

    Args:
        node_repair: Replace nodes that stay unhealthy for longer than Karpenter tolerates. Alpha.
            Off: it terminates a node by force, with the driver that may run on it.
        node_overlay: Let NodeOverlay objects change prices and capacity as Karpenter sees them.
            Alpha.
        reserved_capacity: Use on-demand capacity reservations that a node class selects. Beta.
        spot_to_spot_consolidation: Replace a spot node by a cheaper one. Alpha. It has no effect
            on the library's own pools, which consolidate empty nodes only; for raw ones.
        static_capacity: Allow node pools with a fixed number of nodes (``replicas``). Alpha.
        capacity_buffer: Keep spare room as CapacityBuffer objects ask. Alpha. A cluster turns it on
            by itself where a workload has ``warm`` capacity.

    Raises:
        ConfigError: If one is not True or False.

    Source: https://karpenter.sh/v1.14/reference/settings/#feature-gates
    """

    node_repair: bool = False
    node_overlay: bool = False
    reserved_capacity: bool = True
    spot_to_spot_consolidation: bool = False
    static_capacity: bool = False
    capacity_buffer: bool = False

    def __post_init__(self) -> None:
        check_types("FeatureGates", self)

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


@dataclass(frozen=True, kw_only=True, slots=True)
class SchedulingBatch:
    """When a round of scheduling starts: waiting for more pods makes fewer and larger nodes.

    Args:
        idle: When no pod has come for so long. Default 1 second, as upstream.
        longest: At the latest after so long. Default 10 seconds, as upstream.

    Raises:
        ConfigError: If a time is not in whole seconds, or idle is longer than longest.

    Source: https://karpenter.sh/v1.14/reference/settings/
    """

    idle: timedelta = timedelta(seconds=1)
    longest: timedelta = timedelta(seconds=10)

    def __post_init__(self) -> None:
        check_types("SchedulingBatch", self)
        problems = Problems("SchedulingBatch")
        second = timedelta(seconds=1)
        for name, value in (("idle", self.idle), ("longest", self.longest)):
            holds = value >= second and not value % second
            problems.require(holds, name, "must be whole seconds, at least 1", str(value))
        rule = f"must not be longer than longest ({self.longest})"
        problems.require(self.idle <= self.longest, "idle", rule, str(self.idle))
        problems.raise_if_any()

    def values(self) -> Mapping[str, str]:
        """Return the batch's part of the chart's ``settings``."""
        return {
            "batchIdleDuration": go_duration(self.idle),
            "batchMaxDuration": go_duration(self.longest),
        }


@dataclass(frozen=True, kw_only=True, slots=True)
class Surroundings:
    """What the chart must know of the cluster it is installed into; strings may be tokens.

    Args:
        cluster_name: Name of the cluster.
        cluster_endpoint: URL of the API server.
        queue_name: Name of the interruption queue.
        region: AWS Region.
        node_selector: Puts the controller on the system nodes.
        tolerations: Kubernetes tolerations of the system nodes' taints.
        custom_networking: Whether pods have subnets of their own.
        image: Repository of the controller's image. None: the chart's own.
    """

    cluster_name: str
    cluster_endpoint: str
    queue_name: str
    region: str
    node_selector: Mapping[str, str]
    tolerations: tuple[Mapping[str, str], ...]
    custom_networking: bool
    image: str | None = None


def settings(around: Surroundings) -> Mapping[str, object]:
    """Return the chart's ``settings`` that follow from the cluster alone."""
    return {
        "clusterName": around.cluster_name,
        "clusterEndpoint": around.cluster_endpoint,
        "interruptionQueue": around.queue_name,
        "eksControlPlane": True,
        # With custom networking the first interface of a node holds no pod. It counts for node
        # classes that leave maxPods open; the library's own fix it.
        "reservedENIs": "1" if around.custom_networking else "0",
    }


def placement(around: Surroundings) -> Mapping[str, object]:
    """Return the chart's values that put the controller on system nodes, spread over zones."""
    return {
        "nodeSelector": dict(around.node_selector),
        "tolerations": [dict(each) for each in around.tolerations],
        # The chart fills in the label selector.
        "topologySpreadConstraints": [
            {"maxSkew": 1, "topologyKey": labels.ZONE, "whenUnsatisfiable": "DoNotSchedule"}
        ],
    }


def mirrored(around: Surroundings) -> Mapping[str, object]:
    """Return the value of the chart's ``controller`` that says where its image is, if not there."""
    # Tag and digest stay the chart's: the mirror has the image that was published, or none.
    return {"image": {"repository": around.image}} if around.image else {}
