"""Pod templates of drivers and executors: node and zone placement."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from cdk_emr_eks import labels
from cdk_emr_eks.checks import Check
from cdk_emr_eks.labels import CapacityType, SparkRole
from cdk_emr_eks.model.pods.pod_template_rules import (
    MAIN_CONTAINERS,
    check_pod_template,
    pod_template_rules,
)
from cdk_emr_eks.model.workloads.workload import Workload
from cdk_emr_eks.values import value

__all__ = ["PodTemplate", "check_pod_template", "driver_template", "executor_template"]

# Enough for the driver to delete its executors and close its event log.
DRIVER_GRACE_SECONDS: Final = 60
EXECUTOR_GRACE_SECONDS: Final = 30
# EC2 reclaims a spot node 120 seconds after the notice. Karpenter needs a few seconds to react, and
# an executor moves its data in the rest.
# Source: https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/spot-instance-termination-notices.html
SPOT_GRACE_SECONDS: Final = 110


@value(kw_only=False)
class PodTemplate:
    """A pod template written by a user, checked against what EMR on EKS allows.

    Args:
        content: The pod as plain values: ``{"apiVersion": "v1", "kind": "Pod", "spec": ...}``.
        role: Drivers or executors. None accepts the main container of both.

    Raises:
        ConfigError: If EMR or Kubernetes would refuse the template.
    """

    content: Mapping[str, object]
    role: SparkRole | None = None

    def _rules(self, check: Check) -> None:
        pod_template_rules(check, self.content, role=self.role)

    def manifest(self) -> Mapping[str, object]:
        """Return the pod."""
        return self.content


def driver_template(workload: Workload) -> Mapping[str, object]:
    """Render the pod template of a workload's drivers: on-demand, spread over zones, not disrupted.

    The spread is a preference, within a namespace and between namespaces, so drivers start when a
    zone is lost. It needs two terms, since Kubernetes cannot spread pods of several namespaces.

    Source: https://kubernetes.io/docs/concepts/scheduling-eviction/topology-spread-constraints/#implicit-conventions
    """
    identity = _identity(workload, SparkRole.DRIVER)
    spread = {
        "topologyKey": labels.ZONE,
        "maxSkew": 1,
        # A preference, though a driver decides the zone of its job: Karpenter plans with it as with
        # a rule and drops it only where it cannot be met. As a rule it would make Karpenter wait
        # for a zone without capacity, and stop the drivers of all other zones.
        "whenUnsatisfiable": "ScheduleAnyway",
        # Lost and draining nodes do not count, so a failed zone is not an empty domain.
        "nodeTaintsPolicy": "Honor",
        "labelSelector": {
            "matchLabels": {
                labels.SPARK_ROLE: str(SparkRole.DRIVER),
                labels.WORKLOAD: workload.name,
            }
        },
    }
    # The spread above counts the pods of one namespace, so the single drivers of many tenants would
    # all start in the same zone. This term counts drivers in all namespaces ({} selects all). It is
    # a preference, so drivers start when a zone has no capacity.
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
    """Render the pod template of a workload's executors: in the zone of their driver.

    The API server merges the pod's value of ``spark-app-selector`` into the affinity, so with one
    template for all jobs each executor still follows the driver of its job.

    Executors prefer nodes with many executors of their tenant. Without this preference the
    scheduler chooses the emptiest node, so that after a busy hour each node has an executor, and
    Karpenter can terminate none.

    Executors on on-demand nodes carry do-not-disrupt: a node that expires waits for them.
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
            # Of one namespace: a tenant must not choose to run next to another tenant's pods.
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
