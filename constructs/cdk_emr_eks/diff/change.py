"""A change between two assemblies, and the fields that differ in it.

``emr-eks diff --json`` prints both as they are here.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from cdk_emr_eks.assembly.paths import mapping

CATEGORIES: Final = (
    "stack",
    "cluster",
    "tenant",
    "node pool",
    "node class",
    "chart",
    "add-on",
    "IAM",
    "Kubernetes object",
    "pod template",
    "output",
    "resource",
)

_ABSENT: Final = object()
# Keys that identify the items of a list, if all items have one.
_KEYS: Final = ("name", "Name", "key", "Key", "Sid", "id", "classification")


@dataclass(frozen=True, kw_only=True, slots=True)
class FieldChange:
    """One field that differs.

    Args:
        path: Path of the field, ``spec.limits.cpu``; items of lists by their key, in brackets.
        old: Old value; None if the field is new.
        new: New value; None if the field is removed.
    """

    path: str
    old: object
    new: object


@dataclass(frozen=True, kw_only=True, slots=True)
class Change:
    """An item that is added, removed or changed.

    Args:
        category: One of ``CATEGORIES``.
        stack: Stack of the item; empty for pod templates, which are files of the assembly.
        name: Name of the item; type and logical id of a resource.
        action: ``added``, ``removed`` or ``changed``.
        fields: Fields of a changed item that differ.
        replaced_by: Properties whose change makes CloudFormation replace the resource. If empty, a
            replacement is unknown, but possible.
        refused: Fields that Kubernetes or AWS refuses, so that the deployment would fail.
        effects: Effects on running jobs and on stored data, as sentences.
    """

    category: str
    stack: str
    name: str
    action: str
    fields: tuple[FieldChange, ...] = ()
    replaced_by: tuple[str, ...] = ()
    refused: tuple[str, ...] = ()
    effects: tuple[str, ...] = ()


def field_changes(old: object, new: object) -> tuple[FieldChange, ...]:
    """Return every field that differs, in the order of the old value, then of the new one.

    The library deepdiff matches list items by position or by hash. A difference of a Kubernetes or
    CloudFormation list is readable by the key of its items.
    """
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
    """Return the parts of a value by name; None if it has none, or is compared as a whole."""
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
    # A key with a dot, such as a label's, would read as two.
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
