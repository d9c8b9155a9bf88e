"""A value checks itself: types, then rules, with all problems in one error."""

from __future__ import annotations

import inspect
import pickle
from collections.abc import Callable, Mapping
from dataclasses import FrozenInstanceError, field, fields, replace
from datetime import timedelta
from enum import StrEnum
from typing import Any

import pytest

from cdk_emr_eks.checks import Check
from cdk_emr_eks.errors import ConfigError
from cdk_emr_eks.units import Memory
from cdk_emr_eks.values import value


class Color(StrEnum):
    RED = "red"
    BLUE = "blue"


@value
class Disk:
    size: Memory = Memory.from_gib(100)
    iops: int = 3_000

    def _rules(self, check: Check) -> None:
        check.whole_gib("size", at_least=Memory.from_gib(20), why="the unit EBS sells")
        check.between("iops", 3_000, 80_000)


@value(kind="Toy box")
class Box:
    name: str
    disk: Disk = field(default_factory=Disk)
    color: Color = Color.RED
    colors: tuple[Color, ...] = ()
    share: float = 0.5
    tags: Mapping[str, str] = field(default_factory=dict)
    start: timedelta | None = None
    parts: tuple[Disk, ...] = ()
    words: tuple[str, ...] = ("a",)

    def _rules(self, check: Check) -> None:
        check.dns_label("name", limit=10)
        check.more_than("share", 0)
        check.at_most("share", 1, why="it is a share")
        check.at_least("disk.iops", 3_001, unit="per second")
        check.whole_minutes("start", at_least=2, at_most=60, why="it is slow")
        check.raise_if_any()
        check.one_of("words", ("a", "shared", "notebook"))
        check.not_empty("words")
        check.at_most_items("words", 3, why="the box is small")
        check.length("words", 1, 8)
        check.matches("words", "[a-z]+", "lower-case letters", fix="try 'a'")
        check.unique("words", why="one is enough")
        check.unique("parts", by="iops")


@value(kw_only=False, order=True)
class Amount:
    count: int


@value(kind="Grown box", named_by="label")
class Grown(Disk):
    label: str

    def _rules(self, check: Check) -> None:
        Disk._rules(self, check)
        check.not_empty("label", why="people read it")


@value
class Placed:
    color: Color = Color.RED
    other: str = ""

    @property
    def where(self) -> str:
        return f"Placed in {self.color.name.lower()}"


FAST = Disk(iops=4_000)


def refused(make: Callable[[], object]) -> str:
    with pytest.raises(ConfigError) as caught:
        make()
    return str(caught.value)


def box(**changes: Any) -> Callable[[], Box]:
    return lambda: Box(**{"name": "toys", "disk": FAST, **changes})


def test_a_value_is_frozen_slotted_and_compared_by_its_fields() -> None:
    made = box()()
    with pytest.raises(FrozenInstanceError):
        made.name = "x"  # type: ignore[misc]
    assert not hasattr(made, "__dict__")
    assert made == box()()
    assert made != box(name="others")()
    assert hash(FAST) == hash(Disk(iops=4_000))
    assert pickle.loads(pickle.dumps(FAST)) == FAST


def test_an_amount_takes_its_field_by_position_and_is_ordered() -> None:
    assert Amount(1) < Amount(2)
    assert repr(Amount(1)) == "Amount(count=1)"


def test_other_values_have_no_order() -> None:
    with pytest.raises(TypeError, match="not supported between instances of 'Disk' and 'Disk'"):
        sorted([FAST, Disk(iops=5_000)])  # type: ignore[type-var]


def test_a_changed_copy_is_checked_again() -> None:
    assert replace(FAST, iops=80_000).iops == 80_000
    assert refused(lambda: replace(FAST, iops=80_001)) == (
        "Disk: iops must be from 3000 to 80000, got 80001."
    )


def test_mappings_are_read_only_copies() -> None:
    tags = {"a": "b"}
    made = box(tags=tags)()
    tags["c"] = "d"
    assert made.tags == {"a": "b"}
    with pytest.raises(TypeError):
        made.tags["c"] = "d"  # type: ignore[index]


def test_a_derived_value_has_the_rules_of_both() -> None:
    text = refused(lambda: Grown(label="", iops=1))
    assert "Grown box '':" in text
    assert "iops must be from 3000 to 80000, got 1" in text
    assert "label must not be empty: people read it" in text


def test_a_value_without_rules_checks_its_types() -> None:
    assert refused(lambda: Placed(other=1)) == (  # type: ignore[arg-type]
        "Placed in red: other must be text, got 1; write '1'."
    )


def test_a_place_that_cannot_be_said_is_the_name_of_the_class() -> None:
    text = refused(lambda: Placed(color=None))  # type: ignore[arg-type]
    assert text.startswith("Placed: color must be one of Color.RED, Color.BLUE, not None")


def test_types_are_checked_before_rules() -> None:
    with pytest.raises(ConfigError) as caught:
        Box(name=3, share="x", color="red")  # type: ignore[arg-type]
    assert caught.value.fields == ("name", "color", "share")


@pytest.mark.parametrize(
    "changes",
    [
        {"colors": (Color.RED, Color.BLUE)},
        {"share": 1},
        {"tags": {}},
        {"start": timedelta(minutes=2)},
        {"start": timedelta(minutes=60)},
        {"words": ("a", "shared", "notebook")},
        {"parts": (FAST, Disk())},
        {"name": "a" * 10},
    ],
)
def test_allowed_values_pass(changes: dict[str, Any]) -> None:
    box(**changes)()


