"""The clock of a scenario, and samples of the cluster over time."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

# Number of samples in a series; a chart has not many more columns.
MAX_SAMPLES: Final = 600


class Clock:
    """Measures time from its creation, by the wall clock and by the scenario's clock.

    Args:
        speed: Seconds of the scenario in a second of the wall clock.
    """

    def __init__(self, speed: float) -> None:
        self.speed = speed
        self._start = time.monotonic()

    def wall(self) -> float:
        """Return seconds since the start, by the wall clock."""
        return time.monotonic() - self._start

    def scenario(self) -> float:
        """Return seconds since the start, by the scenario's clock."""
        return self.wall() * self.speed

    def until(self, moment: float) -> float:
        """Return wall-clock seconds until a second of the scenario, 0 if it has passed."""
        return max(0.0, moment / self.speed - self.wall())


@dataclass(frozen=True, kw_only=True, slots=True)
class Sample:
    """The cluster at one moment.

    Args:
        at: Seconds of the wall clock since the start of the scenario.
        nodes: Number of nodes, by zone and capacity type.
        pending: Number of job pods that wait for a node, by component of the job.
        executors: Running executors.
        jobs: Submitted jobs that have not ended.
        cost_per_hour: Hourly price of all instances, in US dollars.
        requested: Cores that executors on nodes request, by workload.
        allocatable: Allocatable cores of executor nodes, by workload.
    """

    at: float
    nodes: Mapping[tuple[str, str], int]
    pending: Mapping[str, int]
    executors: int
    jobs: int
    cost_per_hour: float
    requested: Mapping[str, float]
    allocatable: Mapping[str, float]


class Series:
    """Samples at even distances. If there are too many, every second one is dropped.

    Args:
        most: Number of samples to keep.
    """

    def __init__(self, most: int = MAX_SAMPLES) -> None:
        self._most = most
        self._distance = 0.0
        self.samples: list[Sample] = []

    def add(self, sample: Sample) -> None:
        """Add a sample, unless the last one is too near."""
        if self.samples and sample.at - self.samples[-1].at < self._distance:
            return
        self.samples.append(sample)
        if len(self.samples) > self._most:
            length = self.samples[-1].at - self.samples[0].at
            self.samples = self.samples[::2]
            self._distance = 2 * length / self._most
