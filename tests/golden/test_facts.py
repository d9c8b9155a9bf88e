"""Constants, choices and defaults of the values' code, as files that a reviewer reads.

They are facts of AWS, Kubernetes, Karpenter and Spark, or choices of this library: a change of one
is seen in the difference, and is never an accident.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import MISSING, Field, fields, is_dataclass
from datetime import timedelta
from enum import Enum
from importlib import import_module
from inspect import isclass, isfunction, signature
from pathlib import Path
from types import ModuleType
from typing import Any, Final

import pytest
from syrupy.assertion import SnapshotAssertion

from cdk_emr_eks import model
from cdk_emr_eks.model.admission.policy import AdmissionPolicy, Rule
from cdk_emr_eks.units import Cpu, Memory

ROOT: Final = Path(model.__file__).parent
DOMAINS: Final = sorted(path.parent.name for path in ROOT.glob("*/__init__.py"))
# Shown by what is derived from it.
LEFT_OUT: Final = frozenset({"DEFAULT_WORKLOADS", "_ROWS"})
# Short lists stand on one line.
_WIDTH: Final = 140


@pytest.mark.parametrize("domain", DOMAINS)
def test_facts_of(domain: str, golden: SnapshotAssertion) -> None:
    paths = sorted((ROOT / domain).glob("*.py"))
    modules = [import_module(f"{model.__name__}.{domain}.{path.stem}") for path in paths]
    documents = [found for module in modules for found in (_constants(module), *_classes(module))]
    # By content, so that a constant can move from one module of a domain to another.
    assert sorted(filter(None, documents), key=str) == golden(name=f"facts-{domain}")


def _constants(module: ModuleType) -> dict[str, Any]:
    """Return constants that a module defines; imported ones are those of another domain."""
    source = Path(module.__file__ or "").read_text(encoding="utf-8")
    own = re.findall(r"^(_?[A-Z][A-Z0-9_]+)(?:: [^=]+)? = ", source, re.MULTILINE)
    found = {name: getattr(module, name) for name in own if name not in LEFT_OUT}
    return {name: _shown(each) for name, each in sorted(found.items()) if _is_data(each)}


def _classes(module: ModuleType) -> Iterator[dict[str, Any]]:
    """Yield choices of enums, and defaults of values and functions that a module defines."""
    for name, each in sorted(vars(module).items()):
        if getattr(each, "__module__", "") != module.__name__:
            continue
        if isfunction(each):
            parameters = signature(each).parameters.values()
            defaults = {one.name: one.default for one in parameters if one.default is not one.empty}
            if defaults:
                yield {name: {key: _shown(default) for key, default in defaults.items()}}
        if not isclass(each):
            continue
        if issubclass(each, Enum):
            yield {name: [f"{choice.name} = {choice.value}" for choice in each]}
        elif is_dataclass(each):
            defaults = {field.name: _shown(_default(field)) for field in fields(each)}
            given = {key: default for key, default in defaults.items() if default is not MISSING}
            if given:
                yield {name: given}


def _default(field: Field[Any]) -> object:
    return field.default if field.default_factory is MISSING else field.default_factory()


def _is_data(value: object) -> bool:
    items = value if isinstance(value, tuple) else (value,)
    # The manifests of admission policies have a golden file.
    if any(isinstance(each, AdmissionPolicy | Rule) for each in items):
        return False
    return not isclass(value) and not callable(value) and "typing" not in type(value).__module__


def _shown(value: object) -> Any:
    """Return a value as plain YAML, without the defaults of values in it."""
    if isinstance(value, re.Pattern):
        return value.pattern
    if isinstance(value, Cpu | Memory):
        return value.kubernetes
    if isinstance(value, timedelta | Path | Enum | range):
        return str(value)
    if is_dataclass(value):
        given = {each.name: (getattr(value, each.name), _default(each)) for each in fields(value)}
        differing = {key: _shown(has) for key, (has, default) in given.items() if has != default}
        return {type(value).__name__: differing}
    if isinstance(value, Mapping):
        return {str(_key(key)): _shown(item) for key, item in value.items()}
    if isinstance(value, Set):
        return sorted((_shown(each) for each in value), key=str)
    if isinstance(value, Sequence) and not isinstance(value, str):
        shown = [_shown(each) for each in value]
        short = all(isinstance(each, str | int) for each in shown) and len(str(shown)) < _WIDTH
        return ", ".join(map(str, shown)) if short and len(shown) > 1 else shown
    if value is None or value is MISSING or isinstance(value, bool | int | float | str):
        return value
    return str(value)


def _key(key: object) -> object:
    return ", ".join(map(str, key)) if isinstance(key, tuple) else key
