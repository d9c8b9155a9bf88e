"""Say what was measured: tables for people, JSON for programs."""

from __future__ import annotations

import os
import platform
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks.synth.bars import Bar, Growth, Ratio, bars, growth, ratio
from benchmarks.synth.environments import node
from benchmarks.synth.run import VARIANTS, Measured

PAIRS = (
    ("ours", "ara"),
    ("ours", "bare"),
    ("ours-unvalidated", "ara"),
    ("ours-unvalidated", "bare-unvalidated"),
)
BUSY = 0.5
FIGURES = {"wall_s": "wall, s", "cpu_s": "user + system, s", "peak_rss_mib": "peak memory, MiB"}


@dataclass(kw_only=True, slots=True)
class Results:
    """Everything one call of the command has measured.

    Args:
        apps: The apps that were run in turn.
        versions: What is installed in each environment.
        scale: Our tenants app by number of tenants.
        notebooks: Our notebooks app by number of users.
        irsa_per_tenant: Resources of a further tenant with IRSA; None when not counted.
        cold: Whether runs had to do without bytecode and jsii's package cache.
        load: Processes that wanted a core in the minute before the first run, on average: beyond a
            few tenths, other work was measured too.
    """

    apps: dict[str, Measured] = field(default_factory=dict)
    versions: dict[str, dict[str, str]] = field(default_factory=dict)
    scale: dict[int, Measured] = field(default_factory=dict)
    notebooks: dict[int, Measured] = field(default_factory=dict)
    irsa_per_tenant: float | None = None
    cold: bool = False
    load: float = field(default_factory=lambda: os.getloadavg()[0])

    @property
    def bars(self) -> tuple[Bar, ...]:
        """The limits, with what was measured."""
        return bars(self.apps, self.scale, self.irsa_per_tenant, self.notebooks)

    def as_json(self) -> dict[str, object]:
        """Return all figures as plain values."""
        grown = growth(self.scale)
        return {
            "measured": datetime.now(UTC).isoformat(timespec="seconds"),
            "machine": machine(),
            "load_before": self.load,
            "cold": self.cold,
            "apps": {
                name: {"versions": self.versions[VARIANTS[name].environment], **_plain(measured)}
                for name, measured in self.apps.items()
            },
            "ratios": {
                name: {"median": found.middle, "pairs": found.pairs, "cpu_median": cpu.middle}
                for name, (found, cpu) in _ratios(self.apps).items()
            },
            "scale": {
                "sizes": {str(size): _plain(found) for size, found in self.scale.items()},
                "growth": asdict(grown) if grown else None,
                "irsa_resources_per_tenant": self.irsa_per_tenant,
            },
            "notebooks": {str(users): _plain(found) for users, found in self.notebooks.items()},
            "bars": [{**asdict(bar), "verdict": bar.verdict} for bar in self.bars],
        }


