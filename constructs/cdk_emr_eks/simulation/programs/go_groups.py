"""What is built from Go modules, group by group; the modules of a group share their packages.

The folders of ``go/`` hold each group's go.mod and go.sum, and a main package where the module has
none that will do. Beside the binaries lie files of the same modules: nothing of theirs is kept in
this package.
"""

from __future__ import annotations

import hashlib
import platform
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from cdk_emr_eks import versions
from cdk_emr_eks.simulation.programs.toolchain import Version, parse_version

__all__ = ["GROUPS", "Group"]

_SOURCES: Final = Path(__file__).parent / "go"
_STRIPPED: Final = ("-s", "-w")
_KUBE_MAJOR, _KUBE_MINOR, _ = versions.SIMULATED_KUBERNETES.removeprefix("v").split(".")


@dataclass(frozen=True, kw_only=True, slots=True)
class Group:
    """Programs that are built together.

    Args:
        name: Its folder below ``go/``.
        module: The module it is there for, whose files are taken along.
        version: That module's version.
        programs: Package to build by name of the program.
        stamps: Variables set by the linker: without them Kubernetes calls itself v0.0.0.
        files: Where a file or folder of the module goes, beside the programs, by its place in the
            module.
    """

    name: str
    module: str
    version: str
    programs: Mapping[str, str]
    stamps: Mapping[str, str] = field(default_factory=dict)
    files: Mapping[str, str] = field(default_factory=dict)

    @property
    def source(self) -> Path:
        """The folder with its go.mod."""
        return _SOURCES / self.name

    @property
    def flags(self) -> tuple[str, ...]:
        """Flags of ``go build``."""
        stamps = (f"-X={name}={value}" for name, value in self.stamps.items())
        return ("-trimpath", f"-ldflags={' '.join((*_STRIPPED, *stamps))}")

    @property
    def key(self) -> str:
        """Name of its folder in the cache: another one for each content of its sources."""
        digest = hashlib.sha256(repr((self.programs, self.flags, self.files)).encode())
        for path in sorted(each for each in self.source.rglob("*") if each.is_file()):
            name = path.relative_to(self.source).as_posix()
            digest.update(name.encode() + b"\0" + path.read_bytes())
        machine = f"{sys.platform}-{platform.machine().lower()}"
        return f"{self.name}-{self.version}-{machine}-{digest.hexdigest()[:12]}"

    @property
    def go(self) -> Version:
        """The oldest Go that builds it, as its go.mod says."""
        for line in (self.source / "go.mod").read_text(encoding="utf-8").splitlines():
            if line.startswith("go ") and (version := parse_version(line[3:])):
                return version
        raise ValueError(f"{self.source / 'go.mod'} names no Go version")


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
"""All groups, small ones that others wait for first."""
