"""The public names of a package, each imported when it is first asked for.

Importing a construct starts Node, which takes seconds. ``cdk_emr_eks.model`` and the ``emr-eks``
command need none of it, yet Python runs the package's ``__init__`` before them. So that file holds
no imports; they stand once, in ``__init__.pyi``, where type checkers and this module read them.
"""

from __future__ import annotations

import ast
from collections.abc import Callable
from importlib import import_module
from pathlib import Path


def exported(file: str) -> dict[str, str]:
    """Return the module of each name that the stub beside ``file`` imports."""
    tree = ast.parse(Path(file).with_suffix(".pyi").read_text(encoding="utf-8"))
    return {
        alias.name: node.module
        for node in tree.body
        if isinstance(node, ast.ImportFrom) and node.module
        for alias in node.names
    }


def importer(package: str, modules: dict[str, str]) -> Callable[[str], object]:
    """Return a module's ``__getattr__``, which imports a public name from where it is defined."""

    def attribute(name: str) -> object:
        if name not in modules:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        return getattr(import_module(modules[name]), name)

    return attribute
