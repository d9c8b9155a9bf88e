"""Compares small assemblies: as values, and as a user reads the difference."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from click.testing import CliRunner

from cdk_emr_eks.assembly.reader import open_assembly
from cdk_emr_eks.cli import main
from cdk_emr_eks.diff.change import Change
from cdk_emr_eks.diff.comparison import diff_assemblies
from tests.cli import assemblies


def compared(old: Path, new: Path) -> tuple[Change, ...]:
    return diff_assemblies(open_assembly(old), open_assembly(new))


def changed(old: Path, new: Path, **resources: Mapping[str, object]) -> tuple[Change, ...]:
    """Compare the platform with one that has these resources in place of the platform's."""
    assemblies.write(new, {"Platform": assemblies.platform(**resources)})
    return compared(old, new)


def printed(old: Path, new: Path) -> str:
    """Return what a user reads, each paragraph of it on one line."""
    result = CliRunner().invoke(main, ["diff", str(old), str(new)], env={"COLUMNS": "10000"})
    assert result.exit_code == 0, result.output
    return result.output
