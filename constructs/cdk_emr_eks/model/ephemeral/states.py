"""Words of Amazon States Language that both state machines use.

Source: https://states-language.net/spec.html
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

State = dict[str, object]

UNREAD: Final = "$.last"
"""Path for what nobody reads. ``null`` would drop it; CDK leaves that out of what it writes."""

RETRY: Final[tuple[State, ...]] = (
    {
        # Errors of AWS's APIs, throttling above all; a time-out is not among them.
        "ErrorEquals": ["States.TaskFailed"],
        "IntervalSeconds": 2,
        "BackoffRate": 2,
        "MaxAttempts": 4,
        "JitterStrategy": "FULL",
    },
)


def namespace_of(name: str, execution: str) -> str:
    """Return the expression of the namespace that an execution makes.

    It follows from the execution's ARN alone, so that whoever hears of the execution can find what
    it made. The hash makes a name of it, and keeps no secret.

    Args:
        name: The job's name.
        execution: Path of the execution's ARN.
    """
    return f"States.Format('{name}-{{}}', States.Hash({execution}, 'SHA-1'))"


def integration(partition: str, action: str) -> str:
    """Return the ARN by which a task calls AWS.

    Args:
        partition: AWS partition; may be a token.
        action: ``aws-sdk:SERVICE:ACTION`` for a call as it is, or an integration of Step Functions'
            own such as ``emr-containers:startJobRun.sync``, which can wait for the end.

    Source: https://docs.aws.amazon.com/step-functions/latest/dg/integrate-services.html
    """
    return f"arn:{partition}:states:::{action}"


def call(resource: str, parameters: Mapping[str, object], *, result: str = UNREAD) -> State:
    """Return a task that calls AWS and tries again on errors.

    Args:
        resource: ARN of the ``integration``.
        parameters: What the call takes.
        result: Path for the answer.
    """
    return {
        "Type": "Task",
        "Resource": resource,
        "Parameters": dict(parameters),
        "ResultPath": result,
        "Retry": [dict(each) for each in RETRY],
    }


def caught(state: State, path: str, then: str) -> State:
    """Return a state whose errors are kept at a path and lead to another state."""
    return {**state, "Catch": [{"ErrorEquals": ["States.ALL"], "ResultPath": path, "Next": then}]}


def then(state: State, name: str) -> State:
    """Return a state that goes on to another one."""
    return {**state, "Next": name}


def choice(*rules: State, default: str) -> State:
    """Return a choice between states."""
    return {"Type": "Choice", "Choices": list(rules), "Default": default}


def wait(seconds: int, name: str) -> State:
    """Return a pause before another state."""
    return {"Type": "Wait", "Seconds": seconds, "Next": name}


def pascal_case(value: object) -> object:
    """Write StartJobRun's configuration as Step Functions takes it: members in PascalCase."""
    if isinstance(value, Mapping):
        return {
            # Properties are the user's keys, no members of the API.
            key[0].upper() + key[1:]: dict(item) if key == "properties" else pascal_case(item)
            for key, item in value.items()
        }
    if isinstance(value, (list, tuple)):
        return [pascal_case(item) for item in value]
    return value
