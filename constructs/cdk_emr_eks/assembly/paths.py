"""Read nested values of JSON and YAML documents; a missing part reads as empty."""

from __future__ import annotations

from collections.abc import Mapping


def at(value: object, *path: str | int) -> object:
    """Return the value at a path of keys and indices, None if a part of the path is missing.

    Example:
        ``at(deployment, "spec", "template", "spec", "containers", 0)``
    """
    for part in path:
        if isinstance(part, int):
            items = sequence(value)
            value = items[part] if -len(items) <= part < len(items) else None
        else:
            value = mapping(value).get(part)
    return value


def mapping(value: object, *path: str | int) -> Mapping[str, object]:
    """Return the mapping at a path, an empty one if the path holds something else."""
    found = at(value, *path) if path else value
    return found if isinstance(found, Mapping) else {}


def sequence(value: object, *path: str | int) -> list[object]:
    """Return the list at a path, an empty one if the path holds something else."""
    found = at(value, *path) if path else value
    return found if isinstance(found, list) else []


def text(value: object, *path: str | int) -> str:
    """Return the value at a path as text, the empty string if it is missing."""
    found = at(value, *path) if path else value
    return "" if found is None else str(found)
