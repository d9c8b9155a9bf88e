"""The cloud assemblies of the reference app and the examples, each synthesized once a session."""

from __future__ import annotations

import runpy
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

from cdk_emr_eks.assembly import open_assembly

if TYPE_CHECKING:
    import aws_cdk as cdk

ROOT: Final = Path(__file__).parent.parent
# Every app of the repository by name.
APPS: Final[Mapping[str, Path]] = {
    "reference": ROOT / "app.py",
    **{path.parent.name: path for path in sorted(ROOT.glob("examples/*/app.py"))},
}


@dataclass(frozen=True)
class Assembly:
    """A synthesized app and the folder of its cloud assembly."""

    app: cdk.App
    folder: Path

    def templates(self) -> dict[str, dict[str, Any]]:
        """Templates by stack."""
        return {stack.name: dict(stack.template) for stack in open_assembly(self.folder).stacks}


Assemblies = Callable[[str], Assembly]


@pytest.fixture(scope="session", autouse=True)
def as_wide_as_piped() -> Iterator[None]:
    """Let commands print as if piped, whatever width the shell or xdist says."""
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("COLUMNS", raising=False)
        yield


@pytest.fixture(scope="session")
def assemblies(tmp_path_factory: pytest.TempPathFactory) -> Assemblies:
    """Return what gives the assembly of an app, by the app's name in ``APPS``."""
    # Imported here: it starts Node, which unit tests run without.
    import aws_cdk as cdk

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


class OneProcessForThePlane(LoadScopeScheduling):  # type: ignore[misc]  # it has no types
    """Keeps a file's tests in one process, and all of the simulation's, which share its plane.

    They mostly wait for Karpenter, so the other process has the machine's cores in the meantime,
    and two control planes never compete for them.
    """

    def _split_scope(self, nodeid: str) -> str:
        path = nodeid.partition("::")[0]
        folder = "tests/simulation"
        return folder if path.startswith(f"{folder}/") else path


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> LoadScopeScheduling:
    """Say to xdist how tests are shared out to processes."""
    return OneProcessForThePlane(config, log)
