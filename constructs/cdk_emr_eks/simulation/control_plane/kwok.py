"""KWOK's configuration: what the nodes and pods that it plays do by themselves."""

from __future__ import annotations

from pathlib import Path
from typing import Final

__all__ = ["write_stages"]

_LEFT_OUT: Final = frozenset({"kustomization", "pod-complete"})
# ``pod-complete`` ends the pod of a Job as soon as it runs. A job's submitter runs as long as the
# job does, and says so itself.


def write_stages(stages: Path, path: Path) -> Path:
    """Write one configuration file with all stages of a folder, and return its path.

    KWOK refuses to start without any; these are its own fast stages, where a node is ready and a
    pod runs as soon as it is there. Pods end when those who play jobs say so.
    """
    found = sorted(each for each in stages.rglob("*.yaml") if "testdata" not in each.parts)
    texts = [each.read_text(encoding="utf-8") for each in found if each.stem not in _LEFT_OUT]
    path.write_text("\n---\n".join(texts), encoding="utf-8")
    return path
