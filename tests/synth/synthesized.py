"""A synthesized app, as the tests that share it read it: its resources by stack and type."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aws_cdk as cdk

Resource = dict[str, Any]  # of a template: JSON


@dataclass(frozen=True, kw_only=True, slots=True)
class Synthesized:
    """The app, where its cloud assembly is, and its templates by stack."""

    app: cdk.App
    outdir: Path
    templates: Mapping[str, Mapping[str, Any]]

    def of_type(self, stack: str, kind: str) -> dict[str, Resource]:
        """Resources of one type by logical id."""
        resources = self.templates[stack]["Resources"]
        return {id: item for id, item in resources.items() if item["Type"] == kind}

    def only(self, stack: str, kind: str, part: str = "") -> tuple[str, Resource]:
        """The only resource of a type whose logical id has a part."""
        ((id, item),) = ((i, r) for i, r in self.of_type(stack, kind).items() if part in i)
        return id, item

    def properties(self, stack: str, kind: str, part: str = "") -> Resource:
        """Properties of the only resource of a type whose logical id has a part."""
        properties: Resource = self.only(stack, kind, part)[1]["Properties"]
        return properties


def synthesize(app: cdk.App) -> Synthesized:
    """Synthesize an app, and read its templates. They are shared: no test changes them."""
    outdir = Path(app.synth().directory)
    paths = outdir.glob("*.template.json")
    templates = {path.name.partition(".")[0]: json.loads(path.read_text()) for path in paths}
    return Synthesized(app=app, outdir=outdir, templates=templates)
