"""Runs a CDK app as the CDK's command line would, so that a plan needs no tool from npm."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

from cdk_emr_eks.errors import refuse

SETTINGS_FILE: Final = "cdk.json"


class SynthError(Exception):
    """The app ended with an error; what it said went to the terminal."""


@dataclass(frozen=True, kw_only=True, slots=True)
class AppSettings:
    """What ``cdk.json`` says of an app.

    Args:
        command: Shell command that runs the app.
        output: Folder of the cloud assembly.
        context: Context and feature flags; without them a template differs from what ``cdk deploy``
            would deploy.

    Source: https://docs.aws.amazon.com/cdk/v2/guide/cli.html#cli-config
    """

    command: str
    output: Path
    context: str

    @classmethod
    def read(cls, folder: Path) -> Self:
        """Read the settings of the app in a folder.

        Raises:
            ConfigError: If there is no ``cdk.json``, it is no JSON, or it names no app.
        """
        path = folder / SETTINGS_FILE
        where = str(path)
        if not path.is_file():
            raise refuse(where, SETTINGS_FILE, "must be in the folder of the app")
        try:
            found = json.loads(path.read_text(encoding="utf-8"))
        except json.JSONDecodeError as error:
            raise refuse(where, SETTINGS_FILE, f"must be JSON ({error})") from error
        if not isinstance(found, dict) or not isinstance(found.get("app"), str):
            raise refuse(where, "app", "must be the command that runs the app")
        return cls(
            command=found["app"],
            output=Path(found.get("output", "cdk.out")),
            context=json.dumps(found.get("context", {})),
        )


def synthesize(settings: AppSettings, folder: Path) -> Path:
    """Run the app and return the folder of its cloud assembly, made anew.

    Args:
        settings: How to run it.
        folder: Where to run it.

    Raises:
        ConfigError: If the output folder holds something else than a cloud assembly.
        SynthError: If the app fails.
    """
    outdir = (folder / settings.output).resolve()
    if outdir.exists():
        if any(outdir.iterdir()) and not (outdir / "manifest.json").is_file():
            rule = "must be a cloud assembly or not be there: it is made anew"
            raise refuse(f"{folder / SETTINGS_FILE}", "output", rule, str(outdir))
        # Files of stacks and templates that are no more would be taken for current ones.
        shutil.rmtree(outdir)
    environment = os.environ | {"CDK_OUTDIR": str(outdir), "CDK_CONTEXT_JSON": settings.context}
    # The command is the user's own and meant for a shell, as the CDK's command line runs it.
    ended = subprocess.run(settings.command, shell=True, cwd=folder, env=environment, check=False)
    if ended.returncode:
        raise SynthError(f"the app ended with exit code {ended.returncode}: {settings.command}")
    return outdir
