"""What the static checkers read: every app of the repository, and apps of parts that none has."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import aws_cdk as cdk

from tests.conftest import Assembly
from tests.static.suppressions import FOREIGN
from tests.synth.ephemeral import ephemeral_app
from tests.synth.images.image_app import images
from tests.synth.notebooks import connect_app, endpoint_app
from tests.synth.notebooks.studio_app import studio_app
from tests.synth.platforms.isolated_app import isolated
from tests.synth.platforms.notebook_app import notebooks
from tests.synth.tenants import lake_app

# Of stacks that are alike, these are read by the slow checkers.
_SAMPLE: Final = {
    "hundred_tenants": frozenset({"Platform", "Tenants01"}),
    "hundred_users": frozenset({"Studio", "NotebooksEndpoints02", "NotebooksUsers01"}),
    "custom_image": frozenset({"Science"}),
}


@dataclass(frozen=True, kw_only=True)
class Subject:
    """A synthesized app, and which of its stacks the checkers read.

    Attributes:
        app: The app.
        folder: Its cloud assembly.
        iam: Stacks whose IAM statements are checked.
        lint: Stacks that cfn-lint reads.
        checkov: Stacks that checkov reads; those of a kind are read once, in the examples.
        ours: Whether a construct path is this library's to answer for.
    """

    app: cdk.App
    folder: Path
    iam: Collection[str]
    lint: Collection[str]
    checkov: Collection[str]
    ours: Callable[[str], bool] = bool

    def path(self, stack: str) -> Path:
        """File of a stack's template."""
        return self.folder / f"{stack}.template.json"

    def template(self, stack: str) -> dict[str, Any]:
        """Template of a stack."""
        template: dict[str, Any] = json.loads(self.path(stack).read_text())
        return template


def of_app(name: str, assembly: Assembly) -> Subject:
    """What is read of an app of the repository."""
    own = [stack for stack in assembly.templates() if stack not in FOREIGN]
    some = [stack for stack in own if stack in _SAMPLE.get(name, own)]
    return Subject(
        app=assembly.app,
        folder=assembly.folder,
        iam=own,
        lint=some,
        checkov=some,
        ours=lambda path: path.partition("/")[0] not in FOREIGN,
    )


def _studios() -> Subject:
    made, stacks = studio_app(), ("Two", "Federated", "Center", "Endpoints", "Propagated")
    return Subject(app=made.app, folder=made.folder, iam=stacks, lint=stacks, checkov=stacks)


def _notebooks() -> Subject:
    made, stacks = notebooks(), ("Iam", "Saml", "Center")
    return Subject(app=made.app, folder=made.folder, iam=stacks, lint=stacks, checkov=stacks[1:])


def _endpoints() -> Subject:
    made, stacks = endpoint_app.synthesized(), ("Platform", "Elsewhere", "Imported")
    return Subject(app=made.app, folder=made.outdir, iam=stacks, lint=stacks, checkov=())


def _connect() -> Subject:
    made, stacks = connect_app.synthesized(), ("Platform", "Elsewhere", "Imported")
    return Subject(app=made.app, folder=made.outdir, iam=stacks, lint=stacks, checkov=stacks[1:])


def _lake() -> Subject:
    made, stacks = lake_app.synthesized(), ("Elsewhere", "Imported")
    return Subject(app=made.app, folder=made.outdir, iam=stacks, lint=stacks, checkov=stacks)


def _ephemeral() -> Subject:
    made, stacks = ephemeral_app.synthesized(), ("Elsewhere", "Imported")
    return Subject(
        app=made.app,
        folder=made.outdir,
        iam=stacks[:1],
        lint=stacks,
        checkov=stacks,
        # The cluster of the tests is a bare one; what the people have is the app's own.
        ours=lambda path: "/Research/" in path or "/Plain/" in path,
    )


def _images() -> Subject:
    made, stacks = images(), ("Own", "Notebook")
    return Subject(
        app=made.app,
        folder=made.outdir,
        iam=stacks,
        lint=stacks,
        checkov=(),
        # It has CDK's own grants, which are not ours to accept.
        ours=lambda path: not path.startswith("User/"),
    )


def _isolated() -> Subject:
    made, stacks = isolated(), ("Registry", "Platform")
    return Subject(app=made.app, folder=made.outdir, iam=stacks, lint=stacks, checkov=stacks)


# Apps of the tests by name, each synthesized once a session.
PARTS: Final[Mapping[str, Callable[[], Subject]]] = {
    "studios": _studios,
    "notebooks": _notebooks,
    "endpoints": _endpoints,
    "connect": _connect,
    "lake": _lake,
    "ephemeral": _ephemeral,
    "images": _images,
    "isolated": _isolated,
}
