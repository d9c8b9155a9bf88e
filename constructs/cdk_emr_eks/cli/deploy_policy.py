"""``emr-eks deploy-policy``: the IAM policies that CloudFormation needs for a deployment."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import click

from cdk_emr_eks.assembly.reader import Assembly
from cdk_emr_eks.cli.output import FOLDER, errors_as_messages, opened, print_json
from cdk_emr_eks.deploy_policy import (
    DeployPolicy,
    deploy_policies,
    extra_rights,
    policy_files,
    read_extra,
    unknown_types,
    write_policies,
)
from cdk_emr_eks.errors import refuse

EXTRA: Final = click.option(
    "--extra",
    type=click.Path(dir_okay=False, path_type=Path),
    help="JSON file with IAM statements by resource type, to add to the deploy policies.",
)
ALLOW: Final = click.option(
    "--allow",
    multiple=True,
    metavar="TYPE=ACTION,...",
    help="Actions for a resource type, to add to the deploy policies; repeatable.",
)


@click.command("deploy-policy")
@click.argument("assembly", type=FOLDER, default="cdk.out")
@click.option("--write", is_flag=True, help="Write the files into ASSEMBLY instead of printing.")
@EXTRA
@ALLOW
def deploy_policy(
    assembly: Path, *, write: bool, extra: Path | None, allow: tuple[str, ...]
) -> None:
    """Print the IAM policies that CloudFormation needs to deploy ASSEMBLY, as JSON by file name.

    There are policies for each account and Region of the stacks. Create managed policies from them
    and name these in `cdk bootstrap --cloudformation-execution-policies`.
    """
    with errors_as_messages():
        read = opened(assembly)
        policies = policies_of(read, extra, allow)
    if write:
        for path in write_policies(policies, assembly):
            click.echo(path)
    else:
        print_json(policy_files(policies))
    warn_of_unknown_types(policies)
    for message in read.applied.unread:
        click.echo(f"Warning: {message.where}: {message.text}.", err=True)


def policies_of(
    assembly: Assembly, extra: Path | None, allow: Sequence[str]
) -> tuple[DeployPolicy, ...]:
    """Return the policies of an assembly with the rights of ``--extra`` and ``--allow``.

    Raises:
        ConfigError: If the file or an option cannot be read.
    """
    rights = dict(read_extra(extra)) if extra else {}
    statements: dict[str, list[object]] = {}
    for entry in allow:
        kind, _, actions = entry.partition("=")
        if not kind or not actions:
            fix = "for example AWS::Glue::Database=glue:CreateDatabase,glue:DeleteDatabase"
            raise refuse("Extra rights", "--allow", "must be TYPE=ACTION,...", entry, fix)
        statements.setdefault(kind, []).append(
            {"Action": [action.strip() for action in actions.split(",")]}
        )
    for kind, grants in extra_rights(statements).items():
        rights[kind] = (*rights.get(kind, ()), *grants)
    return deploy_policies(assembly, extra=rights)


def warn_of_unknown_types(policies: tuple[DeployPolicy, ...]) -> None:
    """Print the resource types that the policies have no rights for."""
    types = unknown_types(policies)
    if types:
        click.echo(
            f"Warning: the deploy policies have no rights for {', '.join(types)}: CloudFormation "
            "publishes no permissions for these types. Add their rights with --allow TYPE=ACTION "
            "or --extra FILE.",
            err=True,
        )
