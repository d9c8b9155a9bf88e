"""Instance types of a pool, and what Kubernetes can use of each.

The arithmetic is Karpenter's, not an estimate of ours: a pod that this module says fits is a pod
for which Karpenter buys that size.
"""

from __future__ import annotations

import difflib
import math
from dataclasses import dataclass
from typing import Final, NamedTuple

from cdk_emr_eks.errors import Problems
from cdk_emr_eks.field_types import check_types
from cdk_emr_eks.labels import Architecture
from cdk_emr_eks.model.instances.instance_table import FAMILIES, Family
from cdk_emr_eks.units import Cpu, Memory

__all__ = [
    "DAEMONSET_REQUESTS",
    "DAEMONSET_TOTAL",
    "FAMILIES",
    "KUBE_RESERVED_MEMORY",
    "MAX_PODS",
    "DaemonSetRequest",
    "Family",
    "InstanceType",
    "Instances",
    "Resources",
    "allocatable",
]

MAX_PODS: Final = 110
"""Pods of one node, fixed in every node class: with prefix delegation no size needs fewer."""

KUBE_RESERVED_MEMORY: Final = Memory(11 * MAX_PODS + 255)
"""Memory that the kubelet keeps back, stated in every node class.

It must be stated: left alone, AL2023's nodeadm and Karpenter's model of it both reserve for the
pods that the network interfaces of the size could hold (8 GiB on a 16xlarge), whatever ``maxPods``
says.

Source: https://github.com/awslabs/amazon-eks-ami/blob/main/nodeadm/internal/kubelet/config.go
"""

_EVICTION_MEMORY: Final = Memory(100)
_ARM_RESERVED_MEMORY: Final = Memory(64)
_VM_OVERHEAD: Final = 0.075
# Karpenter's default for settings.vmMemoryOverheadPercent, which the chart values leave alone.

# Share of CPU that the kubelet keeps back, by range of millicores.
_KUBE_RESERVED_CPU: Final = ((0, 1000, 0.06), (1000, 2000, 0.01), (2000, 4000, 0.005))
_KUBE_RESERVED_CPU_REST: Final = (4000, 0.0025)


class Resources(NamedTuple):
    """An amount of CPU and of memory."""

    cpu: Cpu
    memory: Memory


@dataclass(frozen=True, kw_only=True, slots=True)
class DaemonSetRequest:
    """What one DaemonSet of the platform requests on every node.

    The cluster passes these very values into the add-on's configuration, so that they are a
    contract and not a guess at an add-on's defaults.

    Args:
        addon: Name of the EKS managed add-on.
        containers: Containers of its pod that run for as long as the pod.
        cpu: CPU request of each container.
        memory: Memory request of each container.
    """

    addon: str
    containers: tuple[str, ...]
    cpu: Cpu
    memory: Memory


DAEMONSET_REQUESTS: Final[tuple[DaemonSetRequest, ...]] = (
    DaemonSetRequest(
        addon="vpc-cni",
        containers=("aws-node", "aws-eks-nodeagent"),
        cpu=Cpu(25),
        memory=Memory(64),
    ),
    DaemonSetRequest(
        addon="kube-proxy", containers=("kube-proxy",), cpu=Cpu(100), memory=Memory(64)
    ),
    DaemonSetRequest(
        addon="aws-ebs-csi-driver",
        containers=("ebs-plugin", "node-driver-registrar", "liveness-probe"),
        cpu=Cpu(10),
        memory=Memory(40),
    ),
    DaemonSetRequest(
        addon="eks-pod-identity-agent",
        containers=("eks-pod-identity-agent",),
        cpu=Cpu(10),
        memory=Memory(32),
    ),
)
"""DaemonSets of the platform that run on the nodes of every pool."""

DAEMONSET_TOTAL: Final = Resources(
    Cpu(sum(len(each.containers) * each.cpu.millicores for each in DAEMONSET_REQUESTS)),
    Memory(sum(len(each.containers) * each.memory.mib for each in DAEMONSET_REQUESTS)),
)
"""The sum of ``DAEMONSET_REQUESTS`` on one node."""


