"""Mutants: which changes a module has, which are chosen, and that a change is noticed or not."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
from collections import Counter
from functools import partial
from pathlib import Path
from typing import Final

import pytest

from benchmarks.mutants.__main__ import NOT_UNIT, Equivalent, read_equivalents, unit_tests, values
from benchmarks.mutants.mutations import Mutant, mutants, mutated, sample
from benchmarks.mutants.trial import ROOT, dependent_tests, in_children

PATH: Final = Path("constructs/a.py")
CODE: Final = '''"""Docstring."""
from typing import Literal
__all__ = ["size"]

@overload
def size(zones: int = 1) -> bool: ...

class A:
    """Docstring."""
    name: Literal["left-out"] = "disk"

    @decorated(frozen=True)
    def size(self, zones: int, most=6) -> bool:
        if not zones:
            raise ValueError("some prose that is left out")
        return 2 <= zones <= most and self.on is True
'''


def changes(source: str) -> list[tuple[str, str, str]]:
    return [(each.kind, each.before, each.after) for each in mutants(PATH, source)]


def test_every_token_is_changed_once_and_prose_is_left_alone() -> None:
    whole = "2 <= zones <= most and self.on is True"
    assert changes(CODE) == [
        ("word", "'disk'", "'diskx'"),
        ("number", "6", "7"),
        ("logic", "not zones", "zones"),
        ("logic", whole, whole.replace("and", "or")),
        ("comparison", "2 <= zones <= most", "2 < zones <= most"),
        ("comparison", "2 <= zones <= most", "2 <= zones < most"),
        ("number", "2", "3"),
        ("comparison", "self.on is True", "self.on is not True"),
        ("flag", "True", "False"),
    ]


def test_a_mutant_changes_one_place_of_the_code() -> None:
    original = ast.unparse(ast.parse(CODE)).splitlines()
    for mutant in mutants(PATH, CODE):
        changed = ast.unparse(mutated(CODE, mutant)).splitlines()
        differing = [new for old, new in zip(original, changed, strict=True) if old != new]
        assert len(differing) == 1
        assert mutant.after in differing[0]
        assert mutant.code == CODE.splitlines()[mutant.line - 1].strip()


def test_a_sample_follows_from_its_seed_and_has_every_kind() -> None:
    code = "\n".join(f"x{n} = 'word{n}'" for n in range(50)) + "\na = 1 < b\nc = not d\ne = True\n"
    every = list(mutants(PATH, code))
    chosen = sample(every, 10, seed=3)
    assert chosen == sample(every, 10, seed=3) != sample(every, 10, seed=4)
    kinds = Counter(each.kind for each in chosen)
    assert kinds == {"comparison": 1, "flag": 1, "logic": 1, "number": 1, "word": 6}
    assert len(sample(every, 1_000, seed=3)) == len(every)


def test_tests_of_a_module_are_those_that_depend_on_it() -> None:
    dependent = dependent_tests(unit_tests())
    units = dependent["cdk_emr_eks.units"]
    assert units[0].name.startswith("test_")
    assert ROOT / "tests" / "unit" / "test_units.py" in units
    # It imports public names alone.
    limits = ROOT / "tests" / "unit" / "test_limits.py"
    assert limits in dependent["cdk_emr_eks.model.ephemeral.job"]
    # Tests of values depend on the command only if they import modules by their names.
    assert all("import_module" in path.read_text() for path in dependent["cdk_emr_eks.cli.command"])


def test_children_answer_in_order_and_errors_are_raised() -> None:
    assert list(in_children([partial(pow, 2, n) for n in range(5)], workers=2)) == [1, 2, 4, 8, 16]
    with pytest.raises(ZeroDivisionError):
        list(in_children([partial(divmod, 1, 0)], workers=1))


def test_a_child_that_dies_counts_as_noticed() -> None:
    assert list(in_children([partial(os._exit, 3)], workers=1)) == [True]


TRY: Final = """
import sys
from functools import partial
from pathlib import Path
from benchmarks.mutants.mutations import mutants, mutated
from benchmarks.mutants.trial import ROOT, in_children, noticed

path = Path("constructs/cdk_emr_eks/units.py")
source = (ROOT / path).read_text()
changed = next(each for each in mutants(path, source) if each.before == "self.mib < 0")
trees = [mutated(source, changed), compile(source, "units.py", "exec", 1024)]
tests = [ROOT / "tests" / "unit" / "test_units.py"]
tasks = [partial(noticed, "cdk_emr_eks.units", path, tree, tests) for tree in trees]
print(list(in_children(tasks, workers=2)))
"""


def test_a_change_is_noticed_and_the_code_itself_is_not() -> None:
    command = [sys.executable, "-c", TRY]
    done = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
    assert done.stdout == "[True, False]\n"


def test_each_equivalent_is_a_change_of_todays_code_with_a_reason() -> None:
    """A line that changed may have become testable."""
    listed = read_equivalents()
    every: dict[str, list[Mutant]] = {}
    for path in values():
        found = list(mutants(path, (ROOT / path).read_text(encoding="utf-8")))
        every[path.as_posix()] = found
    for each in listed:
        assert any(each.covers(mutant) for mutant in every.get(each.path, ())), each
        assert len(each.reason) >= 20


def test_an_equivalent_covers_its_change_only() -> None:
    (first, *_, last) = mutants(PATH, CODE)
    each = Equivalent(str(PATH), first.code, "'disk' -> 'diskx'", "")
    assert each.covers(first)
    assert not each.covers(last)


def test_mutants_run_the_tests_of_make_unit() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert {f"%/{name}" for name in NOT_UNIT} <= set(re.split(r"[ ,]", makefile))


def test_the_values_are_there() -> None:
    names = {path.name for path in values()}
    assert {"units.py", "names.py", "workload.py"} <= names
