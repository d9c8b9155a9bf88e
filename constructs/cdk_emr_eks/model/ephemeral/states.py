"""States of the Amazon States Language, for both state machines of an ephemeral job.

Source: https://states-language.net/spec.html
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

State = dict[str, object]

# Path for results that no state reads. ``null`` would discard them, but the CDK omits ``null``.
DISCARDED: Final = "$.last"

RETRY: Final[tuple[State, ...]] = (
    {
        # Errors of AWS APIs, mostly throttling. It does not include time-outs.
        "ErrorEquals": ["States.TaskFailed"],
        "IntervalSeconds": 2,
        "BackoffRate": 2,
        "MaxAttempts": 4,
        "JitterStrategy": "FULL",
    },
)


def namespace_of(name: str, execution: str) -> str:
    """Return the expression for the name of an execution's namespace.

    It depends only on the execution's ARN, so the cleaner can find the namespace of any execution.
    The hash shortens the ARN; it does not hide it.

    Args:
        name: The job's name.
        execution: Path of the execution's ARN.
    """
    return f"States.Format('{name}-{{}}', States.Hash({execution}, 'SHA-1'))"


def integration(partition: str, action: str) -> str:
    """Return the ARN of an AWS service integration.

    Args:
        partition: AWS partition; may be a token.
        action: ``aws-sdk:SERVICE:ACTION`` for a plain API call, or an optimized integration such as
            ``emr-containers:startJobRun.sync``, which waits until the job ends.

    Source: https://docs.aws.amazon.com/step-functions/latest/dg/integrate-services.html
    """
    return f"arn:{partition}:states:::{action}"


def call(resource: str, parameters: Mapping[str, object], *, result: str = DISCARDED) -> State:
    """Return a task that calls AWS and retries on errors.

    Args:
        resource: ARN of the ``integration``.
        parameters: Parameters of the call.
        result: Path for the result.
    """
    return {
        "Type": "Task",
        "Resource": resource,
        "Parameters": dict(parameters),
        "ResultPath": result,
        "Retry": [dict(each) for each in RETRY],
    }


def with_catch(state: State, path: str, name: str) -> State:
    """Return a state that stores its error at a path and continues with another state."""
    return {**state, "Catch": [{"ErrorEquals": ["States.ALL"], "ResultPath": path, "Next": name}]}


def with_next(state: State, name: str) -> State:
    """Return a state that continues with another state."""
    return {**state, "Next": name}


def choice(*rules: State, default: str) -> State:
    """Return a Choice state."""
    return {"Type": "Choice", "Choices": list(rules), "Default": default}


def wait(seconds: int, name: str) -> State:
    """Return a Wait state."""
    return {"Type": "Wait", "Seconds": seconds, "Next": name}


def pascal_case(value: object) -> object:
    """Return the configuration of StartJobRun with members in PascalCase, for Step Functions."""
    if isinstance(value, Mapping):
        return {
            # Keys of properties are the user's, not members of the API.
            key[0].upper() + key[1:]: dict(item) if key == "properties" else pascal_case(item)
            for key, item in value.items()
        }
    if isinstance(value, (list, tuple)):
        return [pascal_case(item) for item in value]
    return value
