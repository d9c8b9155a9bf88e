"""Run a CDK app as the CDK's command line does, so that a plan needs no tool from npm."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final, Self

from cdk_emr_eks.assembly.reader import MANIFEST_FILE, MissingLookup, missing_lookups
from cdk_emr_eks.errors import refuse

SETTINGS_FILE: Final = "cdk.json"
CONTEXT_FILE: Final = "cdk.context.json"
_REPORT: Final = "validation-report.json"
DEFAULT_OUTPUT: Final = "cdk.out"

# Linux takes 128 KiB for one variable of the environment. A larger context is passed as a file.
_MAX_CONTEXT: Final = 100_000
# Names of what an app writes before the manifest, which is last. A folder with nothing else is the
# output of an app that failed half-way.
_WRITTEN: Final = re.compile(
    r"cdk\.out|tree\.json|validation-report\.json|pod-templates|assembly-.*|asset\..*"
    r"|bundling-temp-.*|.*\.(assets|metadata|template)\.json|\.cache"
)


class SynthError(Exception):
    """The app failed; its own messages are on the terminal."""


class MissingLookupsError(SynthError):
    """The app needs values from AWS that ``cdk.context.json`` does not hold.

    Args:
        lookups: The missing look-ups.
        options: Options of the CDK's command line with which the app was run.
    """

    def __init__(self, lookups: Iterable[MissingLookup], options: Iterable[str] = ()) -> None:
        found = "".join(f"\n  {lookup}" for lookup in lookups)
        super().__init__(
            f"The app needs values from AWS that {CONTEXT_FILE} does not hold:{found}\n"
            "Until they are known, the templates hold dummy values. Look them up with the CDK's "
            f"command line and credentials of the account, then run this command again:\n"
            f"  {shlex.join(('npx', 'cdk', 'synth', '--quiet', *options))}"
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class AppSettings:
    """Settings of an app, as ``cdk.json`` and ``cdk.context.json`` hold them.

    Args:
        command: Shell command that runs the app.
        output: Folder of the cloud assembly.
        context: Context and feature flags. Without them a template differs from the one that
            ``cdk deploy`` deploys.
        options: Options of the CDK's command line that stand for what was given beyond the files.

    Source: https://docs.aws.amazon.com/cdk/v2/guide/cli.html#cli-config and
    https://docs.aws.amazon.com/cdk/v2/guide/context.html, 2026-11.
    """

    command: str
    output: Path
    context: Mapping[str, object] = field(default_factory=dict)
    options: tuple[str, ...] = ()

    @classmethod
    def read(cls, folder: Path) -> Self:
        """Read the settings of the app in a folder.

        Raises:
            ConfigError: If ``cdk.json`` is missing or names no app, or a file is not JSON.
        """
        path = folder / SETTINGS_FILE
        if not path.is_file():
            raise refuse(str(path), SETTINGS_FILE, "must be in the folder of the app")
        settings = _read(path)
        if not isinstance(settings.get("app"), str):
            raise refuse(str(path), "app", "must be the command that runs the app")
        looked_up = _read(folder / CONTEXT_FILE) if (folder / CONTEXT_FILE).is_file() else {}
        context = settings.get("context", {})
        if not isinstance(context, dict):
            raise refuse(str(path), "context", "must be a mapping", context)
        return cls(
            command=str(settings["app"]),
            output=Path(str(settings.get("output", DEFAULT_OUTPUT))),
            # The CDK reads cdk.json first, too.
            context={**looked_up, **context},
        )

    def override(
        self, *, app: str | None = None, output: Path | None = None, context: Iterable[str] = ()
    ) -> Self:
        """Return the settings with options of a command line in place of those of the files.

        Args:
            app: Command that runs the app.
            output: Folder of the cloud assembly.
            context: Values of the context as ``key=value``.

        Raises:
            ConfigError: If a value of the context has no key, or a key of the CDK itself.
        """
        given: dict[str, object] = {}
        options: list[str] = ["--app", app] if app else []
        for entry in context:
            key, equals, value = entry.partition("=")
            if not key or not equals:
                raise refuse("Context", "-c", "must be key=value", entry)
            if key.startswith("aws:"):
                raise refuse("Context", "-c", "must not have a key that begins with 'aws:'", entry)
            given[key] = value
            options += ["-c", entry]
        return replace(
            self,
            command=app or self.command,
            output=output or self.output,
            context={**self.context, **given},
            options=(*self.options, *options),
        )


def synthesize(settings: AppSettings, folder: Path) -> Path:
    """Run the app and return the folder of its cloud assembly.

    The app writes into a temporary folder, which replaces the output when the app has succeeded.
    After a failure, the output is still the last good assembly.

    Args:
        settings: How to run it.
        folder: Where to run it.

    Raises:
        ConfigError: If the output folder has other content than a cloud assembly.
        MissingLookupsError: If the app needs values from AWS.
        SynthError: If the app fails.
    """
    output = (folder / settings.output).resolve()
    if not _is_replaceable(output):
        rule = "must be a cloud assembly or not exist, since the command replaces the folder"
        raise refuse(f"{folder / SETTINGS_FILE}", "output", rule, str(output))
    output.parent.mkdir(parents=True, exist_ok=True)
    # The inner folder has the name of the output, so that assets which exclude it exclude this one.
    with tempfile.TemporaryDirectory(prefix=f".{output.name}.", dir=output.parent) as temporary:
        made = Path(temporary) / output.name
        try:
            _run(settings, folder, made, output)
        except SynthError:
            # The CDK's messages name the report of its validation, which the user may want to read.
            if (made / _REPORT).is_file():
                output.mkdir(exist_ok=True)
                shutil.copyfile(made / _REPORT, output / _REPORT)
            raise
        lookups = missing_lookups(made)
        if lookups:
            raise MissingLookupsError(lookups, settings.options)
        if output.exists():
            output.rename(Path(temporary) / "replaced")
        made.rename(output)
    return output


def _run(settings: AppSettings, folder: Path, made: Path, output: Path) -> None:
    """Run the app, which writes into ``made``, and name ``output`` in its messages instead."""
    with _context(settings.context) as context:
        environment = os.environ | {"CDK_OUTDIR": str(made)} | context
        # The command is the user's and meant for a shell, as the CDK's command line runs it.
        with subprocess.Popen(
            settings.command, shell=True, cwd=folder, env=environment, stderr=subprocess.PIPE
        ) as process:
            assert process.stderr is not None
            for line in process.stderr:
                text = line.decode(errors="replace")
                for name in (str, lambda path: os.path.relpath(path, folder)):
                    text = text.replace(name(made), name(output))
                sys.stderr.write(text)
                sys.stderr.flush()
    if process.returncode:
        raise SynthError(f"the app ended with exit code {process.returncode}: {settings.command}")
    if not (made / MANIFEST_FILE).is_file():
        raise SynthError(
            "the app ended without a cloud assembly in the folder that the variable CDK_OUTDIR "
            "names; create it with App() without outdir, and end with app.synth(): "
            f"{settings.command}"
        )


@contextmanager
def _context(context: Mapping[str, object]) -> Iterator[dict[str, str]]:
    """Yield the variables that pass the context to the app."""
    text = json.dumps(context)
    if len(text) <= _MAX_CONTEXT:
        yield {"CDK_CONTEXT_JSON": text}
        return
    with tempfile.TemporaryDirectory(prefix="emr-eks-context-") as temporary:
        file = Path(temporary) / CONTEXT_FILE
        file.write_text(text, encoding="utf-8")
        yield {"CDK_CONTEXT_JSON": "{}", "CONTEXT_OVERFLOW_LOCATION": str(file)}


def _is_replaceable(output: Path) -> bool:
    """Return whether the output does not exist, or has only what an app writes."""
    if not output.exists() or (output / MANIFEST_FILE).is_file():
        return True
    return output.is_dir() and all(_WRITTEN.fullmatch(each.name) for each in output.iterdir())


def _read(path: Path) -> dict[str, object]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except json.JSONDecodeError as error:
        raise refuse(str(path), path.name, f"must be JSON ({error})") from error
    if not isinstance(found, dict):
        raise refuse(str(path), path.name, "must be a JSON object")
    return found
