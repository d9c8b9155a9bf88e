"""``emr-eks diff``: what changes between two assemblies."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import click

from cdk_emr_eks.cli.output import (
    FOLDER,
    errors_as_messages,
    opened,
    print_commands,
    print_json,
    print_tables,
)
from cdk_emr_eks.diff.comparison import diff_assemblies
from cdk_emr_eks.diff.leftovers import delete_commands, delete_first
from cdk_emr_eks.diff.render import print_diff


@click.command()
@click.argument("old", type=FOLDER)
@click.argument("new", type=FOLDER, default="cdk.out")
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of text.")
@click.option("--exit-code", is_flag=True, help="Exit with 1 if there is a difference.")
def diff(old: Path, new: Path, *, as_json: bool, exit_code: bool) -> None:
    """Show what changes from the assembly OLD to NEW, and the effects on a running platform."""
    with errors_as_messages():
        before, after = opened(old), opened(new)
        found = diff_assemblies(before, after)
    first, left = list(delete_first(found)), list(delete_commands(before, after))
    if as_json:
        changes = [asdict(change) for change in found]
        print_json({"changes": changes, "delete_first": first, "left_behind": left})
    else:
        print_tables(lambda console: print_diff(found, console))
        print_commands(
            "Kubernetes refuses changes of these objects. Delete them before the deployment, while "
            "nothing uses them:",
            first,
        )
        print_commands(
            "CloudFormation leaves these objects in the cluster. Delete them after the deployment:",
            left,
        )
    if exit_code and found:
        click.get_current_context().exit(1)
