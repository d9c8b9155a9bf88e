"""Paths of fields that differ, in nested values."""

from __future__ import annotations

import pytest

from cdk_emr_eks.diff.change import field_changes


@pytest.mark.parametrize(
    ("old_value", "new_value", "expected"),
    [
        ({"a": [{"name": "x", "v": 1}, {"name": "y"}]}, {"a": [{"name": "y"}]}, ["a[x]"]),
        ({"a": [{"key": "k", "v": 1}]}, {"a": [{"key": "k", "v": 2}]}, ["a[k].v"]),
        ({"a": [{"v": 1}, {"v": 2}]}, {"a": [{"v": 1}, {"v": 3}]}, ["a[1].v"]),
        ({"a": {"k.x/y": 1}}, {"a": {}}, ["a[k.x/y]"]),
        ({"a": ["x", "y"]}, {"a": ["y", "x"]}, ["a"]),
        ({"a": {"b": 1}}, {"a": "text"}, ["a"]),
        ({"a": 1}, {"a": 1}, []),
    ],
)
def test_paths_name_what_differs(old_value: object, new_value: object, expected: list[str]) -> None:
    assert [change.path for change in field_changes(old_value, new_value)] == expected
