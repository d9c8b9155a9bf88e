"""Each named check at its limits, and the words of its error."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from cdk_emr_eks.checks import Check, place_of
from cdk_emr_eks.errors import ConfigError, ConfigProblem
from cdk_emr_eks.labels import CapacityType
from cdk_emr_eks.units import Cpu, Memory

DAY = timedelta(days=1)
HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)
SECOND = timedelta(seconds=1)

Rule = Callable[[Check], None]


def found(rule: Rule, given: object) -> list[str]:
    """Return the problems that a check of field ``x`` records."""
    check = Check(SimpleNamespace(x=given))
    rule(check)
    try:
        check.raise_if_any()
    except ConfigError as error:
        return [str(each).removeprefix("x ") for each in error.problems]
    return []


CASES: tuple[tuple[str, Rule, tuple[Any, ...], tuple[tuple[Any, str], ...]], ...] = (
    (
        "between",
        lambda check: check.between("x", 2, 4),
        (2, 4),
        ((1, "must be from 2 to 4, got 1"), (5, "must be from 2 to 4, got 5")),
    ),
    (
        "between, with unit and reason",
        lambda check: check.between("x", 0.5, 0.8, unit="of it", why="it is so"),
        (0.5, 0.8),
        ((1.0, "must be from 0.5 to 0.8 of it: it is so, got 1.0"),),
    ),
    (
        "between amounts",
        lambda check: check.between("x", Memory(512), Memory.from_gib(2)),
        (Memory(512), Memory(2_048)),
        ((Memory(2_049), "must be from 512Mi to 2Gi, got '2049Mi'"),),
    ),
    (
        "between times",
        lambda check: check.between("x", MINUTE, DAY),
        (MINUTE, DAY),
        ((59 * SECOND, "must be from 1 minute to 1 day, got '0:00:59'"),),
    ),
    (
        "at least",
        lambda check: check.at_least("x", Cpu.cores(2)),
        (Cpu(2_000),),
        ((Cpu(1_999), "must be at least 2, got '1999m'"),),
    ),
    (
        "at most",
        lambda check: check.at_most("x", 1.5 * SECOND, why="w"),
        (1.5 * SECOND,),
        ((2 * SECOND, "must be at most 0:00:01.500000: w, got '0:00:02'"),),
    ),
    (
        "more than",
        lambda check: check.more_than("x", Memory(0), unit="u"),
        (Memory(1),),
        ((Memory(0), "must be more than 0 u, got '0Mi'"),),
    ),
    (
        "whole GiB",
        lambda check: check.whole_gib("x", at_least=Memory.from_gib(2)),
        (Memory.from_gib(2), Memory.from_gib(3)),
        (
            (Memory.from_gib(1), "must be whole GiB, at least 2, got '1Gi'"),
            (Memory(2_049), "must be whole GiB, at least 2, got '2049Mi'"),
        ),
    ),
    (
        "whole seconds",
        lambda check: check.whole_seconds("x"),
        (SECOND, DAY),
        (
            (timedelta(0), "must be whole seconds, at least 1 second, got '0:00:00'"),
            (1.5 * SECOND, "must be whole seconds, at least 1 second, got '0:00:01.500000'"),
        ),
    ),
    (
        "whole minutes",
        lambda check: check.whole_minutes("x", at_least=2, at_most=60),
        (2 * MINUTE, HOUR),
        (
            (MINUTE, "must be whole minutes, 2 minutes to 1 hour, got '0:01:00'"),
            (61 * MINUTE, "must be whole minutes, 2 minutes to 1 hour, got '1:01:00'"),
        ),
    ),
    (
        "whole hours",
        lambda check: check.whole_hours("x", at_most=48, why="w"),
        (HOUR, 48 * HOUR),
        ((90 * MINUTE, "must be whole hours, 1 hour to 2 days: w, got '1:30:00'"),),
    ),
    (
        "whole days",
        lambda check: check.whole_days("x"),
        (DAY,),
        ((36 * HOUR, "must be whole days, at least 1 day, got '1 day, 12:00:00'"),),
    ),
    (
        "DNS label",
        lambda check: check.dns_label("x", limit=3),
        ("abc",),
        (
            (
                "A",
                "must be a DNS label (a-z, 0-9, '-', at most 3 characters), got 'A'; try 'a'",
            ),
        ),
    ),
    (
        "matches",
        lambda check: check.matches("x", "[a-z]+", "letters", fix="try 'a'"),
        ("a", ("a", "b"), ()),
        (
            ("a1", "must be letters, got 'a1'; try 'a'"),
            (("a", "B"), "must be letters, got 'B'; try 'a'"),
        ),
    ),
    (
        "matches, in other words",
        lambda check: check.matches("x", "[a-z]+", "must have letters only"),
        ("a",),
        (("1", "must have letters only, got '1'"),),
    ),
    (
        "ARN",
        lambda check: check.arn("x"),
        ("arn:aws:iam::1:role/a", "${Token[Arn.1]}", ("arn:a",)),
        (
            ("role/a", "must be the ARN of a resource, or a token, got 'role/a'"),
            (("arn:a", "b"), "must be the ARN of a resource, or a token, got 'b'"),
        ),
    ),
    (
        "passes",
        lambda check: check.passes(
            "x", lambda field, given: () if given else (ConfigProblem(field=field, rule="r"),)
        ),
        (1, (1, 2)),
        ((0, "r"), ((1, 0), "r")),
    ),
    (
        "length",
        lambda check: check.length("x", 2, 3),
        ("ab", "abc", ("ab",)),
        (
            ("a", "must be 2 to 3 characters, got 1"),
            ("abcd", "must be 2 to 3 characters, got 4"),
            (("ab", "a"), "must be 2 to 3 characters each, got 1"),
        ),
    ),
    (
        "length without a lower limit",
        lambda check: check.length("x", 0, 1),
        ("", "a"),
        (("ab", "must be at most 1 character, got 2"),),
    ),
    (
        "one of",
        lambda check: check.one_of("x", ("shared", "critical"), fix="add it"),
        ("shared", ("critical", "shared")),
        (
            ("shard", "must be one of shared, critical, got 'shard'; did you mean 'shared'?"),
            ("zzz", "must be one of shared, critical, got 'zzz'; add it"),
        ),
    ),
    (
        "one of some numbers",
        lambda check: check.one_of("x", (30, 90), what="days"),
        (30,),
        ((31, "must be days (30, 90), got 31"),),
    ),
    (
        "one of nothing",
        lambda check: check.one_of("x", (), what="workloads"),
        (),
        (("a", "must be workloads (none), got 'a'"),),
    ),
    (
        "not empty",
        lambda check: check.not_empty("x", why="w"),
        ("a", (1,), {"a": 1}),
        (("", "must not be empty: w"), ((), "must not be empty: w")),
    ),
    (
        "at most some items",
        lambda check: check.at_most_items("x", 2),
        ((1, 2), {"a": 1}),
        (((1, 2, 3), "must have at most 2 items, got 3"),),
    ),
    (
        "at most some blocks",
        lambda check: check.at_most_items("x", 0, what="blocks", why="w"),
        ((),),
        (((1,), "must have at most 0 blocks: w, got 1"),),
    ),
    (
        "unique",
        lambda check: check.unique("x"),
        ((1, 2), ()),
        (((1, 2, 1, 1), "must not repeat a value, got 1"),),
    ),
    (
        "unique by a field",
        lambda check: check.unique("x", by="real", why="w"),
        ((1, 2),),
        (((1, 1.0), "must not use the same real twice: w, got 1.0"),),
    ),
)


@pytest.mark.parametrize(
    ("rule", "given"),
    [
        pytest.param(rule, given, id=f"{name}: {number}")
        for name, rule, allowed, _ in CASES
        for number, given in enumerate((None, *allowed))
    ],
)
def test_an_allowed_value_passes(rule: Rule, given: object) -> None:
    assert found(rule, given) == []


@pytest.mark.parametrize(
    ("rule", "given", "message"),
    [
        pytest.param(rule, given, message, id=f"{name}: {number}")
        for name, rule, _, refused in CASES
        for number, (given, message) in enumerate(refused)
    ],
)
def test_another_value_is_refused(rule: Rule, given: object, message: str) -> None:
    assert found(rule, given) == [message]


def test_a_dotted_name_reads_a_field_of_a_field() -> None:
    check = Check(SimpleNamespace(a=SimpleNamespace(b=1), c=None))
    check.at_least("a.b", 2)
    check.at_least("c.d", 2)
    with pytest.raises(ConfigError) as caught:
        check.raise_if_any()
    assert caught.value.fields == ("a.b",)


def test_a_check_of_text_raises_with_the_text() -> None:
    check = Check("Tenant 'a'")
    check.raise_if_any()
    check.require(True, "name", "must be unique")
    check.add(())
    check.raise_if_any()
    check.require(False, "kind", "must be spot", CapacityType.ON_DEMAND, "do it")
    with pytest.raises(ConfigError) as caught:
        check.raise_if_any()
    assert str(caught.value) == "Tenant 'a': kind must be spot, got 'on-demand'; do it."


def test_the_place_of_a_value_without_a_name_is_its_class() -> None:
    assert place_of(SimpleNamespace()) == "SimpleNamespace"
