"""The scenario's clock: faster than the wall clock by the scenario's speed."""

from __future__ import annotations

import time


class Clock:
    """Counts from the moment it is made.

    Args:
        speed: Scenario seconds in a second of the wall clock.
    """

    def __init__(self, speed: float) -> None:
        self.speed = speed
        self._start = time.monotonic()

    def wall(self) -> float:
        """Return seconds since the start by the wall clock."""
        return time.monotonic() - self._start

    def scenario(self) -> float:
        """Return seconds since the start by the scenario's clock."""
        return self.wall() * self.speed

    def until(self, moment: float) -> float:
        """Return seconds of the wall clock until a moment of the scenario, 0 if it has passed."""
        return max(0.0, moment / self.speed - self.wall())
