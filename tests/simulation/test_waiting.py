"""Waiting in tests ends, and reports what was expected."""

from __future__ import annotations

import pytest

from tests.simulation import waiting
from tests.simulation.waiting import until


def test_the_first_matching_answer_is_returned(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waiting, "EVERY", 0)
    answers = iter(range(9))
    assert until(lambda: next(answers), lambda number: number == 3) == 3
    assert until(lambda: next(answers)) == 4


def test_a_timeout_reports_the_last_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waiting, "SECONDS", 0)
    monkeypatch.setattr(waiting, "EVERY", 0.001)
    with pytest.raises(pytest.fail.Exception, match=r"found last: \['left'\]"):
        until(lambda: ["left"], lambda found: not found)
