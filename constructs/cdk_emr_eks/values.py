"""Declare a value: a frozen dataclass that checks itself, with errors a user can act on.

Write ``@value`` above a class with annotated fields, and put the rules of the fields into one
method ``_rules``::

    @value
    class RootVolume:
        size: Memory = Memory.from_gib(100)
        iops: int = 3_000
        labels: Mapping[str, str] = field(default_factory=dict)

        def _rules(self, check: Check) -> None:
            check.whole_gib("size", at_least=Memory.from_gib(20))
            check.between("iops", 3_000, 80_000)
            holds = self.iops <= 500 * self.size.gib_ceil
            check.require(holds, "iops", "must be at most 500 for each GiB of size", self.iops)

The decorator does the following.

- It makes a dataclass that is frozen, keyword-only and slotted. A field without a default is
  required. Write ``@value(kw_only=False, order=True)`` for an amount such as ``Memory(512)``.
- The constructor checks every field against its annotation. It then replaces each mapping by a
  read-only copy, so that later changes of the caller's mapping have no effect. Then it calls
  ``_rules``, which can therefore rely on the types of all fields.
- One ``ConfigError`` reports all problems. It also reports an unknown argument, with the name that
  was probably meant, and a missing one.
- ``dataclasses.replace`` creates a changed copy and checks it again.
- ``repr`` shows only fields that differ from their defaults, so signatures in ``help()`` are short.

An error starts with the place of the problem: ``Workload 'shared': ...``. The place is the name of
the class and the value of its field ``name``. Another word and another field are given to the
decorator: ``@value(kind="Notebook user", named_by="identity_name")``. A class for which that is not
enough has a property ``where`` that returns the text.

A derived value calls its parent's rules by name, ``ManagedEndpointSpec._rules(self, check)``, since
``super()`` does not work in a slotted dataclass of Python 3.11. ``cdk_emr_eks.checks`` has the
checks.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import MISSING, Field, dataclass, field, fields
from difflib import get_close_matches
from types import MappingProxyType
from typing import Any, Final, NamedTuple, TypeVar, dataclass_transform, overload

from cdk_emr_eks.checks import Check
from cdk_emr_eks.errors import ConfigError, ConfigProblem
from cdk_emr_eks.field_types import (
    Test,
    copied,
    fast_test,
    may_be_mapping,
    resolved_annotations,
    type_problems,
)

Value = TypeVar("Value")


class _Plan(NamedTuple):
    """What the constructor of one class does after it has set the fields."""

    tests: tuple[tuple[str, Test], ...]
    mappings: tuple[str, ...]
    has_rules: bool


_PLANS: Final[dict[type, _Plan]] = {}

# Characters of a default in a signature.
_LONGEST_DEFAULT: Final = 100


@overload
def value(cls: type[Value], /) -> type[Value]: ...


@overload
def value(
    *, kw_only: bool = ..., order: bool = ..., kind: str = ..., named_by: str = ...
) -> Callable[[type[Value]], type[Value]]: ...


@dataclass_transform(frozen_default=True, kw_only_default=True, field_specifiers=(field,))
def value(
    cls: type[Value] | None = None,
    /,
    *,
    kw_only: bool = True,
    order: bool = False,
    kind: str = "",
    named_by: str = "name",
) -> type[Value] | Callable[[type[Value]], type[Value]]:
    """Make a class a frozen dataclass that checks its own fields.

    Args:
        cls: The class, where the decorator is written without parentheses.
        kw_only: Whether all arguments are given by name. Default True.
        order: Whether values can be compared with ``<``. Default False.
        kind: What errors call the value. Default: the name of the class.
        named_by: Field whose value follows ``kind`` in errors. Ignored where the class has no such
            field. Default ``name``.
    """

    def declare(plain: type[Value]) -> type[Value]:
        # A variable, since type checkers forbid to add methods to a class.
        target: Any = plain
        if "__post_init__" in vars(plain):
            raise TypeError(f"{plain.__name__}: write _rules(self, check) for __post_init__")
        target.__post_init__ = _check_value
        target.__repr__ = _short_repr
        made: Any = dataclass(frozen=True, kw_only=kw_only, slots=True, order=order, repr=False)(
            target
        )
        known = [each.name for each in fields(made)]
        made.__place__ = (kind or made.__name__, named_by if named_by in known else "")
        made.__init__ = _with_readable_errors(made)
        made.__signature__ = _ShortSignature()
        return made  # type: ignore[no-any-return]

    return declare if cls is None else declare(cls)


def _check_value(self: object) -> None:
    """Check types, copy mappings, and call the rules: the ``__post_init__`` of every value."""
    cls = type(self)
    plan = _PLANS.get(cls) or _plan(cls)
    for name, holds in plan.tests:
        if not holds(getattr(self, name)):
            _raise_type_errors(self)
    for name in plan.mappings:
        given = getattr(self, name)
        if isinstance(given, Mapping):
            held = {key: copied(part) for key, part in given.items()}
            object.__setattr__(self, name, MappingProxyType(held))
    if plan.has_rules:
        check = Check(self)
        self._rules(check)  # type: ignore[attr-defined]
        check.raise_if_any()


def _plan(cls: type) -> _Plan:
    hints = resolved_annotations(cls)
    own = [each.name for each in fields(cls)]
    plan = _Plan(
        tests=tuple((name, fast_test(hints[name])) for name in own),
        mappings=tuple(name for name in own if may_be_mapping(hints[name])),
        has_rules=hasattr(cls, "_rules"),
    )
    _PLANS[cls] = plan
    return plan


def _raise_type_errors(value: object) -> None:
    check, hints = Check(value), resolved_annotations(type(value))
    for each in fields(value):  # type: ignore[arg-type]
        check.add(type_problems(each.name, hints[each.name], getattr(value, each.name)))
    check.raise_if_any()


def _with_readable_errors(cls: type[Any]) -> Callable[..., None]:
    """Return the constructor of a class, which reports wrong arguments as a ``ConfigError``."""
    construct: Callable[..., None] = cls.__init__

    def constructor(self: object, /, *args: object, **given: object) -> None:
        try:
            construct(self, *args, **given)
        except TypeError:
            # Python raises it for wrong arguments, and code of a rule may raise it, too.
            if problems := _argument_problems(cls, args, given):
                kind, named_by = cls.__place__
                where = f"{kind} {given[named_by]!r}" if named_by in given else kind
                raise ConfigError(where, problems) from None
            raise

    constructor.__name__ = "__init__"
    constructor.__qualname__ = f"{cls.__qualname__}.__init__"
    constructor.__doc__ = "Create the value and check it."
    # For `inspect.signature`.
    constructor.__wrapped__ = construct  # type: ignore[attr-defined]
    return constructor


def _argument_problems(
    cls: type[Any], args: Sequence[object], given: Mapping[str, object]
) -> tuple[ConfigProblem, ...]:
    accepted = [each for each in fields(cls) if each.init]
    known = [each.name for each in accepted]
    positional = [] if accepted and accepted[0].kw_only else known[: len(args)]
    found: list[ConfigProblem] = []
    meant: list[str] = []
    if len(args) > len(positional):
        example = f"{cls.__name__}({known[0]}=...)" if known else f"{cls.__name__}()"
        rule = f"must be given by name, such as {example}"
        found.append(ConfigProblem(field="arguments", rule=rule))
        meant += known[: len(args)]
    for name in given:
        if name not in known:
            near = get_close_matches(name, [each for each in known if each not in given], n=1)
            meant += near
            listed = f"the fields are {', '.join(known)}" if known else "it has no fields"
            fix = f"did you mean {near[0]}?" if near else listed
            found.append(
                ConfigProblem(field=name, rule=f"is not a field of {cls.__name__}", fix=fix)
            )
    for each in accepted:
        required = each.default is MISSING and each.default_factory is MISSING
        if required and each.name not in (*given, *positional, *meant):
            found.append(ConfigProblem(field=each.name, rule="must be given"))
    return tuple(found)


# ---- short representation


class _ShortSignature:
    """The ``__signature__`` of a class of values, computed when ``help()`` asks for it."""

    def __get__(self, instance: object, cls: type[Any]) -> inspect.Signature:
        parameters = [
            inspect.Parameter(
                each.name,
                inspect.Parameter.KEYWORD_ONLY
                if each.kw_only
                else inspect.Parameter.POSITIONAL_OR_KEYWORD,
                default=_shown(_default(each, inspect.Parameter.empty)),
                annotation=each.type,
            )
            for each in fields(cls)
            if each.init
        ]
        return inspect.Signature(parameters, return_annotation=None)


def _shown(default: object) -> object:
    """Return a default as a signature shows it: ``...`` for one that is longer than a line."""
    return default if len(repr(default)) <= _LONGEST_DEFAULT else ...


def _short_repr(self: object) -> str:
    """Return the call that creates the value, without arguments that equal their defaults."""
    shown = [
        f"{each.name}={getattr(self, each.name)!r}"
        for each in fields(self)  # type: ignore[arg-type]
        if each.repr and getattr(self, each.name) != _default(each, MISSING)
    ]
    return f"{type(self).__qualname__}({', '.join(shown)})"


def _default(of: Field[Any], missing: object) -> object:
    if of.default is not MISSING:
        return of.default
    return missing if of.default_factory is MISSING else of.default_factory()
