"""Karpenter's capacity buffers of a workload, and the pod templates that they refer to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final, cast

from cdk_emr_eks import labels
from cdk_emr_eks.checks import Check
from cdk_emr_eks.labels import MANAGED_BY, SparkRole
from cdk_emr_eks.model.instances.instances import Resources
from cdk_emr_eks.model.namespaces.namespace import MANAGER
from cdk_emr_eks.model.networks.zones import Zone
from cdk_emr_eks.model.pods.pod_template import driver_template, executor_template
from cdk_emr_eks.model.workloads.capacity_buffers import (
    CapacityBuffers,
    buffer_problems,
    buffered_pods,
)
from cdk_emr_eks.model.workloads.workload import Workload

# Namespace of the buffers: it always exists, and no tenant has rights in it.
NAMESPACE: Final = "kube-system"

API_VERSION: Final = "autoscaling.x-k8s.io/v1beta1"


def buffer_manifests(
    workload: Workload, zones: tuple[Zone, ...]
) -> tuple[Mapping[str, object], ...]:
    """Render the capacity buffers of a workload and their pod templates; empty without buffers.

    Every zone has buffers, with 0 replicas where the workload asks for none: kubectl does not
    delete an object that a manifest no longer has, and a buffer that stays keeps its nodes.

    Job submitter and driver have separate buffers: EMR starts one after the other, and they need
    not share a node.

    Raises:
        ConfigError: If the platform lacks one of the zones, or the buffers of all zones exceed the
            limits of the one pool that they share.
    """
    buffers = workload.capacity_buffers
    if buffers is None:
        return ()
    _check(workload, buffers, zones)
    return tuple(
        item
        for zone in zones
        for role in SparkRole
        for pod, requests in buffered_pods(role, workload.packing(role)).items()
        for item in _buffer(workload, buffers, role, pod, zone, requests)
    )


def needs_buffers(workloads: Sequence[Workload]) -> bool:
    """Return whether any of the workloads has capacity buffers."""
    return any(each.capacity_buffers is not None for each in workloads)


def refuse_buffers(where: str, field: str, workloads: Sequence[Workload], fix: str) -> None:
    """Refuse capacity buffers on a cluster whose Karpenter does not support them.

    Args:
        where: Whose workloads they are, for the error.
        field: Argument that has the workloads.
        workloads: Workloads on the cluster.
        fix: What to do.

    Raises:
        ConfigError: If a workload has capacity buffers.
    """
    check = Check(where)
    for each in workloads:
        rule = "must have no capacity_buffers: the cluster's Karpenter does not support them"
        check.require(each.capacity_buffers is None, field, rule, each.name, fix)
    check.raise_if_any()


def _check(workload: Workload, buffers: CapacityBuffers, zones: Sequence[Zone]) -> None:
    keys = [zone.key for zone in zones]
    check = Check(f"Workload {workload.name!r}")
    rule = f"must be keys of the platform's zones ({', '.join(keys)})"
    for key in buffers.zones or ():
        check.require(key in keys, "capacity_buffers.zones", rule, key)
    if not workload.per_zone:
        count = len(buffers.zones or keys)
        for role in SparkRole:
            pods = buffered_pods(role, workload.packing(role))
            replicas = count * buffers.replicas(role)
            check.add(buffer_problems(role, replicas, pods, workload.limits(role)))
    check.raise_if_any()


def _buffer(
    workload: Workload,
    buffers: CapacityBuffers,
    role: SparkRole,
    pod: str,
    zone: Zone,
    requests: Resources,
) -> Iterator[Mapping[str, object]]:
    """Yield a pod template and the buffer that refers to it."""
    here = buffers.zones is None or zone.key in buffers.zones
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
            "replicas": buffers.replicas(role) if here else 0,
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
    # No node pulls the image: Kubernetes creates no pod from this template.
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
