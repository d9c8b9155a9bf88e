"""Check values against annotations at run time, with errors in words.

Callers may have no type checker. Without this check, ``executor_capacity="spot"`` would be neither
spot nor on-demand, and a bare ``"shared"`` would be read as the tuple of its letters.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import is_dataclass
from enum import Enum
from types import NoneType, UnionType
from typing import Final, Generic, NamedTuple, Protocol, Union, get_args, get_origin, get_type_hints

from cdk_emr_eks.errors import ConfigError, ConfigProblem

Test = Callable[[object], bool]

# How to write an amount of each of these types, for a caller who gave a bare number.
_AMOUNTS: Final[Mapping[str, str]] = {
    "Cpu": "write Cpu.cores(4) or Cpu(500) for millicores",
    "Memory": "write Memory.from_gib(4) or Memory(512) for MiB",
    "timedelta": "write datetime.timedelta(minutes=5)",
}
# Resolving annotations takes longer than all rules of a value.
_ANNOTATIONS: Final[dict[type, Mapping[str, object]]] = {}


class _Mismatch(NamedTuple):
    wanted: object
    got: object
    place: str = ""


def check_argument(where: str, field: str, hint: object, value: object) -> None:
    """Check the type of one argument of a construct, before the construct creates anything.

    Raises:
        ConfigError: If the value is of another type than ``hint``.
    """
    if problems := type_problems(field, hint, value):
        raise ConfigError(where, problems)


def type_problems(field: str, hint: object, value: object) -> tuple[ConfigProblem, ...]:
    """Return the first part of a value that is not of the annotated type, or nothing.

    Interfaces of the CDK are not checked by their members, but a plain Python value is refused for
    one.
    """
    for wanted, got, place in _mismatches(hint, value):
        rule = f"must have {_words(wanted)} {place}" if place else f"must be {_words(hint)}"
        # The error shows no ``got`` for None, so the rule names it.
        rule += ", not None" if got is None else ""
        shown = type(got) if _fills_a_page(got) else got
        return (ConfigProblem(field=field, rule=rule, got=shown, fix=_fix(wanted, got)),)
    return ()


def _fills_a_page(got: object) -> bool:
    """Return whether a text shows the type instead: of a value such as a workload, or a list."""
    if isinstance(got, list | tuple):
        return any(_fills_a_page(each) for each in got)
    return is_dataclass(got) and not isinstance(got, type)


def resolved_annotations(cls: type) -> Mapping[str, object]:
    """Return the resolved annotation of each field of a class."""
    if cls not in _ANNOTATIONS:
        _ANNOTATIONS[cls] = get_type_hints(cls)
    return _ANNOTATIONS[cls]


def fast_test(hint: object) -> Test:
    """Return a fast test of an annotation: ``_mismatches``, which finds the words, takes longer."""
    origin, args = get_origin(hint), get_args(hint)
    if isinstance(hint, type) and origin is None:
        if getattr(hint, "_is_protocol", False) or hint in (int, float, Sequence):
            return lambda given: _is(hint, given)
        if hasattr(hint, "_fields"):
            return lambda given: not any(True for _ in _mismatches(hint, given))
        return lambda given: isinstance(given, hint)
    if origin in (Union, UnionType):
        tests = [fast_test(each) for each in args]
        return lambda given: any(holds(given) for holds in tests)
    if origin is tuple and len(args) == 2 and args[1] is Ellipsis:
        item = fast_test(args[0])
        return lambda given: isinstance(given, tuple) and all(map(item, given))
    if origin is Mapping and args:
        key, part = fast_test(args[0]), fast_test(args[1])
        return lambda given: (
            isinstance(given, Mapping)
            and (not given or (all(map(key, given)) and all(map(part, given.values()))))
        )
    return lambda given: not any(True for _ in _mismatches(hint, given))


def may_be_mapping(hint: object) -> bool:
    """Return whether a field with this annotation can hold a mapping."""
    origin = get_origin(hint)
    if origin in (Union, UnionType):
        return any(may_be_mapping(each) for each in get_args(hint))
    cls = origin or hint
    return not isinstance(cls, type) or cls is object or issubclass(cls, Mapping)


def _mismatches(hint: object, value: object, place: str = "") -> Iterator[_Mismatch]:
    origin, args = get_origin(hint), get_args(hint)
    if origin in (Union, UnionType):
        if all(any(True for _ in _mismatches(each, value)) for each in args):
            # An optional field: the error names the type, which stands before None by custom.
            optional = args[1:] == (NoneType,)
            found = _Mismatch(hint, value, place)
            yield from _mismatches(args[0], value, place) if optional else [found]
        return
    if not _is(origin or hint, value):
        yield _Mismatch(hint, value, place)
        return
    for wanted, part, at in _parts(hint, value):
        yield from _mismatches(wanted, part, at or place)


def _parts(hint: object, value: object) -> Iterator[tuple[object, object, str]]:
    """Yield the parts of a collection, each with its annotation and its place."""
    args = get_args(hint)
    if isinstance(value, tuple) and hasattr(hint, "_fields"):
        for name, wanted in resolved_annotations(type(value)).items():
            yield wanted, getattr(value, name), f"as its {name}"
    elif isinstance(value, Mapping) and args:
        for key, part in value.items():
            yield args[0], key, "as its keys"
            yield args[1], part, f"as the value of {key!r}"
    elif isinstance(value, Sequence) and args:
        yield from ((args[0], each, "") for each in value)


def copied(value: object) -> object:
    """Return a copy of mappings and lists at every depth; other values are returned as they are."""
    if isinstance(value, Mapping):
        return {key: copied(part) for key, part in value.items()}
    return [copied(part) for part in value] if isinstance(value, list) else value


def _is(hint: object, value: object) -> bool:
    if not isinstance(hint, type):
        return True
    if getattr(hint, "_is_protocol", False):
        if hasattr(hint, "__jsii_type__"):
            return type(value).__module__ != "builtins"
        return all(name in _members(type(value)) for name in _members(hint))
    if hint is Sequence and isinstance(value, str):
        return False
    if hint in (int, float) and isinstance(value, bool):
        return False
    return isinstance(value, (int, float) if hint is float else hint)


def _members(cls: type) -> set[str]:
    """Return the public members that a class and its bases declare; reads no value's attribute."""
    spaces = [vars(base) for base in cls.__mro__ if base not in (object, Generic, Protocol)]
    named = (name for each in spaces for name in (*each, *each.get("__annotations__", {})))
    return {name for name in named if not name.startswith("_")}


