"""Rules and warnings that compare several fields of a workload.

A rule returns the problems it finds. A warning returns a sentence about what is legal but probably
not intended.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

from cdk_emr_eks.errors import ConfigProblem
from cdk_emr_eks.labels import Architecture
from cdk_emr_eks.model.instances.instances import Instances, InstanceType
from cdk_emr_eks.model.instances.packing import PodPacking
from cdk_emr_eks.model.workloads.disruption import Disruption
from cdk_emr_eks.model.workloads.shapes import DynamicAllocation, NodePoolLimits
from cdk_emr_eks.model.workloads.storage import InstanceStore, PersistentVolumes, Storage

# EBS volumes of one node: 28 attachments less root volume and network interfaces.
# Source: https://docs.aws.amazon.com/ec2/latest/instancetypes/ec2-nitro-instances.html
MAX_ATTACHED_VOLUMES: Final = 24

# Instance types that a spot pool should have at least.
# Source: https://karpenter.sh/docs/concepts/disruption/#consolidation (spot to spot needs 15)
SPOT_TYPES: Final = 15


def architecture_problems(
    architectures: Sequence[Architecture], instances: Mapping[str, Instances]
) -> tuple[ConfigProblem, ...]:
    """Check that architectures differ, and that the families of each field cover exactly them."""
    listed = ", ".join(architectures)
    if not 1 <= len(architectures) == len(set(architectures)):
        rule = "must be one or two different architectures, preferred first"
        return (ConfigProblem(field="architectures", rule=rule, got=listed),)
    found: list[ConfigProblem] = []
    for field, given in instances.items():
        wrong = _families(each for each in given.types() if each.architecture not in architectures)
        if wrong:
            rule = f"must be of the workload's architectures ({listed})"
            found.append(ConfigProblem(field=field, rule=rule, got=wrong))
        found += [
            ConfigProblem(field=field, rule=f"must have a family of {architecture}")
            for architecture in architectures
            if not given.types(architecture)
        ]
    return tuple(found)


def storage_problems(storage: Storage, executors: Instances) -> tuple[ConfigProblem, ...]:
    """Check that every executor family has NVMe disks where ``InstanceStore`` needs them."""
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
    """Check that the limits of a pool allow one node of its smallest type."""
    smallest = min(types, key=lambda each: (each.vcpu, each.memory))
    if limits.cpu.millicores >= smallest.vcpu * 1000 and limits.memory >= smallest.memory:
        return ()
    rule = f"must allow at least one node of the smallest type ({smallest.name})"
    got = f"cpu {limits.cpu.kubernetes}, memory {limits.memory.kubernetes}"
    return (ConfigProblem(field=field, rule=rule, got=got),)


def time_problems(dynamic: DynamicAllocation, disruption: Disruption) -> tuple[ConfigProblem, ...]:
    """Check that an executor node outlasts idle executors; else each pause of a job costs nodes."""
    if disruption.executor_consolidate_after > dynamic.executor_idle_timeout:
        return ()
    idle = dynamic.executor_idle_timeout
    rule = f"must be longer than dynamic allocation's executor_idle_timeout ({idle})"
    got = str(disruption.executor_consolidate_after)
    return (ConfigProblem(field="disruption.executor_consolidate_after", rule=rule, got=got),)


def spot_warnings(
    where: str, architectures: Iterable[Architecture], instances: Instances
) -> Iterator[str]:
    """Yield a warning for each architecture whose spot pools have too few instance types."""
    for architecture in architectures:
        count = len(instances.types(architecture))
        if count < SPOT_TYPES:
            yield (
                f"{where}: its {architecture} spot pools have {count} instance types; with "
                f"fewer than {SPOT_TYPES} spot is reclaimed more often. Add families or "
                "sizes to executor_instances."
            )


def storage_warnings(
    where: str, storage: Storage, types: Sequence[InstanceType], packing: PodPacking
) -> Iterator[str]:
    """Yield warnings about unused NVMe disks, and about more volumes than EC2 attaches."""
    unused = [each.name for each in types if each.local_nvme]
    if unused and not isinstance(storage, InstanceStore):
        yield (
            f"{where}: {unused[0]} and others have NVMe disks that this storage leaves unused. "
            "Choose InstanceStore() or families without disks."
        )
    if isinstance(storage, PersistentVolumes):
        most = max(packing.pods, key=lambda name: packing.pods[name])
        volumes = packing.pods[most] * storage.count
        if volumes > MAX_ATTACHED_VOLUMES:
            yield (
                f"{where}: a full {most} would need {volumes} volumes; EC2 attaches at most about "
                f"{MAX_ATTACHED_VOLUMES}. Choose smaller sizes, larger executors or fewer volumes."
            )


def size_warnings(
    where: str, executors: int, cores: int, limits: NodePoolLimits
) -> tuple[str, ...]:
    """Return a warning if one job can request more executors than a pool can have."""
    if executors * cores * 1000 <= limits.cpu.millicores:
        return ()
    return (
        f"{where}: one job may ask for {executors * cores} cores ({executors} executors), but a "
        f"pool is limited to {limits.cpu.kubernetes}. Raise executor_limits or lower "
        "max_executors.",
    )


def _families(types: Iterable[InstanceType]) -> str:
    return ", ".join(sorted({each.name.partition(".")[0] for each in types}))
