"""Work out how executors fill nodes, and how many nodes hold the capacity buffers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final, NamedTuple

from cdk_emr_eks import labels
from cdk_emr_eks.assembly.job_configurations import job_configurations
from cdk_emr_eks.assembly.objects import Applied, ClusterObject
from cdk_emr_eks.assembly.paths import mapping, sequence, text
from cdk_emr_eks.assembly.reader import Assembly
from cdk_emr_eks.assembly.stack import Stack
from cdk_emr_eks.errors import ConfigError
from cdk_emr_eks.labels import SparkRole
from cdk_emr_eks.model.instances.instances import InstanceType, Resources, allocatable
from cdk_emr_eks.model.instances.packing import LOGGING_SIDECAR_MEMORY, free
from cdk_emr_eks.plan.model import CapacityBufferPlan, PackingPlan, PoolPlan
from cdk_emr_eks.plan.pools import instance_types
from cdk_emr_eks.units import Cpu, Memory

_NOTHING: Final = Resources(Cpu(0), Memory(0))


def packing_plans(assembly: Assembly, pools: tuple[PoolPlan, ...]) -> tuple[PackingPlan, ...]:
    """Return, once for each cluster and workload, how executors fill the executor pools' nodes.

    The size of an executor is read from the stack outputs that hold job configurations. DaemonSets
    that users install are not in the assembly, so their requests are not subtracted.
    """
    found: dict[tuple[str, str], PackingPlan] = {}
    for stack in assembly.stacks:
        for configuration in job_configurations(stack):
            for cluster in _clusters(stack, assembly, pools):
                key = cluster, configuration.workload
                if key not in found:
                    plan = _packing(*key, configuration.spark_defaults, pools)
                    if plan:
                        found[key] = plan
    return tuple(found.values())


def _clusters(stack: Stack, assembly: Assembly, pools: tuple[PoolPlan, ...]) -> list[str]:
    """Return the keys of the clusters that jobs of a stack may run on."""
    with_pools = dict.fromkeys(pool.cluster for pool in pools)
    used = dict.fromkeys(
        item.cluster for item in assembly.applied.objects if item.stack == stack.name
    )
    return [key for key in used if key in with_pools] or list(with_pools)


def _packing(
    cluster: str, workload: str, spark: Mapping[str, object], pools: tuple[PoolPlan, ...]
) -> PackingPlan | None:
    types = _instance_types(pools, cluster, workload, SparkRole.EXECUTOR)
    executor = _executor(spark)
    if not types or executor is None:
        return None
    by_size: dict[str, tuple[int, float]] = {}
    for name, each in types.items():
        room = free(each, _NOTHING)
        pods = min(
            room.cpu.millicores // executor.cpu.millicores, room.memory.mib // executor.memory.mib
        )
        share = pods * executor.cpu.millicores / allocatable(each).cpu.millicores
        by_size[name] = (pods, round(share, 4))
    return PackingPlan(
        cluster=cluster,
        workload=workload,
        cpu=executor.cpu.kubernetes,
        memory=executor.memory.kubernetes,
        by_size=by_size,
    )


def _executor(spark: Mapping[str, object]) -> Resources | None:
    """Return the requests of an executor pod, None if the configuration does not set them."""

    def setting(name: str, default: str = "") -> str:
        return str(spark.get(name, default))

    try:
        cpu = Cpu.parse(setting("spark.kubernetes.executor.request.cores"))
        heap = Memory.parse_spark(setting("spark.executor.memory"))
        overhead = Memory.parse_spark(setting("spark.executor.memoryOverhead"))
        off_heap = Memory.parse_spark(setting("spark.memory.offHeap.size", "0"))
    except ConfigError:
        return None
    if not (cpu.millicores and heap.mib):
        return None
    memory = heap.mib + overhead.mib + off_heap.mib + LOGGING_SIDECAR_MEMORY.mib
    return Resources(cpu, Memory(memory))


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
    return tuple(_buffer_plan(place, counts[place], pods, pools) for place, pods in found.items())


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


def _buffer_plan(
    place: _Place, replicas: int, pods: Sequence[Resources], pools: tuple[PoolPlan, ...]
) -> CapacityBufferPlan:
    types = _instance_types(pools, place.cluster, place.workload, place.role, place.zone)
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


def _instance_types(
    pools: Iterable[PoolPlan], cluster: str, workload: str, role: str, zone: str | None = None
) -> dict[str, InstanceType]:
    """Return the instance types of a workload's pools by name, in one zone or in all of them."""
    return {
        each.name: each
        for pool in pools
        if (pool.cluster, pool.workload, pool.role) == (cluster, workload, role)
        and (zone is None or not pool.zones or zone in pool.zones)
        for each in instance_types(pool)
    }
