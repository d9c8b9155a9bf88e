"""Programs of the simulation, built once from Go modules into a cache of the user's.

The modules come by Go's own means (its proxy, its checksums); nothing else is downloaded. A folder
of the cache has the versions and a hash of the sources in its name, so that none is ever stale.
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
from cdk_emr_eks.simulation.programs.go_build import build
from cdk_emr_eks.simulation.programs.go_groups import GROUPS, Group
from cdk_emr_eks.simulation.programs.toolchain import find_go
from cdk_emr_eks.simulation.unavailable import SimulationUnavailable

if TYPE_CHECKING:
    from rich.progress import Progress

__all__ = ["ASSETS_VARIABLE", "CACHE_VARIABLE", "Binaries", "binaries", "default_cache"]

CACHE_VARIABLE: Final = "CDK_EMR_EKS_CACHE"
"""Environment variable with another folder for the cache, such as one that a CI keeps."""

ASSETS_VARIABLE: Final = "KUBEBUILDER_ASSETS"
"""Environment variable with a folder of ready-made etcd and kube-apiserver.

Source: https://book.kubebuilder.io/reference/envtest
"""

_FROM_ASSETS: Final = frozenset({"etcd", "kube-apiserver"})
_LOG: Final = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True, slots=True)
class Binaries:
    """Where each program is, and each file that was taken from its module.

    Args:
        etcd: The control plane's store.
        kube_apiserver: Its API server.
        kube_controller_manager: Its controllers.
        kube_scheduler: Its scheduler.
        kwok: What plays the kubelets.
        karpenter: Karpenter's AWS provider with a fleet that is played.
        helm: Renders charts.
        stages: Folder with KWOK's own stages of nodes and pods.
        charts: Folder with Karpenter's charts, ``karpenter`` and ``karpenter-crd``.
        prices: Karpenter's own table of on-demand prices, a Go source.
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
    """Return the programs; build those that the cache lacks, which takes minutes the first time.

    A second process that wants the same program waits for the first one's build.

    Args:
        progress: A bar of rich's that gets a task for each group that is built. Default: none.
        cache: The cache's folder. Default: that of ``default_cache()``.

    Raises:
        SimulationUnavailable: If a program is missing and cannot be built: no Go that is new
            enough, no network for its modules, no POSIX system.
        BuildFailedError: If Go fails though it has all it needs.
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
    """Return the folder of ``CDK_EMR_EKS_CACHE``, else the user's cache folder of this package."""
    if chosen := os.environ.get(CACHE_VARIABLE):
        return Path(chosen)
    return platformdirs.user_cache_path("cdk-emr-eks")


def _missing(group: Group, folder: Path, elsewhere: frozenset[str]) -> tuple[str, ...]:
    """Names that are not there; a name appears in the cache when it is whole, never before."""
    wanted = (name for name in group.programs if name not in elsewhere)
    return tuple(n for n in (*wanted, *group.files.values()) if not (folder / n).exists())


def _from_assets() -> dict[str, Path]:
    """Programs of envtest's folder, where that is set and of the Kubernetes version we pin."""
    folder = os.environ.get(ASSETS_VARIABLE)
    if not folder:
        return {}
    paths = {name: Path(folder) / name for name in _FROM_ASSETS}
    if not all(os.access(path, os.X_OK) for path in paths.values()):
        _LOG.warning("%s=%s lacks etcd or kube-apiserver: not used", ASSETS_VARIABLE, folder)
        return {}
    command = [str(paths["kube-apiserver"]), "--version"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    # A scheduler that is newer than its API server is not supported, nor an older API tried.
    if f"v{versions.KUBERNETES}." not in done.stdout:
        said = done.stdout.strip() or "says no version"
        _LOG.warning("%s=%s: %s, not used", ASSETS_VARIABLE, folder, said)
        return {}
    return paths
