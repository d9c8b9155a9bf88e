"""Sizes of driver and executor pods: task slots, requests, heap and overhead."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from cdk_emr_eks.labels import SparkRole
from cdk_emr_eks.model.instances.packing import LOGGING_SIDECAR_MEMORY
from cdk_emr_eks.model.workloads.shapes import MIN_OVERHEAD
from cdk_emr_eks.model.workloads.workload import Workload
from cdk_emr_eks.units import Cpu, Memory


@dataclass(frozen=True, kw_only=True, slots=True)
class SparkPodSize:
    """Size of a Spark pod, computed for the nodes of its pools.

    Args:
        cores: Task slots: ``spark.executor.cores`` or ``spark.driver.cores``.
        request_cores: CPU request of the Spark container, slightly below ``cores``.
        heap: Java heap: ``spark.executor.memory``.
        overhead: ``spark.executor.memoryOverhead``.
        off_heap: ``spark.memory.offHeap.size``; 0 where off-heap mode is off.
        pod_memory: Memory request of the whole pod, EMR's logging container included.
        pods: Pods of this size on a full node, by instance type.
        packing: CPU that those pods request, as a share of the node's allocatable CPU after the
            kubelet's reserve, by instance type.
    """

    cores: int
    request_cores: Cpu
    heap: Memory
    overhead: Memory
    off_heap: Memory
    pod_memory: Memory
    pods: Mapping[str, int]
    packing: Mapping[str, float]

    @property
    def least_packed(self) -> float:
        """The smallest share of ``packing``."""
        return min(self.packing.values())

    def __str__(self) -> str:
        return (
            f"{self.cores} slots, {self.request_cores.kubernetes} CPU, "
            f"{self.heap.spark} heap + {self.overhead.spark} overhead"
            + (f" + {self.off_heap.spark} off-heap" if self.off_heap.mib else "")
            + f"; a full node has at least {self.least_packed:.1%} of its cores requested"
        )


def executor_size(workload: Workload) -> SparkPodSize:
    """Compute the size of a workload's executors."""
    return _size(workload, SparkRole.EXECUTOR)


def driver_size(workload: Workload) -> SparkPodSize:
    """Compute the size of a workload's drivers."""
    return _size(workload, SparkRole.DRIVER)


def _size(workload: Workload, role: SparkRole) -> SparkPodSize:
    shape = workload.driver if role is SparkRole.DRIVER else workload.executor
    off_heap = Memory(0) if role is SparkRole.DRIVER else workload.executor.off_heap
    packing = workload.packing(role)
    overhead = Memory(max(MIN_OVERHEAD.mib, int(packing.memory.mib * shape.overhead_share)))
    return SparkPodSize(
        cores=shape.cores,
        request_cores=packing.request,
        heap=Memory(packing.memory.mib - overhead.mib - off_heap.mib),
        overhead=overhead,
        off_heap=off_heap,
        pod_memory=Memory(packing.memory.mib + LOGGING_SIDECAR_MEMORY.mib),
        pods=packing.pods,
        packing=packing.share,
    )
