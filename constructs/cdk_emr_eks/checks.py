"""Check the fields of a value, and report all problems in one error.

A value gets a ``Check`` in its method ``_rules`` (see ``cdk_emr_eks.values``). A function or a
construct creates one from text that says where the problems are::

    check = Check(f"Tenant {tenant.name!r}")
    check.require(tenant.name not in taken, "name", "must be unique", tenant.name)
    check.raise_if_any()

Rules that only make sense after others hold follow a call of ``check.raise_if_any()``. A function
that returns a tuple of problems is called with ``check.add(problems(...))``.
``field_types.check_argument`` checks one argument of a construct.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence, Sized
from datetime import timedelta
from difflib import get_close_matches
from enum import Enum
from typing import Any, Final, Protocol, Self, TypeVar

from cdk_emr_eks import names
from cdk_emr_eks.errors import ConfigError, ConfigProblem
from cdk_emr_eks.tokens import is_arn

_UNITS: Final[Mapping[str, timedelta]] = {
    "day": timedelta(days=1),
    "hour": timedelta(hours=1),
    "minute": timedelta(minutes=1),
    "second": timedelta(seconds=1),
}


class Ordered(Protocol):
    """A number, an amount or a time: what can be compared with another of its type."""

    def __lt__(self, other: Self, /) -> bool: ...

    def __le__(self, other: Self, /) -> bool: ...


class Binary(Ordered, Protocol):
    """An amount of memory or disk."""

    @property
    def mib(self) -> int:
        """Whole mebibytes."""


Limit = TypeVar("Limit", bound=Ordered)


class Check:
    """Collects the problems of one value and raises them as one ``ConfigError``.

    A named check takes the name of a field, reads its value and records a problem unless the value
    is allowed. A dotted name reads a field of a field: ``quota.cpu``. A field that is None passes,
    as None stands for an optional field that is not given.

    Args:
        subject: The value whose fields are read; or text that says where the problems are, for
            checks that use only ``require``, ``add`` and ``raise_if_any``.
    """

    __slots__ = ("_found", "_subject")

    def __init__(self, subject: object) -> None:
        self._subject = subject
        self._found: list[ConfigProblem] = []

    def require(
        self, holds: bool, field: str, rule: str, got: object = None, fix: str = ""
    ) -> None:
        """Record a problem unless ``holds``.

        Args:
            holds: Whether the rule is kept.
            field: The field, as the user writes it.
            rule: What is allowed, as the end of a sentence that starts with the field's name.
            got: The value given, or None where a missing value is the problem.
            fix: What to do instead, or nothing.
        """
        if not holds:
            self._found.append(ConfigProblem(field=field, rule=rule, got=_shown(got), fix=fix))

    def add(self, problems: Iterable[ConfigProblem]) -> None:
        """Record problems that a function returned."""
        self._found.extend(problems)

    def raise_if_any(self) -> None:
        """Raise everything recorded so far; rules below the call can rely on the rules above.

        Raises:
            ConfigError: If at least one problem was recorded.
        """
        if self._found:
            where = self._subject if isinstance(self._subject, str) else place_of(self._subject)
            raise ConfigError(where, tuple(self._found))

    # ---- numbers, amounts and times

    def between(
        self, field: str, low: Limit, high: Limit, *, unit: str = "", why: str = ""
    ) -> None:
        """Require ``low`` to ``high``, both included."""
        given: Limit | None = self._read(field)
        if given is not None and not low <= given <= high:
            self._refuse(field, f"must be from {_words_of(low)} to {_words_of(high)}", unit, why)

    def at_least(self, field: str, low: Limit, *, unit: str = "", why: str = "") -> None:
        """Require ``low`` or more."""
        given: Limit | None = self._read(field)
        if given is not None and given < low:
            self._refuse(field, f"must be at least {_words_of(low)}", unit, why)

    def at_most(self, field: str, high: Limit, *, unit: str = "", why: str = "") -> None:
        """Require ``high`` or less."""
        given: Limit | None = self._read(field)
        if given is not None and high < given:
            self._refuse(field, f"must be at most {_words_of(high)}", unit, why)

    def more_than(self, field: str, low: Limit, *, unit: str = "", why: str = "") -> None:
        """Require more than ``low``."""
        given: Limit | None = self._read(field)
        if given is not None and given <= low:
            self._refuse(field, f"must be more than {_words_of(low)}", unit, why)

    def whole_gib(self, field: str, *, at_least: Binary, why: str = "") -> None:
        """Require whole gibibytes of an amount of memory or disk, ``at_least`` or more."""
        given: Binary | None = self._read(field)
        if given is not None and (given.mib % 1024 or given < at_least):
            self._refuse(field, f"must be whole GiB, at least {at_least.mib // 1024}", "", why)

    def whole_seconds(
        self, field: str, *, at_least: int = 1, at_most: int | None = None, why: str = ""
    ) -> None:
        """Require whole seconds of a time, ``at_least`` seconds to ``at_most``."""
        self._whole("second", field, at_least, at_most, why)

    def whole_minutes(
        self, field: str, *, at_least: int = 1, at_most: int | None = None, why: str = ""
    ) -> None:
        """Require whole minutes of a time, ``at_least`` minutes to ``at_most``."""
        self._whole("minute", field, at_least, at_most, why)

    def whole_hours(
        self, field: str, *, at_least: int = 1, at_most: int | None = None, why: str = ""
    ) -> None:
        """Require whole hours of a time, ``at_least`` hours to ``at_most``."""
        self._whole("hour", field, at_least, at_most, why)

    def whole_days(
        self, field: str, *, at_least: int = 1, at_most: int | None = None, why: str = ""
    ) -> None:
        """Require whole days of a time, ``at_least`` days to ``at_most``."""
        self._whole("day", field, at_least, at_most, why)

    # ---- text

    def dns_label(self, field: str, *, limit: int = 63) -> None:
        """Require a DNS label of at most ``limit`` characters, as Kubernetes names are."""
        given = self._read(field)
        if given is not None:
            self.add(names.dns_label(field, given, limit=limit))

    def matches(
        self, field: str, pattern: str | re.Pattern[str], must: str, *, fix: str = ""
    ) -> None:
        """Require text, or each text of a tuple, to match a pattern completely.

        Args:
            field: The field.
            pattern: The regular expression.
            must: What the text must be, in words: ``five cron fields in UTC``. A text that starts
                with ``must`` is taken as it is.
            fix: What to do instead, or nothing.
        """
        rule = must if must.startswith("must ") else f"must be {must}"
        for each in self._each(field):
            self.require(re.fullmatch(pattern, each) is not None, field, rule, each, fix)

    def arn(self, field: str, must: str = "the ARN of a resource, or a token") -> None:
        """Require text, or each text of a tuple, to be an ARN; tokens pass.

        Args:
            field: The field.
            must: What the text must be, in words: ``the ARN of a managed policy, or a token``.
        """
        for each in self._each(field):
            self.require(is_arn(each), field, f"must be {must}", each)

    def passes(self, field: str, rule: Callable[[str, str], Iterable[ConfigProblem]]) -> None:
        """Require the value, or each of a tuple, to pass a function such as ``names.role_name``.

        Args:
            field: The field.
            rule: Takes the field's name and a value, and returns the problems.
        """
        for each in self._each(field):
            self.add(rule(field, each))

    def length(self, field: str, low: int, high: int) -> None:
        """Require text, or each text of a tuple, of ``low`` to ``high`` characters."""
        amount = f"{low} to {high}" if low else f"at most {high}"
        noun = "character" if high == 1 else "characters"
        plural = " each" if isinstance(self._read(field), tuple) else ""
        for each in self._each(field):
            rule = f"must be {amount} {noun}{plural}"
            self.require(low <= len(each) <= high, field, rule, len(each))

    def one_of(
        self, field: str, allowed: Iterable[object], *, what: str = "", fix: str = ""
    ) -> None:
        """Require the value, or each of a tuple, to be one of those allowed.

        The error lists them and proposes the one that was probably meant.

        Args:
            field: The field.
            allowed: The values that pass.
            what: What they are: ``workloads of the platform``. Empty: the error says ``one of``.
            fix: What to do where no value is near.
        """
        choices = list(allowed)
        listed = ", ".join(str(each) for each in choices)
        rule = f"must be {what} ({listed or 'none'})" if what else f"must be one of {listed}"
        for each in self._each(field):
            if each not in choices:
                texts = [choice for choice in choices if isinstance(choice, str)]
                near = get_close_matches(each, texts, n=1) if isinstance(each, str) else []
                proposal = f"did you mean {near[0]!r}?" if near else fix
                self.require(False, field, rule, each, proposal)

    # ---- collections

    def not_empty(self, field: str, *, why: str = "") -> None:
        """Require at least one character, entry or item."""
        given = self._read(field)
        if isinstance(given, Sized) and not len(given):
            self._found.append(ConfigProblem(field=field, rule=_because("must not be empty", why)))

    def at_most_items(self, field: str, most: int, *, what: str = "items", why: str = "") -> None:
        """Require a tuple or mapping of at most ``most`` items, which the error calls ``what``."""
        given = self._read(field)
        if isinstance(given, Sized) and len(given) > most:
            rule = _because(f"must have at most {most} {what}", why)
            self._found.append(ConfigProblem(field=field, rule=rule, got=len(given)))

    def unique(self, field: str, *, by: str = "", why: str = "") -> None:
        """Require that a tuple does not repeat an item.

        Args:
            field: The field.
            by: Field of the items that must differ. Empty: the items themselves.
            why: What follows from a repeated item.
        """
        seen: list[object] = []
        repeated: list[object] = []
        for each in self._each(field):
            key = getattr(each, by) if by else each
            (repeated if key in seen and key not in repeated else seen).append(key)
        rule = f"must not use the same {by} twice" if by else "must not repeat a value"
        for key in repeated:
            self.require(False, field, _because(rule, why), key)

    def _whole(self, unit: str, field: str, at_least: int, at_most: int | None, why: str) -> None:
        given = self._read(field)
        if given is None:
            return
        count, rest = divmod(given, _UNITS[unit])
        if not rest and at_least <= count and (at_most is None or count <= at_most):
            return
        low = _words_of(at_least * _UNITS[unit])
        if at_most is None:
            bounds = f"at least {low}"
        else:
            bounds = f"{low} to {_words_of(at_most * _UNITS[unit])}"
        self._refuse(field, f"must be whole {unit}s, {bounds}", "", why)

    def _read(self, field: str) -> Any:  # noqa: ANN401, the types of fields are the caller's
        given: Any = self._subject
        for name in field.split("."):
            given = getattr(given, name)
            if given is None:
                return None
        return given

    def _each(self, field: str) -> Sequence[Any]:
        given = self._read(field)
        if given is None:
            return ()
        return given if isinstance(given, tuple | list) else (given,)

    def _refuse(self, field: str, rule: str, unit: str, why: str) -> None:
        rule = _because(f"{rule} {unit}" if unit else rule, why)
        self.require(False, field, rule, self._read(field))


def place_of(value: object) -> str:
    """Return what an error calls a value, such as ``Workload 'shared'``."""
    try:
        if hasattr(type(value), "where"):
            return str(value.where)  # type: ignore[attr-defined]
        kind, named_by = type(value).__place__  # type: ignore[attr-defined]
        return f"{kind} {getattr(value, named_by)!r}" if named_by else str(kind)
    except (TypeError, ValueError, AttributeError):
        # A field of a wrong type, or of a value that is not built completely.
        return type(value).__name__


def _because(rule: str, why: str) -> str:
    return f"{rule}: {why}" if why else rule


def _shown(given: object) -> object:
    """Return a value as an error shows it: an amount or a time as text."""
    if isinstance(given, timedelta | Enum):
        return str(given)
    return getattr(given, "kubernetes", given)


def _words_of(limit: object) -> str:
    """Say a limit in words: ``3000``, ``4Gi``, ``2 minutes``."""
    if not isinstance(limit, timedelta):
        text = str(_shown(limit))
        return "0" if text in ("0m", "0Mi") else text
    for name, unit in _UNITS.items():
        count, rest = divmod(limit, unit)
        if not rest and count:
            return f"1 {name}" if count == 1 else f"{count} {name}s"
    return str(limit)
