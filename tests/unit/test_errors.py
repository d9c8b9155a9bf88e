"""An error names the place, every broken rule, what was given, and what to do instead."""

from __future__ import annotations

import pickle

import pytest

from cdk_emr_eks.errors import ConfigError, ConfigProblem, refuse

NAME = ConfigProblem(field="name", rule="must be a label", got="Data_Eng", fix="try 'data-eng'")
QUOTA = ConfigProblem(field="quota", rule="must hold one driver")


def test_one_problem_is_on_one_line() -> None:
    error = ConfigError("Tenant 'Data_Eng'", (NAME,))
    assert str(error) == (
        "Tenant 'Data_Eng': name must be a label, got 'Data_Eng'; try 'data-eng'."
    )


def test_several_problems_are_on_several_lines() -> None:
    error = ConfigError("Tenant 'Data_Eng'", (NAME, QUOTA))
    assert str(error) == (
        "Tenant 'Data_Eng':\n"
        "  - name must be a label, got 'Data_Eng'; try 'data-eng'.\n"
        "  - quota must hold one driver."
    )
    assert error.fields == ("name", "quota")
    assert (error.where, error.problems) == ("Tenant 'Data_Eng'", (NAME, QUOTA))


def test_a_question_ends_with_its_own_mark() -> None:
    error = refuse("Tenant 'a'", "workloads", "must be known", "shard", "did you mean 'shared'?")
    assert str(error) == (
        "Tenant 'a': workloads must be known, got 'shard'; did you mean 'shared'?"
    )


@pytest.mark.parametrize(
    ("problem", "text"),
    [
        (ConfigProblem(field="x", rule="must be 0 or more", got=-1), "x must be 0 or more, got -1"),
        (
            ConfigProblem(field="x", rule="must be given", fix="write x=1"),
            "x must be given; write x=1",
        ),
        (ConfigProblem(field="x", rule="must be more", got=0), "x must be more, got 0"),
    ],
)
def test_a_problem_as_text(problem: ConfigProblem, text: str) -> None:
    assert str(problem) == text


def test_an_error_is_a_value_error_and_can_be_pickled() -> None:
    error = refuse("Memory", "mib", "must be 0 or more", -1)
    assert isinstance(error, ValueError)
    copied = pickle.loads(pickle.dumps(error))
    assert (str(copied), copied.fields) == ("Memory: mib must be 0 or more, got -1.", ("mib",))
