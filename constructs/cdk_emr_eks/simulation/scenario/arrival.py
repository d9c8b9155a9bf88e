"""When the jobs of a group are submitted."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import timedelta

from cdk_emr_eks.errors import Problems
from cdk_emr_eks.field_types import check_types

_ZERO = timedelta()


@dataclass(frozen=True, kw_only=True, slots=True)
class AtOnce:
    """All jobs at one moment.

    Args:
        start: Time from the scenario's start. Default 0.

    Raises:
        ConfigError: If the time is negative.
    """

    start: timedelta = _ZERO

    def __post_init__(self) -> None:
        check_types("AtOnce", self)
        _not_negative("AtOnce", self.start)

    def times(self, count: int) -> tuple[float, ...]:
        """Return, for each of ``count`` jobs, the seconds from the scenario's start."""
        return (self.start.total_seconds(),) * count


@dataclass(frozen=True, kw_only=True, slots=True)
class Every:
    """One job after the other, at a fixed rate.

    Args:
        gap: Time between two jobs.
        start: Time of the first. Default 0.

    Raises:
        ConfigError: If a time is negative, or the gap is 0.
    """

    gap: timedelta
    start: timedelta = _ZERO

    def __post_init__(self) -> None:
        check_types("Every", self)
        problems = Problems("Every")
        problems.require(self.gap > _ZERO, "gap", "must be more than 0", str(self.gap))
        problems.raise_if_any()
        _not_negative("Every", self.start)

    def times(self, count: int) -> tuple[float, ...]:
        """Return, for each of ``count`` jobs, the seconds from the scenario's start."""
        first, gap = self.start.total_seconds(), self.gap.total_seconds()
        return tuple(first + number * gap for number in range(count))


@dataclass(frozen=True, kw_only=True, slots=True)
class AtTimes:
    """Jobs at the times given, one for each; with more jobs than times, the times repeat.

    Args:
        moments: Times from the scenario's start.

    Raises:
        ConfigError: If there is no time, or a negative one.
    """

    moments: tuple[timedelta, ...]

    def __post_init__(self) -> None:
        check_types("AtTimes", self)
        problems = Problems("AtTimes")
        problems.require(bool(self.moments), "moments", "must hold at least one time")
        rule = "must not be negative"
        problems.require(all(each >= _ZERO for each in self.moments), "moments", rule)
        problems.raise_if_any()

    def times(self, count: int) -> tuple[float, ...]:
        """Return, for each of ``count`` jobs, the seconds from the scenario's start."""
        given = self.moments
        return tuple(sorted(given[n % len(given)].total_seconds() for n in range(count)))


@dataclass(frozen=True, kw_only=True, slots=True)
class Poisson:
    """Jobs independent of one another, spread over a window.

    The number of jobs is the group's; given that, the moments of a Poisson process are independent
    and uniform over the window, and so they are drawn.

    Args:
        over: Length of the window.
        seed: Seed of the draw: the same seed gives the same moments.
        start: Start of the window. Default 0.

    Raises:
        ConfigError: If a time is negative, or the window has no length.
    """

    over: timedelta
    seed: int
    start: timedelta = _ZERO

    def __post_init__(self) -> None:
        check_types("Poisson", self)
        problems = Problems("Poisson")
        problems.require(self.over > _ZERO, "over", "must be more than 0", str(self.over))
        problems.raise_if_any()
        _not_negative("Poisson", self.start)

    def times(self, count: int) -> tuple[float, ...]:
        """Return, for each of ``count`` jobs, the seconds from the scenario's start."""
        draw = random.Random(self.seed)
        first, length = self.start.total_seconds(), self.over.total_seconds()
        return tuple(sorted(first + draw.random() * length for _ in range(count)))


Arrival = AtOnce | Every | AtTimes | Poisson


def _not_negative(where: str, start: timedelta) -> None:
    problems = Problems(where)
    problems.require(start >= _ZERO, "start", "must not be negative", str(start))
    problems.raise_if_any()
