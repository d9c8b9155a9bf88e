"""``emr-eks deploy-policy``: prints or writes what deploy_policy works out."""

from __future__ import annotations

import json
from pathlib import Path

from click.testing import CliRunner

from cdk_emr_eks.cli import main
from cdk_emr_eks.deploy_policy import deploy_policies
from tests.cli import assemblies


def small(folder: Path, **more: dict[str, object]) -> Path:
    return assemblies.write(folder, {"S": {"Resources": {**assemblies.tenant(), **more}}})


def test_it_prints_the_policies(tmp_path: Path) -> None:
    result = CliRunner().invoke(main, ["deploy-policy", str(small(tmp_path))])
    assert result.exit_code == 0, result.output
    assert json.loads(result.output) == list(deploy_policies(tmp_path))


def test_it_writes_the_policies(tmp_path: Path) -> None:
    result = CliRunner().invoke(main, ["deploy-policy", "--write", str(small(tmp_path))])
    assert result.exit_code == 0, result.output
    written = [json.loads(Path(line).read_text()) for line in result.output.split()]
    assert written == list(deploy_policies(tmp_path))


def test_an_unknown_type_is_refused_with_its_name(tmp_path: Path) -> None:
    small(tmp_path, Strange={"Type": "AWS::Nowhere::Thing", "Properties": {}})
    result = CliRunner().invoke(main, ["deploy-policy", str(tmp_path)])
    assert result.exit_code == 1
    assert "AWS::Nowhere::Thing" in result.output


def test_a_missing_assembly_is_refused(tmp_path: Path) -> None:
    result = CliRunner().invoke(main, ["deploy-policy", str(tmp_path / "none")])
    assert result.exit_code == 1
    assert "There is no folder" in result.output
