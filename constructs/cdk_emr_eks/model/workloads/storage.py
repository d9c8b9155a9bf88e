"""Where executors keep shuffle and spill data: three choices, each a value."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from cdk_emr_eks.errors import Problems
from cdk_emr_eks.field_types import check_types
from cdk_emr_eks.units import Memory

MAX_VOLUMES: Final = 8
_GP3_MIN_IOPS: Final = 3_000
_GP3_MAX_IOPS: Final = 80_000
_GP3_MIN_THROUGHPUT: Final = 125
_GP3_MAX_THROUGHPUT: Final = 2_000
# Source: https://docs.aws.amazon.com/ebs/latest/userguide/general-purpose.html (gp3), 2026-11
_MIN_ROOT: Final = Memory.from_gib(20)


@dataclass(frozen=True, slots=True)
class InstanceStore:
    """Local NVMe disks, striped (RAID0) and used by the kubelet for all ephemeral storage.

    The fastest choice, and free of charge beyond the instance. Data is lost with the node, so on
    spot it is for jobs that can recompute a stage. Needs executor families with NVMe.
    """


@dataclass(frozen=True, kw_only=True, slots=True)
class RootVolume:
    """The node's EBS root volume (gp3), shared by all pods of the node.

    Args:
        size: Size of the volume, at least 20 GiB. Default 200 GiB.
        iops: Provisioned IOPS, 3,000 to 80,000. Default 3,000, which gp3 includes in its price.
        throughput_mib: Provisioned MiB/s, 125 to 2,000. Default 125, which gp3 includes.

    Raises:
        ConfigError: If a value is outside its range, or EBS refuses the combination.
    """

    size: Memory = Memory(200 * 1024)
    iops: int = _GP3_MIN_IOPS
    throughput_mib: int = _GP3_MIN_THROUGHPUT

    def __post_init__(self) -> None:
        check_types("RootVolume", self)
        problems = Problems("RootVolume")
        rule = "must be at least 20 GiB (system, kubelet and two EMR images)"
        problems.require(self.size >= _MIN_ROOT, "size", rule, self.size.kubernetes)
        rule = f"must be from {_GP3_MIN_IOPS} to {_GP3_MAX_IOPS}"
        problems.require(_GP3_MIN_IOPS <= self.iops <= _GP3_MAX_IOPS, "iops", rule, self.iops)
        rule = f"must be from {_GP3_MIN_THROUGHPUT} to {_GP3_MAX_THROUGHPUT} MiB/s"
        throughput = self.throughput_mib
        within = _GP3_MIN_THROUGHPUT <= throughput <= _GP3_MAX_THROUGHPUT
        problems.require(within, "throughput_mib", rule, throughput)
        rule = "must be at most a quarter of iops, as EBS allows 0.25 MiB/s for each"
        problems.require(throughput * 4 <= self.iops, "throughput_mib", rule, throughput)
        rule = "must be at most 500 for each GiB of size"
        problems.require(self.iops <= 500 * self.size.gib_ceil, "iops", rule, self.iops)
        problems.raise_if_any()


@dataclass(frozen=True, kw_only=True, slots=True)
class PersistentVolumes:
    """EBS volumes of each executor's own (gp3), made on demand, as dynamic volume claims.

    The driver owns the claims and hands those of a lost executor to its successor, so shuffle data
    outlives a spot interruption. A volume lives in one zone: it suits jobs that stay in one.

    Args:
        size: Size of each volume. Default 100 GiB.
        count: Volumes of one executor, 1 to 8. Default 1.
        reuse: Whether the claim of a lost executor goes to the next. Default True.

    Raises:
        ConfigError: If size or count is outside its range.

    Source: https://spark.apache.org/docs/latest/running-on-kubernetes.html#pvc-oriented-executor-pod-allocation
    """

    size: Memory = Memory(100 * 1024)
    count: int = 1
    reuse: bool = True

    def __post_init__(self) -> None:
        check_types("PersistentVolumes", self)
        problems = Problems("PersistentVolumes")
        rule = "must be whole GiB, at least 1, the unit EBS sells"
        whole = self.size.mib > 0 and self.size.mib % 1024 == 0
        problems.require(whole, "size", rule, self.size.kubernetes)
        rule = f"must be from 1 to {MAX_VOLUMES}"
        problems.require(1 <= self.count <= MAX_VOLUMES, "count", rule, self.count)
        problems.raise_if_any()


Storage = InstanceStore | RootVolume | PersistentVolumes
"""The storage choices of a workload."""
