"""Find the parameters and secrets that CloudFormation reads when it deploys a template."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from cdk_emr_eks.assembly import Stack
from cdk_emr_eks.assembly.arn_patterns import ArnPatterns
from cdk_emr_eks.assembly.expressions import function_call
from cdk_emr_eks.assembly.paths import mapping, text

# Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/dynamic-references.html
_REFERENCE: Final = re.compile(
    r"\{\{resolve:(?P<service>ssm|ssm-secure|secretsmanager):"
    r"(?P<name>arn:(?:[^:}]*:){5}[^:}]*|[^:}]*)"
)
_SSM_TYPE: Final = "AWS::SSM::Parameter::"
# Parameters that AWS publishes have no account in their ARNs.
_PUBLIC: Final = "/aws/service/"


@dataclass(frozen=True, kw_only=True, slots=True)
class ValueRead:
    """A parameter of Systems Manager or a secret of Secrets Manager.

    Args:
        arn: Pattern of its ARN.
        is_parameter: Whether it is a parameter.
    """

    arn: str
    is_parameter: bool


def values_read(stack: Stack) -> Iterator[ValueRead]:
    """Yield the values for the parameters and dynamic references of a template."""
    patterns = ArnPatterns(stack)
    for parameter in mapping(stack.template, "Parameters").values():
        if text(parameter, "Type").startswith(_SSM_TYPE):
            yield _parameter(patterns, text(parameter, "Default") or "*")
    for found in {each for value in _texts(stack, patterns) for each in _REFERENCE.findall(value)}:
        service, name = found
        if service == "secretsmanager":
            # A star is the ARN of a secret of the template, or of another stack.
            for each in (_own_secrets(stack) if name == "*" else ()) or (name,):
                yield _secret(patterns, each)
        else:
            yield _parameter(patterns, name)


def _texts(stack: Stack, patterns: ArnPatterns) -> Iterator[str]:
    """Yield the texts of the resources, with intrinsic functions written as patterns."""
    values: list[object] = [stack.template.get("Resources")]
    while values:
        value = values.pop()
        if isinstance(value, str):
            yield value
        elif function_call(value):
            yield patterns.pattern(value)
        elif isinstance(value, Mapping):
            values.extend(value.values())
        elif isinstance(value, list):
            values.extend(value)


def _parameter(patterns: ArnPatterns, name: str) -> ValueRead:
    account = "" if name.startswith(_PUBLIC) else "{account}"
    arn = f"arn:{{partition}}:ssm:{{region}}:{account}:parameter/{name.removeprefix('/')}"
    return ValueRead(arn=patterns.fill(arn), is_parameter=True)


def _own_secrets(stack: Stack) -> tuple[str, ...]:
    patterns = ArnPatterns(stack)
    secrets = stack.resources("AWS::SecretsManager::Secret")
    return tuple(patterns.name(logical_id, "Name") for logical_id, _ in secrets)


def _secret(patterns: ArnPatterns, name: str) -> ValueRead:
    if name.startswith("arn:"):
        return ValueRead(arn=f"{name}*", is_parameter=False)
    # Secrets Manager adds a hyphen and six characters to the name.
    arn = f"arn:{{partition}}:secretsmanager:{{region}}:{{account}}:secret:{name}-*"
    return ValueRead(arn=patterns.fill(arn), is_parameter=False)
