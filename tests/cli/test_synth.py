"""``emr-eks synth`` runs the app as a deployment would, with the CDK's template validation on."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest
from click.testing import CliRunner

from cdk_emr_eks.cli import main
from cdk_emr_eks.errors import ConfigError
from cdk_emr_eks.synth import AppSettings, SynthError, synthesize

ROOT: Final = Path(__file__).resolve().parents[2]
SETTINGS: Final = AppSettings(command="true", output=Path("cdk.out"), context="{}")


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
    with pytest.raises(ConfigError, match="must be a cloud assembly or not be there"):
        synthesize(SETTINGS, tmp_path)
    assert precious.exists()


def test_an_app_that_fails_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SynthError, match="exit code 3: exit 3"):
        synthesize(AppSettings(command="exit 3", output=Path("out"), context="{}"), tmp_path)
    (tmp_path / "cdk.json").write_text(json.dumps({"app": "echo oops >&2; exit 4"}))
    monkeypatch.chdir(tmp_path)
    answer = CliRunner().invoke(main, ["synth"])
    assert answer.exit_code == 1
    assert "the app ended with exit code 4" in answer.output
    assert "oops" in capfd.readouterr().err


def test_the_app_gets_its_context_and_its_folder(tmp_path: Path) -> None:
    command = 'mkdir "$CDK_OUTDIR" && echo "$CDK_CONTEXT_JSON" > "$CDK_OUTDIR/context"'
    (tmp_path / "cdk.json").write_text(json.dumps({"app": command, "context": {"flag": True}}))
    outdir = synthesize(AppSettings.read(tmp_path), tmp_path)
    assert json.loads((outdir / "context").read_text()) == {"flag": True}
