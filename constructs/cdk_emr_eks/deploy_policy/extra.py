"""Rights that a user adds for types of resources, as IAM statements in JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final, cast

from cdk_emr_eks.checks import Check
from cdk_emr_eks.deploy_policy.grants import Grant
from cdk_emr_eks.errors import refuse

ExtraRights = Mapping[str, tuple[Grant, ...]]

_KEYS: Final = frozenset({"Sid", "Effect", "Action", "Resource", "Condition"})
_WHERE: Final = "Extra rights"


def read_extra(file: Path) -> ExtraRights:
    """Read rights for types of resources from a JSON file.

    The file holds IAM statements by type. An ARN may hold pseudo parameters of CloudFormation and
    names of the resource's properties::

        {
          "AWS::Glue::Database": [
            {
              "Action": ["glue:CreateDatabase", "glue:GetDatabase", "glue:DeleteDatabase"],
              "Resource": "arn:${AWS::Partition}:glue:${AWS::Region}:${AWS::AccountId}:catalog"
            }
          ]
        }

    Raises:
        ConfigError: If the file is not such a mapping.
    """
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise refuse(_WHERE, "file", "must be readable", str(file), str(error)) from error
    except ValueError as error:
        raise refuse(_WHERE, "file", "must be JSON", str(file), str(error)) from error
    return extra_rights(content)


def extra_rights(statements: object) -> ExtraRights:
    """Return the rights of IAM statements by type of resource, as ``deploy_policies`` takes them.

    Raises:
        ConfigError: If a statement has other parts than action, resource and condition, or denies.
    """
    if not isinstance(statements, dict):
        rule = "must be a mapping of resource types to lists of IAM statements"
        raise refuse(_WHERE, "rights", rule, statements)
    check = Check(_WHERE)
    found: dict[str, tuple[Grant, ...]] = {}
    for kind, given in statements.items():
        listed = isinstance(given, list)
        check.require(listed, kind, "must be a list of IAM statements", given)
        found[kind] = tuple(
            grant
            for statement in (given if listed else [])
            if _is_statement(kind, statement, check)
            for grant in _grants(statement)
        )
    check.raise_if_any()
    return found


def _is_statement(kind: str, statement: object, check: Check) -> bool:
    rule = f"must be a mapping with Action, and of {', '.join(sorted(_KEYS))} only"
    if not isinstance(statement, dict) or "Action" not in statement or set(statement) - _KEYS:
        check.require(False, kind, rule, statement)
        return False
    effect = statement.get("Effect", "Allow")
    check.require(effect == "Allow", f"{kind} Effect", "must be Allow", effect)
    for action in _list(statement["Action"]):
        text = isinstance(action, str) and ":" in action
        check.require(text, f"{kind} Action", "must be service:Verb", action)
    return True


def _grants(statement: Mapping[str, object]) -> Iterator[Grant]:
    actions = " ".join(str(action) for action in _list(statement["Action"]))
    condition = cast(Mapping[str, Mapping[str, object]], statement.get("Condition", {}))
    for resource in _list(statement.get("Resource", "*")):
        yield Grant(resource=str(resource), actions=actions, condition=condition)


def _list(value: object) -> list[object]:
    return value if isinstance(value, list) else [value]
