"""One error names where, every rule that was broken, what was given, and a way out."""

from __future__ import annotations

import pytest

from cdk_emr_eks.errors import ConfigError, Problems, refuse


def test_all_problems_of_a_value_come_in_one_error() -> None:
    problems = Problems("Tenant 'Data_Eng'")
    problems.require(False, "name", "must be a DNS label", "Data_Eng", "try 'data-eng'")
    problems.require(True, "namespace", "must be a DNS label", "analytics")
    problems.require(False, "quota", "must hold one driver")
    with pytest.raises(ConfigError) as caught:
        problems.raise_if_any()
    assert str(caught.value) == (
        "Tenant 'Data_Eng':\n"
        "  - name must be a DNS label, got 'Data_Eng'; try 'data-eng'.\n"
        "  - quota must hold one driver."
    )
    assert caught.value.fields == ("name", "quota")
    assert caught.value.where == "Tenant 'Data_Eng'"


def test_no_problem_raises_nothing() -> None:
    problems = Problems("Tenant 'analytics'")
    problems.require(True, "name", "must be a DNS label", "analytics")
    problems.raise_if_any()


def test_a_single_problem_is_a_value_error() -> None:
    error = refuse("Memory", "mib", "must be 0 or more", -1)
    assert isinstance(error, ValueError)
    assert str(error) == "Memory: mib must be 0 or more, got -1."
