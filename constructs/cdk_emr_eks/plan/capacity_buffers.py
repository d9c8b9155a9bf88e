"""Read capacity buffers, and work out the nodes that hold them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final, NamedTuple

from cdk_emr_eks import labels
from cdk_emr_eks.assembly.objects import Applied, ClusterObject
from cdk_emr_eks.assembly.paths import mapping, sequence, text
from cdk_emr_eks.errors import ConfigError
from cdk_emr_eks.model.instances.instances import InstanceType, Resources
from cdk_emr_eks.model.instances.packing import free
from cdk_emr_eks.plan.model import CapacityBufferPlan, PoolPlan
from cdk_emr_eks.plan.pools import instance_types
from cdk_emr_eks.units import Cpu, Memory

_NOTHING: Final = Resources(Cpu(0), Memory(0))


class _Place(NamedTuple):
    stack: str
    cluster: str
    workload: str
    role: str
    zone: str


def capacity_buffer_plans(
    applied: Applied, pools: tuple[PoolPlan, ...]
) -> tuple[CapacityBufferPlan, ...]:
    """Read the capacity buffers of the assembly, one plan for each workload, role and zone.

    Buffers without replicas are left out, and so are buffers that do not select the nodes of a
    workload, or whose requests cannot be read.
    """
    templates = {
        (each.cluster, each.namespace, each.name): each for each in applied.of_kind("PodTemplate")
    }
    found: dict[_Place, list[Resources]] = {}
    counts: dict[_Place, int] = {}
    for buffer in applied.of_kind("CapacityBuffer"):
        name = text(buffer.spec, "podTemplateRef", "name")
        template = templates.get((buffer.cluster, buffer.namespace, name))
        replicas = buffer.spec.get("replicas")
        if template is None or not isinstance(replicas, int) or not replicas:
            continue
        place, requests = _place(template), _requests(template)
        if place.workload and requests is not None:
            found.setdefault(place, []).extend([requests] * replicas)
            counts[place] = max(counts.get(place, 0), replicas)
    return tuple(_plan(place, counts[place], pods, pools) for place, pods in found.items())


def _pod(template: ClusterObject) -> Mapping[str, object]:
    return mapping(template.content, "template", "spec")


def _place(template: ClusterObject) -> _Place:
    selector = mapping(_pod(template), "nodeSelector")
    keys = (labels.WORKLOAD, labels.ROLE, labels.ZONE)
    return _Place(template.stack, template.cluster, *(text(selector, key) for key in keys))


def _requests(template: ClusterObject) -> Resources | None:
    """Return the requests of the containers, None if one of them is not a quantity."""
    containers = sequence(_pod(template), "containers")
    amounts = [mapping(each, "resources", "requests") for each in containers]
    try:
        cpu = sum(Cpu.parse(str(each.get("cpu", "0"))).millicores for each in amounts)
        memory = sum(Memory.parse(str(each.get("memory", "0"))).mib for each in amounts)
    except ConfigError:
        return None
    return Resources(Cpu(cpu), Memory(memory))


def _plan(
    place: _Place, replicas: int, pods: Sequence[Resources], pools: tuple[PoolPlan, ...]
) -> CapacityBufferPlan:
    own = [
        pool
        for pool in pools
        if (pool.cluster, pool.workload, pool.role) == (place.cluster, place.workload, place.role)
        and (not pool.zones or place.zone in pool.zones)
    ]
    types = {each.name: each for pool in own for each in instance_types(pool)}
    return CapacityBufferPlan(
        stack=place.stack,
        cluster=place.cluster,
        workload=place.workload,
        role=place.role,
        zone=place.zone,
        replicas=replicas,
        cpu=Cpu(sum(each.cpu.millicores for each in pods)).kubernetes,
        memory=Memory(sum(each.memory.mib for each in pods)).kubernetes,
        nodes=dict(_nodes(types.values(), pods)),
    )


def _nodes(types: Iterable[InstanceType], pods: Sequence[Resources]) -> Iterator[tuple[str, int]]:
    """Yield the number of nodes that hold the pods, for each type; first fit, largest pod first."""
    ordered = sorted(pods, reverse=True)
    for each in types:
        room = free(each, _NOTHING)
        if any(pod.cpu > room.cpu or pod.memory > room.memory for pod in ordered):
            continue
        left: list[Resources] = []
        for pod in ordered:
            for index, has in enumerate(left):
                if pod.cpu <= has.cpu and pod.memory <= has.memory:
                    left[index] = _less(has, pod)
                    break
            else:
                left.append(_less(room, pod))
        yield each.name, len(left)


def _less(room: Resources, pod: Resources) -> Resources:
    return Resources(
        Cpu(room.cpu.millicores - pod.cpu.millicores), Memory(room.memory.mib - pod.memory.mib)
    )
