"""Instance types of a pool, and the resources of each that Kubernetes can allocate.

The arithmetic is Karpenter's: if a pod fits a size by this module, Karpenter starts that size for
the pod.
"""

from __future__ import annotations

import difflib
import math
from dataclasses import dataclass
from typing import Final, NamedTuple

from cdk_emr_eks.checks import Check
from cdk_emr_eks.labels import Architecture
from cdk_emr_eks.model.instances.instance_table import FAMILIES, Family
from cdk_emr_eks.units import Cpu, Memory
from cdk_emr_eks.values import value

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

# Most pods of one node, set in every node class: with prefix delegation no size needs fewer.
MAX_PODS: Final = 110

# Memory that the kubelet reserves, set in every node class. Without the setting, AL2023's nodeadm
# and Karpenter reserve memory for as many pods as the network interfaces of the size could hold
# (8 GiB on a 16xlarge), and ignore `maxPods`.
# Source: https://github.com/awslabs/amazon-eks-ami/blob/main/nodeadm/internal/kubelet/config.go
KUBE_RESERVED_MEMORY: Final = Memory(11 * MAX_PODS + 255)

_EVICTION_MEMORY: Final = Memory(100)
_ARM_RESERVED_MEMORY: Final = Memory(64)
# Karpenter's default of settings.vmMemoryOverheadPercent, which the chart values do not set.
_VM_OVERHEAD: Final = 0.075

# Share of CPU that the kubelet reserves, by range of millicores.
_KUBE_RESERVED_CPU: Final = ((0, 1000, 0.06), (1000, 2000, 0.01), (2000, 4000, 0.005))
_KUBE_RESERVED_CPU_REST: Final = (4000, 0.0025)


class Resources(NamedTuple):
    """An amount of CPU and of memory."""

    cpu: Cpu
    memory: Memory


@dataclass(frozen=True, kw_only=True, slots=True)
class DaemonSetRequest:
    """Requests of one DaemonSet of the platform on every node.

    The cluster writes these values into the add-on's configuration, so they do not depend on the
    add-on's defaults.

    Args:
        addon: Name of the EKS managed add-on.
        containers: Containers that run as long as the pod; init containers are left out.
        cpu: CPU request of each container.
        memory: Memory request of each container.
    """

    addon: str
    containers: tuple[str, ...]
    cpu: Cpu
    memory: Memory


# DaemonSets of the platform that run on the nodes of every pool.
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

# The sum of DAEMONSET_REQUESTS on one node.
DAEMONSET_TOTAL: Final = Resources(
    Cpu(sum(len(each.containers) * each.cpu.millicores for each in DAEMONSET_REQUESTS)),
    Memory(sum(len(each.containers) * each.memory.mib for each in DAEMONSET_REQUESTS)),
)


@dataclass(frozen=True, kw_only=True, slots=True)
class InstanceType:
    """One size of one family.

    Args:
        name: EC2's name: ``m7gd.4xlarge``.
        vcpu: vCPUs.
        memory: Memory by EC2's specification.
        architecture: CPU architecture.
        local_nvme: Whether the type has local NVMe disks.
    """

    name: str
    vcpu: int
    memory: Memory
    architecture: Architecture
    local_nvme: bool


@value
class Instances:
    """Instance types of a pool: families by sizes.

    The pool uses every size of the list in every family that has the size. More types mean more
    spot pools to draw from: use at least 15 for spot.

    Args:
        families: Families of the table in ``instance_table.py``, such as ``("m6gd", "m7gd")``.
        sizes: Sizes, such as ``("4xlarge", "8xlarge")``.

    Raises:
        ConfigError: If a list is empty or repeats a name, a family or size is unknown, or a family
            has none of the sizes.
    """

    families: tuple[str, ...]
    sizes: tuple[str, ...]

    def _rules(self, check: Check) -> None:
        check.not_empty("families")
        check.not_empty("sizes")
        check.raise_if_any()
        check.unique("families")
        check.unique("sizes")
        for family in self.families:
            _check_family(check, family, self.sizes)
        known = {size for family in FAMILIES.values() for size in family.sizes}
        for size in self.sizes:
            rule = "must be sizes from 'large' up, without bare metal"
            check.require(size in known, "sizes", rule, size, _closest(size, known))

    def types(self, architecture: Architecture | None = None) -> tuple[InstanceType, ...]:
        """Return the instance types of one architecture or of all, small to large."""
        found = [
            _instance_type(FAMILIES[name], size)
            for name in self.families
            for size in FAMILIES[name].sizes
            if size in self.sizes and architecture in (None, FAMILIES[name].architecture)
        ]
        return tuple(sorted(found, key=lambda each: (each.vcpu, each.memory, each.name)))


def allocatable(instance_type: InstanceType) -> Resources:
    """Return what pods can request on a node, DaemonSets included, as Karpenter computes it.

    Karpenter subtracts 7.5 % of the memory for the hypervisor, then the kubelet's reserve and the
    eviction threshold. Real nodes have slightly more memory than the result, never less.

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
    """Return the vCPUs of a size, which are the same in all families of the table."""
    if size == "large":
        return 2
    return 4 * int(size.removesuffix("xlarge") or 1)


def _check_family(check: Check, name: str, sizes: tuple[str, ...]) -> None:
    family = FAMILIES.get(name)
    if family is None:
        rule = "must be families of the library's table"
        check.require(False, "families", rule, name, _closest(name, set(FAMILIES)))
        return
    rule = f"must each have one of the sizes {', '.join(sizes)}"
    has_one = bool(set(family.sizes) & set(sizes))
    check.require(has_one, "families", rule, name, f"{name} has {', '.join(family.sizes)}")


def _closest(name: str, known: set[str]) -> str:
    near = difflib.get_close_matches(name, sorted(known), n=3)
    return f"did you mean {' or '.join(near)}?" if near else ""
