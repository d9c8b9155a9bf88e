"""KWOK's configuration: what the nodes and pods that it plays do by themselves."""

from __future__ import annotations

from pathlib import Path

__all__ = ["write_stages"]


def write_stages(stages: Path, path: Path) -> Path:
    """Write one configuration file with all stages of a folder, and return its path.

    KWOK refuses to start without any; these are its own fast stages, where a node is ready and a
    pod runs as soon as it is there.
    """
    found = sorted(each for each in stages.rglob("*.yaml") if "testdata" not in each.parts)
    texts = [each.read_text(encoding="utf-8") for each in found if each.stem != "kustomization"]
    path.write_text("\n---\n".join(texts), encoding="utf-8")
    return path