def machine() -> dict[str, object]:
    """Describe where this runs, as far as it moves the figures."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    version = subprocess.run((str(node()), "--version"), capture_output=True, text=True, check=True)
    return {
        "processor": _processor(),
        "cores": os.cpu_count(),
        "memory_gib": round(memory / 2**30, 1),
        "system": platform.platform(),
        "python": platform.python_version(),
        "node": version.stdout.strip(),
    }


def show(results: Results, console: Console) -> None:
    """Print the tables."""
    about = machine()
    console.print(
        f"{about['processor']}, {about['cores']} cores, {about['memory_gib']} GiB, "
        f"Python {about['python']}, Node {about['node']}, {datetime.now(UTC):%Y-%m-%d}, "
        f"load before {results.load:.2f}, caches {'off' if results.cold else 'warm'}"
    )
    if results.load > BUSY:
        console.print("[yellow]other work was running: measure again on an idle machine[/]")
    if results.apps:
        console.print(_times_table(results.apps))
        console.print(_counts_table(results.apps))
    if found := _ratios(results.apps):
        console.print(_ratio_table(found))
    if results.scale:
        console.print(_scale_table(results.scale, "tenants"))
        if grown := growth(results.scale):
            console.print(_slope(grown))
    if results.notebooks:
        console.print(_scale_table(results.notebooks, "users of notebooks"))
    console.print(_bars_table(results.bars))


def _plain(measured: Measured) -> dict[str, object]:
    return {
        "runs": [asdict(run) for run in measured.runs],
        "median": {figure: measured.middle(figure) for figure in FIGURES},
        "assembly": asdict(measured.counted),
    }


def _ratios(apps: Mapping[str, Measured]) -> dict[str, tuple[Ratio, Ratio]]:
    """Return wall and processor time ratios of the pairs that were run."""
    return {
        f"{ours} / {other}": (
            ratio(apps[ours], apps[other]),
            ratio(apps[ours], apps[other], figure="cpu_s"),
        )
        for ours, other in PAIRS
        if ours in apps and other in apps
    }


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def _times_table(apps: Mapping[str, Measured]) -> Table:
    rounds = max(len(measured.runs) for measured in apps.values())
    table = Table("", title=f"Synthesis of one platform, medians of {rounds} rounds")
    for title in FIGURES.values():
        table.add_column(title, justify="right")
    for name, measured in apps.items():
        table.add_row(name, *(f"{measured.middle(figure):,.2f}" for figure in FIGURES))
    return table


def _counts_table(apps: Mapping[str, Measured]) -> Table:
    # What a CDK switch changes is time, not what comes out.
    shown = {name: its.counted for name, its in apps.items() if not VARIANTS[name].switches}
    table = Table("", title="What comes out")
    for name in shown:
        table.add_column(name, justify="right")
    found = list(shown.values())
    table.add_row("resources", *(str(its.resources) for its in found))
    table.add_row("Lambda functions", *(str(its.lambda_functions) for its in found))
    table.add_row("IAM roles", *(str(its.iam_roles) for its in found))
    table.add_row("Kubernetes custom resources", *(str(its.kubernetes_count) for its in found))
    for kind in sorted({kind for its in found for kind in its.kubernetes_resources}):
        numbers = (str(its.kubernetes_resources.get(kind, 0)) for its in found)
        table.add_row(f"  {kind.rpartition('-')[2]}", *numbers)
    table.add_row("custom resources, all", *(str(its.custom_count) for its in found))
    table.add_row("stacks, nested too", *(str(its.stacks) for its in found))
    table.add_row("template KB", *(f"{its.template_bytes / 1000:,.0f}" for its in found))
    table.add_row("assets", *(str(its.assets) for its in found))
    table.add_row("asset MB", *(f"{its.asset_bytes / 1e6:,.1f}" for its in found))
    return table


def _ratio_table(ratios: Mapping[str, tuple[Ratio, Ratio]]) -> Table:
    table = Table("", title="Ratios, round by round")
    for title in ("wall, median", "least", "most", "user + system, median"):
        table.add_column(title, justify="right")
    for name, (wall, cpu) in ratios.items():
        figures = (wall.middle, min(wall.pairs), max(wall.pairs), cpu.middle)
        table.add_row(name, *(f"{figure:.2f}" for figure in figures))
    return table


def _scale_table(scale: Mapping[int, Measured], counted: str) -> Table:
    columns = (counted, "wall s", "CPU s", "MiB", "resources", "stacks", "largest", "KB")
    caption = "largest: resources of the biggest stack; KB: of the biggest template"
    table = Table(title=f"Ours, by number of {counted}", caption=caption)
    for title in columns:
        table.add_column(title, justify="right")
    for size, measured in sorted(scale.items()):
        found = measured.counted
        table.add_row(
            f"{size:,}",
            *(f"{measured.middle(figure):,.2f}" for figure in FIGURES),
            f"{found.resources:,}",
            str(found.stacks),
            str(found.largest_stack_resources),
            f"{found.largest_template_bytes / 1000:,.0f}",
        )
    return table


def _slope(grown: Growth) -> str:
    steps = ", ".join(f"{1000 * step:.1f}" for step in grown.step_cpu)
    return (
        f"wall: {grown.wall_fixed:.2f} s + {1000 * grown.wall_per_tenant:.1f} ms a tenant; "
        f"CPU from size to size: {steps} ms a tenant"
    )


def _bars_table(found: Sequence[Bar]) -> Table:
    table = Table("bar", title="Bars")
    table.add_column("limit", justify="right")
    table.add_column("figure", justify="right")
    table.add_column("")
    colours = {"held": "green", "not held": "bold red", "not measured": "yellow"}
    for bar in found:
        figure = "-" if bar.figure is None else f"{bar.figure:,.2f}".removesuffix(".00")
        verdict = f"[{colours[bar.verdict]}]{bar.verdict}[/]"
        table.add_row(bar.name, f"{bar.limit:g}", figure, verdict)
    return table
