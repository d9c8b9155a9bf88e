"""Accepted findings of static checkers, written beside what is accepted, with the reason.

Whoever runs cdk-nag or checkov over an app that has our constructs sees our reasons, not our
findings. Neither tool is needed: an acknowledgement is metadata of CDK's own, a skip is metadata of
the template.
Source: https://github.com/cdklabs/cdk-nag#acknowledging-a-rule (3.0),
https://www.checkov.io/2.Basics/Suppressing%20and%20Skipping%20Policies.html, 2026-11.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Final

import aws_cdk as cdk
from constructs import IConstruct

from cdk_emr_eks.errors import Problems

_PACK: Final = "AwsSolutions"
_FINDING: Final = re.compile(r"AwsSolutions-[A-Z]+[A-Za-z]*\d+(\[.+\])?")
_CHECK: Final = re.compile(r"CKV2?_AWS_\d+")


def accept(construct: IConstruct, findings: Mapping[str, str]) -> None:
    """Accept findings of cdk-nag's AwsSolutions pack on a construct and on all below it.

    Args:
        construct: The narrowest construct that has the findings.
        findings: Reason by finding, such as ``AwsSolutions-S1``; a finding on a wildcard is named
            with it: ``AwsSolutions-IAM5[Action::s3:Get*]``; see ``wildcard`` for resources.

    Raises:
        ConfigError: If a finding is none of the pack's, or its reason is empty.
    """
    _check(construct, findings, _FINDING, "must be a finding such as AwsSolutions-S1")
    # With the pack's name CDK itself matches the finding; without it, one would have to rely on
    # cdk-nag reading it as the name of an annotation.
    cdk.Validations.of(construct).acknowledge(
        *[cdk.Acknowledgment(id=f"{_PACK}::{id}", reason=why) for id, why in findings.items()]
    )


def wildcard(scope: IConstruct, resource: str) -> str:
    """Name the finding on a wildcard in a statement's resource, as cdk-nag writes it.

    Args:
        scope: A construct of the stack that has the statement.
        resource: The ARN in the statement; may hold tokens.
    """
    return f"AwsSolutions-IAM5[Resource::{_flat(cdk.Stack.of(scope).resolve(resource))}]"


def managed_policy(scope: IConstruct, arn: str) -> str:
    """Name the finding on a role that has an AWS managed policy, as cdk-nag writes it.

    Args:
        scope: A construct of the stack that has the role.
        arn: The policy's ARN; may hold tokens.
    """
    return f"AwsSolutions-IAM4[Policy::{_flat(cdk.Stack.of(scope).resolve(arn))}]"


def skip_checkov(resource: cdk.CfnResource, checks: Mapping[str, str]) -> None:
    """Have checkov skip checks on a resource.

    Args:
        resource: The resource; earlier skips of it are replaced.
        checks: Reason by check, such as ``CKV_AWS_158``.

    Raises:
        ConfigError: If a check is none of checkov's for AWS, or its reason is empty.
    """
    _check(resource, checks, _CHECK, "must be a check such as CKV_AWS_158")
    skips = [{"id": id, "comment": why} for id, why in checks.items()]
    resource.add_metadata("checkov", {"skip": skips})


def _check(
    construct: IConstruct, reasons: Mapping[str, str], form: re.Pattern[str], rule: str
) -> None:
    problems = Problems(f"Accepted findings of {construct.node.path!r}")
    for id, why in reasons.items():
        problems.require(form.fullmatch(id) is not None, "id", rule, id)
        problems.require(bool(why.strip()), id, "needs a reason", why)
    problems.raise_if_any()


def _flat(value: object) -> str:
    """Write a resolved value as cdk-nag does in the names of findings (flattenCfnReference)."""
    # The text must equal that of cdk-nag's function, function for function. So it is not written by
    # the parser of `assembly`, whose import every synthesis would pay for.
    match value:
        case str():
            return value.replace("${", "<").replace("}", ">")
        case {"Fn::Join": [str(delimiter), list(items)]}:
            return delimiter.join(_flat(item) for item in items)
        case {"Fn::Sub": text} | {"Fn::ImportValue": text}:
            return _flat(text)
        case {"Fn::GetAtt": [resource, attribute]}:
            return f"<{_flat(resource)}.{_flat(attribute)}>"
        case {"Ref": name}:
            return f"<{_flat(name)}>"
    return json.dumps(value, separators=(",", ":"))