def _words(hint: object) -> str:
    """Say a type in words: ``a tuple of str``, ``Memory or None``."""
    origin, args = get_origin(hint), get_args(hint)
    if origin in (Union, UnionType):
        return " or ".join(_words(each) for each in args)
    if origin is tuple:
        return f"a tuple of {_inner(args[0])}"
    if origin is Sequence:
        return f"a list or tuple of {_inner(args[0])}"
    if isinstance(origin, type):
        words = " to ".join(_inner(each) for each in args)
        return f"a {origin.__name__.lower()} of {words}"
    if isinstance(hint, type) and issubclass(hint, Enum):
        return "one of " + ", ".join(f"{hint.__name__}.{each.name}" for each in hint)
    known: dict[type, str] = {
        NoneType: "None",
        bool: "True or False",
        int: "a whole number",
        float: "a number",
    }
    known |= {str: "text", object: "a value", Mapping: "a mapping"}
    if not isinstance(hint, type):
        return str(hint)
    return known.get(hint, hint.__name__)


def _inner(hint: object) -> str:
    return hint.__name__ if isinstance(hint, type) and issubclass(hint, Enum) else _words(hint)


def _fix(wanted: object, got: object) -> str:
    for each in (wanted, *get_args(wanted)):
        parts = tuple(got) if isinstance(got, list) else (got,)
        if get_origin(each) is tuple and not any(True for _ in _mismatches(each, parts)):
            if any(_fills_a_page(part) for part in parts):
                return "write a tuple, with a comma after a single value: (value,)"
            return f"write {parts!r}" if all(isinstance(part, str) for part in parts) else ""
    if not isinstance(wanted, type):
        return ""
    if issubclass(wanted, Enum):
        near = [each.name for each in wanted if got in (each.value, each.name)]
        return f"write {wanted.__name__}.{near[0]}" if near else ""
    if wanted is str and isinstance(got, int | float):
        return f"write {str(got).lower()!r}"
    if got is wanted:
        return f"write {wanted.__name__}()"
    return _AMOUNTS.get(wanted.__name__, "")
