"""What the benchmark counts and judges; never how long anything took."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import pytest
from rich.console import Console

from benchmarks.synth.assembly import Assembly, read_assembly
from benchmarks.synth.bars import bars, growth
from benchmarks.synth.measure import MeasureError, Run, measure
from benchmarks.synth.report import Results, show
from benchmarks.synth.run import Measured


def write_stack(
    folder: Path, name: str, types: list[str], assets: dict[str, str] | None = None
) -> None:
    resources = {f"R{number}": {"Type": kind} for number, kind in enumerate(types)}
    (folder / f"{name}.template.json").write_text(json.dumps({"Resources": resources}))
    sources = {f"{name}.template.json": f"{name}.template.json", **(assets or {})}
    files = {key: {"source": {"path": path}} for key, path in sources.items()}
    (folder / f"{name}.assets.json").write_text(json.dumps({"files": files}))
    (folder / "manifest.json").write_text("{}")


@pytest.fixture
def counted(tmp_path: Path) -> Assembly:
    (tmp_path / "asset.a").mkdir()
    (tmp_path / "asset.a" / "index.js").write_bytes(b"x" * 70)
    # An asset may hold a file of a template's name: it is no stack.
    (tmp_path / "asset.a" / "other.template.json").write_bytes(b"y" * 30)
    (tmp_path / "asset.b.zip").write_bytes(b"z" * 11)
    kubectl = "Custom::AWSCDK-EKS-KubernetesResource"
    helm = "Custom::AWSCDK-EKS-HelmChart"
    write_stack(tmp_path, "One", [kubectl, kubectl, helm, "AWS::IAM::Role"], {"a": "asset.a"})
    stage = tmp_path / "assembly-Prod"
    stage.mkdir()
    write_stack(
        stage,
        "Two",
        ["Custom::AWSCDK-EKS-Cluster", "AWS::CloudFormation::CustomResource"],
        {"a": "../asset.a", "b": "../asset.b.zip"},
    )
    write_stack(stage, "Two.nested", ["AWS::Lambda::Function"])
    return read_assembly(tmp_path)


def test_resources_of_stages_and_nested_stacks_are_counted(counted: Assembly) -> None:
    assert (counted.resources, counted.stacks) == (7, 3)
    assert (counted.lambda_functions, counted.iam_roles) == (1, 1)
    assert counted.largest_stack_resources == 4


def test_kubernetes_resources_are_those_of_the_kubectl_handler(counted: Assembly) -> None:
    assert counted.kubernetes_count == 3
    assert counted.custom_count == 5


def test_assets_that_stacks_share_count_once_and_templates_never(counted: Assembly) -> None:
    assert (counted.assets, counted.asset_bytes) == (2, 70 + 30 + 11)


def test_an_open_look_up_is_refused(tmp_path: Path) -> None:
    write_stack(tmp_path, "One", [])
    (tmp_path / "manifest.json").write_text(json.dumps({"missing": [{"key": "zones"}]}))
    with pytest.raises(ValueError, match="look-ups are open: zones"):
        read_assembly(tmp_path)


def ran(wall: float, *, cpu: float = 1, assembly: Assembly | None = None) -> Measured:
    return Measured(runs=[Run(wall_s=wall, cpu_s=cpu, peak_rss_mib=1)], assembly=assembly)


def sized(resources: int) -> Assembly:
    return Assembly(
        resources=resources,
        lambda_functions=4,
        iam_roles=13,
        kubernetes_resources={"Custom::AWSCDK-EKS-HelmChart": 8},
        custom_resources={},
        stacks=1,
        template_bytes=0,
        largest_stack_resources=resources,
        largest_template_bytes=900_001,
        assets=0,
        asset_bytes=0,
    )


def test_bars_say_what_is_held_and_what_was_not_measured() -> None:
    apps = {"ours": ran(3, assembly=sized(100)), "ara": ran(10)}
    named = {bar.name: bar.verdict for bar in bars(apps, {}, 7)}
    assert named["Kubernetes custom resources, platform with one tenant"] == "held"
    assert named["IAM roles, platform with one tenant"] == "not held"
    assert named["wall time, ours / ara, median of pairs"] == "held"
    assert named["wall time, ours / bare, median of pairs"] == "not measured"
    assert named["resources of a further tenant, IRSA"] == "not held"
    assert named["linear: CPU of a tenant, last / earlier"] == "not measured"


def test_stacks_of_users_are_held_against_the_limits_as_those_of_tenants() -> None:
    name = "resources of the biggest stack, all sizes"
    found = {}
    for resources in (450, 451):
        users = {1: ran(1, assembly=sized(9)), 100: ran(2, assembly=sized(resources))}
        found[resources] = {bar.name: bar.verdict for bar in bars({}, {}, None, users)}[name]
    assert found == {450: "held", 451: "not held"}


def test_users_are_in_the_table_and_in_the_figures(capsys: pytest.CaptureFixture[str]) -> None:
    users = {1: ran(1, assembly=sized(9)), 100: ran(2, assembly=sized(1_234))}
    results = Results(notebooks=users)
    show(results, Console(width=200))
    printed = capsys.readouterr().out
    assert "Ours, by number of users of notebooks" in printed
    assert "1,234" in printed
    figures = json.loads(json.dumps(results.as_json()))["notebooks"]
    assert figures["100"]["assembly"]["resources"] == 1_234


@pytest.mark.parametrize(("last", "verdict"), [(28.5, "held"), (29.0, "not held")])
def test_growth_is_judged_by_what_the_last_tenants_cost(last: float, verdict: str) -> None:
    # 0.1 s for each of the 90 tenants before; 0.125 s is the most for each of the last 150.
    scale = {
        10: ran(1, cpu=0.75, assembly=sized(70)),
        100: ran(10, cpu=9.75, assembly=sized(700)),
        250: ran(25, cpu=last, assembly=sized(1750)),
    }
    grown = growth(scale)
    assert grown is not None
    assert grown.step_resources == (7, 7)
    named = {bar.name: bar.verdict for bar in bars({}, scale, None)}
    assert named["linear: CPU of a tenant, last / earlier"] == verdict
    assert named["resources of a further tenant, Pod Identity"] == "held"
    assert named["KB of the biggest template, all sizes"] == "not held"


def test_memory_of_children_is_part_of_a_run(tmp_path: Path) -> None:
    child = "import time; held = b'x' * 2**27; time.sleep(0.5)"
    parent = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {child!r}])"
    run = measure([sys.executable, "-c", parent], env=os.environ, cwd=tmp_path)
    assert run.peak_rss_mib > 128


def test_a_failed_run_says_what_the_app_said(tmp_path: Path) -> None:
    with pytest.raises(MeasureError, match="no such zone"):
        measure([sys.executable, "-c", "raise SystemExit('no such zone')"], env={}, cwd=tmp_path)


def test_a_process_left_behind_is_refused(tmp_path: Path) -> None:
    left = "import subprocess; subprocess.Popen(['sleep', '1'])"
    with pytest.raises(MeasureError, match="left a process running"):
        measure([sys.executable, "-c", left], env=os.environ, cwd=tmp_path)
