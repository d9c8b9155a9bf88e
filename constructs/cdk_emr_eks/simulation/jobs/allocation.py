"""Policy by which a Spark driver requests executors, without a cluster.

Source: https://spark.apache.org/docs/3.5.7/job-scheduling.html#dynamic-resource-allocation
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from cdk_emr_eks.simulation.scenario import SparkStage

# ``spark.kubernetes.allocation.batch.delay``: time between two batches of pods.
BATCH_SECONDS: Final = 1.0
_BATCH: Final = 5
_IDLE_SECONDS: Final = 60.0
_MAX: Final = 10**9
_TIME: Final = re.compile(r"(\d+)(ms|s|m|min|h|d)?")
_UNITS: Final = {"ms": 0.001, "s": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0, "d": 86400.0}


@dataclass(frozen=True, kw_only=True, slots=True)
class AllocationPolicy:
    """The part of a Spark configuration that determines the number of executors.

    Args:
        dynamic: Whether the number follows the work; if not, it is always ``initial``.
        least: Minimum number of executors.
        most: Maximum number of executors.
        initial: Number of executors at the start.
        batch: Number of pods in a request.
        idle_seconds: Seconds that an executor without work is kept.
    """

    dynamic: bool
    least: int
    most: int
    initial: int
    batch: int
    idle_seconds: float

    @classmethod
    def of(cls, spark: Mapping[str, str]) -> AllocationPolicy:
        """Return the policy of Spark properties, with the defaults of Spark."""
        prefix = "spark.dynamicAllocation"
        dynamic = spark.get(f"{prefix}.enabled", "false") == "true"
        least = int(spark.get(f"{prefix}.minExecutors", "0"))
        instances = int(spark.get("spark.executor.instances", "0"))
        initial = max(least, instances, int(spark.get(f"{prefix}.initialExecutors", "0")))
        idle = _seconds(spark.get(f"{prefix}.executorIdleTimeout", f"{_IDLE_SECONDS:.0f}s"))
        if spark.get(f"{prefix}.shuffleTracking.enabled") == "true":
            # Later stages read the shuffle data of earlier ones, so Spark keeps executors that hold
            # some for this longer time.
            shuffle = spark.get(f"{prefix}.shuffleTracking.timeout")
            idle = max(idle, _seconds(shuffle)) if shuffle else float("inf")
        return cls(
            dynamic=dynamic,
            least=least,
            most=int(spark.get(f"{prefix}.maxExecutors", _MAX)),
            initial=initial if dynamic else instances or 2,
            batch=int(spark.get("spark.kubernetes.allocation.batch.size", _BATCH)),
            idle_seconds=idle,
        )

    def wanted(self, stage: SparkStage) -> int:
        """Return the number of executors that the job needs for a stage."""
        if not self.dynamic:
            return self.initial
        return min(self.most, max(self.least, stage.executors))


class Ramp:
    """The growing number of requested executors while tasks wait: each second 1, 2, 4, 8 more.

    Args:
        policy: Policy of the job.
    """

    def __init__(self, policy: AllocationPolicy) -> None:
        self._policy = policy
        self._step = 1
        self.target = policy.initial

    def grow(self, wanted: int) -> int:
        """Return the target after one more second with work for ``wanted`` executors."""
        if self.target >= wanted:
            self._step = 1
            self.target = max(wanted, self._policy.least)
        else:
            self.target = min(wanted, self.target + self._step)
            self._step *= 2
        return self.target


def _seconds(text: str) -> float:
    match = _TIME.fullmatch(text.strip())
    if match is None:
        raise ValueError(f"not a Spark time: {text!r}")
    return int(match[1]) * _UNITS[match[2] or "s"]
