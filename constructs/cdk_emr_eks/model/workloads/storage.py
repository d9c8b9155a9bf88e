"""Storage of shuffle and spill data of executors: three choices, each a value."""

from __future__ import annotations

from typing import Final

from cdk_emr_eks.checks import Check
from cdk_emr_eks.units import Memory
from cdk_emr_eks.values import value

MAX_VOLUMES: Final = 8

# Source: https://docs.aws.amazon.com/ebs/latest/userguide/general-purpose.html (gp3), 2026-11
_GP3_MIN_IOPS: Final = 3_000
_GP3_MAX_IOPS: Final = 80_000
_GP3_MIN_THROUGHPUT: Final = 125
_GP3_MAX_THROUGHPUT: Final = 2_000
_GP3_IOPS_PER_GIB: Final = 500
_MIN_ROOT: Final = Memory.from_gib(20)


@value
class InstanceStore:
    """Local NVMe disks, striped (RAID0), which the kubelet uses for all ephemeral storage.

    The fastest choice, included in the price of the instance. Data is lost with the node, so on
    spot this storage is for jobs that can recompute a stage. It needs executor families with NVMe
    disks.
    """


@value
class RootVolume:
    """The node's EBS root volume (gp3), shared by all pods of the node.

    Args:
        size: Size of the volume, at least 20 GiB. Default 200 GiB.
        iops: Provisioned IOPS, 3,000 to 80,000. Default 3,000, which the price of gp3 includes.
        throughput_mib: Provisioned MiB/s, 125 to 2,000. Default 125, which the price of gp3
            includes.

    Raises:
        ConfigError: If a value is outside its range, or EBS refuses the combination.
    """

    size: Memory = Memory(200 * 1024)
    iops: int = _GP3_MIN_IOPS
    throughput_mib: int = _GP3_MIN_THROUGHPUT

    def _rules(self, check: Check) -> None:
        check.at_least("size", _MIN_ROOT, why="it holds the system, the kubelet and two EMR images")
        check.between("iops", _GP3_MIN_IOPS, _GP3_MAX_IOPS)
        check.between("throughput_mib", _GP3_MIN_THROUGHPUT, _GP3_MAX_THROUGHPUT, unit="MiB/s")
        rule = "must be at most a quarter of iops, as EBS allows 0.25 MiB/s for each"
        fits = self.throughput_mib * 4 <= self.iops
        check.require(fits, "throughput_mib", rule, self.throughput_mib)
        rule = f"must be at most {_GP3_IOPS_PER_GIB} for each GiB of size"
        fits = self.iops <= _GP3_IOPS_PER_GIB * self.size.gib_ceil
        check.require(fits, "iops", rule, self.iops)


@value
class PersistentVolumes:
    """EBS volumes (gp3) of each executor, created on demand as dynamic volume claims.

    The driver owns the claims and gives those of a lost executor to the next one, so shuffle data
    outlives a spot interruption. A volume lives in one zone: it suits jobs that stay in one.

    Args:
        size: Size of each volume. Default 100 GiB.
        count: Volumes of one executor, 1 to 8. Default 1.
        reuse: Whether the next executor gets the claim of a lost one. Default True.

    Raises:
        ConfigError: If size or count is outside its range.

    Source: https://spark.apache.org/docs/latest/running-on-kubernetes.html#pvc-oriented-executor-pod-allocation
    """

    size: Memory = Memory(100 * 1024)
    count: int = 1
    reuse: bool = True

    def _rules(self, check: Check) -> None:
        check.whole_gib("size", at_least=Memory.from_gib(1), why="the unit that EBS sells")
        check.between("count", 1, MAX_VOLUMES)


# The storage choices of a workload.
Storage = InstanceStore | RootVolume | PersistentVolumes
