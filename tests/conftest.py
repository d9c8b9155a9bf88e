"""The cloud assemblies of the reference app and the examples, each synthesized once a session."""

from __future__ import annotations

import json
import runpy
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Final

import aws_cdk as cdk
import pytest

ROOT: Final = Path(__file__).parent.parent
APPS: Final[Mapping[str, Path]] = {
    "reference": ROOT / "app.py",
    **{path.parent.name: path for path in sorted(ROOT.glob("examples/*/app.py"))},
}
"""Every app of the repository by name."""

Assemblies = Callable[[str], Path]


@pytest.fixture(scope="session")
def assemblies(tmp_path_factory: pytest.TempPathFactory) -> Assemblies:
    """Return what gives the folder of an app's assembly, by the app's name in ``APPS``."""
    context = json.loads((ROOT / "cdk.json").read_text())["context"]
    plain_app = cdk.App

    @cache
    def assembly(name: str) -> Path:
        outdir = tmp_path_factory.mktemp("assembly") / name
        with pytest.MonkeyPatch.context() as patch:
            # As the CDK's command line would have it: its context, and a folder of our choice.
            patch.setattr(cdk, "App", lambda: plain_app(outdir=str(outdir), context=context))
            runpy.run_path(str(APPS[name]), run_name="__main__")
        return outdir

    return assembly
