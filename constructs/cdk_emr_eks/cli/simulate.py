"""``emr-eks simulate``: run a scenario on a real control plane on this machine."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from cdk_emr_eks.assembly.reader import AssemblyError
from cdk_emr_eks.cli.output import FOLDER, opened
from cdk_emr_eks.errors import ConfigError
from cdk_emr_eks.simulation.errors import (
    DeploymentFailedError,
    NoKarpenterError,
    SimulationUnavailable,
)
from cdk_emr_eks.simulation.report.gates import CONDITIONS, Gates
from cdk_emr_eks.simulation.scenario import Scenario, read_scenario, shipped_scenarios
from cdk_emr_eks.synth import AppSettings, SynthError, synthesize

if TYPE_CHECKING:
    # The packages of the extra are imported when the command runs; `emr-eks --help` needs none.
    from cdk_emr_eks.simulation.observe.timeline import Sample
    from cdk_emr_eks.simulation.report.results import Results
    from cdk_emr_eks.simulation.run import ProgressHooks

# Exit code if a gate failed. Click's exit code for wrong usage is 2.
FAILED: Final = 1
# Exit code if this machine cannot simulate: for example, Go is missing, or a network for its
# modules.
UNAVAILABLE: Final = 3

_PIPED_WIDTH: Final = 120
_PIPED_SECONDS: Final = 15
_FILE: Final = click.Path(dir_okay=False, path_type=Path, writable=True)
_SCENARIOS: Final = ", ".join(shipped_scenarios())


@click.command()
@click.option("--app", help="Run this app first, as `synth` does, and simulate its assembly.")
@click.option(
    "-c", "--context", multiple=True, metavar="KEY=VALUE", help="Value of the context for --app."
)
@click.option("--assembly", type=FOLDER, default="cdk.out", show_default=True)
@click.option(
    "--scenario", default="default", show_default=True, help=f"A YAML file, or one of {_SCENARIOS}."
)
@click.option("--html", type=_FILE, help="Write the report as one HTML page.")
@click.option("--json", "json_file", type=_FILE, help="Write the report as JSON.")
@click.option(
    "--fail-if",
    multiple=True,
    type=click.Choice(CONDITIONS),
    help="Exit with 1 if this happened; repeatable.",
)
@click.option("--max-hourly-cost", type=float, help="Exit with 1 above so many US dollars an hour.")
@click.option("--max-start-seconds", type=float, help="Exit with 1 if a job took longer to start.")
@click.option("--keep", type=FOLDER, help="Keep logs and data of all processes in this folder.")
def simulate(
    *,
    app: str | None,
    context: tuple[str, ...],
    assembly: Path,
    scenario: str,
    html: Path | None,
    json_file: Path | None,
    fail_if: tuple[str, ...],
    max_hourly_cost: float | None,
    max_start_seconds: float | None,
    keep: Path | None,
) -> None:
    """Deploy an assembly to a real Kubernetes control plane on this machine, and run jobs on it.

    Kubernetes and Karpenter are the real programs; AWS, nodes and pods are emulated. The command
    needs no network, except for Go's modules when it builds the programs the first time.

    Exit codes: 0; 1 if a gate failed or the platform does not deploy; 2 for wrong usage; 3 if this
    machine cannot simulate.
    """
    try:
        gates = Gates(
            fail_if=fail_if,
            max_hourly_cost=max_hourly_cost,
            max_start_seconds=max_start_seconds,
        )
        chosen = read_scenario(scenario)
        if app is not None:
            settings = AppSettings.read(Path.cwd()).override(
                app=app, output=assembly, context=context
            )
            assembly = synthesize(settings, Path.cwd())
        results = _run(assembly, chosen, keep)
    except ConfigError as error:
        raise click.UsageError(str(error)) from error
    except (AssemblyError, DeploymentFailedError, NoKarpenterError, SynthError) as error:
        raise click.ClickException(str(error)) from error
    except SimulationUnavailable as error:
        click.echo(f"Cannot simulate here: {error}", err=True)
        click.get_current_context().exit(UNAVAILABLE)
    failures = gates.failures(results)
    _report(results, failures, html, json_file)
    if failures:
        click.get_current_context().exit(FAILED)


def _run(assembly: Path, scenario: Scenario, keep: Path | None) -> Results:
    """Simulate, and show the progress."""
    try:
        from cdk_emr_eks.simulation import run
    except ImportError as error:
        fix = "pip install 'cdk-emr-eks[simulation]'"
        raise click.ClickException(f"emr-eks simulate needs its extra ({error}): {fix}") from error
    with _progress_hooks() as hooks:
        return run.simulate(opened(assembly), scenario, directory=keep, hooks=hooks)


@contextmanager
def _progress_hooks() -> Iterator[ProgressHooks]:
    """Show progress as a bar on a terminal, as a line every 15 seconds elsewhere."""
    from cdk_emr_eks.simulation.report.table import progress_line
    from cdk_emr_eks.simulation.run import ProgressHooks

    if not sys.stderr.isatty():
        shown = time.monotonic()

        def line(sample: Sample) -> None:
            nonlocal shown
            if time.monotonic() - shown >= _PIPED_SECONDS:
                shown = time.monotonic()
                click.echo(progress_line(sample), err=True)

        yield ProgressHooks(phase=lambda name: click.echo(f"{name} ...", err=True), sample=line)
        return
    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("", total=None)
        yield ProgressHooks(
            progress=progress,
            phase=lambda name: progress.update(task, description=name),
            sample=lambda sample: progress.update(task, description=progress_line(sample)),
        )


def _report(
    results: Results, failures: tuple[str, ...], html: Path | None, json_file: Path | None
) -> None:
    from cdk_emr_eks.simulation.report.document import document
    from cdk_emr_eks.simulation.report.page import page
    from cdk_emr_eks.simulation.report.table import print_results

    piped = not sys.stdout.isatty()
    console = Console(width=_PIPED_WIDTH if piped else None, highlight=False, markup=False)
    print_results(results, console, failures)
    if html:
        html.write_text(page(results, failures), encoding="utf-8")
        click.echo(f"Written: {html}")
    if json_file:
        text = json.dumps(document(results, failures), indent=1, ensure_ascii=False)
        json_file.write_text(text + "\n", encoding="utf-8")
        click.echo(f"Written: {json_file}")
