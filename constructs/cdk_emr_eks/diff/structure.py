"""The difference of two nested values, field by field.

A library for this (deepdiff) would match list items by position or by hashes of them; what makes a
Kubernetes or CloudFormation list readable is its own key, so the forty lines are ours.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from cdk_emr_eks.assembly.paths import mapping

_ABSENT: Final = object()
# What tells the items of a list apart, where all of them have it.
_KEYS: Final = ("name", "Name", "key", "Key", "Sid", "id", "classification")


@dataclass(frozen=True, kw_only=True, slots=True)
class FieldChange:
    """One field that differs.

    Args:
        path: Where it is: ``spec.limits.cpu``; items of lists by their key, in brackets.
        old: Its value before; None where it was not there.
        new: Its value after; None where it is gone.
    """

    path: str
    old: object
    new: object


def changes(old: object, new: object) -> tuple[FieldChange, ...]:
    """Return every field that differs, in the order of the old value, then of the new one."""
    return tuple(_walk("", old, new))


def _walk(path: str, old: object, new: object) -> Iterator[FieldChange]:
    if old == new:
        return
    before, after = _named(old), _named(new)
    if before is None or after is None:
        yield FieldChange(path=path, old=_leaf(old), new=_leaf(new))
        return
    bracket = isinstance(old, list) or isinstance(new, list)
    for key in dict.fromkeys([*before, *after]):
        yield from _walk(
            _join(path, key, bracket), before.get(key, _ABSENT), after.get(key, _ABSENT)
        )


def _named(value: object) -> Mapping[str, object] | None:
    """Return the parts of a value by name; None where it has none, or is compared as a whole."""
    if isinstance(value, Mapping):
        return value
    if isinstance(value, list) and all(isinstance(item, Mapping) for item in value):
        for key in _KEYS:
            names = [mapping(item).get(key, _ABSENT) for item in value]
            if all(isinstance(name, str) for name in names) and len(set(names)) == len(names):
                return {str(name): item for name, item in zip(names, value, strict=True)}
        return {str(number): item for number, item in enumerate(value)}
    return None


def _join(path: str, key: str, bracket: bool) -> str:
    # A key with a dot of its own, such as a label's, would read as two.
    if bracket or "." in key or "/" in key:
        return f"{path}[{key}]"
    return f"{path}.{key}" if path else key


def _leaf(value: object) -> object:
    return None if value is _ABSENT else value


def one_line(value: object) -> str:
    """Write a value on one line."""
    if value is None:
        return "none"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
