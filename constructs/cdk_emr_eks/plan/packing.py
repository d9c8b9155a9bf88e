"""Work out how executors of job configurations fill the nodes of executor pools."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from cdk_emr_eks.assembly.job_configurations import job_configurations
from cdk_emr_eks.assembly.reader import Assembly
from cdk_emr_eks.assembly.stack import Stack
from cdk_emr_eks.errors import ConfigError
from cdk_emr_eks.labels import SparkRole
from cdk_emr_eks.model.instances.instances import Resources, allocatable
from cdk_emr_eks.model.instances.packing import LOGGING_SIDECAR_MEMORY, free
from cdk_emr_eks.plan.model import PackingPlan, PoolPlan
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
    own = [
        pool
        for pool in pools
        if (pool.cluster, pool.workload, pool.role) == (cluster, workload, SparkRole.EXECUTOR)
    ]
    types = {each.name: each for pool in own for each in instance_types(pool)}
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
