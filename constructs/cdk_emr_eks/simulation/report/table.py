"""The report in the terminal, and the progress of a running scenario."""

from __future__ import annotations

from typing import Final

from rich.console import Console
from rich.table import Table
from rich.text import Text

from cdk_emr_eks.simulation.observe.timeline import Sample
from cdk_emr_eks.simulation.report.findings import Level, findings
from cdk_emr_eks.simulation.report.results import JobResult, Results

_MARKS: Final = {
    Level.GOOD: ("ok  ", "green"),
    Level.NOTE: ("note", "blue"),
    Level.BAD: ("BAD ", "bold red"),
}
_MOST_JOBS: Final = 30


def print_results(results: Results, console: Console, failures: tuple[str, ...] = ()) -> None:
    """Print findings, jobs and failed gates."""
    console.print(Text(f"Scenario {results.scenario.name}", style="bold"))
    for finding in findings(results):
        mark, style = _MARKS[finding.level]
        console.print(Text.assemble((f"  {mark}  ", style), finding.text))
    console.print()
    console.print(_jobs(results))
    if len(results.jobs) > _MOST_JOBS:
        console.print(f"... and {len(results.jobs) - _MOST_JOBS:,} more: see the JSON")
    for phase, seconds in results.phases.items():
        console.print(Text(f"  {phase}: {seconds:.1f} s", style="dim"))
    for failure in failures:
        console.print(Text(f"failed: {failure}", style="bold red"))


def progress_line(sample: Sample) -> str:
    """Return the state of the cluster in one line."""
    nodes = sum(sample.nodes.values())
    spot = sum(count for (_, kind), count in sample.nodes.items() if kind == "spot")
    pending = sum(sample.pending.values())
    return (
        f"{sample.at:5.0f} s  {sample.jobs:,} jobs  {sample.executors:,} executors  "
        f"{pending:,} pods pending  {nodes:,} nodes ({spot:,} spot)  ${sample.cost_per_hour:,.2f}/h"
    )


def _jobs(results: Results) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for heading in ("job", "tenant", "workload", "outcome", "zone", "executors on"):
        table.add_column(heading)
    for heading in ("start", "ran", "cost"):
        table.add_column(heading, justify="right")
    for job in results.jobs[:_MOST_JOBS]:
        table.add_row(*_row(job))
    return table


def _row(job: JobResult) -> tuple[str, ...]:
    start = job.start_seconds
    ran = None if job.ended is None else job.ended - job.submitted
    return (
        job.id,
        job.tenant,
        job.workload,
        str(job.outcome),
        ", ".join(job.zones),
        ", ".join(job.capacity_types),
        "-" if start is None else f"{start:.0f} s",
        "-" if ran is None else f"{ran:.0f} s",
        f"${job.cost:,.4f}",
    )
