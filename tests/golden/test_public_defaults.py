"""Defaults and choices of the public values, as a file that a reviewer reads.

A user relies on a default without writing it, so a changed default is a change of the interface.
Constants of the modules are not shown here: a test of behaviour must notice a changed constant.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from dataclasses import MISSING, Field, fields, is_dataclass
from datetime import timedelta
from enum import Enum
from importlib import import_module
from inspect import isclass, isfunction, signature
from pathlib import Path
from typing import Any, Final

from syrupy.assertion import SnapshotAssertion

import cdk_emr_eks
from cdk_emr_eks import model
from cdk_emr_eks.lazy_exports import exported
from cdk_emr_eks.units import Cpu, Memory

PUBLIC: Final = exported(cdk_emr_eks.__file__)
# Short lists stand on one line.
_WIDTH: Final = 140


def test_defaults_of_public_values(golden: SnapshotAssertion) -> None:
    names = sorted(name for name, module in PUBLIC.items() if module.startswith(model.__name__))
    documents = [
        {name: shown}
        for name in names
        if (shown := _interface(getattr(import_module(PUBLIC[name]), name)))
    ]
    assert documents == golden(name="public-defaults")


def _interface(public: object) -> dict[str, Any] | list[str]:
    """Return choices of an enum, or defaults of a value or function; empty if it has none."""
    if isfunction(public):
        parameters = signature(public).parameters.values()
        return {
            each.name: _shown(each.default) for each in parameters if each.default is not each.empty
        }
    if isclass(public) and issubclass(public, Enum):
        return [f"{choice.name} = {choice.value}" for choice in public]
    if isclass(public) and is_dataclass(public):
        defaults = {field.name: _shown(_default(field)) for field in fields(public)}
        return {name: default for name, default in defaults.items() if default is not MISSING}
    return {}


def _default(field: Field[Any]) -> object:
    return field.default if field.default_factory is MISSING else field.default_factory()


def _shown(value: object) -> Any:
    """Return a value as plain YAML, without the defaults of values in it."""
    if isinstance(value, Cpu | Memory):
        return value.kubernetes
    if isinstance(value, timedelta | Path | Enum | range):
        return str(value)
    if is_dataclass(value):
        given = {each.name: (getattr(value, each.name), _default(each)) for each in fields(value)}
        differing = {key: _shown(has) for key, (has, default) in given.items() if has != default}
        return {type(value).__name__: differing}
    if isinstance(value, Mapping):
        return {str(key): _shown(item) for key, item in value.items()}
    if isinstance(value, Set):
        return sorted((_shown(each) for each in value), key=str)
    if isinstance(value, Sequence) and not isinstance(value, str):
        shown = [_shown(each) for each in value]
        short = all(isinstance(each, str | int) for each in shown) and len(str(shown)) < _WIDTH
        return ", ".join(map(str, shown)) if short and len(shown) > 1 else shown
    if value is None or value is MISSING or isinstance(value, bool | int | float | str):
        return value
    return str(value)
