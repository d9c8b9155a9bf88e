"""How executors fill nodes: job configurations of the outputs against the executor pools."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from cdk_emr_eks.labels import SparkRole
from cdk_emr_eks.model.instances.instances import Resources, allocatable
from cdk_emr_eks.model.instances.packing import LOGGING_SIDECAR_MEMORY, free
from cdk_emr_eks.plan.assembly import StackFile
from cdk_emr_eks.plan.intrinsics import mapping, sequence
from cdk_emr_eks.plan.model import PackingPlan, PoolPlan
from cdk_emr_eks.plan.pools import instance_types
from cdk_emr_eks.units import Cpu, Memory

_NOTHING: Final = Resources(Cpu(0), Memory(0))
_SIZE: Final = re.compile(r"(?P<number>\d+)(?P<unit>[mg])b?")


def packing_plans(
    stacks: Iterable[StackFile], pools: tuple[PoolPlan, ...]
) -> tuple[PackingPlan, ...]:
    """Work out, once for each workload, how its executors fill its executor pools' nodes.

    The shape is read from the stack outputs that hold job configurations. A user's own DaemonSets
    are not in the assembly, so their part is not taken off.
    """
    found: dict[str, PackingPlan] = {}
    for stack in stacks:
        for workload, spark in _spark_defaults(stack):
            if workload not in found:
                plan = _packing(workload, spark, pools)
                if plan:
                    found[workload] = plan
    return tuple(found.values())


def _spark_defaults(stack: StackFile) -> Iterator[tuple[str, Mapping[str, object]]]:
    for output in mapping(stack.template.get("Outputs")).values():
        text = stack.intrinsics.text(mapping(output).get("Value"))
        if '"applicationConfiguration"' not in text:
            continue
        try:
            overrides = mapping(json.loads(text))
        except ValueError:
            continue  # a command or a text about a configuration, not one
        monitoring = mapping(overrides.get("monitoringConfiguration"))
        stream = mapping(monitoring.get("cloudWatchMonitoringConfiguration"))
        for item in map(mapping, sequence(overrides.get("applicationConfiguration"))):
            if item.get("classification") == "spark-defaults":
                yield (
                    str(stream.get("logStreamNamePrefix")),
                    mapping(item.get("properties")),
                )


def _packing(
    workload: str, spark: Mapping[str, object], pools: tuple[PoolPlan, ...]
) -> PackingPlan | None:
    own = [pool for pool in pools if (pool.workload, pool.role) == (workload, SparkRole.EXECUTOR)]
    types = {each.name: each for pool in own for each in instance_types(pool)}
    request = millicores(str(spark.get("spark.kubernetes.executor.request.cores", "")))
    heap = mib(str(spark.get("spark.executor.memory", "")))
    overhead = mib(str(spark.get("spark.executor.memoryOverhead", "")))
    if not (types and request and heap and overhead is not None):
        return None
    off_heap = mib(str(spark.get("spark.memory.offHeap.size", ""))) or 0
    memory = heap + overhead + off_heap + LOGGING_SIDECAR_MEMORY.mib
    by_size: dict[str, tuple[int, float]] = {}
    for name, each in types.items():
        room = free(each, _NOTHING)
        pods = min(room.cpu.millicores // request, room.memory.mib // memory)
        by_size[name] = (
            pods,
            round(pods * request / allocatable(each).cpu.millicores, 4),
        )
    return PackingPlan(
        workload=workload,
        cpu=Cpu(request).kubernetes,
        memory=Memory(memory).kubernetes,
        by_size=by_size,
    )


def millicores(text: str) -> int:
    """Return CPU as Kubernetes writes it in millicores; 0 where it is no such text."""
    if text.endswith("m") and text[:-1].isdigit():
        return int(text[:-1])
    return int(text) * 1000 if text.isdigit() else 0


def mib(text: str) -> int | None:
    """Return memory as Spark writes it in MiB; None where it is no such text."""
    match = _SIZE.fullmatch(text.lower())
    if match is None:
        return None
    return int(match["number"]) * (1024 if match["unit"] == "g" else 1)
