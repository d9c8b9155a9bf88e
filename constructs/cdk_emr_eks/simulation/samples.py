"""A time series that never grows beyond a bound, however long the scenario."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

MOST: Final = 600
"""Samples that are kept; a picture has not many more columns."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Sample:
    """The cluster at one moment.

    Args:
        at: Seconds of the wall clock since the scenario's start.
        nodes: Nodes by zone and capacity type.
        pending: Job pods that wait for a node, by part of the job.
        executors: Executors that run.
        jobs: Jobs that were submitted and have not ended.
        cost_per_hour: Price of an hour of all instances, in US dollars.
        requested: Cores that executors request on nodes, by workload.
        allocatable: Cores that executor nodes have for pods, by workload.
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
    """Samples at even distances; when there are too many, every other one is dropped.

    Args:
        most: How many are kept.
    """

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._distance = 0.0
        self.samples: list[Sample] = []

    def add(self, sample: Sample) -> None:
        """Keep a sample, unless the last one is too near."""
        if self.samples and sample.at - self.samples[-1].at < self._distance:
            return
        self.samples.append(sample)
        if len(self.samples) > self._most:
            length = self.samples[-1].at - self.samples[0].at
            self.samples = self.samples[::2]
            self._distance = 2 * length / self._most
