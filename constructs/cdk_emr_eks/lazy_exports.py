"""Public names of a package that are imported when they are first used.

Importing a construct starts Node, which takes seconds. ``cdk_emr_eks.model`` and the ``emr-eks``
command need none of it, yet Python runs the package's ``__init__`` before them. Its imports are
therefore below ``if TYPE_CHECKING``: editors and type checkers follow them, and this module reads
them as the table of what is imported from where.
"""

from __future__ import annotations

import ast
from collections.abc import Callable
from importlib import import_module
from pathlib import Path

__all__ = ["exported", "importer"]


def exported(file: str) -> dict[str, str]:
    """Return the module of each name that a file imports for type checkers.

    Args:
        file: Path of the package's ``__init__.py``.
    """
    tree = ast.parse(Path(file).read_text(encoding="utf-8"))
    return {
        alias.name: node.module
        for block in tree.body
        if isinstance(block, ast.If) and ast.unparse(block.test) == "TYPE_CHECKING"
        for node in block.body
        if isinstance(node, ast.ImportFrom) and node.module
        for alias in node.names
    }


def importer(package: str, modules: dict[str, str]) -> Callable[[str], object]:
    """Return a ``__getattr__`` that imports a public name from the module that defines it.

    ``__version__`` is the version of the installed distribution.

    Args:
        package: Name of the package, for errors.
        modules: Module of each public name.
    """

    def attribute(name: str) -> object:
        if name == "__version__":
            from importlib.metadata import version

            return version("cdk-emr-eks")
        if name not in modules:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        return getattr(import_module(modules[name]), name)

    return attribute
