"""Memory and CPU as types, so that no bare number needs a unit in the reader's head."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Final, Self

from cdk_emr_eks.errors import refuse

# Kubernetes: https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/
_QUANTITY: Final = re.compile(
    r"(?P<number>[+-]?(\d+\.?\d*|\.\d+))(?P<suffix>[KMGTPE]i|[numkMGTPE]|[eE][+-]?\d+)?"
)
_SUFFIXES: Final[Mapping[str, Decimal]] = {
    **{unit: Decimal(1000) ** power for power, unit in enumerate(" kMGTPE") if power},
    **{f"{unit}i": Decimal(1024) ** power for power, unit in enumerate(" KMGTPE") if power},
    **{unit: Decimal(1000) ** -power for power, unit in enumerate(" mun") if power},
}
# Spark: https://spark.apache.org/docs/latest/configuration.html#spark-properties (sizes). Its units
# are binary, and memory without a unit is in MiB.
_SPARK_SIZE: Final = re.compile(r"(?P<number>\d+)(?P<unit>[bkmgtp]?)b?", re.IGNORECASE)
_MIB: Final = 1024**2


def quantity(text: str) -> Decimal:
    """Return the number that a Kubernetes quantity stands for, such as ``1.5Gi`` or ``100m``.

    Raises:
        ConfigError: If the text is not a quantity.
    """
    match = _QUANTITY.fullmatch(text.strip())
    if match is None:
        raise refuse("Quantity", "text", "must be a quantity such as 500m, 4 or 16Gi", text)
    suffix = match["suffix"] or ""
    if suffix[:1] in ("e", "E") and len(suffix) > 1 and suffix not in _SUFFIXES:
        return Decimal(match["number"] + suffix)
    return Decimal(match["number"]) * _SUFFIXES.get(suffix, Decimal(1))


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

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return the amount of a Kubernetes quantity, such as ``16Gi`` or ``1e9``, in MiB.

        A part of a mebibyte counts as a whole one.

        Raises:
            ConfigError: If the text is not a quantity, or is negative.
        """
        return cls(math.ceil(quantity(text) / _MIB))

    @classmethod
    def parse_spark(cls, text: str) -> Self:
        """Return the amount of a size as Spark writes it, such as ``4g``, ``512m`` or ``1024``.

        A part of a mebibyte counts as a whole one; a number without a unit is in MiB.

        Raises:
            ConfigError: If the text is not such a size.
        """
        match = _SPARK_SIZE.fullmatch(text.strip())
        if match is None:
            raise refuse("Memory", "text", "must be a size such as 512m or 4g", text)
        power = "bkmgtp".index(match["unit"].lower() or "m")
        return cls(-(-int(match["number"]) * 1024**power // _MIB))

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

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return the amount of a Kubernetes quantity, such as ``500m``, ``4`` or ``1.5``.

        A part of a millicore counts as a whole one, as in Kubernetes.

        Raises:
            ConfigError: If the text is not a quantity, or is negative.
        """
        return cls(math.ceil(quantity(text) * 1000))

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
