"""Builds a group of programs and takes files of its module along."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections import deque
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Final

from cdk_emr_eks.simulation.programs.go_groups import Group
from cdk_emr_eks.simulation.programs.toolchain import Toolchain
from cdk_emr_eks.simulation.unavailable import SimulationUnavailable

if TYPE_CHECKING:
    from rich.progress import Progress

__all__ = ["BuildFailedError", "build"]

_LINES_OF_ERROR: Final = 12


class BuildFailedError(RuntimeError):
    """Go has all it needs and cannot build: a defect of this package or of a module."""


def build(
    group: Group,
    folder: Path,
    names: tuple[str, ...],
    toolchain: Toolchain,
    progress: Progress | None,
) -> None:
    """Make programs and files of a group in a folder; each appears there when it is whole.

    Raises:
        SimulationUnavailable: If Go cannot get its modules, with the end of what it said.
        BuildFailedError: If it has them and fails.
    """
    folder.mkdir(parents=True, exist_ok=True)
    go = _Go(group, toolchain)
    programs = [name for name in names if name in group.programs]
    with tempfile.TemporaryDirectory(dir=folder, prefix=".building-") as scratch:
        if programs:
            packages = [group.programs[name] for name in programs]
            go.build(packages, Path(scratch), progress)
            for name, package in zip(programs, packages, strict=True):
                built = Path(scratch) / (group.name if package == "." else name)
                built.replace(folder / name)
        if files := {there: name for there, name in group.files.items() if name in names}:
            module = Path(go.run("list", "-m", "-f={{.Dir}}", group.module).strip())
            for there, name in files.items():
                _copy(module / there, Path(scratch) / "copy")
                (folder / name).parent.mkdir(exist_ok=True)
                (Path(scratch) / "copy").replace(folder / name)


def _copy(source: Path, target: Path) -> None:
    """Copy contents only: files of the module cache are read-only, and a cache is to be removed."""
    if source.is_dir():
        target.mkdir()
        for path in source.iterdir():
            _copy(path, target / path.name)
    else:
        shutil.copyfile(source, target)


class _Go:
    """The ``go`` command in the folder of a group."""

    def __init__(self, group: Group, toolchain: Toolchain) -> None:
        self._group = group
        self._toolchain = toolchain

    def run(self, *arguments: str) -> str:
        done = subprocess.run(
            [self._toolchain.go, *arguments],
            cwd=self._group.source,
            env=self._toolchain.environment(),
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            said = "\n".join(done.stderr.splitlines()[-_LINES_OF_ERROR:])
            raise SimulationUnavailable(
                f"{self._toolchain.go} lacks modules of {self._group.name} {self._group.version}: "
                f"what is not in the module cache comes from a Go proxy (GOPROXY):\n{said}"
            )
        return done.stdout

    def build(self, packages: list[str], target: Path, progress: Progress | None) -> None:
        """Build packages into a folder; the bar counts the packages that they are made of."""
        with ExitStack() as stack:
            task = None
            if progress is not None:
                task = progress.add_task(f"{self._group.name}: modules", total=None)
                stack.callback(progress.remove_task, task)
            self.run("mod", "download", self._group.module)
            parts = self.run("list", "-deps", "-f={{.ImportPath}}", *packages).split()
            if progress is not None and task is not None:
                text = f"{self._group.name} {self._group.version}: build"
                progress.update(task, total=len(parts), description=text)
            command = ["build", "-v", *self._group.flags, f"-o={target}/", *packages]
            said: deque[str] = deque(maxlen=_LINES_OF_ERROR)
            with subprocess.Popen(
                [self._toolchain.go, *command],
                cwd=self._group.source,
                env=self._toolchain.environment(),
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                text=True,
            ) as going:
                for line in going.stderr or ():
                    said.append(line.rstrip())
                    if progress is not None and task is not None:
                        progress.advance(task)
            if going.returncode:
                end = "\n".join(said)
                what = f"{self._group.name} {self._group.version}"
                raise BuildFailedError(f"{what}: go ended with {going.returncode}:\n{end}")
