"""Cores, memory and number of Spark pods, and the limits of their node pools."""

from __future__ import annotations

import math
from datetime import timedelta
from typing import Final

from cdk_emr_eks.checks import Check
from cdk_emr_eks.units import Cpu, Memory
from cdk_emr_eks.values import value

MIN_POD_MEMORY: Final = Memory(1024)
# Spark refuses to start with less than 1.5 times its reserved 300 MiB.
# Source: https://spark.apache.org/docs/latest/tuning.html#memory-management-overview
MIN_HEAP: Final = Memory(512)
# Source: https://spark.apache.org/docs/latest/configuration.html, spark.executor.minMemoryOverhead
MIN_OVERHEAD: Final = Memory(384)
_MAX_CORES: Final = 64


@value
class DriverShape:
    """Cores and memory of a driver.

    Args:
        cores: Cores that Spark uses (``spark.driver.cores``). The pod requests slightly less CPU,
            so that a whole number of drivers fills a node. Default 2.
        memory: Memory of the Spark container: heap and overhead together. Default None: computed so
            that a full node uses its cores and its memory.
        overhead_share: Share of that memory outside the heap, 0.05 to 0.8. Default 0.2.

    Raises:
        ConfigError: If a value is outside its range.
    """

    cores: int = 2
    memory: Memory | None = None
    overhead_share: float = 0.2

    def _rules(self, check: Check) -> None:
        _check_shape(check)

    @property
    def least_memory(self) -> Memory:
        """The least memory of the Spark container that leaves a heap."""
        return self.memory or MIN_POD_MEMORY


@value
class ExecutorShape:
    """Task slots and memory of an executor.

    Args:
        cores: Task slots (``spark.executor.cores``). The pod requests slightly less CPU, so that a
            whole number of executors fills a node of each size. Default 4.
        memory: Memory of the Spark container: heap, overhead and off-heap memory together. Default
            None: computed so that a full node uses its cores and its memory.
        overhead_share: Share of that memory that is neither heap nor off-heap memory: Python
            workers, threads, network buffers. 0.05 to 0.8, default 0.2; raise it for PySpark with
            pandas.
        off_heap: Memory for Spark's off-heap mode, which any amount above 0 enables. Default 0.

    Raises:
        ConfigError: If a value is outside its range, or no memory is left for the heap.
    """

    cores: int = 4
    memory: Memory | None = None
    overhead_share: float = 0.2
    off_heap: Memory = Memory(0)

    def _rules(self, check: Check) -> None:
        _check_shape(check)
        if self.memory is not None and self.off_heap.mib:
            overhead = max(MIN_OVERHEAD.mib, int(self.memory.mib * self.overhead_share))
            heap = self.memory.mib - self.off_heap.mib - overhead
            rule = f"must leave at least {MIN_HEAP.kubernetes} of the memory to the heap"
            check.require(heap >= MIN_HEAP.mib, "off_heap", rule, self.off_heap)

    @property
    def least_memory(self) -> Memory:
        """The least memory of the Spark container that leaves a heap."""
        if self.memory is not None:
            return self.memory
        rest = self.off_heap.mib + MIN_HEAP.mib
        with_share = math.ceil(rest / (1 - self.overhead_share))
        return max(MIN_POD_MEMORY, Memory(max(with_share, rest + MIN_OVERHEAD.mib)))


@value
class DynamicAllocation:
    """How many executors a job has, following its load.

    Args:
        min_executors: Executors that a job keeps while it runs. Default 0.
        initial_executors: Executors that a job requests at its start. Default None:
            ``min_executors``.
        max_executors: Most executors of a job. Default 40.
        executor_idle_timeout: Time after which Spark removes an executor without tasks and shuffle
            data. Default 60 seconds.
        shuffle_timeout: Time after which Spark removes an executor that it keeps only for its
            shuffle data. Default 5 minutes.
        batch_size: Executor pods requested at once. Default 20.

    Raises:
        ConfigError: If the numbers of executors contradict each other or a time is not positive.

    Source: https://spark.apache.org/docs/latest/configuration.html#dynamic-allocation
    """

    min_executors: int = 0
    initial_executors: int | None = None
    max_executors: int = 40
    executor_idle_timeout: timedelta = timedelta(seconds=60)
    shuffle_timeout: timedelta = timedelta(minutes=5)
    batch_size: int = 20

    def _rules(self, check: Check) -> None:
        low, high = self.min_executors, self.max_executors
        check.at_least("min_executors", 0)
        check.at_least("max_executors", 1)
        rule = f"must be at least min_executors ({low})"
        check.require(high >= low, "max_executors", rule, high)
        if self.initial_executors is not None:
            rule = f"must be from min_executors ({low}) to max_executors ({high})"
            within = low <= self.initial_executors <= high
            check.require(within, "initial_executors", rule, self.initial_executors)
        check.whole_seconds("executor_idle_timeout")
        check.whole_seconds("shuffle_timeout")
        check.between("batch_size", 1, 500)


@value
class NodePoolLimits:
    """Limits of one node pool: of one workload, role, zone and capacity type.

    Karpenter adds no node to a pool that has reached a limit. Karpenter compares before it adds a
    node, so a pool can end up one node above its limits.

    Args:
        cpu: vCPUs of all nodes together.
        memory: Memory of all nodes together.

    Raises:
        ConfigError: If a limit is zero.
    """

    cpu: Cpu
    memory: Memory

    def _rules(self, check: Check) -> None:
        check.more_than("cpu", Cpu(0))
        check.more_than("memory", Memory(0))


def _check_shape(check: Check) -> None:
    check.between("cores", 1, _MAX_CORES)
    check.between("overhead_share", 0.05, 0.8)
    check.at_least("memory", MIN_POD_MEMORY)
