"""How many pods of one shape fill a node of each size: the arithmetic behind pod sizes.

Eight-core executors that request eight cores fit three times on a node of 32 vCPUs, not four times,
since the kubelet and the DaemonSets use CPU too. So a pod requests slightly less CPU than it has
task slots.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from cdk_emr_eks.errors import ConfigProblem
from cdk_emr_eks.model.instances.instances import (
    DAEMONSET_TOTAL,
    InstanceType,
    Resources,
    allocatable,
)
from cdk_emr_eks.units import Cpu, Memory

# Memory request of the logging container that EMR adds to drivers and executors.
# Source: https://docs.aws.amazon.com/emr/latest/EMR-on-EKS-DevelopmentGuide/emr-eks-job-submitter-container-defaults.html
LOGGING_SIDECAR_MEMORY: Final = Memory(512)

# CPU request of the logging container. EMR sets none; a tenant's LimitRange sets this one, since
# with a quota on CPU Kubernetes refuses containers without a request.
LOGGING_SIDECAR_CPU: Final = Cpu(10)

# Requests of EMR's job submitter and its logging container, as described pods of EMR show them.
# Source: https://docs.aws.amazon.com/emr/latest/EMR-on-EKS-DevelopmentGuide/emr-eks-job-submitter.html
SUBMITTER: Final = Resources(Cpu(800 + 100), Memory(512 + 200))

# Share of a full node's allocatable cores that Spark pods should request, without DaemonSets.
WELL_PACKED: Final = 0.95


@dataclass(frozen=True, kw_only=True, slots=True)
class PodPacking:
    """Requests of a pod with which a whole number of pods fills each node of a pool.

    Args:
        request: CPU request of the Spark container.
        memory: Memory of the Spark container, without the logging container.
        pods: Pods on a full node, by instance type.
        share: CPU requested by those pods, as a share of allocatable, by instance type.
    """

    request: Cpu
    memory: Memory
    pods: Mapping[str, int]
    share: Mapping[str, float]


def free(instance_type: InstanceType, headroom: Resources) -> Resources:
    """Return what a node of this type has for Spark: allocatable minus DaemonSets and headroom."""
    total = allocatable(instance_type)
    cpu = total.cpu.millicores - DAEMONSET_TOTAL.cpu.millicores - headroom.cpu.millicores
    memory = total.memory.mib - DAEMONSET_TOTAL.memory.mib - headroom.memory.mib
    return Resources(Cpu(max(cpu, 0)), Memory(max(memory, 0)))


def packing_problems(
    field: str,
    types: Sequence[InstanceType],
    *,
    cores: int,
    memory: Memory | None,
    least: Memory,
    headroom: Resources,
) -> tuple[ConfigProblem, ...]:
    """Return why a shape does not fit on some of the types; empty where it fits on all.

    Args:
        field: Field to name in the problem.
        types: Instance types of all pools of the pod.
        cores: Task slots of the pod.
        memory: Memory of the Spark container, or None where it is computed.
        least: The least memory of the Spark container.
        headroom: CPU and memory of each node that stay free for the user's DaemonSets.
    """
    smallest = min(types, key=lambda each: each.vcpu)
    if smallest.vcpu < cores:
        rule = f"must not have sizes below the {cores} cores of the pod"
        fix = f"{smallest.name} has {smallest.vcpu} vCPUs"
        return (ConfigProblem(field=field, rule=rule, got=smallest.name, fix=fix),)
    for each in types:
        room = free(each, headroom)
        share = 1 if memory is not None else each.vcpu // cores
        usable = room.memory.mib // share - LOGGING_SIDECAR_MEMORY.mib
        if usable < least.mib:
            rule = f"must have room for a Spark container of {least.kubernetes}"
            fix = (
                f"{each.name} has {Memory(max(usable, 0)).kubernetes} next to the logging container"
            )
            return (ConfigProblem(field=field, rule=rule, got=each.name, fix=fix),)
        if room.cpu.millicores < cores * 500:
            rule = "must leave half of the pod's cores after DaemonSets and headroom"
            return (ConfigProblem(field=field, rule=rule, got=each.name),)
    return ()


def pack(
    types: Sequence[InstanceType], *, cores: int, memory: Memory | None, headroom: Resources
) -> PodPacking:
    """Compute CPU and memory of a pod with ``cores`` task slots for all types of its pools.

    The type with the fewest resources for each pod decides, so that the same pod fills every type.

    Args:
        types: Instance types of all pools of the pod; the shape must fit on each.
        cores: Task slots of the pod.
        memory: Memory of the Spark container, or None to compute it.
        headroom: CPU and memory of each node that stay free for the user's DaemonSets.
    """
    rooms = {each.name: free(each, headroom) for each in types}
    counts = {each.name: each.vcpu // cores for each in types}
    least_cpu = min(rooms[name].cpu.millicores // count for name, count in counts.items())
    request = least_cpu - LOGGING_SIDECAR_CPU.millicores
    if memory is None:
        least = min(rooms[name].memory.mib // count for name, count in counts.items())
        memory = Memory(least - LOGGING_SIDECAR_MEMORY.mib)
    pod_memory = memory.mib + LOGGING_SIDECAR_MEMORY.mib
    pods = {
        name: min(room.cpu.millicores // least_cpu, room.memory.mib // pod_memory)
        for name, room in rooms.items()
    }
    share = {
        each.name: pods[each.name] * request / allocatable(each).cpu.millicores for each in types
    }
    return PodPacking(request=Cpu(request), memory=memory, pods=pods, share=share)


def packing_warnings(workload: str, what: str, packing: PodPacking) -> tuple[str, ...]:
    """Return a warning that lists the types on which a full node stays below 95 %."""
    poor = {name: share for name, share in packing.share.items() if share < WELL_PACKED}
    if not poor:
        return ()
    listed = ", ".join(f"{name} {share:.0%}" for name, share in poor.items())
    return (
        f"Workload {workload!r}: {what} of this shape request less than {WELL_PACKED:.0%} of the "
        f"allocatable cores of a full node: {listed}. Choose larger sizes, other cores or memory.",
    )
