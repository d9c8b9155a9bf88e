"""``emr-eks synth``: run the app, print its plan, write the policies that its deployment needs."""

from __future__ import annotations

import os
from pathlib import Path

import click

from cdk_emr_eks.assembly.reader import open_assembly
from cdk_emr_eks.cli.deploy_policy import ALLOW, EXTRA, policies_of, warn_of_unknown_types
from cdk_emr_eks.cli.output import FOLDER, errors_as_messages, print_tables
from cdk_emr_eks.deploy_policy import write_policies
from cdk_emr_eks.plan.reader import read_plan
from cdk_emr_eks.plan.render import print_plan
from cdk_emr_eks.synth import AppSettings, synthesize


@click.command()
@click.option("--app", help="Command that runs the app. [default: `app` of cdk.json]")
@click.option("-o", "--output", type=FOLDER, help="[default: `output` of cdk.json, or cdk.out]")
@click.option(
    "-c", "--context", multiple=True, metavar="KEY=VALUE", help="Value of the context; repeatable."
)
@EXTRA
@ALLOW
def synth(
    *,
    app: str | None,
    output: Path | None,
    context: tuple[str, ...],
    extra: Path | None,
    allow: tuple[str, ...],
) -> None:
    """Run the app, print its plan, and write the IAM policies that its deployment needs.

    Does what `cdk synth` does with cdk.json and cdk.context.json, without the CDK's command line.
    If the app fails, the output folder keeps the last good assembly.
    """
    folder = Path.cwd()
    with errors_as_messages():
        settings = AppSettings.read(folder).override(app=app, output=output, context=context)
        assembly = open_assembly(synthesize(settings, folder))
        found = read_plan(assembly)
    print_tables(lambda console: print_plan(found, console))
    with errors_as_messages():
        policies = policies_of(assembly, extra, allow)
        written = write_policies(policies, assembly.folder)
    click.echo("\nFiles written")
    for path in (*sorted(assembly.folder.glob("pod-templates/*")), *written):
        click.echo(f"  {os.path.relpath(path)}")
    warn_of_unknown_types(policies)
