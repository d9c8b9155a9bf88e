"""Shapes of Spark pods, and how many of them a job and a pool may have."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from cdk_emr_eks.errors import Problems
from cdk_emr_eks.field_types import check_types
from cdk_emr_eks.units import Cpu, Memory

MIN_POD_MEMORY: Final = Memory(1024)
MIN_HEAP: Final = Memory(512)
# Spark refuses to start with less than 1.5 times its reserved 300 MiB.
# Source: https://spark.apache.org/docs/latest/tuning.html#memory-management-overview
MIN_OVERHEAD: Final = Memory(384)
# Source: https://spark.apache.org/docs/latest/configuration.html, spark.executor.minMemoryOverhead

_MAX_CORES: Final = 64


@dataclass(frozen=True, kw_only=True, slots=True)
class DriverShape:
    """Cores and memory of a driver.

    Args:
        cores: Cores that Spark believes it has (``spark.driver.cores``). The pod requests slightly
            less, so that a whole number of drivers fills a node. Default 2.
        memory: Memory of the Spark container, heap and overhead together. Default None: worked out
            so that cores and memory of a node run out together.
        overhead_share: Share of that memory outside the heap, 0.05 to 0.8. Default 0.2.

    Raises:
        ConfigError: If a value is outside its range.
    """

    cores: int = 2
    memory: Memory | None = None
    overhead_share: float = 0.2

    def __post_init__(self) -> None:
        check_types("DriverShape", self)
        _check_shape("DriverShape", self.cores, self.memory, self.overhead_share, Memory(0))

    @property
    def least_memory(self) -> Memory:
        """The least memory of the Spark container that leaves a heap."""
        return self.memory or MIN_POD_MEMORY


@dataclass(frozen=True, kw_only=True, slots=True)
class ExecutorShape:
    """Task slots and memory of an executor.

    Args:
        cores: Task slots (``spark.executor.cores``). The pod requests slightly less CPU, so that a
            whole number of executors fills a node of each size. Default 4.
        memory: Memory of the Spark container: heap, overhead and off-heap together. Default None:
            worked out so that cores and memory of a node run out together.
        overhead_share: Share of that memory for what is neither heap nor off-heap: Python workers,
            threads, network buffers. 0.05 to 0.8, default 0.2; raise it for PySpark with pandas.
        off_heap: Memory for Spark's off-heap mode; above zero it is switched on. Default none.

    Raises:
        ConfigError: If a value is outside its range, or nothing is left for the heap.
    """

    cores: int = 4
    memory: Memory | None = None
    overhead_share: float = 0.2
    off_heap: Memory = Memory(0)

    def __post_init__(self) -> None:
        check_types("ExecutorShape", self)
        _check_shape("ExecutorShape", self.cores, self.memory, self.overhead_share, self.off_heap)

    @property
    def least_memory(self) -> Memory:
        """The least memory of the Spark container that leaves a heap."""
        if self.memory is not None:
            return self.memory
        rest = self.off_heap.mib + MIN_HEAP.mib
        with_share = math.ceil(rest / (1 - self.overhead_share))
        return max(MIN_POD_MEMORY, Memory(max(with_share, rest + MIN_OVERHEAD.mib)))


@dataclass(frozen=True, kw_only=True, slots=True)
class DynamicAllocation:
    """How many executors a job has, following its load.

    Args:
        min_executors: Executors kept for as long as the job runs. Default 0.
        initial_executors: Executors asked for at the start. Default None: ``min_executors``.
        max_executors: Upper bound. Default 40.
        executor_idle_timeout: An executor without tasks and shuffle data goes after this.
            Default 60 seconds.
        shuffle_timeout: An executor kept only for its shuffle data goes after this. Default 5
            minutes.
        batch_size: Executor pods asked for at once. Default 20.

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

    def __post_init__(self) -> None:
        check_types("DynamicAllocation", self)
        problems = Problems("DynamicAllocation")
        low, high = self.min_executors, self.max_executors
        problems.require(low >= 0, "min_executors", "must be 0 or more", low)
        problems.require(high >= 1, "max_executors", "must be 1 or more", high)
        rule = f"must be at least min_executors ({low})"
        problems.require(high >= low, "max_executors", rule, high)
        if self.initial_executors is not None:
            rule = f"must be between min_executors ({low}) and max_executors ({high})"
            within = low <= self.initial_executors <= high
            problems.require(within, "initial_executors", rule, self.initial_executors)
        for field in ("executor_idle_timeout", "shuffle_timeout"):
            value: timedelta = getattr(self, field)
            rule = "must be at least 1 second, in whole seconds"
            problems.require(is_whole_seconds(value), field, rule, str(value))
        problems.require(
            1 <= self.batch_size <= 500, "batch_size", "must be from 1 to 500", self.batch_size
        )
        problems.raise_if_any()


@dataclass(frozen=True, kw_only=True, slots=True)
class NodePoolLimits:
    """Upper bound of one node pool: of one workload, role, zone and capacity type.

    Karpenter adds no node to a pool that has reached its bound. Since it looks before it buys, a
    pool may end up one node above.

    Args:
        cpu: vCPUs of all nodes together.
        memory: Memory of all nodes together.

    Raises:
        ConfigError: If one of them is zero.
    """

    cpu: Cpu
    memory: Memory

    def __post_init__(self) -> None:
        check_types("NodePoolLimits", self)
        problems = Problems("NodePoolLimits")
        problems.require(self.cpu.millicores > 0, "cpu", "must be more than 0")
        problems.require(self.memory.mib > 0, "memory", "must be more than 0")
        problems.raise_if_any()


def is_whole_seconds(value: timedelta) -> bool:
    """Tell whether a time is a positive whole number of seconds, as Spark and Karpenter read it."""
    return value >= timedelta(seconds=1) and value.microseconds == 0


def _check_shape(
    where: str, cores: int, memory: Memory | None, share: float, off_heap: Memory
) -> None:
    problems = Problems(where)
    rule = f"must be a whole number from 1 to {_MAX_CORES}"
    whole = isinstance(cores, int) and not isinstance(cores, bool)
    problems.require(whole and 1 <= cores <= _MAX_CORES, "cores", rule, cores)
    problems.require(
        0.05 <= share <= 0.8, "overhead_share", "must be a share from 0.05 to 0.8", share
    )
    if memory is not None:
        rule = f"must be at least {MIN_POD_MEMORY.kubernetes}"
        problems.require(memory >= MIN_POD_MEMORY, "memory", rule, memory.kubernetes)
        if off_heap.mib:
            rule = f"must leave at least {MIN_HEAP.kubernetes} of the memory to the heap"
            heap = memory.mib - off_heap.mib - max(MIN_OVERHEAD.mib, int(memory.mib * share))
            problems.require(heap >= MIN_HEAP.mib, "off_heap", rule, off_heap.kubernetes)
    problems.raise_if_any()