MISTAKES: Mapping[str, tuple[dict[str, Any], str]] = {
    "name": ({"name": "Toys!"}, "must be a DNS label (a-z, 0-9, '-', at most 10 characters), got"),
    "share": ({"share": 0}, "must be more than 0, got 0."),
    "share above": ({"share": 1.5}, "must be at most 1: it is a share, got 1.5."),
    "disk.iops": ({"disk": Disk()}, "must be at least 3001 per second, got 3000."),
    "start": (
        {"start": timedelta(minutes=1)},
        "must be whole minutes, 2 minutes to 1 hour: it is slow, got '0:01:00'.",
    ),
    "start above": ({"start": timedelta(minutes=61)}, "got '1:01:00'."),
    "start odd": ({"start": timedelta(minutes=2, seconds=1)}, "got '0:02:01'."),
    "words": (
        {"words": ("shard",)},
        "must be one of a, shared, notebook, got 'shard'; did you mean 'shared'?",
    ),
    "words none": ({"words": ()}, "must not be empty."),
    "words many": ({"words": ("a",) * 4}, "must have at most 3 items: the box is small, got 4"),
    "words twice": (
        {"words": ("a", "shared", "a")},
        "must not repeat a value: one is enough, got 'a'.",
    ),
    "parts": ({"parts": (FAST, FAST, FAST)}, "must not use the same iops twice, got 4000."),
}


@pytest.mark.parametrize("case", MISTAKES)
def test_a_check_says_what_is_allowed(case: str) -> None:
    changes, words = MISTAKES[case]
    text = refused(box(**changes))
    assert f"Toy box {changes.get('name', 'toys')!r}:" in text
    assert f"{case.partition(' ')[0]} " in text
    assert words in text


def test_more_checks_of_text() -> None:
    text = refused(box(words=("A", "")))
    assert "words must be lower-case letters, got 'A'; try 'a'" in text
    assert "words must be 1 to 8 characters each, got 0" in text


def test_size_is_in_whole_gib() -> None:
    assert Disk(size=Memory.from_gib(20)).size == Memory.from_gib(20)
    words = "Disk: size must be whole GiB, at least 20: the unit EBS sells, got "
    assert refused(lambda: Disk(size=Memory.from_gib(19))) == f"{words}'19Gi'."
    assert refused(lambda: Disk(size=Memory(20 * 1024 + 1))) == f"{words}'20481Mi'."


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"colour": Color.RED}, "colour is not a field of Box; did you mean color?"),
        ({"zzz": 1}, "zzz is not a field of Box; the fields are name, disk, color"),
    ],
)
def test_an_unknown_argument_gets_a_proposal(given: dict[str, Any], words: str) -> None:
    assert refused(box(**given)).startswith(f"Toy box 'toys': {words}")


def test_a_missing_argument_is_named() -> None:
    make: Any = Box
    assert refused(lambda: make(color=Color.RED)) == "Toy box: name must be given."
    # The misspelt one is the missing one: one problem.
    assert refused(lambda: make(nam="toys")) == (
        "Toy box: nam is not a field of Box; did you mean name?"
    )


def test_arguments_without_names_are_refused() -> None:
    make: Any = Box
    assert refused(lambda: make("toys")) == (
        "Toy box: arguments must be given by name, such as Box(name=...)."
    )


def test_arguments_of_an_amount_are_named_too() -> None:
    make: Any = Amount
    assert refused(make) == "Amount: count must be given."
    assert refused(lambda: make(1, zzz=2)) == (
        "Amount: zzz is not a field of Amount; the fields are count."
    )
    assert refused(lambda: make(1, 2)) == (
        "Amount: arguments must be given by name, such as Amount(count=...)."
    )


@value
class Empty:
    """A choice without options."""


def test_a_value_without_fields_accepts_no_argument() -> None:
    make: Any = Empty
    assert make() == Empty()
    assert refused(lambda: make(zzz=1)) == "Empty: zzz is not a field of Empty; it has no fields."
    assert refused(lambda: make(1)) == "Empty: arguments must be given by name, such as Empty()."


def test_an_error_of_a_rule_itself_is_not_hidden() -> None:
    @value
    class Broken:
        name: str = "x"

        def _rules(self, check: Check) -> None:
            check.require(self.name + 1 == 2, "name", "must be")  # type: ignore[operator]

    with pytest.raises(TypeError, match="concatenate"):
        Broken()


def test_a_class_with_its_own_post_init_is_refused() -> None:
    with pytest.raises(TypeError, match="write _rules"):

        @value
        class Old:
            name: str

            def __post_init__(self) -> None: ...


def test_a_value_shows_only_what_differs_from_its_defaults() -> None:
    assert repr(Disk()) == "Disk()"
    assert repr(Box(name="toys", disk=FAST)) == "Box(name='toys', disk=Disk(iops=4000))"


@value
class Long:
    text: str = "x" * 200


def test_signatures_are_short() -> None:
    signature = inspect.signature(Box)
    assert list(signature.parameters) == [each.name for each in fields(Box)]
    assert signature.parameters["disk"].default == Disk()
    assert "disk: 'Disk' = Disk()" in str(signature)
    assert inspect.signature(Long).parameters["text"].default is ...
    assert str(inspect.signature(Amount)) == "(count: 'int') -> None"


def test_a_value_without_fields_takes_no_argument() -> None:
    @value
    class Empty:
        """No fields."""

    unchecked: Any = Empty
    with pytest.raises(ConfigError, match=r"Empty: arguments must be given by name"):
        unchecked(1)
