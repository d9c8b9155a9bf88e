"""Write tables, commands and JSON to the terminal or to a pipe."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import click
from rich.console import Console

from cdk_emr_eks.assembly.reader import Assembly, AssemblyError, open_assembly
from cdk_emr_eks.errors import ConfigError
from cdk_emr_eks.synth import MissingLookupsError, SynthError

FOLDER: Final = click.Path(file_okay=False, path_type=Path)

_PIPED_WIDTH: Final = 120


@contextmanager
def errors_as_messages() -> Iterator[None]:
    """End the command with the message of an error that the user can correct."""
    try:
        yield
    except (AssemblyError, ConfigError, SynthError) as error:
        raise click.ClickException(str(error)) from error


def opened(folder: Path) -> Assembly:
    """Read an assembly.

    Raises:
        AssemblyError: If the folder is not an assembly.
        MissingLookupsError: If its templates hold dummy values, since look-ups are missing.
    """
    assembly = open_assembly(folder)
    if assembly.missing:
        raise MissingLookupsError(assembly.missing)
    return assembly


def print_tables(show: Callable[[Console], None]) -> None:
    """Print tables as wide as the terminal, or 120 characters wide in a pipe.

    Colours are used on a terminal only. ``NO_COLOR`` and ``COLUMNS`` are respected.
    """
    piped = not sys.stdout.isatty() and "COLUMNS" not in os.environ
    console = Console(
        width=_PIPED_WIDTH if piped else None, highlight=False, emoji=False, markup=False
    )
    with console.capture() as capture:
        show(console)
    # Tables fill their last column with blanks.
    click.echo("\n".join(line.rstrip() for line in capture.get().splitlines()))


def print_commands(title: str, commands: list[str]) -> None:
    """Print commands below a title, each on one line, ready to copy."""
    if commands:
        click.echo("\n".join(["", title, *(f"  {command}" for command in commands)]))


def print_json(value: object) -> None:
    """Print a value as JSON."""
    click.echo(json.dumps(value, indent=2, ensure_ascii=False))
