"""Build programs from Go modules, group by group; modules of a group share their packages.

The folders of ``go/`` have go.mod and go.sum of each group, and a main package if the module has no
suitable one. Files of the modules are copied next to the programs, so this package contains none of
them.
"""

from __future__ import annotations

import hashlib
import platform
import shutil
import subprocess
import sys
import tempfile
from collections import deque
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

from cdk_emr_eks import versions
from cdk_emr_eks.simulation.errors import SimulationUnavailable
from cdk_emr_eks.simulation.programs.toolchain import Toolchain, Version, parse_version

if TYPE_CHECKING:
    from rich.progress import Progress


_SOURCES: Final = Path(__file__).parent / "go"
_STRIPPED: Final = ("-s", "-w")
_KUBE_MAJOR, _KUBE_MINOR, _ = versions.SIMULATED_KUBERNETES.removeprefix("v").split(".")


@dataclass(frozen=True, kw_only=True, slots=True)
class Group:
    """Programs that are built together.

    Args:
        name: Folder in ``go/``.
        module: Main module of the group, whose files are copied.
        version: Version of that module.
        programs: Package to build, by name of the program.
        stamps: Variables that the linker sets. Without them, Kubernetes reports v0.0.0.
        files: Destination of a file or folder of the module, by its path in the module.
    """

    name: str
    module: str
    version: str
    programs: Mapping[str, str]
    stamps: Mapping[str, str] = field(default_factory=dict)
    files: Mapping[str, str] = field(default_factory=dict)

    @property
    def source(self) -> Path:
        """Folder with go.mod."""
        return _SOURCES / self.name

    @property
    def flags(self) -> tuple[str, ...]:
        """Flags of ``go build``."""
        stamps = (f"-X={name}={value}" for name, value in self.stamps.items())
        return ("-trimpath", f"-ldflags={' '.join((*_STRIPPED, *stamps))}")

    @property
    def key(self) -> str:
        """Name of the folder in the cache, which depends on the content of the sources."""
        digest = hashlib.sha256(repr((self.programs, self.flags, self.files)).encode())
        for path in sorted(each for each in self.source.rglob("*") if each.is_file()):
            name = path.relative_to(self.source).as_posix()
            digest.update(name.encode() + b"\0" + path.read_bytes())
        machine = f"{sys.platform}-{platform.machine().lower()}"
        return f"{self.name}-{self.version}-{machine}-{digest.hexdigest()[:12]}"

    @property
    def go(self) -> Version:
        """Oldest Go version for the group, from go.mod."""
        for line in (self.source / "go.mod").read_text(encoding="utf-8").splitlines():
            if line.startswith("go ") and (version := parse_version(line[3:])):
                return version
        raise ValueError(f"{self.source / 'go.mod'} names no Go version")


# All groups; small ones first.
GROUPS: Final = (
    Group(
        name="etcd",
        module="go.etcd.io/etcd/server/v3",
        version=versions.SIMULATED_ETCD,
        programs={"etcd": "."},
    ),
    Group(
        name="kubernetes",
        module="k8s.io/kubernetes",
        version=versions.SIMULATED_KUBERNETES,
        programs={
            name: f"k8s.io/kubernetes/cmd/{name}"
            for name in ("kube-apiserver", "kube-controller-manager", "kube-scheduler")
        },
        stamps={
            f"k8s.io/component-base/version.{name}": value
            for name, value in (
                ("gitVersion", versions.SIMULATED_KUBERNETES),
                ("gitMajor", _KUBE_MAJOR),
                ("gitMinor", _KUBE_MINOR),
            )
        },
    ),
    Group(
        name="kwok",
        module="sigs.k8s.io/kwok",
        version=versions.SIMULATED_KWOK,
        programs={"kwok": "sigs.k8s.io/kwok/cmd/kwok"},
        files={
            "kustomize/stage/node/fast": "stages/node",
            "kustomize/stage/node/heartbeat-with-lease": "stages/heartbeat",
            "kustomize/stage/pod/fast": "stages/pod",
        },
    ),
    Group(
        name="karpenter",
        module="github.com/aws/karpenter-provider-aws",
        version=f"v{versions.KARPENTER}",
        programs={"karpenter": "."},
        stamps={"sigs.k8s.io/karpenter/pkg/operator.Version": versions.KARPENTER},
        files={
            "charts/karpenter": "charts/karpenter",
            "charts/karpenter-crd": "charts/karpenter-crd",
            "pkg/providers/pricing/zz_generated.pricing_aws.go": "prices.go",
        },
    ),
    Group(
        name="helm",
        module="helm.sh/helm/v4",
        version=versions.HELM,
        programs={"helm": "helm.sh/helm/v4/cmd/helm"},
        stamps={"helm.sh/helm/v4/internal/version.version": versions.HELM},
    ),
)


_LINES_OF_ERROR: Final = 12


class BuildFailedError(RuntimeError):
    """Go has all modules and cannot build: a defect of this package or of a module."""


def build(
    group: Group,
    folder: Path,
    names: tuple[str, ...],
    toolchain: Toolchain,
    progress: Progress | None,
) -> None:
    """Build programs and copy files of a group into a folder; each appears when it is complete.

    Raises:
        SimulationUnavailable: If Go cannot download modules, with the end of its output.
        BuildFailedError: If Go has the modules and fails.
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
    """Copy contents without modes: files of Go's module cache are read-only."""
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
                f"{self._toolchain.go} cannot download modules of {self._group.name} "
                f"{self._group.version} from its proxy (GOPROXY):\n{said}"
            )
        return done.stdout

    def build(self, packages: list[str], target: Path, progress: Progress | None) -> None:
        """Build packages into a folder; the progress bar counts their packages."""
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
