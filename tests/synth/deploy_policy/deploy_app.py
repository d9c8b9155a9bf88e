"""Statements of the deploy policies of synthesized apps."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import aws_cdk as cdk

from cdk_emr_eks.assembly import open_assembly
from cdk_emr_eks.deploy_policy import deploy_policies, extra_rights

Statement = dict[str, Any]


def statements_of(folder: Path, extra: object = None) -> list[Statement]:
    """All statements of an assembly's deploy policies, whichever environment they are for."""
    rights = None if extra is None else extra_rights(extra)
    policies: Any = deploy_policies(open_assembly(folder), extra=rights)
    return [
        statement
        for policy in policies
        for document in policy.documents
        for statement in document["Statement"]
    ]


def by_action(statements: list[Statement], action: str) -> list[Statement]:
    """The statements that allow an action."""
    return [statement for statement in statements if action in statement["Action"]]


def resources(statements: list[Statement], action: str) -> list[str]:
    """The resources on which an action is allowed."""
    found = (arn for each in by_action(statements, action) for arn in each["Resource"])
    return sorted(set(found))


def new_app(folder: Path) -> cdk.App:
    """An app that is synthesized into a folder, without analytics."""
    return cdk.App(analytics_reporting=False, outdir=str(folder))
