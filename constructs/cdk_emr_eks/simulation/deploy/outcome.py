"""What became of each resource of the templates."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from cdk_emr_eks.simulation.deploy.resolve import Made


class Outcome(StrEnum):
    """How much of a resource the simulation has."""

    APPLIED = "applied"
    """On the real API server."""
    EMULATED = "emulated"
    """In the emulated AWS account, where others find it."""
    RECORDED = "recorded"
    """Nothing stands for it but an identifier of our own: nothing in the simulation uses more."""
    NOT_SIMULATED = "not simulated"
    """It would do something, and here it does not."""
    OMITTED = "omitted"
    """A condition of the template leaves it out in AWS, too."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ResourceOutcome:
    """One resource of a template, and what became of it.

    Args:
        stack: Its stack.
        logical_id: Its name in the template.
        type: Its CloudFormation type.
        outcome: How much of it there is.
        why: What stands for it, or why nothing does; empty where the outcome says it all.
    """

    stack: str
    logical_id: str
    type: str
    outcome: Outcome
    why: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Request:
    """A resource that is to be deployed.

    Args:
        stack: Name of its stack, as CloudFormation has it.
        logical_id: Its name in the template.
        type: Its CloudFormation type.
        properties: Its properties, functions worked out.
    """

    stack: str
    logical_id: str
    type: str
    properties: Mapping[str, object]

    def text(self, name: str, default: str = "") -> str:
        """Return a property as text, the default where it is absent."""
        value = self.properties.get(name)
        return default if value is None else str(value)


@dataclass(frozen=True, kw_only=True, slots=True)
class Deployed:
    """A resource that was deployed.

    Args:
        made: What the template may know of it.
        outcome: How much of it there is.
        why: As of ``ResourceOutcome``.
        undo: Deletes it; None where nothing was made. It gets the seconds that are left, and
            returns the problems it met.
    """

    made: Made
    outcome: Outcome
    why: str = ""
    undo: Callable[[float], tuple[str, ...]] | None = None


class DeploymentFailedError(RuntimeError):
    """What ``cdk deploy`` would fail with, too: the template is not what AWS or Kubernetes takes.

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


class NotSimulatedError(RuntimeError):
    """A resource that the simulation cannot honour; the message says why."""
