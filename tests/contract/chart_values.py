"""Check the values that the library gives Karpenter's chart, against what the chart reads.

Helm takes any key without a word: a misspelt one renders the default. So a value is checked by
path against the chart's own ``values.yaml``, and against what each path was seen to move.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Final, cast

# The chart does not render without these.
REQUIRED: Final[Mapping[str, object]] = {"settings.clusterName": "cluster"}

_DATA: Final = Path(__file__).parent / "data/karpenter_chart.json"


@cache
def _chart() -> Mapping[str, Mapping[str, object]]:
    return cast(Mapping[str, Mapping[str, object]], json.loads(_DATA.read_text()))


# Maps of Kubernetes' own, whose keys the user chooses though the chart's defaults have some.
OPEN: Final = ("nodeSelector", "affinity", "strategy", "podSecurityContext")


def leaves(values: Mapping[str, object], path: str = "") -> Iterator[tuple[str, object]]:
    """Yield each leaf of a tree of values; lists, empty maps and ``OPEN`` ones are leaves."""
    for key, value in values.items():
        place = f"{path}.{key}" if path else key
        if isinstance(value, Mapping) and value and place not in OPEN:
            yield from leaves(value, place)
        else:
            yield place, value


def nested(flat: Mapping[str, object]) -> dict[str, object]:
    """Turn dotted paths into a tree of values."""
    tree: dict[str, object] = {}
    for path, value in flat.items():
        *parents, last = path.split(".")
        level = tree
        for part in parents:
            level = cast(dict[str, object], level.setdefault(part, {}))
        level[last] = value
    return tree


def unread_values(values: Mapping[str, object]) -> list[str]:
    """Return what the chart would not read as meant, one sentence each; empty if all is well.

    Args:
        values: The values as the library passes them to Helm, as a tree.
    """
    return list(_unread(values, _chart()["defaults"], ""))


def _unread(values: Mapping[str, object], known: Mapping[str, object], path: str) -> Iterator[str]:
    for key, value in values.items():
        place = f"{path}.{key}" if path else key
        if key not in known:
            yield f"{place} is no value of the chart; known: {', '.join(sorted(known))}"
            continue
        default = known[key]
        if place in OPEN or default == {}:
            if not isinstance(value, Mapping):
                yield f"{place} must be a map, got {value!r}"
        elif isinstance(default, Mapping):
            if isinstance(value, Mapping):
                yield from _unread(value, default, place)
            else:
                yield f"{place} must be a map, got {value!r}"
        elif isinstance(default, list) != isinstance(value, list | tuple):
            kind = "a list" if isinstance(default, list) else "a scalar"
            yield f"{place} must be {kind}, got {value!r}"
        elif isinstance(default, bool) != isinstance(value, bool):
            # A text 'false' is true to a template.
            yield f"{place} must be {'true or false' if isinstance(default, bool) else 'text'}"
        elif place in _chart()["effects"] and not _chart()["effects"][place]:
            yield f"{place} moves nothing in what the chart renders"


def environment_of(value_path: str) -> str:
    """Return the controller's environment variable that a value sets.

    Raises:
        KeyError: If the chart has no such value, or the value sets no variable.
    """
    places = cast(list[str], _chart()["effects"][value_path])
    names = {p.rpartition(".env[")[2].partition("]")[0] for p in places if ".env[" in p}
    if len(names) != 1:
        raise KeyError(f"{value_path} sets {sorted(names)}")
    return names.pop()


def places_of(value_path: str) -> tuple[str, ...]:
    """Return the places of the rendered objects that a value moves (``Kind/name:path``)."""
    return tuple(cast(list[str], _chart()["effects"][value_path]))


def paths() -> tuple[str, ...]:
    """Return the path of every value of the chart."""
    return tuple(_chart()["effects"])
