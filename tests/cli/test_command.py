"""The command as a whole: help, and what it imports."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from click.testing import CliRunner

from cdk_emr_eks import cli
from cdk_emr_eks.cli import main

COMMANDS = ("synth", "plan", "diff", "deploy-policy", "simulate")


def test_help_lists_the_commands_in_order() -> None:
    answer = CliRunner().invoke(main, ["--help"])
    assert answer.exit_code == 0
    lines = answer.output.partition("Commands:")[2].split()
    assert [line for line in lines if line in COMMANDS] == list(COMMANDS)


def test_each_command_has_help() -> None:
    for name in COMMANDS:
        answer = CliRunner().invoke(main, [name, "-h"])
        assert answer.exit_code == 0
        assert answer.output.startswith(f"Usage: main {name}")


def test_an_unknown_command_is_refused() -> None:
    answer = CliRunner().invoke(main, ["deploy"])
    assert answer.exit_code == 2
    assert "No such command 'deploy'" in answer.output


def test_a_command_does_not_import_the_others() -> None:
    code = (
        "import sys; from cdk_emr_eks.cli import main; "
        "main(['plan', '-h'], standalone_mode=False); "
        "names = ('simulation', 'deploy_policy', 'diff'); "
        "sys.exit(any(f'cdk_emr_eks.{name}' in sys.modules for name in names))"
    )
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)


def test_no_module_of_the_command_starts_node() -> None:
    """Importing jsii starts Node, which takes longer than the whole command.

    The package's ``__init__`` is left out: another test checks its imports.
    """
    modules = [path.stem for path in Path(cli.__file__).parent.glob("[a-z]*.py")]
    assert "simulate" in modules
    code = (
        "import sys, types; from importlib import import_module; "
        "package = types.ModuleType('cdk_emr_eks'); "
        f"package.__path__ = [{str(Path(cli.__file__).parents[1])!r}]; "
        "sys.modules['cdk_emr_eks'] = package; "
        f"[import_module(f'cdk_emr_eks.cli.{{name}}') for name in {modules!r}]; "
        "sys.exit('jsii' in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
