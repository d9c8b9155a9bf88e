"""The programs of the simulation, built once from Go modules into the user's cache.

Go downloads the modules and verifies their checksums; nothing else is downloaded. The name of a
folder in the cache has the version and a hash of the sources, so a folder is never out of date.
"""

from __future__ import annotations

import logging
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import platformdirs
from filelock import FileLock

from cdk_emr_eks import versions
from cdk_emr_eks.simulation.errors import SimulationUnavailable
from cdk_emr_eks.simulation.programs.go_build import GROUPS, Group, build
from cdk_emr_eks.simulation.programs.toolchain import find_go

if TYPE_CHECKING:
    from rich.progress import Progress

__all__ = ["ASSETS_VARIABLE", "CACHE_VARIABLE", "Binaries", "binaries", "default_cache"]

# Environment variable with the folder of the cache, for example one that a CI keeps.
CACHE_VARIABLE: Final = "CDK_EMR_EKS_CACHE"

# Environment variable with a folder of built etcd and kube-apiserver.
# Source: https://book.kubebuilder.io/reference/envtest
ASSETS_VARIABLE: Final = "KUBEBUILDER_ASSETS"

_FROM_ASSETS: Final = frozenset({"etcd", "kube-apiserver"})
_LOG: Final = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True, slots=True)
class Binaries:
    """Paths of the programs, and of files from their modules.

    Args:
        etcd: Store of the control plane.
        kube_apiserver: API server.
        kube_controller_manager: Controllers.
        kube_scheduler: Scheduler.
        kwok: Simulates kubelets.
        karpenter: Karpenter's AWS provider, with a simulated fleet.
        helm: Installs charts.
        stages: Folder with KWOK's stages of nodes and pods.
        charts: Folder with Karpenter's charts, ``karpenter`` and ``karpenter-crd``.
        prices: Karpenter's table of on-demand prices, a Go source.
    """

    etcd: Path
    kube_apiserver: Path
    kube_controller_manager: Path
    kube_scheduler: Path
    kwok: Path
    karpenter: Path
    helm: Path
    stages: Path
    charts: Path
    prices: Path


def binaries(progress: Progress | None = None, *, cache: Path | None = None) -> Binaries:
    """Return the programs, and build missing ones, which takes minutes the first time.

    A second process that needs the same program waits for the build.

    Args:
        progress: Progress bar of rich that gets a task for each group. Default: none.
        cache: Folder of the cache. Default: that of ``default_cache()``.

    Raises:
        SimulationUnavailable: If a program is missing and cannot be built: no Go that is new
            enough, no network for its modules, no POSIX system.
        BuildFailedError: If Go has all modules and fails.
    """
    if sys.platform == "win32":
        raise SimulationUnavailable("The simulation needs Linux or macOS: use WSL on Windows")
    root = (cache or default_cache()) / "simulation"
    found = _from_assets()
    for group in GROUPS:
        folder = root / group.key
        missing = _missing(group, folder, frozenset(found))
        if missing:
            root.mkdir(parents=True, exist_ok=True)
            with FileLock(root / f"{group.key}.lock"):
                # Another process may have built it while this one waited.
                missing = _missing(group, folder, frozenset(found))
                if missing:
                    build(group, folder, missing, find_go(group.go), progress)
        for name in (*group.programs, *group.files.values()):
            found.setdefault(name, folder / name)
    return Binaries(
        etcd=found["etcd"],
        kube_apiserver=found["kube-apiserver"],
        kube_controller_manager=found["kube-controller-manager"],
        kube_scheduler=found["kube-scheduler"],
        kwok=found["kwok"],
        karpenter=found["karpenter"],
        helm=found["helm"],
        stages=found["stages/node"].parent,
        charts=found["charts/karpenter"].parent,
        prices=found["prices.go"],
    )


def default_cache() -> Path:
    """Return the folder in ``CDK_EMR_EKS_CACHE``, or the user's cache folder of this package."""
    if chosen := os.environ.get(CACHE_VARIABLE):
        return Path(chosen)
    return platformdirs.user_cache_path("cdk-emr-eks")


def _missing(group: Group, folder: Path, elsewhere: frozenset[str]) -> tuple[str, ...]:
    """Return the missing names. A file gets its name in the cache when it is complete."""
    wanted = (name for name in group.programs if name not in elsewhere)
    return tuple(n for n in (*wanted, *group.files.values()) if not (folder / n).exists())


def _from_assets() -> dict[str, Path]:
    """Return the programs in envtest's folder, if they have the pinned Kubernetes version."""
    folder = os.environ.get(ASSETS_VARIABLE)
    if not folder:
        return {}
    paths = {name: Path(folder) / name for name in _FROM_ASSETS}
    if not all(os.access(path, os.X_OK) for path in paths.values()):
        _LOG.warning("%s=%s lacks etcd or kube-apiserver: not used", ASSETS_VARIABLE, folder)
        return {}
    command = [str(paths["kube-apiserver"]), "--version"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    # Kubernetes does not support a scheduler that is newer than its API server.
    if f"v{versions.KUBERNETES}." not in done.stdout:
        said = done.stdout.strip() or "prints no version"
        _LOG.warning("%s=%s: %s, not used", ASSETS_VARIABLE, folder, said)
        return {}
    return paths
