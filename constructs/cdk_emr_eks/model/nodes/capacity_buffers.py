"""Warm capacity as Karpenter keeps it: capacity buffers, and the pods that they make room for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final, cast

from cdk_emr_eks import labels
from cdk_emr_eks.errors import Problems
from cdk_emr_eks.labels import MANAGED_BY, SparkRole
from cdk_emr_eks.model.instances.instances import Resources
from cdk_emr_eks.model.namespaces.namespace import MANAGER
from cdk_emr_eks.model.networks.zones import Zone
from cdk_emr_eks.model.pods.pod_template import driver_template, executor_template
from cdk_emr_eks.model.workloads.warm_capacity import WarmCapacity, pods_of_a_room, warm_problems
from cdk_emr_eks.model.workloads.workload import Workload

NAMESPACE: Final = "kube-system"
"""Namespace of the buffers: it is always there, and no tenant has rights in it."""

API_VERSION: Final = "autoscaling.x-k8s.io/v1beta1"


def capacity_buffers(
    workload: Workload, zones: tuple[Zone, ...]
) -> tuple[Mapping[str, object], ...]:
    """Return buffers and pod templates of a workload's warm capacity; none where it has none.

    Every zone has them, with 0 replicas where it is to have no room: kubectl leaves an object that
    is no longer in a manifest, and a buffer that is left keeps its nodes for good.

    Submitter and driver are buffers of their own, since EMR starts them one after the other and
    they need not share a node.

    Raises:
        ConfigError: If a zone is none of the platform's, or the rooms of all zones are too many for
            the one pool that they share.
    """
    warm = workload.warm
    if warm is None:
        return ()
    _check(workload, warm, zones)
    return tuple(
        item
        for zone in zones
        for role in SparkRole
        for pod, requests in pods_of_a_room(role, workload.packing(role)).items()
        for item in _buffer(workload, role, pod, zone, requests)
    )


def needs_buffers(workloads: Sequence[Workload]) -> bool:
    """Tell whether Karpenter must keep capacity buffers for any of some workloads."""
    return any(each.warm is not None for each in workloads)


def check_buffers(where: str, field: str, workloads: Sequence[Workload], fix: str) -> None:
    """Refuse warm capacity where Karpenter does not keep it.

    Args:
        where: Whose workloads they are, for the error.
        field: Argument that has them.
        workloads: Workloads on a cluster whose Karpenter keeps no buffers.
        fix: What to do.

    Raises:
        ConfigError: If one has warm capacity.
    """
    problems = Problems(where)
    for each in workloads:
        rule = "must have no warm capacity: the cluster's Karpenter keeps no capacity buffers"
        problems.require(each.warm is None, field, rule, each.name, fix)
    problems.raise_if_any()


def _check(workload: Workload, warm: WarmCapacity, zones: Sequence[Zone]) -> None:
    keys = [zone.key for zone in zones]
    problems = Problems(f"Workload {workload.name!r}")
    rule = f"must be keys of the platform's zones ({', '.join(keys)})"
    for key in warm.zones or ():
        problems.require(key in keys, "warm.zones", rule, key)
    if not workload.per_zone:
        places = len(warm.zones or keys)
        for role in SparkRole:
            pods = pods_of_a_room(role, workload.packing(role))
            rooms = places * warm.rooms(role)
            problems.extend(warm_problems(role, rooms, pods, workload.limits(role)))
    problems.raise_if_any()


def _buffer(
    workload: Workload, role: SparkRole, pod: str, zone: Zone, requests: Resources
) -> Iterator[Mapping[str, object]]:
    """Yield a pod template and the buffer that refers to it."""
    warm = workload.warm
    here = warm is not None and (warm.zones is None or zone.key in warm.zones)
    metadata = {
        "name": f"warm-{workload.name}-{pod}-{zone.key}",
        "namespace": NAMESPACE,
        "labels": {
            MANAGED_BY: MANAGER,
            labels.WORKLOAD: workload.name,
            labels.ROLE: str(role),
        },
    }
    yield {
        "apiVersion": "v1",
        "kind": "PodTemplate",
        "metadata": metadata,
        "template": _pod(workload, role, pod, zone, requests),
    }
    yield {
        "apiVersion": API_VERSION,
        "kind": "CapacityBuffer",
        "metadata": metadata,
        "spec": {
            "podTemplateRef": {"name": metadata["name"]},
            "replicas": warm.rooms(role) if warm is not None and here else 0,
        },
    }


def _pod(
    workload: Workload, role: SparkRole, pod: str, zone: Zone, requests: Resources
) -> Mapping[str, object]:
    template = (
        driver_template(workload) if role is SparkRole.DRIVER else executor_template(workload)
    )
    real = cast(Mapping[str, object], template["spec"])
    selector = cast(Mapping[str, str], real["nodeSelector"])
    amounts = {"cpu": requests.cpu.kubernetes, "memory": requests.memory.kubernetes}
    # The image is never pulled: no pod is made of this.
    container = {"name": pod, "image": "none", "resources": {"requests": amounts}}
    return {
        # No labels: the pods that Karpenter plans with must not count in the spread and the
        # affinities of real ones.
        "metadata": {},
        "spec": {
            "nodeSelector": {**selector, labels.ZONE: zone.name},
            "tolerations": real["tolerations"],
            "containers": [container],
        },
    }
