"""Cloud assemblies as files, without the CDK."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

Template = Mapping[str, Any]


def stack_artifact(name: str, **more: Any) -> dict[str, Any]:
    return {
        "type": "aws:cloudformation:stack",
        "environment": "aws://111122223333/eu-west-1",
        "displayName": name,
        "properties": {"templateFile": f"{name}.template.json"},
        "dependencies": ["Assets"],
        **more,
    }


def write_assembly(
    folder: Path,
    stacks: Mapping[str, Template],
    *,
    files: Mapping[str, Template] | None = None,
    assets: Mapping[str, str] | None = None,
    artifacts: Mapping[str, Any] | None = None,
    missing: list[Any] | None = None,
) -> Path:
    """Write an assembly.

    Args:
        folder: Where.
        stacks: Templates by name of the stack.
        files: Further templates by file.
        assets: File of each asset by its key in the bucket.
        artifacts: Further artifacts, or others for stacks.
        missing: Missing look-ups.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for name, template in stacks.items():
        (folder / f"{name}.template.json").write_text(json.dumps(template))
    for name, template in (files or {}).items():
        (folder / name).write_text(json.dumps(template))
    asset_files = {
        key: {"source": {"path": file}, "destinations": {"here": {"objectKey": key}}}
        for key, file in (assets or {}).items()
    }
    (folder / "assets.json").write_text(json.dumps({"files": asset_files}))
    content = {
        "version": "55.0.0",
        "artifacts": {
            "Assets": {"type": "cdk:asset-manifest", "properties": {"file": "assets.json"}},
            **{name: stack_artifact(name) for name in stacks},
            **(artifacts or {}),
        },
        "missing": missing or [],
    }
    (folder / "manifest.json").write_text(json.dumps(content))
    return folder


def resource(kind: str, **properties: Any) -> dict[str, Any]:
    return {"Type": kind, "Properties": properties}


def resources(**found: Any) -> dict[str, Any]:
    return {"Resources": found}
