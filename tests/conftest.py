"""The cloud assemblies of the reference app and the examples, each synthesized once a session."""

from __future__ import annotations

import json
import runpy
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

import aws_cdk as cdk
import pytest

ROOT: Final = Path(__file__).parent.parent
APPS: Final[Mapping[str, Path]] = {
    "reference": ROOT / "app.py",
    **{path.parent.name: path for path in sorted(ROOT.glob("examples/*/app.py"))},
}
"""Every app of the repository by name."""


@dataclass(frozen=True)
class Assembly:
    """A synthesized app and the folder of its cloud assembly."""

    app: cdk.App
    folder: Path

    def templates(self) -> dict[str, dict[str, Any]]:
        """Templates by stack."""
        paths = sorted(self.folder.glob("*.template.json"))
        return {path.name.partition(".")[0]: json.loads(path.read_text()) for path in paths}


Assemblies = Callable[[str], Assembly]


@pytest.fixture(scope="session")
def assemblies(tmp_path_factory: pytest.TempPathFactory) -> Assemblies:
    """Return what gives the assembly of an app, by the app's name in ``APPS``."""
    plain_app = cdk.App

    @cache
    def assembly(name: str) -> Assembly:
        folder = tmp_path_factory.mktemp("assembly") / name
        app = plain_app(outdir=str(folder))
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(cdk, "App", lambda: app)
            runpy.run_path(str(APPS[name]), run_name="__main__")
        return Assembly(app, folder)

    return assembly
