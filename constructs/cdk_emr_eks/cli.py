"""The ``emr-eks`` command: what a cloud assembly would deploy, and what a change of it means.

Only ``synth`` runs an app; the other commands read files. None calls AWS.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Final

try:
    import click
    from rich.console import Console
except ImportError as error:
    # The command is the only way here: its user wants the sentence, not how Python came to it.
    raise SystemExit(
        f"emr-eks needs its extra ({error}): pip install 'cdk-emr-eks[cli]'"
    ) from error

from cdk_emr_eks.assembly import Assembly, AssemblyError, open_assembly
from cdk_emr_eks.deploy_policy import (
    DeployPolicy,
    deploy_policies,
    policy_files,
    read_extra,
    unknown_types,
    write_policies,
)
from cdk_emr_eks.diff.changes import diff_assemblies
from cdk_emr_eks.diff.leftovers import delete_commands, delete_first
from cdk_emr_eks.diff.render import print_diff
from cdk_emr_eks.errors import ConfigError
from cdk_emr_eks.plan import read_plan
from cdk_emr_eks.plan.render import print_plan
from cdk_emr_eks.simulation.cli import simulate
from cdk_emr_eks.synth import AppSettings, SynthError, synthesize

_PIPED_WIDTH: Final = 120
_ASSEMBLY = click.Path(file_okay=False, path_type=Path)
_EXTRA = click.option(
    "--extra",
    type=click.Path(dir_okay=False, path_type=Path),
    help="JSON file with IAM statements by resource type, to add to the deploy policies.",
)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="cdk-emr-eks")
def main() -> None:
    """Look at an EMR on EKS platform before it is deployed.

    `synth` runs an app; the others read the cloud assembly that it or `cdk synth` wrote.
    """


@main.command()
@click.option("--app", help="Command that runs the app. [default: `app` of cdk.json]")
@click.option("-o", "--output", type=_ASSEMBLY, help="[default: `output` of cdk.json, or cdk.out]")
@_EXTRA
def synth(*, app: str | None, output: Path | None, extra: Path | None) -> None:
    """Run the app, show its plan, and write the IAM policies that deploying it needs.

    Does what `cdk synth` does with the settings of cdk.json, without the CDK's command line.
    """
    folder = Path.cwd()
    try:
        settings = AppSettings.read(folder)
        chosen = replace(
            settings, command=app or settings.command, output=output or settings.output
        )
        assembly = synthesize(chosen, folder)
        opened = open_assembly(assembly)
        found = read_plan(opened)
        policies = _deploy_policies(opened, extra)
        written = write_policies(policies, assembly)
    except (AssemblyError, ConfigError, SynthError) as error:
        raise click.ClickException(str(error)) from error
    _print(lambda console: print_plan(found, console))
    click.echo("\nWritten, to read and to use")
    for path in (*sorted(assembly.glob("pod-templates/*")), *written):
        click.echo(f"  {os.path.relpath(path)}")
    _warn_unknown(policies)


@main.command(short_help="Show what an assembly would deploy.")
@click.argument("assembly", type=_ASSEMBLY, default="cdk.out")
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of tables.")
def plan(assembly: Path, *, as_json: bool) -> None:
    """Show stacks, versions, node pools, pod addresses, tenants and warnings of ASSEMBLY."""
    try:
        found = read_plan(open_assembly(assembly))
    except AssemblyError as error:
        raise click.ClickException(str(error)) from error
    if as_json:
        _print_json(asdict(found))
    else:
        _print(lambda console: print_plan(found, console))


@main.command(short_help="Show what changes between two assemblies.")
@click.argument("old", type=_ASSEMBLY)
@click.argument("new", type=_ASSEMBLY, default="cdk.out")
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of text.")
@click.option("--exit-code", is_flag=True, help="Exit with 1 if there is a difference.")
def diff(old: Path, new: Path, *, as_json: bool, exit_code: bool) -> None:
    """Show what changes from the assembly OLD to NEW, and what follows for what runs."""
    try:
        before, after = open_assembly(old), open_assembly(new)
        found = diff_assemblies(before, after)
    except AssemblyError as error:
        raise click.ClickException(str(error)) from error
    first, left = list(delete_first(found)), list(delete_commands(before, after))
    if as_json:
        changes = [asdict(change) for change in found]
        _print_json({"changes": changes, "delete_first": first, "left_behind": left})
    else:
        _print(lambda console: print_diff(found, console))
        _echo(
            "Kubernetes lets nobody change these. Delete them first, while nothing uses them:",
            first,
        )
        _echo("CloudFormation leaves these in the cluster. Delete them afterwards:", left)
    if exit_code and found:
        click.get_current_context().exit(1)


@main.command("deploy-policy", short_help="Print the IAM policies a deployment needs.")
@click.argument("assembly", type=_ASSEMBLY, default="cdk.out")
@click.option("--write", is_flag=True, help="Write the files into ASSEMBLY instead of printing.")
@_EXTRA
def deploy_policy(assembly: Path, *, write: bool, extra: Path | None) -> None:
    """Print the IAM policies that CloudFormation needs to deploy ASSEMBLY, as JSON by file name.

    There are policies for each account and Region of the stacks. Create managed policies from them
    and name these in `cdk bootstrap --cloudformation-execution-policies`.
    """
    try:
        policies = _deploy_policies(open_assembly(assembly), extra)
    except (AssemblyError, ConfigError) as error:
        raise click.ClickException(str(error)) from error
    if write:
        for path in write_policies(policies, assembly):
            click.echo(path)
    else:
        _print_json(policy_files(policies))
    _warn_unknown(policies)


def _deploy_policies(assembly: Assembly, extra: Path | None) -> tuple[DeployPolicy, ...]:
    return deploy_policies(assembly, extra=read_extra(extra) if extra else None)


def _warn_unknown(policies: tuple[DeployPolicy, ...]) -> None:
    types = unknown_types(policies)
    if types:
        click.echo(
            f"Warning: the deploy policies have no rights for {', '.join(types)}: CloudFormation "
            "publishes no permissions for these types. Add their rights with --extra FILE.",
            err=True,
        )


main.add_command(simulate)


def _print(show: Callable[[Console], None]) -> None:
    """Print tables as wide as the terminal, or wider when piped.

    Colours only on a terminal; ``NO_COLOR`` and ``COLUMNS`` are heeded.
    """
    piped = not sys.stdout.isatty() and "COLUMNS" not in os.environ
    console = Console(
        width=_PIPED_WIDTH if piped else None, highlight=False, emoji=False, markup=False
    )
    with console.capture() as capture:
        show(console)
    # Tables fill their last column with spaces, which a pipe would carry into files.
    click.echo("\n".join(line.rstrip() for line in capture.get().splitlines()))


def _echo(title: str, commands: list[str]) -> None:
    """Print commands below a title, each on one line of its own, to be copied."""
    if commands:
        click.echo("\n".join(["", title, *(f"  {command}" for command in commands)]))


def _print_json(value: object) -> None:
    click.echo(json.dumps(value, indent=2, ensure_ascii=False))
