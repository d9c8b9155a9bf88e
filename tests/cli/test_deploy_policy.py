"""``emr-eks deploy-policy``: prints or writes what deploy_policy works out."""

from __future__ import annotations

import json
from pathlib import Path

from click.testing import CliRunner

from cdk_emr_eks.assembly import open_assembly
from cdk_emr_eks.cli import main
from cdk_emr_eks.deploy_policy import deploy_policies, policy_files
from tests.cli import assemblies


def small(folder: Path, **more: dict[str, object]) -> Path:
    return assemblies.write(folder, {"S": {"Resources": {**assemblies.tenant(), **more}}})


def test_it_prints_the_policies_by_file_name(tmp_path: Path) -> None:
    result = CliRunner().invoke(main, ["deploy-policy", str(small(tmp_path))])
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout) == policy_files(deploy_policies(open_assembly(tmp_path)))


def test_it_writes_the_policies(tmp_path: Path) -> None:
    result = CliRunner().invoke(main, ["deploy-policy", "--write", str(small(tmp_path))])
    assert result.exit_code == 0, result.output
    written = {
        Path(line).name: json.loads(Path(line).read_text()) for line in result.stdout.split()
    }
    assert written == policy_files(deploy_policies(open_assembly(tmp_path)))


def test_an_unknown_type_is_a_warning(tmp_path: Path) -> None:
    small(tmp_path, Strange={"Type": "AWS::Nowhere::Thing", "Properties": {}})
    result = CliRunner().invoke(main, ["deploy-policy", str(tmp_path)])
    assert result.exit_code == 0
    assert json.loads(result.stdout)
    assert "Warning: the deploy policies have no rights for AWS::Nowhere::Thing" in result.stderr
    assert "--extra FILE" in result.stderr


def test_extra_rights_are_read_from_a_file(tmp_path: Path) -> None:
    folder = small(
        tmp_path / "out", Strange={"Type": "AWS::Nowhere::Thing", "Properties": {"Name": "it"}}
    )
    extra = tmp_path / "extra.json"
    arn = "arn:${AWS::Partition}:nowhere:::thing/${Name}"
    extra.write_text(
        json.dumps({"AWS::Nowhere::Thing": [{"Action": "nowhere:Do", "Resource": arn}]})
    )
    result = CliRunner().invoke(main, ["deploy-policy", str(folder), "--extra", str(extra)])
    assert result.exit_code == 0, result.output
    assert result.stderr == ""
    assert '"arn:aws:nowhere:::thing/it"' in result.stdout


def test_extra_actions_are_read_from_options(tmp_path: Path) -> None:
    folder = small(tmp_path, Strange={"Type": "AWS::Nowhere::Thing", "Properties": {}})
    allow = ["--allow", "AWS::Nowhere::Thing=nowhere:Do, nowhere:Undo"]
    allow += ["--allow", "AWS::Nowhere::Thing=nowhere:Look"]
    result = CliRunner().invoke(main, ["deploy-policy", str(folder), *allow])
    assert result.exit_code == 0, result.output
    assert result.stderr == ""
    for action in ("nowhere:Do", "nowhere:Undo", "nowhere:Look"):
        assert f'"{action}"' in result.stdout


def test_a_nested_stack_that_cannot_be_read_is_a_warning(tmp_path: Path) -> None:
    nested: dict[str, object] = {
        "Type": "AWS::CloudFormation::Stack",
        "Properties": {"TemplateURL": "https://s3/templates/vpc.json"},
    }
    result = CliRunner().invoke(main, ["deploy-policy", str(small(tmp_path, Nested=nested))])
    assert result.exit_code == 0
    assert "Warning: S: the template of Nested is not JSON of the assembly" in result.stderr


def test_wrong_options_are_refused(tmp_path: Path) -> None:
    folder = str(small(tmp_path))
    result = CliRunner().invoke(main, ["deploy-policy", folder, "--allow", "AWS::Nowhere::Thing"])
    assert result.exit_code == 1
    assert "--allow must be TYPE=ACTION,..., got 'AWS::Nowhere::Thing'" in result.stderr


def test_wrong_extra_rights_are_refused(tmp_path: Path) -> None:
    extra = tmp_path / "extra.json"
    extra.write_text('{"AWS::Nowhere::Thing": {}}')
    result = CliRunner().invoke(
        main, ["deploy-policy", str(small(tmp_path / "out")), "--extra", str(extra)]
    )
    assert result.exit_code == 1
    assert "AWS::Nowhere::Thing must be a list of IAM statements" in result.stderr


def test_a_missing_assembly_is_refused(tmp_path: Path) -> None:
    result = CliRunner().invoke(main, ["deploy-policy", str(tmp_path / "none")])
    assert result.exit_code == 1
    assert "There is no folder" in result.output
