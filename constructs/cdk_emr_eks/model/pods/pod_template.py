"""Pod templates of drivers and executors: which nodes they go to, and in which zone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from cdk_emr_eks import labels
from cdk_emr_eks.field_types import check_types, hold_mappings
from cdk_emr_eks.labels import CapacityType, SparkRole
from cdk_emr_eks.model.pods.pod_template_rules import MAIN_CONTAINERS, check_pod_template
from cdk_emr_eks.model.workloads.workload import Workload

__all__ = ["PodTemplate", "check_pod_template", "driver_template", "executor_template"]

DRIVER_GRACE_SECONDS: Final = 60
# Enough for the driver to delete its executors and close its event log.
EXECUTOR_GRACE_SECONDS: Final = 30
SPOT_GRACE_SECONDS: Final = 110
# A spot node has 120 seconds from the notice; what an executor moves elsewhere must be done before,
# and Karpenter needs a few of them to react.
# Source: https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/spot-instance-termination-notices.html


@dataclass(frozen=True, slots=True)
class PodTemplate:
    """A user's own pod template, checked against what EMR on EKS allows.

    Args:
        content: The pod as plain values: ``{"apiVersion": "v1", "kind": "Pod", "spec": ...}``.
        role: Whether it is for drivers or executors; None accepts the main container of both.

    Raises:
        ConfigError: If EMR or Kubernetes would refuse the template.
    """

    content: Mapping[str, object]
    role: SparkRole | None = None

    def __post_init__(self) -> None:
        check_types("PodTemplate", self)
        hold_mappings(self)
        check_pod_template(self.content, "PodTemplate", role=self.role)

    def manifest(self) -> Mapping[str, object]:
        """Return the pod."""
        return self.content


def driver_template(workload: Workload) -> Mapping[str, object]:
    """Render the template of a workload's drivers: on-demand, spread over zones, left alone.

    Both within a namespace and between namespaces the spread is a preference: a zone that is lost
    stops nobody. It takes two terms, since Kubernetes has no spread over several namespaces.

    Source: https://kubernetes.io/docs/concepts/scheduling-eviction/topology-spread-constraints/#implicit-conventions
    """
    identity = _identity(workload, SparkRole.DRIVER)
    spread = {
        "topologyKey": labels.ZONE,
        "maxSkew": 1,
        # A preference, though drivers choose the zone of their whole job: Karpenter plans by it as
        # by a rule and drops it only where it cannot be met. As a rule it would make Karpenter
        # wait for a zone in which nothing can be bought, and stop the drivers of all others.
        "whenUnsatisfiable": "ScheduleAnyway",
        # Nodes that are lost or draining do not count, so a zone that fails is no empty domain.
        "nodeTaintsPolicy": "Honor",
        "labelSelector": {
            "matchLabels": {
                labels.SPARK_ROLE: str(SparkRole.DRIVER),
                labels.WORKLOAD: workload.name,
            }
        },
    }
    # The spread above counts the pods of one namespace, so the only drivers of many tenants would
    # all go where the first one went. This counts them in all namespaces ({} selects all); it is a
    # preference, so a zone without capacity stops nobody.
    apart = {
        "weight": 100,
        "podAffinityTerm": {
            "topologyKey": labels.ZONE,
            "labelSelector": spread["labelSelector"],
            "namespaceSelector": {},
        },
    }
    return _pod(
        identity,
        annotations={labels.DO_NOT_DISRUPT: "true"},
        spec={
            "nodeSelector": {**identity, labels.CAPACITY_TYPE: str(CapacityType.ON_DEMAND)},
            "tolerations": _tolerations(identity),
            "topologySpreadConstraints": [spread],
            "affinity": {
                "podAntiAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": [apart]}
            },
            "priorityClassName": workload.driver_priority_class,
            "terminationGracePeriodSeconds": DRIVER_GRACE_SECONDS,
            "containers": [{"name": MAIN_CONTAINERS[SparkRole.DRIVER]}],
        },
    )


def executor_template(workload: Workload) -> Mapping[str, object]:
    """Render the template of a workload's executors: in the zone of their own driver.

    The API server merges the pod's value of ``spark-app-selector`` into the affinity, so one
    template serves all jobs and yet each executor follows the driver of its own job.

    They prefer nodes that have executors of their tenant, the more the better. Left alone, the
    scheduler takes the emptiest node, so that after a busy hour each node has an executor, none
    is empty, and none goes.

    Executors on on-demand nodes carry do-not-disrupt as well: a node that expires waits for them.
    """
    identity = _identity(workload, SparkRole.EXECUTOR)
    selector = dict(identity)
    if not workload.on_demand_fallback:
        # With a fallback both capacity types serve; taint and label of the role still keep
        # executors away from drivers.
        selector[labels.CAPACITY_TYPE] = str(workload.executor_capacity)
    follow = {
        "topologyKey": labels.ZONE,
        "labelSelector": {"matchLabels": {labels.SPARK_ROLE: str(SparkRole.DRIVER)}},
        "matchLabelKeys": [labels.SPARK_APP_SELECTOR],
    }
    gather = {
        "weight": 100,
        "podAffinityTerm": {
            "topologyKey": labels.HOSTNAME,
            # Of one namespace: whose neighbour others are is not to be chosen.
            "labelSelector": {"matchLabels": {labels.SPARK_ROLE: str(SparkRole.EXECUTOR)}},
        },
    }
    return _pod(
        identity,
        annotations={labels.DO_NOT_DISRUPT: "true"} if workload.keeps_executors else {},
        spec={
            "nodeSelector": selector,
            "tolerations": _tolerations(identity),
            "affinity": {
                "podAffinity": {
                    "requiredDuringSchedulingIgnoredDuringExecution": [follow],
                    "preferredDuringSchedulingIgnoredDuringExecution": [gather],
                }
            },
            "priorityClassName": workload.executor_priority_class,
            "terminationGracePeriodSeconds": (
                EXECUTOR_GRACE_SECONDS if workload.keeps_executors else SPOT_GRACE_SECONDS
            ),
            "containers": [{"name": MAIN_CONTAINERS[SparkRole.EXECUTOR]}],
        },
    )


def _identity(workload: Workload, role: SparkRole) -> dict[str, str]:
    return {labels.WORKLOAD: workload.name, labels.ROLE: str(role)}


def _tolerations(identity: Mapping[str, str]) -> list[Mapping[str, str]]:
    return [
        {"key": key, "operator": "Equal", "value": value, "effect": "NoSchedule"}
        for key, value in identity.items()
    ]


def _pod(
    identity: Mapping[str, str], *, annotations: Mapping[str, str], spec: Mapping[str, object]
) -> Mapping[str, object]:
    metadata: dict[str, object] = {"labels": dict(identity)}
    if annotations:
        metadata["annotations"] = dict(annotations)
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": dict(spec)}
