"""Share of one-token changes of the values' code that unit tests notice.

A change that no test could notice is listed with its reason in ``equivalents.toml``.
"""

from __future__ import annotations

import sys
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

import click

from benchmarks.mutants.mutations import Mutant, mutants, mutated, sample
from benchmarks.mutants.trial import LIBRARY, ROOT, dependent_tests, in_children, noticed, warm_up

HERE: Final = Path(__file__).parent
VALUES: Final = (
    "model",
    "checks.py",
    "errors.py",
    "field_types.py",
    "names.py",
    "releases.py",
    "units.py",
    "values.py",
)
# The golden tests of values; the others need Node.
NOT_UNIT: Final = frozenset({"test_images.py", "test_livy.py", "test_templates.py"})


@dataclass(frozen=True)
class Equivalent:
    """A change that leaves the behaviour as it is.

    Attributes:
        path: The file, relative to the root of the repository.
        code: The line, without its indentation.
        change: The change, as it is printed.
        reason: Why no test can notice it.
    """

    path: str
    code: str
    change: str
    reason: str

    def covers(self, mutant: Mutant) -> bool:
        """Return whether this is the change of a mutant."""
        change = f"{mutant.before} -> {mutant.after}"
        return (self.path, self.code, self.change) == (mutant.path.as_posix(), mutant.code, change)


def read_equivalents() -> tuple[Equivalent, ...]:
    """Read the list of changes that no test can notice."""
    listed = tomllib.loads((HERE / "equivalents.toml").read_text(encoding="utf-8"))
    return tuple(Equivalent(**each) for each in listed.get("equivalent", []))


def values() -> list[Path]:
    """Return the files of the values' code, relative to the root of the repository."""
    library = ROOT / "constructs" / LIBRARY
    files = [found for name in VALUES for found in (library / name).rglob("*.py")]
    files += [library / name for name in VALUES if (library / name).is_file()]
    return sorted(path.relative_to(ROOT) for path in set(files))


def unit_tests() -> list[Path]:
    """Return the test files of ``make unit``."""
    golden = (ROOT / "tests" / "golden").glob("test_*.py")
    units = (ROOT / "tests" / "unit").rglob("test_*.py")
    return sorted([*units, *(path for path in golden if path.name not in NOT_UNIT)])


@click.command()
@click.option("--sample", "size", default=100, show_default=True, help="How many changes to try.")
@click.option("--seed", default=1, show_default=True, help="The same seed gives the same changes.")
@click.option("--least", default=90, show_default=True, help="Exit with 1 below this per cent.")
@click.option("--workers", default=2, show_default=True, help="Processes at a time.")
@click.argument("words", nargs=-1)
def main(*, size: int, seed: int, least: int, workers: int, words: tuple[str, ...]) -> None:
    """Change single tokens of the values' code, of files whose path has one of WORDS."""
    files = [path for path in values() if not words or any(word in str(path) for word in words)]
    candidates = [
        mutant
        for path in files
        for mutant in mutants(path, (ROOT / path).read_text(encoding="utf-8"))
    ]
    equivalents = read_equivalents()
    chosen = sample(candidates, size, seed)
    tried = [mutant for mutant in chosen if not any(each.covers(mutant) for each in equivalents)]
    click.echo(f"{len(tried)} of {len(candidates)} changes of {len(files)} files, seed {seed}")
    survivors = _survivors(tried, workers)
    share = 100 * (len(tried) - len(survivors)) / max(len(tried), 1)
    click.echo(
        f"{len(tried) - len(survivors)} of {len(tried)} noticed, {share:.0f} %; "
        f"{len(chosen) - len(tried)} more in the sample are equivalent"
    )
    sys.exit(1 if share < least else 0)


def _survivors(tried: Sequence[Mutant], workers: int) -> list[Mutant]:
    tests = unit_tests()
    warm_up(tests)
    dependent = dependent_tests(tests)
    survivors = []
    tasks = [partial(_try, mutant, dependent[_module(mutant.path)]) for mutant in tried]
    for number, result in enumerate(in_children(tasks, workers)):
        if not result:
            survivors.append(tried[number])
            click.echo(f"not noticed: {tried[number]}\n             {tried[number].code}")
    return survivors


def _try(mutant: Mutant, tests: Sequence[Path]) -> bool:
    path = ROOT / mutant.path
    tree = mutated(path.read_text(encoding="utf-8"), mutant)
    return bool(tests) and noticed(_module(mutant.path), path, tree, tests)


def _module(path: Path) -> str:
    parts = path.with_suffix("").parts[1:]
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


if __name__ == "__main__":
    main()
