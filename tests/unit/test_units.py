"""Memory and CPU come out in the text that Kubernetes and Spark read, and refuse nonsense."""

from __future__ import annotations

import pytest

from cdk_emr_eks.errors import ConfigError
from cdk_emr_eks.units import Cpu, Memory


@pytest.mark.parametrize(
    ("memory", "kubernetes", "spark", "gib"),
    [
        (Memory(512), "512Mi", "512m", 1),
        (Memory.from_gib(4), "4Gi", "4g", 4),
        (Memory.from_gib(1.5), "1536Mi", "1536m", 2),
        (Memory(0), "0Mi", "0m", 0),
    ],
)
def test_memory_text(memory: Memory, kubernetes: str, spark: str, gib: int) -> None:
    assert (memory.kubernetes, memory.spark, memory.gib_ceil) == (kubernetes, spark, gib)


@pytest.mark.parametrize(
    ("cpu", "kubernetes"),
    [(Cpu(7710), "7710m"), (Cpu.cores(4), "4"), (Cpu.cores(0.1), "100m"), (Cpu(0), "0m")],
)
def test_cpu_text(cpu: Cpu, kubernetes: str) -> None:
    assert cpu.kubernetes == kubernetes


def test_amounts_are_ordered() -> None:
    assert Memory(1) < Memory.from_gib(1)
    assert Cpu(999) < Cpu.cores(1)


@pytest.mark.parametrize("bad", [-1, 1.5, True, "4"])
def test_bad_amounts(bad: object) -> None:
    with pytest.raises(ConfigError) as memory:
        Memory(bad)  # type: ignore[arg-type]
    rule = "must be a whole number of MiB, 0 or more"
    assert str(memory.value) == f"Memory: mib {rule}, got {bad!r}."
    with pytest.raises(ConfigError) as cpu:
        Cpu(bad)  # type: ignore[arg-type]
    assert str(cpu.value) == f"Cpu: millicores must be a whole number, 0 or more, got {bad!r}."


def test_a_fraction_of_a_mebibyte_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"must be a whole number of MiB, got 0\.0001\."):
        Memory.from_gib(0.0001)


@pytest.mark.parametrize("bad", ["4", None, True, float("nan"), float("inf")])
def test_amounts_are_made_of_numbers(bad: object) -> None:
    with pytest.raises(ConfigError, match=r"^Memory: gib must be a whole number of MiB"):
        Memory.from_gib(bad)  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match=r"^Cpu: cores must be a number"):
        Cpu.cores(bad)  # type: ignore[arg-type]
