"""The error of a machine on which no simulation can run."""

from __future__ import annotations

__all__ = ["SimulationUnavailable"]


class SimulationUnavailable(RuntimeError):  # noqa: N818 (a state of the machine, not a mistake)
    """This machine cannot run a simulation: no Go, no network for its modules, no POSIX.

    Tests turn it into a skip with its reason.

    Attributes:
        reason: What is missing and what to do about it.
    """

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(reason)
