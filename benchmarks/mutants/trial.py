"""Unit tests against one mutant, in a process forked for it.

The parent imports pytest and every package of others once; a child starts in milliseconds, imports
the library with the mutant in it, and runs the tests that depend on the mutated module, nearest
first, until one fails. Nothing is written to the repository.
"""

from __future__ import annotations

import ast
import importlib
import os
import pickle
import signal
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from importlib.util import spec_from_loader
from pathlib import Path
from types import ModuleType
from typing import Final

import pytest

from cdk_emr_eks.lazy_exports import exported
from tests import architecture

ROOT: Final = Path(__file__).parent.parent.parent
LIBRARY: Final = "cdk_emr_eks"

# A mutant that makes a loop endless is noticed: `make test` would not end.
_SECONDS: Final = 120
# Exit codes of pytest, of which others mean that it could not run.
_PASSED: Final = 0
_NOTICED: Final = frozenset({1, 2})


class TrialError(RuntimeError):
    """Tests could not be run, or fail without any change."""


class MutatedModule(MetaPathFinder, Loader):
    """Imports one module from a syntax tree instead of from its file."""

    def __init__(self, name: str, path: Path, tree: ast.Module) -> None:
        self._name = name
        self._path = path
        self._tree = tree

    def find_spec(self, fullname: str, *_: object) -> ModuleSpec | None:
        """Return the spec of the mutated module; leave all others to the next finder."""
        if fullname != self._name:
            return None
        return spec_from_loader(fullname, self, origin=str(self._path))

    def exec_module(self, module: ModuleType) -> None:
        """Run the tree as the module."""
        module.__file__ = str(self._path)
        code = compile(self._tree, str(self._path), "exec", dont_inherit=True)
        exec(code, module.__dict__)


def dependent_tests(tests: Sequence[Path]) -> dict[str, list[Path]]:
    """Return for each module of the library the tests that depend on it, nearest first.

    Args:
        tests: Test files to choose from.
    """
    library = architecture.modules(ROOT / "constructs" / LIBRARY, LIBRARY)
    others = architecture.modules(ROOT / "tests", "tests")
    imports = architecture.edges((*library, *others))
    # A public name is imported from the module that defines it when it is first used.
    public = exported(str(ROOT / "constructs" / LIBRARY / "__init__.py"))
    for module in others:
        names = {name.removeprefix(f"{LIBRARY}.") for name in module.imports}
        imports[module.name] |= {public[name] for name in names & public.keys()}
    by_path = {module.path: module for module in others}
    found: dict[str, list[tuple[int, Path]]] = {module.name: [] for module in library}
    for test in tests:
        distances = _distances(by_path[test].name, imports)
        # A test that imports modules by their names can depend on each of them.
        elsewhere = len(library) if "import_module" in by_path[test].text else None
        for name, dependent in found.items():
            distance = distances.get(name, elsewhere)
            if distance is not None:
                dependent.append((distance, test))
    return {name: [path for _, path in sorted(near)] for name, near in found.items()}


def noticed(name: str, path: Path, tree: ast.Module, tests: Sequence[Path]) -> bool:
    """Return whether a test fails with a changed module. For use in a child process only.

    Args:
        name: Dotted name of the module.
        path: Its file.
        tree: Its code, changed.
        tests: Test files to run, in this order.

    Raises:
        TrialError: If pytest cannot run.
    """
    sys.meta_path.insert(0, MutatedModule(name, path, tree))
    code = _run(tests)
    if code not in _NOTICED | {_PASSED}:
        raise TrialError(f"pytest ended with {code} for a change of {path}")
    return code in _NOTICED


def warm_up(tests: Sequence[Path]) -> None:
    """Run the tests unchanged in a child, then import here what they import of others.

    Raises:
        TrialError: If a test fails, or none runs.
    """

    def unchanged() -> list[str]:
        if code := _run(tests):
            raise TrialError(f"pytest ended with {code} without any change: run `make unit`")
        return sorted(sys.modules)

    (result,) = in_children([unchanged], workers=1)
    loaded = result if isinstance(result, list) else []
    ours = (LIBRARY, "tests", "benchmarks", "conftest", "__main__", "test_")
    for module in loaded:
        if not module.startswith(ours):
            try:
                importlib.import_module(module)
            except ImportError:
                continue  # made at run time, or only importable as part of another


def in_children(tasks: Sequence[object], workers: int) -> Iterator[object]:
    """Run callables in forked processes, some at a time; yield their results in order.

    A task that takes longer than two minutes gives ``True``: the change made a loop endless. One
    that ends its process gives ``True`` too. What a task raises is raised here.
    """
    running: dict[int, tuple[int, Path]] = {}
    results: dict[int, object] = {}
    shown = 0
    waiting = list(enumerate(tasks))
    with tempfile.TemporaryDirectory() as folder:
        while waiting or running:
            while waiting and len(running) < workers:
                number, task = waiting.pop(0)
                answer = Path(folder) / str(number)
                running[_fork(task, answer)] = (number, answer)
            process, _ = os.wait()
            number, answer = running.pop(process)
            results[number] = _read(answer)
            while shown in results:
                yield results.pop(shown)
                shown += 1


def _fork(task: object, answer: Path) -> int:
    process = os.fork()
    if process:
        return process
    signal.alarm(_SECONDS)
    sink = os.open(answer.with_suffix(".log"), os.O_WRONLY | os.O_CREAT)
    os.dup2(sink, 1)
    os.dup2(sink, 2)
    result: object
    try:
        assert callable(task)
        result = task()
    except BaseException as error:  # noqa: BLE001 (the parent raises it)
        result = error
    answer.write_bytes(pickle.dumps(result))
    os._exit(0)


def _read(answer: Path) -> object:
    if not answer.exists():
        return True
    result = pickle.loads(answer.read_bytes())
    if isinstance(result, BaseException):
        result.add_note(answer.with_suffix(".log").read_text()[-4_000:])
        raise result
    return result


def _run(tests: Sequence[Path]) -> int:
    with tempfile.TemporaryDirectory() as folder:
        options = ["-x", "-q", "--without-node", "-p", "no:cacheprovider"]
        # Plugins are imported already, in the parent.
        options += ["-W", "ignore::pytest.PytestAssertRewriteWarning"]
        options += ["--basetemp", f"{folder}/tests", "--rootdir", str(ROOT)]
        return int(pytest.main([*options, *map(str, tests)]))


def _distances(start: str, imports: Mapping[str, set[str]]) -> dict[str, int]:
    """Return how many imports each module is away from the first one."""
    found = {start: 0}
    queue = [start]
    for name in queue:
        for target in sorted(imports.get(name, ())):
            if target not in found:
                found[target] = found[name] + 1
                queue.append(target)
    return found
