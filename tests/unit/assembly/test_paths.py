"""Nested values of documents."""

from cdk_emr_eks.assembly.paths import at, mapping, sequence, text

POD = {"spec": {"containers": [{"name": "spark", "ports": 3}], "empty": None}}


def test_at_returns_the_value_or_none() -> None:
    assert at(POD, "spec", "containers", 0, "name") == "spark"
    assert at(POD, "spec", "containers", -1, "ports") == 3
    assert at(POD, "spec", "containers", 1, "name") is None
    assert at(POD, "spec", "containers", "name") is None
    assert at(POD, "spec", 0) is None
    assert at(POD) is POD


def test_other_kinds_read_as_empty() -> None:
    assert mapping(POD, "spec", "containers") == {}
    assert mapping(POD, "spec", "containers", 0) == {"name": "spark", "ports": 3}
    assert sequence(POD, "spec") == []
    assert sequence(POD, "spec", "containers") == [{"name": "spark", "ports": 3}]
    assert text(POD, "spec", "empty") == ""
    assert text(POD, "spec", "containers", 0, "ports") == "3"
