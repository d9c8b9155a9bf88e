"""Memory and CPU as types, so that no bare number needs a unit in the reader's head."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Self

from cdk_emr_eks.errors import refuse


@dataclass(frozen=True, order=True, slots=True)
class Memory:
    """An amount of memory or disk, in whole mebibytes.

    Args:
        mib: Mebibytes, zero or more.

    Raises:
        ConfigError: If the amount is negative or not a whole number.
    """

    mib: int

    def __post_init__(self) -> None:
        if isinstance(self.mib, bool) or not isinstance(self.mib, int) or self.mib < 0:
            raise refuse("Memory", "mib", "must be a whole number of MiB, 0 or more", self.mib)

    @classmethod
    def from_gib(cls, gib: float) -> Self:
        """Make an amount from gibibytes; it must come out as whole mebibytes."""
        if not _is_number(gib) or gib * 1024 != int(gib * 1024):
            raise refuse("Memory", "gib", "must be a whole number of MiB", gib)
        return cls(int(gib * 1024))

    @property
    def kubernetes(self) -> str:
        """Kubernetes quantity, such as ``512Mi`` or ``4Gi``."""
        if self.mib and self.mib % 1024 == 0:
            return f"{self.mib // 1024}Gi"
        return f"{self.mib}Mi"

    @property
    def spark(self) -> str:
        """Spark size string, such as ``512m`` or ``4g`` (Spark's units are binary, too)."""
        if self.mib and self.mib % 1024 == 0:
            return f"{self.mib // 1024}g"
        return f"{self.mib}m"

    @property
    def gib_ceil(self) -> int:
        """Whole gibibytes, rounded up: the unit EBS volumes are bought in."""
        return -(-self.mib // 1024)


@dataclass(frozen=True, order=True, slots=True)
class Cpu:
    """An amount of CPU, in thousandths of a core.

    Args:
        millicores: Thousandths of a core, zero or more.

    Raises:
        ConfigError: If the amount is negative or not a whole number.
    """

    millicores: int

    def __post_init__(self) -> None:
        value = self.millicores
        if isinstance(value, bool) or not isinstance(value, int) or value < 0:
            raise refuse("Cpu", "millicores", "must be a whole number, 0 or more", value)

    @classmethod
    def cores(cls, cores: float) -> Self:
        """Make an amount from cores; the result is rounded to the nearest thousandth."""
        if not _is_number(cores):
            raise refuse("Cpu", "cores", "must be a number", cores)
        return cls(round(cores * 1000))

    @property
    def kubernetes(self) -> str:
        """Kubernetes quantity, such as ``7710m`` or ``4``."""
        if self.millicores and self.millicores % 1000 == 0:
            return str(self.millicores // 1000)
        return f"{self.millicores}m"


def _is_number(value: object) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return math.isfinite(value)
