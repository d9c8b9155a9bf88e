"""Build the missing programs of the simulation: for the step of a CI that fills a cache.

Run ``python -m cdk_emr_eks.simulation.programs.prepare``.
"""

from __future__ import annotations

import sys

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from cdk_emr_eks.simulation.errors import SimulationUnavailable
from cdk_emr_eks.simulation.programs.binaries import binaries, default_cache
from cdk_emr_eks.simulation.programs.go_build import BuildFailedError

__all__ = ["main"]


def main() -> int:
    """Return 0, or print the reason to standard error and return 1 if the build fails."""
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    try:
        with Progress(*columns, TimeElapsedColumn(), console=console) as progress:
            binaries(progress)
    except (SimulationUnavailable, BuildFailedError) as error:
        console.print(str(error), markup=False, highlight=False)
        return 1
    console.print(f"The simulation's programs are in {default_cache()}", highlight=False)
    return 0


if __name__ == "__main__":
    sys.exit(main())