@dataclass(frozen=True, kw_only=True, slots=True)
class InstanceType:
    """One size of one family.

    Args:
        name: As EC2 has it: ``m7gd.4xlarge``.
        vcpu: vCPUs.
        memory: Memory as EC2 sells it.
        architecture: CPU architecture.
        local_nvme: Whether it has NVMe disks of its own.
    """

    name: str
    vcpu: int
    memory: Memory
    architecture: Architecture
    local_nvme: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Instances:
    """Instance types of a pool: families by sizes.

    Every size of the list is bought in every family that has it. More types mean more spot pools to
    draw from: keep at least 15 for spot.

    Args:
        families: Families of the table in ``instance_table.py``, such as ``("m6gd", "m7gd")``.
        sizes: Sizes, such as ``("4xlarge", "8xlarge")``.

    Raises:
        ConfigError: If a list is empty or repeats itself, a family or size is unknown, or a family
            has none of the sizes.
    """

    families: tuple[str, ...]
    sizes: tuple[str, ...]

    def __post_init__(self) -> None:
        check_types("Instances", self)
        problems = Problems("Instances")
        for field, values in (("families", self.families), ("sizes", self.sizes)):
            if not values:
                problems.require(False, field, "must be a tuple of at least one name", values)
                problems.raise_if_any()
            unique = len(set(values)) == len(values)
            problems.require(unique, field, "must not repeat a name", ", ".join(values))
        for family in self.families:
            self._check_family(problems, family)
        known = {size for family in FAMILIES.values() for size in family.sizes}
        for size in self.sizes:
            rule = "must be sizes from 'large' up, without bare metal"
            problems.require(size in known, "sizes", rule, size, _closest(size, known))
        problems.raise_if_any()

    def _check_family(self, problems: Problems, name: str) -> None:
        family = FAMILIES.get(name)
        if family is None:
            rule = "must be families of the library's table"
            problems.require(False, "families", rule, name, _closest(name, set(FAMILIES)))
            return
        has_one = bool(set(family.sizes) & set(self.sizes))
        rule = f"must each have one of the sizes {', '.join(self.sizes)}"
        fix = f"{name} has {', '.join(family.sizes)}"
        problems.require(has_one, "families", rule, name, fix)

    def types(self, architecture: Architecture | None = None) -> tuple[InstanceType, ...]:
        """Return the instance types, small to large, of one architecture or of all."""
        found = [
            _instance_type(FAMILIES[name], size)
            for name in self.families
            for size in FAMILIES[name].sizes
            if size in self.sizes and architecture in (None, FAMILIES[name].architecture)
        ]
        return tuple(sorted(found, key=lambda each: (each.vcpu, each.memory, each.name)))


def allocatable(instance_type: InstanceType) -> Resources:
    """Return what pods can request on a node, DaemonSets included, as Karpenter works it out.

    Karpenter takes 7.5 % off the memory for the hypervisor, then the kubelet's reserve and the
    eviction threshold; real nodes have somewhat more memory than that, never less.

    Source: https://github.com/aws/karpenter-provider-aws/blob/v1.14.1/pkg/providers/instancetype/types.go
    """
    total = instance_type.vcpu * 1000
    reserved = sum(
        int((min(total, end) - start) * share)
        for start, end, share in _KUBE_RESERVED_CPU
        if total >= start
    )
    start, share = _KUBE_RESERVED_CPU_REST
    if total >= start:
        reserved += int((total - start) * share)
    memory = instance_type.memory.mib
    if instance_type.architecture is Architecture.ARM64:
        memory -= _ARM_RESERVED_MEMORY.mib
    memory -= math.ceil(memory * _VM_OVERHEAD)
    memory -= KUBE_RESERVED_MEMORY.mib + _EVICTION_MEMORY.mib
    return Resources(Cpu(total - reserved), Memory(max(memory, 0)))


def _instance_type(family: Family, size: str) -> InstanceType:
    vcpu = _vcpu(size)
    return InstanceType(
        name=f"{family.name}.{size}",
        vcpu=vcpu,
        memory=Memory.from_gib(vcpu * family.memory_per_vcpu_gib),
        architecture=family.architecture,
        local_nvme=family.local_nvme,
    )


def _vcpu(size: str) -> int:
    """Return the vCPUs of a size: the same in all families of the table."""
    if size == "large":
        return 2
    return 4 * int(size.removesuffix("xlarge") or 1)


def _closest(name: str, known: set[str]) -> str:
    near = difflib.get_close_matches(str(name), sorted(known), n=3)
    return f"near it: {', '.join(near)}" if near else ""
