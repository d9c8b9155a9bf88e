"""Warm capacity of an assembly: the room that its capacity buffers keep, and the nodes it takes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final, NamedTuple

from cdk_emr_eks import labels
from cdk_emr_eks.model.instances.instances import InstanceType, Resources
from cdk_emr_eks.model.instances.packing import free
from cdk_emr_eks.plan.intrinsics import mapping, sequence
from cdk_emr_eks.plan.model import PoolPlan, WarmPlan
from cdk_emr_eks.plan.objects import Applied, ClusterObject
from cdk_emr_eks.plan.packing import mib, millicores
from cdk_emr_eks.plan.pools import instance_types
from cdk_emr_eks.units import Cpu, Memory

_NOTHING: Final = Resources(Cpu(0), Memory(0))


class _Place(NamedTuple):
    stack: str
    workload: str
    role: str
    zone: str


def warm_plans(applied: Applied, pools: tuple[PoolPlan, ...]) -> tuple[WarmPlan, ...]:
    """Read the capacity buffers of the assembly, one plan for each workload, role and zone.

    Buffers that have no room, and those of other people's making that are not for the nodes of a
    workload, are left out.
    """
    templates = {
        (each.stack, each.namespace, each.name): each for each in applied.of_kind("PodTemplate")
    }
    found: dict[_Place, list[Resources]] = {}
    counts: dict[_Place, int] = {}
    for buffer in applied.of_kind("CapacityBuffer"):
        name = str(mapping(buffer.spec.get("podTemplateRef")).get("name"))
        template = templates.get((buffer.stack, buffer.namespace, name))
        replicas = buffer.spec.get("replicas")
        if template is None or not isinstance(replicas, int) or not replicas:
            continue
        place = _place(template)
        if place.workload:
            found.setdefault(place, []).extend([_requests(template)] * replicas)
            counts[place] = max(counts.get(place, 0), replicas)
    return tuple(_plan(place, counts[place], pods, pools) for place, pods in found.items())


def _pod(template: ClusterObject) -> Mapping[str, object]:
    return mapping(mapping(template.content.get("template")).get("spec"))


def _place(template: ClusterObject) -> _Place:
    selector = mapping(_pod(template).get("nodeSelector"))
    keys = (labels.WORKLOAD, labels.ROLE, labels.ZONE)
    return _Place(template.stack, *(str(selector.get(key, "")) for key in keys))


def _requests(template: ClusterObject) -> Resources:
    amounts = [
        mapping(mapping(mapping(each).get("resources")).get("requests"))
        for each in sequence(_pod(template).get("containers"))
    ]
    return Resources(
        Cpu(sum(millicores(str(each.get("cpu", ""))) for each in amounts)),
        # A quantity of Kubernetes ends with 'i' where Spark's does not.
        Memory(sum(mib(str(each.get("memory", "")).removesuffix("i")) or 0 for each in amounts)),
    )


def _plan(
    place: _Place, rooms: int, pods: Sequence[Resources], pools: tuple[PoolPlan, ...]
) -> WarmPlan:
    own = [
        pool
        for pool in pools
        if (pool.workload, pool.role) == (place.workload, place.role)
        and (not pool.zones or place.zone in pool.zones)
    ]
    types = {each.name: each for pool in own for each in instance_types(pool)}
    return WarmPlan(
        stack=place.stack,
        workload=place.workload,
        role=place.role,
        zone=place.zone,
        rooms=rooms,
        cpu=Cpu(sum(each.cpu.millicores for each in pods)).kubernetes,
        memory=Memory(sum(each.memory.mib for each in pods)).kubernetes,
        nodes=dict(_nodes(types.values(), pods)),
    )


def _nodes(types: Iterable[InstanceType], pods: Sequence[Resources]) -> Iterator[tuple[str, int]]:
    """Yield for each type how many nodes hold some pods, the largest pod first on the first fit."""
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
