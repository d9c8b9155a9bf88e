"""Suppress findings of static checkers on a construct, with the reason.

Users who run cdk-nag or checkov on an app with these constructs see the reasons and not the
findings. Neither tool is required: an acknowledgement is metadata of the CDK, a skip is metadata of
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

from cdk_emr_eks.checks import Check

_PACK: Final = "AwsSolutions"
_FINDING: Final = re.compile(r"AwsSolutions-[A-Z]+[A-Za-z]*\d+(\[.+\])?")
_CHECK: Final = re.compile(r"CKV2?_AWS_\d+")


def suppress(construct: IConstruct, findings: Mapping[str, str]) -> None:
    """Suppress findings of cdk-nag's AwsSolutions pack on a construct and on all its children.

    Args:
        construct: The narrowest construct that has the findings.
        findings: Reason by finding, such as ``AwsSolutions-S1``. The name of a finding on a
            wildcard includes it: ``AwsSolutions-IAM5[Action::s3:Get*]``; see ``wildcard``.

    Raises:
        ConfigError: If the pack has no such finding, or its reason is empty.
    """
    _check(construct, findings, _FINDING, "must be a finding such as AwsSolutions-S1")
    # With the pack's name, the CDK matches the finding. Without it, the match depends on cdk-nag
    # reading the id as the name of an annotation.
    cdk.Validations.of(construct).acknowledge(
        *[cdk.Acknowledgment(id=f"{_PACK}::{id}", reason=why) for id, why in findings.items()]
    )


def wildcard(scope: IConstruct, resource: str) -> str:
    """Return the name of the finding on a wildcard in a statement's resource, as in cdk-nag.

    Args:
        scope: A construct of the stack that has the statement.
        resource: The ARN in the statement; may hold tokens.
    """
    return f"AwsSolutions-IAM5[Resource::{_flat(cdk.Stack.of(scope).resolve(resource))}]"


def managed_policy(scope: IConstruct, arn: str) -> str:
    """Return the name of the finding on a role with an AWS managed policy, as in cdk-nag.

    Args:
        scope: A construct of the stack that has the role.
        arn: The policy's ARN; may hold tokens.
    """
    return f"AwsSolutions-IAM4[Policy::{_flat(cdk.Stack.of(scope).resolve(arn))}]"


def skip_checkov(resource: cdk.CfnResource, checks: Mapping[str, str]) -> None:
    """Make checkov skip checks on a resource.

    Args:
        resource: The resource. Earlier skips of it are replaced.
        checks: Reason by check, such as ``CKV_AWS_158``.

    Raises:
        ConfigError: If checkov has no such check for AWS, or its reason is empty.
    """
    _check(resource, checks, _CHECK, "must be a check such as CKV_AWS_158")
    skips = [{"id": id, "comment": why} for id, why in checks.items()]
    resource.add_metadata("checkov", {"skip": skips})


def _check(
    construct: IConstruct, reasons: Mapping[str, str], form: re.Pattern[str], rule: str
) -> None:
    check = Check(f"Suppressions of {construct.node.path!r}")
    for id, why in reasons.items():
        check.require(form.fullmatch(id) is not None, "id", rule, id)
        check.require(bool(why.strip()), id, "needs a reason", why)
    check.raise_if_any()


def _flat(value: object) -> str:
    """Write a resolved value as cdk-nag writes it in names of findings (flattenCfnReference)."""
    # The text must equal the result of cdk-nag's function. The parser of `assembly` is not used
    # here: every synthesis would pay for its import.
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
