"""``python -m benchmarks.synth``: measure, print, write JSON. See benchmarks/README.md."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Final

from rich.console import Console

from benchmarks.synth.environments import environments, versions
from benchmarks.synth.report import Results, show
from benchmarks.synth.run import VARIANTS, Bench

BENCHMARKS: Final = Path(__file__).parents[1]
# Two sizes whose difference is ten tenants.
IRSA_SIZES: Final = (1, 11)


def main() -> int:
    """Run what the command line asks for."""
    options = _parser().parse_args()
    if sys.platform != "linux":
        print("needs Linux: memory of a process tree is read from /proc", file=sys.stderr)
        return 2
    progress = Console(stderr=True)
    results = Results(cold=options.cold)
    bench = Bench(cache=options.cache.resolve(), say=progress.print, cold=options.cold)
    known = environments()
    built = {
        name: bench.prepare(known[name])
        for name in dict.fromkeys(VARIANTS[variant].environment for variant in options.apps)
    }
    results.versions = {name: versions(python) for name, python in built.items()}
    if options.rounds > 0:
        pythons = {name: built[VARIANTS[name].environment] for name in options.apps}
        results.apps = bench.turns(pythons, rounds=options.rounds)
    if "ours" in built and options.scale_rounds > 0:
        ours = built["ours"]
        results.scale = bench.scale(ours, options.tenants, rounds=options.scale_rounds)
        results.notebooks = bench.scale(
            ours, options.users, rounds=options.scale_rounds, app="notebooks"
        )
        few, more = (bench.resources(ours, size, "irsa") for size in IRSA_SIZES)
        results.irsa_per_tenant = (more - few) / (IRSA_SIZES[1] - IRSA_SIZES[0])
    show(results, Console())
    target = options.json or bench.cache / "results.json"
    target.write_text(json.dumps(results.as_json(), indent=2) + "\n")
    progress.print(f"figures: {target}")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.synth",
        description="Synth time and size of our platform, of ARA's and of a bare CDK app.",
    )
    parser.add_argument(
        "--rounds", type=int, default=5, help="rounds after one warm-up, 0 for none (default 5)"
    )
    parser.add_argument(
        "--apps", nargs="+", choices=VARIANTS, default=list(VARIANTS), help="default all"
    )
    parser.add_argument(
        "--cold", action="store_true", help="no bytecode and no jsii package cache, as in fresh CI"
    )
    parser.add_argument(
        "--tenants",
        nargs="+",
        type=int,
        default=[1, 10, 100, 1000],
        help="numbers of tenants for ours (default 1 10 100 1000)",
    )
    parser.add_argument(
        "--users",
        nargs="*",
        type=int,
        default=[1, 100],
        help="numbers of users of notebooks for ours (default 1 100)",
    )
    parser.add_argument(
        "--scale-rounds", type=int, default=3, help="rounds of these, 0 for none (default 3)"
    )
    parser.add_argument(
        "--cache",
        type=Path,
        default=BENCHMARKS / ".cache",
        help="where environments and outputs are kept (default benchmarks/.cache)",
    )
    parser.add_argument("--json", type=Path, help="where to write (default CACHE/results.json)")
    return parser


if __name__ == "__main__":
    sys.exit(main())
