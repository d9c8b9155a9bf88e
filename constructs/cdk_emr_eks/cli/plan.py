"""``emr-eks plan``: what an assembly would deploy."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import click

from cdk_emr_eks.cli.output import FOLDER, errors_as_messages, opened, print_json, print_tables
from cdk_emr_eks.plan.reader import read_plan
from cdk_emr_eks.plan.render import print_plan


@click.command()
@click.argument("assembly", type=FOLDER, default="cdk.out")
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of tables.")
def plan(assembly: Path, *, as_json: bool) -> None:
    """Show stacks, versions, node pools, pod addresses, tenants and warnings of ASSEMBLY."""
    with errors_as_messages():
        found = read_plan(opened(assembly))
    if as_json:
        print_json(asdict(found))
    else:
        print_tables(lambda console: print_plan(found, console))
