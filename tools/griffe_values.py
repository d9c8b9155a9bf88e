"""Griffe extension: show the constructor of classes that ``cdk_emr_eks.values.value`` declares.

Griffe reads source code for the reference pages and creates the constructors of dataclasses. It
knows the decorator of the standard library only.
"""

from __future__ import annotations

from typing import Final

from griffe import Class, Decorator, Expr, ExprCall, ExprKeyword, Extension

_VALUE: Final = "cdk_emr_eks.values.value"


class DataclassCall(ExprCall):
    """A call that griffe treats as one of ``dataclasses.dataclass``."""

    @property
    def canonical_path(self) -> str:
        """The path that griffe compares."""
        return "dataclasses.dataclass"


class Values(Extension):
    """Makes griffe treat values as keyword-only dataclasses."""

    def on_class_instance(self, *, cls: Class, **_: object) -> None:
        """Replace the decorator of a value before griffe looks for dataclasses."""
        cls.decorators = [_as_dataclass(each) for each in cls.decorators]


def _as_dataclass(decorator: Decorator) -> Decorator:
    given = decorator.value
    if not isinstance(given, Expr) or given.canonical_path != _VALUE:
        return decorator
    arguments = list(given.arguments) if isinstance(given, ExprCall) else []
    # An argument that the class gives comes later, and wins.
    value = DataclassCall(given, [ExprKeyword("kw_only", "True"), *arguments])
    return Decorator(value, lineno=decorator.lineno, endlineno=decorator.endlineno)
