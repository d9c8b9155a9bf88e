"""``emr-eks synth`` runs the app as a deployment would, with the CDK's template validation on."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Final

import pytest
from click.testing import CliRunner

from cdk_emr_eks.cli import main
from cdk_emr_eks.errors import ConfigError
from cdk_emr_eks.synth import AppSettings, SynthError, synthesize
from tests.unit.assembly.assemblies import resource, resources, write_assembly

ROOT: Final = Path(__file__).resolve().parents[2]
SETTINGS: Final = AppSettings(command="true", output=Path("cdk.out"))
# Writes the smallest assembly, with the context in a file.
WRITE: Final = (
    'mkdir -p "$CDK_OUTDIR" && printf "%s" "$CDK_CONTEXT_JSON" > "$CDK_OUTDIR/context" '
    '&& echo "{}" > "$CDK_OUTDIR/manifest.json"'
)


@pytest.fixture(scope="module")
def synthesized(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """The reference platform as ``make synth`` leaves it, and what was printed."""
    outdir = tmp_path_factory.mktemp("synth") / "out"
    environment = {key: value for key, value in os.environ.items() if key != "CDK_VALIDATION"}
    environment["COLUMNS"] = "120"
    command = [str(Path(sys.executable).with_name("emr-eks")), "synth", "--output", str(outdir)]
    command += ["--app", f"{sys.executable} app.py"]
    answer = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    assert answer.returncode == 0, answer.stderr
    return outdir, answer.stdout


def test_the_cdk_finds_the_templates_valid(synthesized: tuple[Path, str]) -> None:
    report = json.loads((synthesized[0] / "validation-report.json").read_text())
    # Our own warning that the cluster has no administrators, and nothing of the templates.
    assert [
        violation["ruleName"]
        for plugin in report["pluginReports"]
        for violation in plugin["violations"]
    ] == ["Annotation::cdk-emr-eks:no-admins"]


def test_the_plan_is_printed(synthesized: tuple[Path, str]) -> None:
    _, printed = synthesized
    for text in ("EmrEksPlatform", "24 pools", "Addresses for pods", "analytics"):
        assert text in printed


def test_what_is_written_is_named_and_there(synthesized: tuple[Path, str]) -> None:
    outdir, printed = synthesized
    written = [ROOT / line.strip() for line in printed.splitlines() if line.startswith("  ")]
    found = {path.name for path in written if path.exists()}
    assert "cloudformation-execution-policy-1.json" in found
    assert len(list(outdir.glob("pod-templates/*/*.yaml"))) == 6


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "cdk.json must be in the folder of the app."),
        ("[]", "cdk.json must be a JSON object"),
        ("{", "cdk.json must be JSON (Expecting property name enclosed in double quotes"),
        ("{}", "app must be the command that runs the app."),
    ],
)
def test_settings_that_cannot_be_read(tmp_path: Path, content: str | None, message: str) -> None:
    if content is not None:
        (tmp_path / "cdk.json").write_text(content)
    with pytest.raises(ConfigError) as caught:
        AppSettings.read(tmp_path)
    assert message in str(caught.value)


def test_a_folder_with_other_files_is_never_removed(tmp_path: Path) -> None:
    precious = tmp_path / "cdk.out" / "thesis.tex"
    precious.parent.mkdir()
    precious.touch()
    with pytest.raises(ConfigError, match="must be a cloud assembly or not exist"):
        synthesize(SETTINGS, tmp_path)
    assert precious.exists()


def test_an_app_that_fails_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SynthError, match="exit code 3: exit 3"):
        synthesize(AppSettings(command="exit 3", output=Path("out")), tmp_path)
    (tmp_path / "cdk.json").write_text(json.dumps({"app": "echo oops >&2; exit 4"}))
    monkeypatch.chdir(tmp_path)
    answer = CliRunner().invoke(main, ["synth"])
    assert answer.exit_code == 1
    assert "the app ended with exit code 4" in answer.output
    assert "oops" in answer.stderr


def test_messages_of_the_app_name_the_output(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = (
        f'{WRITE} && echo "see $CDK_OUTDIR/report, $(realpath --relative-to=. $CDK_OUTDIR)" >&2'
    )
    outdir = synthesize(AppSettings(command=command, output=Path("out")), tmp_path)
    assert capsys.readouterr().err == f"see {outdir}/report, out\n"


def test_the_last_good_assembly_survives_an_app_that_fails_half_way(tmp_path: Path) -> None:
    good = AppSettings(command=WRITE, output=Path("cdk.out"), context={"run": 1})
    outdir = synthesize(good, tmp_path)
    bad = 'mkdir -p "$CDK_OUTDIR" && touch "$CDK_OUTDIR/asset.123.zip" && exit 1'
    for _ in range(2):
        with pytest.raises(SynthError, match="exit code 1"):
            synthesize(replace(good, command=bad), tmp_path)
        assert json.loads((outdir / "context").read_text()) == {"run": 1}
    synthesize(replace(good, context={"run": 2}), tmp_path)
    assert json.loads((outdir / "context").read_text()) == {"run": 2}
    # Neither a temporary folder nor the former assembly is left.
    assert [path.name for path in tmp_path.iterdir()] == ["cdk.out"]


def test_the_validation_report_of_a_failed_app_is_kept(tmp_path: Path) -> None:
    fail = 'mkdir -p "$CDK_OUTDIR" && echo "{}" > "$CDK_OUTDIR/validation-report.json" && exit 1'
    for _ in range(2):
        with pytest.raises(SynthError, match="exit code 1"):
            synthesize(AppSettings(command=fail, output=Path("cdk.out")), tmp_path)
        (report,) = (tmp_path / "cdk.out").iterdir()
        assert report.name == "validation-report.json"


def test_output_of_an_app_that_failed_half_way_is_replaced(tmp_path: Path) -> None:
    half = tmp_path / "cdk.out"
    half.mkdir()
    for name in ("asset.0a1b.zip", "Platform.template.json", "Platform.assets.json", "cdk.out"):
        (half / name).touch()
    synthesize(AppSettings(command=WRITE, output=Path("cdk.out")), tmp_path)
    assert sorted(path.name for path in half.iterdir()) == ["context", "manifest.json"]


def test_an_app_that_writes_elsewhere_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(SynthError, match="App\\(\\) without outdir"):
        synthesize(SETTINGS, tmp_path)


def settings_of(folder: Path, settings: object, looked_up: object = None) -> AppSettings:
    (folder / "cdk.json").write_text(json.dumps(settings))
    if looked_up is not None:
        (folder / "cdk.context.json").write_text(json.dumps(looked_up))
    return AppSettings.read(folder)


def test_the_app_gets_the_context_of_both_files(tmp_path: Path) -> None:
    given = {"app": WRITE, "context": {"flag": True, "both": "settings"}}
    settings = settings_of(tmp_path, given, {"vpc-provider:1": {"vpcId": "v"}, "both": "found"})
    outdir = synthesize(settings.override(context=("team=data=1", "flag=no")), tmp_path)
    assert json.loads((outdir / "context").read_text()) == {
        "flag": "no",
        "both": "settings",
        "vpc-provider:1": {"vpcId": "v"},
        "team": "data=1",
    }


def test_a_large_context_is_passed_as_a_file(tmp_path: Path) -> None:
    command = WRITE.replace("$CDK_CONTEXT_JSON", "$(cat $CONTEXT_OVERFLOW_LOCATION)")
    large = {"key": "x" * 200_000}
    settings = AppSettings(command=command, output=Path("out"), context=large)
    outdir = synthesize(settings, tmp_path)
    assert json.loads((outdir / "context").read_text()) == large


@pytest.mark.parametrize("entry", ["team", "=data", "aws:cdk:x=1"])
def test_wrong_values_of_the_context_are_refused(entry: str) -> None:
    with pytest.raises(ConfigError, match="-c must"):
        SETTINGS.override(context=(entry,))


def test_missing_lookups_end_the_command_without_a_plan(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lookup = {
        "key": "vpc-provider:account=1",
        "provider": "vpc-provider",
        "props": {"account": "111122223333", "region": "eu-west-1"},
    }
    write_assembly(tmp_path / "dummy", {"Platform": {"Resources": {}}}, missing=[lookup])
    (tmp_path / "cdk.json").write_text('{"app": "false"}')
    monkeypatch.chdir(tmp_path)
    app = 'cp -r dummy "$CDK_OUTDIR"'
    answer = CliRunner().invoke(main, ["synth", "--app", app, "-c", "team=data"])
    assert answer.exit_code == 1
    assert answer.stdout == ""
    assert "vpc-provider in 111122223333/eu-west-1 (vpc-provider:account=1)" in answer.stderr
    command = """npx cdk synth --quiet --app 'cp -r dummy "$CDK_OUTDIR"' -c team=data"""
    assert command in answer.stderr
    assert not (tmp_path / "cdk.out").exists()
    for arguments in (["plan", "dummy"], ["diff", "dummy", "dummy"], ["deploy-policy", "dummy"]):
        answer = CliRunner().invoke(main, arguments)
        assert answer.exit_code == 1
        assert "npx cdk synth --quiet" in answer.stderr


def test_the_plan_is_printed_also_for_types_without_rights(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = resource("AWS::DynamoDB::Table")
    strange = resource("AWS::Nowhere::Thing")
    write_assembly(tmp_path / "made", {"Platform": resources(Table=table, Strange=strange)})
    (tmp_path / "cdk.json").write_text(json.dumps({"app": 'cp -r made "$CDK_OUTDIR"'}))
    monkeypatch.chdir(tmp_path)
    answer = CliRunner().invoke(main, ["synth"])
    assert answer.exit_code == 0
    assert "Platform          2" in answer.stdout
    assert "cdk.out/cloudformation-execution-policy.json" in answer.stdout
    assert "no rights for AWS::Nowhere::Thing: CloudFormation" in answer.stderr
    answer = CliRunner().invoke(main, ["synth", "--allow", "AWS::Nowhere::Thing=nowhere:Do"])
    assert answer.stderr == ""
    assert "nowhere:Do" in (tmp_path / "cdk.out/cloudformation-execution-policy.json").read_text()
