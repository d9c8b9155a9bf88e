"""Rules between the fields of a workload, each a function that returns the problems it finds."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Final

from cdk_emr_eks.errors import ConfigProblem
from cdk_emr_eks.labels import Architecture
from cdk_emr_eks.model.instances.instances import Instances, InstanceType
from cdk_emr_eks.model.workloads.disruption import Disruption
from cdk_emr_eks.model.workloads.shapes import DynamicAllocation, NodePoolLimits, is_whole_seconds
from cdk_emr_eks.model.workloads.storage import InstanceStore, Storage

_SHORTEST_START: Final = timedelta(minutes=2)


def architecture_problems(
    architectures: Sequence[Architecture], instances: Mapping[str, Instances]
) -> tuple[ConfigProblem, ...]:
    """Architectures differ, and each field's families belong to them and serve each of them."""
    listed = ", ".join(architectures)
    if not 1 <= len(architectures) == len(set(architectures)):
        rule = "must be one or two different architectures, preferred first"
        return (ConfigProblem(field="architectures", rule=rule, got=listed),)
    found: list[ConfigProblem] = []
    for field, value in instances.items():
        types = value.types()
        wrong = _families(each for each in types if each.architecture not in architectures)
        if wrong:
            rule = f"must be of the workload's architectures ({listed})"
            found.append(ConfigProblem(field=field, rule=rule, got=wrong))
        found += [
            ConfigProblem(field=field, rule=f"must have a family of {architecture}")
            for architecture in architectures
            if not value.types(architecture)
        ]
    return tuple(found)


def storage_problems(storage: Storage, executors: Instances) -> tuple[ConfigProblem, ...]:
    """``InstanceStore`` needs NVMe disks in every executor family."""
    if not isinstance(storage, InstanceStore):
        return ()
    without = _families(each for each in executors.types() if not each.local_nvme)
    if not without:
        return ()
    rule = "must have local NVMe disks for InstanceStore"
    fix = "choose families with a 'd' such as m7gd, or another storage"
    return (ConfigProblem(field="executor_instances", rule=rule, got=without, fix=fix),)


def limit_problems(
    field: str, limits: NodePoolLimits, types: Sequence[InstanceType]
) -> tuple[ConfigProblem, ...]:
    """A pool that can't have one node of its smallest type would never have any."""
    smallest = min(types, key=lambda each: (each.vcpu, each.memory))
    if limits.cpu.millicores >= smallest.vcpu * 1000 and limits.memory >= smallest.memory:
        return ()
    rule = f"must allow at least one node of the smallest type ({smallest.name})"
    got = f"cpu {limits.cpu.kubernetes}, memory {limits.memory.kubernetes}"
    return (ConfigProblem(field=field, rule=rule, got=got),)


def time_problems(dynamic: DynamicAllocation, disruption: Disruption) -> tuple[ConfigProblem, ...]:
    """An executor node outlasts the idle time of executors, or each pause of a job costs nodes."""
    if disruption.executor_consolidate_after > dynamic.executor_idle_timeout:
        return ()
    idle = dynamic.executor_idle_timeout
    rule = f"must be longer than dynamic allocation's executor_idle_timeout ({idle})"
    got = str(disruption.executor_consolidate_after)
    return (ConfigProblem(field="disruption.executor_consolidate_after", rule=rule, got=got),)


def timeout_problems(field: str, timeout: timedelta) -> tuple[ConfigProblem, ...]:
    """EMR's wait for a job to start must survive the start of a node."""
    if is_whole_seconds(timeout) and timeout >= _SHORTEST_START:
        return ()
    rule = "must be whole seconds, at least 2 minutes: nodes have to start first"
    return (ConfigProblem(field=field, rule=rule, got=str(timeout)),)


def _families(types: Iterable[InstanceType]) -> str:
    return ", ".join(sorted({each.name.partition(".")[0] for each in types}))
