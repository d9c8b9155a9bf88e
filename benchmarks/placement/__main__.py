"""``python -m benchmarks.placement``: play, print a table, write JSON. See benchmarks/README.md."""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Final

from rich.console import Console

from benchmarks.placement.variants import VARIANTS, Variant
from cdk_emr_eks.assembly import open_assembly
from cdk_emr_eks.simulation.jobs.record import JobOutcome
from cdk_emr_eks.simulation.report.findings import Level, findings
from cdk_emr_eks.simulation.report.results import Results, quantile
from cdk_emr_eks.simulation.run import ProgressHooks, simulate
from cdk_emr_eks.simulation.scenario import Scenario, read_scenario
from cdk_emr_eks.simulation.scenario_run import SimulationEnvironment
from cdk_emr_eks.synth import AppSettings, synthesize

HERE: Final = Path(__file__).parent
CACHE: Final = HERE.parent / ".cache"
_PER_ZONE: Final = "PLACEMENT_PER_ZONE"


def main() -> int:
    """Run what the command line asks for."""
    options = _parser().parse_args()
    progress = Console(stderr=True)
    scenario = read_scenario(str(options.scenario))
    cache: Path = options.cache.resolve()
    cache.mkdir(parents=True, exist_ok=True)
    target = cache / "placement.json"
    # What was measured earlier stays, so that one variant can be measured again.
    known = json.loads(target.read_text()) if target.exists() else {}
    for name in options.variants:
        progress.print(f"{name}: {VARIANTS[name].what}")
        known[name] = _measure(name, scenario, cache, progress)
        target.write_text(json.dumps(known, indent=1) + "\n")
    print(table({name: known[name] for name in VARIANTS if name in known}))
    progress.print(f"figures: {target}")
    return 0


def _measure(name: str, scenario: Scenario, cache: Path, progress: Console) -> dict[str, str]:
    variant = VARIANTS[name]
    hooks = ProgressHooks(phase=lambda phase: progress.print(f"  {phase}"))
    results = simulate(
        open_assembly(_assembly(variant, cache)),
        scenario,
        hooks=hooks,
        directory=_logs(name, cache),
        destroy=False,
        arrange=partial(_arrange, variant, scenario.speed),
    )
    for finding in findings(results):
        if finding.level is Level.BAD:
            progress.print(f"  {finding.text}")
    return figures(results)


def _arrange(
    variant: Variant, speed: float, environment: SimulationEnvironment
) -> SimulationEnvironment:
    return variant.change(environment, speed)


def _logs(name: str, cache: Path) -> Path:
    """Return an empty folder for what the processes of a variant write."""
    folder = cache / f"placement-{name}"
    shutil.rmtree(folder, ignore_errors=True)
    return folder


def _assembly(variant: Variant, cache: Path) -> Path:
    os.environ[_PER_ZONE] = "yes" if variant.per_zone else "no"
    output = cache / f"assembly-{os.environ[_PER_ZONE]}"
    settings = AppSettings.read(HERE.parents[1])
    command = f"{sys.executable} -m benchmarks.placement.app"
    return synthesize(replace(settings, command=command, output=output), HERE.parents[1])


def figures(results: Results) -> dict[str, str]:
    """Return what the table shows of a variant, in its order."""
    done = sum(job.outcome is JobOutcome.SUCCEEDED for job in results.jobs)
    placed = [job for job in results.jobs if job.zones]
    across = sum(len(job.zones) > 1 for job in placed)
    fullest = max(results.driver_zones.values(), default=0) / max(1, len(placed))
    lost = [each for job in results.jobs for each in job.lost_drivers]
    chosen = Counter(each.by_choice for each in lost if each.by_choice)
    starts = [job.start_seconds for job in results.jobs if job.start_seconds is not None]
    packing = ", ".join(f"{name} {each.mean:.0%}" for name, each in results.packing.items())
    return {
        "jobs that succeeded": f"{done} of {len(results.jobs)}",
        "jobs over several zones": str(across),
        "share of the fullest zone": f"{fullest:.0%}",
        "drivers on spot": str(sum(job.driver_on_spot for job in results.jobs)),
        "drivers that Karpenter disrupted": str(sum(chosen.values())),
        "executors lost while needed": str(sum(job.lost_executors for job in results.jobs)),
        "packing over time": packing,
        "nodes in all": str(results.nodes),
        "cost, USD": f"{results.cost:.2f}",
        "median start, s": f"{quantile(starts, 0.5):.0f}" if starts else "",
    }


def table(measured: Mapping[str, Mapping[str, str]]) -> str:
    """Return figures of variants as a Markdown table, a variant in each row."""
    columns = list(dict.fromkeys(key for each in measured.values() for key in each))
    lines = [["", *columns], ["---"] * (len(columns) + 1)]
    lines += [
        [VARIANTS[name].what, *(each.get(column, "") for column in columns)]
        for name, each in measured.items()
    ]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.placement",
        description="Where jobs land: pools, consolidation and scheduling side by side.",
    )
    parser.add_argument(
        "--variants", nargs="+", choices=tuple(VARIANTS), default=tuple(VARIANTS), metavar="NAME"
    )
    parser.add_argument(
        "--scenario", type=Path, default=HERE / "scenario.yaml", help="another scenario"
    )
    parser.add_argument("--cache", type=Path, default=CACHE, help="folder of figures")
    return parser


if __name__ == "__main__":
    sys.exit(main())
