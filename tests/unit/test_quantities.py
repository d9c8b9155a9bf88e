"""Quantities as Kubernetes and Spark write them."""

from __future__ import annotations

from decimal import Decimal

import pytest

from cdk_emr_eks.errors import ConfigError
from cdk_emr_eks.units import Cpu, Memory, quantity


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("0", 0),
        ("4", 4),
        ("1.5", Decimal("1.5")),
        (".5", Decimal("0.5")),
        ("+3", 3),
        ("-3", -3),
        ("100m", Decimal("0.1")),
        ("1u", Decimal("0.000001")),
        ("1n", Decimal("0.000000001")),
        ("2k", 2_000),
        ("3M", 3 * 10**6),
        ("3G", 3 * 10**9),
        ("3T", 3 * 10**12),
        ("3P", 3 * 10**15),
        ("3E", 3 * 10**18),
        ("1Ki", 2**10),
        ("1Mi", 2**20),
        ("1.5Gi", 3 * 2**29),
        ("1Ti", 2**40),
        ("1Pi", 2**50),
        ("1Ei", 2**60),
        ("1e3", 1_000),
        ("1E3", 1_000),
        ("12e-1", Decimal("1.2")),
    ],
)
def test_quantity(text: str, number: Decimal) -> None:
    assert quantity(text) == number


@pytest.mark.parametrize("text", ["", "4 cores", "4Kb", "1ki", "Gi", "1e", "1..5", "4g", "0x10"])
def test_texts_that_are_no_quantity(text: str) -> None:
    with pytest.raises(ConfigError, match="must be a quantity such as"):
        quantity(text)


@pytest.mark.parametrize(
    ("text", "millicores"),
    [("500m", 500), ("4", 4000), ("0.1", 100), ("1.0001", 1001), ("2k", 2 * 10**6)],
)
def test_cpu(text: str, millicores: int) -> None:
    assert Cpu.parse(text) == Cpu(millicores)


@pytest.mark.parametrize(
    ("text", "mib"),
    [
        ("512Mi", 512),
        ("1Ti", 1024**2),
        ("1Pi", 1024**3),
        ("1", 1),
        ("129M", 124),
        ("1e9", 954),
        ("0", 0),
    ],
)
def test_memory(text: str, mib: int) -> None:
    assert Memory.parse(text) == Memory(mib)


@pytest.mark.parametrize(
    ("text", "mib"),
    [
        ("4g", 4096),
        ("4G", 4096),
        ("512m", 512),
        ("512mb", 512),
        ("512", 512),
        ("1t", 1024**2),
        ("1k", 1),
        ("1b", 1),
        ("0", 0),
    ],
)
def test_memory_of_spark(text: str, mib: int) -> None:
    assert Memory.parse_spark(text) == Memory(mib)


@pytest.mark.parametrize("text", ["", "4Gi", "1.5g", "g", "-1g"])
def test_texts_that_are_no_size_of_spark(text: str) -> None:
    with pytest.raises(ConfigError, match="must be a size such as 512m or 4g"):
        Memory.parse_spark(text)


@pytest.mark.parametrize("value", [Cpu(7710), Cpu(4000), Cpu(0)])
def test_parse_reads_what_cpu_writes(value: Cpu) -> None:
    assert Cpu.parse(value.kubernetes) == value


@pytest.mark.parametrize("value", [Memory(512), Memory(4096), Memory(0), Memory(4097)])
def test_parse_reads_what_memory_writes(value: Memory) -> None:
    assert Memory.parse(value.kubernetes) == value
    assert Memory.parse_spark(value.spark) == value


def test_negative_amounts_are_refused() -> None:
    with pytest.raises(ConfigError):
        Cpu.parse("-1")
    with pytest.raises(ConfigError):
        Memory.parse("-1Gi")
