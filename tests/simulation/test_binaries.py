"""Programs from pinned Go modules: built once and completely, or with a reason for the failure."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import fields, replace
from pathlib import Path
from typing import Final

import pytest
from rich.progress import Progress

from cdk_emr_eks import versions
from cdk_emr_eks.simulation.errors import SimulationUnavailable
from cdk_emr_eks.simulation.programs import binaries as binaries_module
from cdk_emr_eks.simulation.programs import go_build, prepare
from cdk_emr_eks.simulation.programs.binaries import (
    ASSETS_VARIABLE,
    CACHE_VARIABLE,
    Binaries,
    binaries,
    default_cache,
)
from cdk_emr_eks.simulation.programs.go_build import GROUPS, BuildFailedError, Group, build
from cdk_emr_eks.simulation.programs.toolchain import Toolchain, find_go, parse_version

MAIN: Final = 'package main\n\nfunc main() { println("small") }\n'
SMALL: Final = Group(
    name="small", module="test/small", version="v1", programs={"small": "."}, files={"a": "b"}
)


@pytest.fixture(scope="module")
def real() -> Binaries:
    try:
        return binaries()
    except SimulationUnavailable as error:
        pytest.skip(error.reason)


@pytest.fixture(scope="module")
def go() -> Toolchain:
    try:
        return find_go((1, 20, 0))
    except SimulationUnavailable as error:
        pytest.skip(error.reason)


@pytest.fixture
def small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Group:
    """A group whose module is its folder: it needs no download, and builds in a second."""
    monkeypatch.setattr(go_build, "_SOURCES", tmp_path / "go")
    folder = tmp_path / "go" / "small"
    (folder / "a" / "inner").mkdir(parents=True)
    (folder / "a" / "inner" / "text").write_text("kept\n")
    (folder / "a" / "inner" / "text").chmod(0o400)  # as in the module cache
    (folder / "go.mod").write_text("module test/small\n\ngo 1.20\n")
    (folder / "main.go").write_text(MAIN)
    return SMALL


@pytest.fixture
def log_of_go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, go: Toolchain) -> Path:
    """Put a Go on the PATH that records its arguments."""
    log = tmp_path / "go.log"
    _script(tmp_path / "bin" / "go", f'echo "$1" >> {log}; exec {go.go} "$@"')
    monkeypatch.setenv("PATH", str(tmp_path / "bin"), prepend=os.pathsep)
    return log


def _script(path: Path, text: str) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)


# ---- pinned versions


@pytest.mark.parametrize("group", GROUPS, ids=lambda group: group.name)
def test_modules_are_the_pinned_versions(group: Group) -> None:
    text = (group.source / "go.mod").read_text()
    assert re.search(
        rf"^(?:require|\t) ?{group.module} {group.version}( // indirect)?$", text, re.M
    )
    sums = (group.source / "go.sum").read_text()
    assert f"{group.module} {group.version} h1:" in sums


def test_kubernetes_is_one_version_throughout() -> None:
    (group,) = (each for each in GROUPS if each.name == "kubernetes")
    assert group.version.startswith(f"v{versions.KUBERNETES}.")
    found = re.findall(r"^\t(\S+) => (\S+) (\S+)$", (group.source / "go.mod").read_text(), re.M)
    staged = group.version.replace("v1.", "v0.")
    assert len(found) > 25
    assert {(old == new, version) for old, new, version in found} == {(True, staged)}


def test_karpenter_is_that_of_the_platform() -> None:
    (group,) = (each for each in GROUPS if each.name == "karpenter")
    assert (
        f"\tsigs.k8s.io/karpenter v{versions.KARPENTER}\n" in (group.source / "go.mod").read_text()
    )


@pytest.mark.parametrize("name", ["go.mod", "main.go"])
def test_changed_sources_change_the_cache_folder(small: Group, name: str) -> None:
    before = small.key
    assert before.startswith("small-v1-")
    assert before == small.key
    (small.source / name).write_text(f"{(small.source / name).read_text()}\n")
    assert small.key != before


def test_changed_flags_change_the_cache_folder(small: Group) -> None:
    assert replace(small, stamps={"main.version": "1"}).key != small.key


# ---- existing programs


def test_all_programs_exist(real: Binaries) -> None:
    for field in fields(real):
        assert getattr(real, field.name).exists(), field.name
    assert {path.name for path in (real.charts / "karpenter-crd" / "templates").iterdir()} >= {
        "karpenter.sh_nodepools.yaml",
        "karpenter.k8s.aws_ec2nodeclasses.yaml",
    }
    assert (real.charts / "karpenter" / "Chart.yaml").is_file()
    assert '"us-east-1"' in real.prices.read_text()


@pytest.mark.parametrize(
    ("name", "arguments", "said"),
    [
        ("etcd", ["--version"], versions.SIMULATED_ETCD.removeprefix("v")),
        ("kube_apiserver", ["--version"], versions.SIMULATED_KUBERNETES),
        ("kube_scheduler", ["--version"], versions.SIMULATED_KUBERNETES),
        ("kube_controller_manager", ["--version"], versions.SIMULATED_KUBERNETES),
        ("helm", ["version", "--short"], versions.HELM),
    ],
)
def test_programs_print_their_version(
    real: Binaries, name: str, arguments: list[str], said: str
) -> None:
    command = [str(getattr(real, name)), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert said in done.stdout


def test_existing_programs_need_no_go(real: Binaries, monkeypatch: pytest.MonkeyPatch) -> None:
    _hide_go(monkeypatch)
    assert binaries() == real


# ---- build


def test_all_programs_of_a_group_are_built(small: Group, go: Toolchain, tmp_path: Path) -> None:
    folder = tmp_path / "out"
    build(small, folder, ("small", "b"), go, None)
    done = subprocess.run([folder / "small"], capture_output=True, text=True, check=True)
    assert done.stderr == "small\n"
    assert (folder / "b" / "inner" / "text").read_text() == "kept\n"
    assert sorted(path.name for path in folder.iterdir()) == ["b", "small"]
    # The owner can delete the cache.
    shutil.rmtree(folder)


def test_only_missing_programs_are_built(
    small: Group, log_of_go: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = _runner(small, monkeypatch)
    run(tmp_path)
    assert log_of_go.read_text().split().count("build") == 1
    log_of_go.unlink()
    run(tmp_path)
    assert not log_of_go.exists(), "nothing is missing"
    program = tmp_path / "simulation" / small.key / "small"
    shutil.rmtree(program.parent / "b")
    run(tmp_path)
    assert "build" not in log_of_go.read_text().split(), "the program was there"
    program.unlink()
    run(tmp_path)
    assert log_of_go.read_text().split().count("build") == 1
    assert os.access(program, os.X_OK)


def test_two_processes_build_once(
    small: Group, log_of_go: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = _runner(small, monkeypatch)
    with ThreadPoolExecutor(4) as pool:
        assert [each.result() for each in [pool.submit(run, tmp_path) for _ in range(4)]]
    assert log_of_go.read_text().split().count("build") == 1


def test_the_progress_bar_counts_packages(small: Group, go: Toolchain, tmp_path: Path) -> None:
    seen: list[tuple[str, float | None]] = []

    class Noted(Progress):
        def update(self, task_id, **values):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN003, ANN202
            super().update(task_id, **values)
            task = self.tasks[0]
            seen.append((task.description, task.total))

    progress = Noted(disable=True)
    build(small, tmp_path / "out", ("small",), go, progress)
    (said,) = seen
    assert said[0] == "small v1: build"
    assert said[1] is not None
    assert said[1] > 10
    assert progress.tasks == []


def test_a_compile_error_is_a_build_failure(small: Group, go: Toolchain, tmp_path: Path) -> None:
    (small.source / "main.go").write_text("package main\n\nfunc main() { nothing() }\n")
    with pytest.raises(BuildFailedError, match=r"(?s)small v1:.*undefined: nothing"):
        build(small, tmp_path / "out", ("small",), go, None)
    assert list((tmp_path / "out").iterdir()) == []


def test_a_module_that_cannot_be_downloaded_makes_the_simulation_unavailable(
    small: Group, go: Toolchain, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GOPROXY", "off")
    sums = "example.com/none v1.0.0 h1:AAAA=\nexample.com/none v1.0.0/go.mod h1:AAAA=\n"
    (small.source / "go.sum").write_text(sums)
    with (small.source / "go.mod").open("a") as file:
        file.write("\nrequire example.com/none v1.0.0\n")
    (small.source / "main.go").write_text(
        MAIN.replace("\nfunc", 'import _ "example.com/none"\nfunc')
    )
    with pytest.raises(
        SimulationUnavailable, match=r"(?s)cannot download modules of small v1.*GOPROXY"
    ):
        build(small, tmp_path / "out", ("small",), go, None)


def _runner(group: Group, monkeypatch: pytest.MonkeyPatch) -> Callable[[Path], bool]:
    """Run ``binaries`` with one small group; it fails at the first other program."""
    monkeypatch.setattr(binaries_module, "GROUPS", (group,))

    def run(cache: Path) -> bool:
        with pytest.raises(KeyError, match="etcd"):
            binaries(cache=cache)
        return True

    return run


# ---- Go


def _hide_go(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)


def test_without_go_the_simulation_is_unavailable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _hide_go(monkeypatch)
    monkeypatch.delenv(ASSETS_VARIABLE, raising=False)
    with pytest.raises(
        SimulationUnavailable, match=r"^Go 1\.\d+\.\d+ or newer is needed"
    ) as caught:
        binaries(cache=tmp_path)
    assert "pip install 'cdk-emr-eks[simulation]'" in caught.value.reason


def test_an_old_go_is_ignored(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, go: Toolchain
) -> None:
    _script(tmp_path / "go", "echo go1.19.2")
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    found = find_go((1, 20, 0))
    assert found.go != tmp_path / "go"
    assert found.version >= (1, 20, 0)
    with pytest.raises(SimulationUnavailable, match=rf"{tmp_path}/go is 1\.19\.2"):
        find_go((99, 0, 0))


def test_the_wheel_has_a_go_that_is_new_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    least = max(group.go for group in GROUPS)
    found = find_go(least)
    assert found.go.is_relative_to(Path(sys.prefix))
    assert found.version >= least


def test_go_versions_are_parsed() -> None:
    assert parse_version("go1.27.3\n") == (1, 27, 3)
    assert parse_version("1.26") == (1, 26, 0)
    assert parse_version("devel") is None


def test_windows_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "win32")
    with pytest.raises(SimulationUnavailable, match="WSL"):
        binaries(cache=tmp_path)


# ---- cache and envtest


def test_the_cache_folder_can_be_set(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(CACHE_VARIABLE, raising=False)
    assert default_cache().name == "cdk-emr-eks"
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path))
    assert default_cache() == tmp_path


@pytest.fixture
def assets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "assets"
    _script(folder / "etcd", "true")
    _script(folder / "kube-apiserver", f"echo Kubernetes v{versions.KUBERNETES}.0")
    monkeypatch.setenv(ASSETS_VARIABLE, str(folder))
    return folder


def test_programs_of_envtest_are_used(real: Binaries, assets: Path) -> None:
    found = binaries()
    assert found.etcd == assets / "etcd"
    assert found.kube_apiserver == assets / "kube-apiserver"
    assert replace(found, etcd=real.etcd, kube_apiserver=real.kube_apiserver) == real


def test_envtest_programs_of_another_version_are_ignored(
    real: Binaries, assets: Path, caplog: pytest.LogCaptureFixture
) -> None:
    _script(assets / "kube-apiserver", "echo Kubernetes v1.30.0")
    assert binaries() == real
    assert "Kubernetes v1.30.0, not used" in caplog.text


def test_an_incomplete_envtest_folder_is_ignored(
    real: Binaries, assets: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (assets / "etcd").unlink()
    assert binaries() == real
    assert "lacks etcd or kube-apiserver" in caplog.text


# ---- command


def test_prepare_fills_the_cache(
    real: Binaries,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert prepare.main() == 0
    assert default_cache().name in capsys.readouterr().err.replace("\n", "")
    _hide_go(monkeypatch)
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path))
    assert prepare.main() == 1
    assert "or newer is needed" in capsys.readouterr().err
