"""Errors of the simulation that its callers handle. Importing them needs no extra."""

from __future__ import annotations

__all__ = ["DeploymentFailedError", "NoKarpenterError", "SimulationUnavailable"]


class SimulationUnavailable(RuntimeError):  # noqa: N818 (a state of the machine, not a mistake)
    """This machine cannot run a simulation: no Go, no network for its modules, no POSIX.

    Tests turn it into a skip with the reason.

    Attributes:
        reason: What is missing, and what to do about it.
    """

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(reason)


class DeploymentFailedError(RuntimeError):
    """``cdk deploy`` would fail, too: AWS or Kubernetes refuses the template.

    Attributes:
        stack: Stack that failed.
        logical_id: Resource that failed, empty for the stack as a whole.
        reasons: What was refused, and why.
    """

    def __init__(self, stack: str, logical_id: str, reasons: tuple[str, ...]) -> None:
        self.stack = stack
        self.logical_id = logical_id
        self.reasons = reasons
        super().__init__(f"{stack} {logical_id}: " + "; ".join(reasons))


class NoKarpenterError(RuntimeError):
    """The assembly does not install Karpenter, so no node would start."""
