"""The shipped scenarios, as the values that the reader makes of their files."""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from datetime import timedelta
from typing import Any

from syrupy.assertion import SnapshotAssertion

from cdk_emr_eks.simulation.scenario import read_scenario, shipped_scenarios


def test_values_of_the_shipped_scenarios(golden: SnapshotAssertion) -> None:
    documents = [_plain(read_scenario(name)) for name in shipped_scenarios()]
    assert documents == golden(name="shipped-scenarios")


def _plain(value: Any) -> Any:
    if isinstance(value, timedelta):
        return f"{value.total_seconds():g}s"
    if isinstance(value, (list, tuple)):
        return [_plain(each) for each in value]
    if is_dataclass(value):
        own = {each.name: _plain(getattr(value, each.name)) for each in fields(value)}
        return {"class": type(value).__name__, **own}
    return dict(value) if hasattr(value, "items") else value
