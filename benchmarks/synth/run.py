"""Run the apps in turn, and our own at growing numbers of tenants."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Final

from benchmarks.synth.assembly import Assembly, read_assembly
from benchmarks.synth.environments import Environment, node
from benchmarks.synth.measure import Run, measure

APPS: Final = Path(__file__).parent / "apps"
ACCOUNT: Final = "111122223333"
REGION: Final = "eu-west-1"

Say = Callable[[str], None]


@dataclass(frozen=True, kw_only=True, slots=True)
class Variant:
    """One column of the table: an app, where it runs, and a switch of the CDK that it runs with.

    Args:
        environment: Name of its environment.
        app: Name of its file.
        switches: Environment variables that only it has.
    """

    environment: str
    app: str
    switches: Mapping[str, str] = field(default_factory=dict)


UNVALIDATED: Final = {"CDK_VALIDATION": "false"}
VARIANTS: Final = {
    "ours": Variant(environment="ours", app="ours"),
    "ara": Variant(environment="ara", app="ara"),
    "bare": Variant(environment="bare", app="bare"),
    # ARA's CDK is older than the CDK's template validation: so the same without it.
    "ours-unvalidated": Variant(environment="ours", app="ours", switches=UNVALIDATED),
    "bare-unvalidated": Variant(environment="bare", app="bare", switches=UNVALIDATED),
}
COLD: Final = {"JSII_RUNTIME_PACKAGE_CACHE": "disabled", "PYTHONDONTWRITEBYTECODE": "1"}


@dataclass(kw_only=True, slots=True)
class Measured:
    """The runs of one app, and what its last run wrote."""

    runs: list[Run] = field(default_factory=list)
    assembly: Assembly | None = None

    @property
    def counted(self) -> Assembly:
        """What the last run wrote."""
        if self.assembly is None:
            raise RuntimeError("not run yet")
        return self.assembly

    def middle(self, figure: str) -> float:
        """Return the median of a field of the runs."""
        return median(float(getattr(run, figure)) for run in self.runs)


@dataclass(frozen=True, kw_only=True, slots=True)
class Bench:
    """Where and how apps are run: the same way for each.

    Args:
        cache: Folder for environments, jsii's package cache and outputs.
        say: Called with each step.
        cold: Whether each run creates Python's bytecode and jsii's unpacked packages again, as on a
            CI machine that keeps nothing.
    """

    cache: Path
    say: Say
    cold: bool = False

    def prepare(self, environment: Environment) -> Path:
        """Build an environment, and return its Python."""
        self.say(f"environment: {environment.name}")
        return environment.build(self.cache / "environments")

    def turns(self, pythons: dict[str, Path], *, rounds: int) -> dict[str, Measured]:
        """Run variants in turn, once to warm up and then ``rounds`` times."""
        found = {name: Measured() for name in pythons}
        for turn in range(rounds + 1):
            for name, python in pythons.items():
                variant = VARIANTS[name]
                run = self._run(python, variant.app, found[name], switches=variant.switches)
                if turn > 0:
                    found[name].runs.append(run)
                label = f"round {turn} of {rounds}" if turn else "warm-up"
                self.say(f"{label}: {name} {run.wall_s:.2f} s")
        return found

    def scale(
        self, python: Path, sizes: Sequence[int], *, rounds: int, app: str = "tenants"
    ) -> dict[int, Measured]:
        """Run our app of tenants, or of notebooks, at each size in turn, ``rounds`` times."""
        found = {size: Measured() for size in sizes}
        for turn in range(rounds):
            for size in sizes:
                run = self._run(python, app, found[size], str(size))
                found[size].runs.append(run)
                self.say(f"scale {turn + 1} of {rounds}: {size} {app} {run.wall_s:.2f} s")
        return found

    def resources(self, python: Path, tenants: int, identity: str) -> int:
        """Return the resources of our tenants app with another way to give jobs their role."""
        counted = Measured()
        self._run(python, "tenants", counted, str(tenants), identity)
        return counted.counted.resources

    def _run(
        self,
        python: Path,
        app: str,
        into: Measured,
        *arguments: str,
        switches: Mapping[str, str] | None = None,
    ) -> Run:
        work = self.cache / "work"
        shutil.rmtree(work, ignore_errors=True)
        out = work / "cdk.out"
        work.mkdir(parents=True)
        # What the run before has written must not go to the disk while this one is timed.
        os.sync()
        command = (str(python), str(APPS / f"{app}.py"), str(out), *arguments)
        run = measure(command, env={**self._env(work), **(switches or {})}, cwd=work)
        into.assembly = read_assembly(out)
        return run

    def _env(self, work: Path) -> dict[str, str]:
        """Return the same few variables for every app; no switch of the CDK is among them."""
        zones = [f"{REGION}{letter}" for letter in "abc"]
        context = {f"availability-zones:account={ACCOUNT}:region={REGION}": zones}
        return {
            "PATH": f"{node().parent}:/usr/bin:/bin",
            "HOME": str(self.cache),
            "LANG": "C.UTF-8",
            "JSII_NODE": str(node()),
            "JSII_RUNTIME_PACKAGE_CACHE_ROOT": str(self.cache / "jsii"),
            "CDK_CONTEXT_JSON": json.dumps(context),
            # An empty folder in place of the bytecode next to the sources.
            **({**COLD, "PYTHONPYCACHEPREFIX": str(work / "bytecode")} if self.cold else {}),
        }
