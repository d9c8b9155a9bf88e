"""Availability Zones as values: a name that may be a token, and a key that never is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from cdk_emr_eks.errors import Problems
from cdk_emr_eks.field_types import check_types
from cdk_emr_eks.names import dns_label

MAX_KEY = 17
# '<workload, 20>-executor-on-demand-<key>-arm64' must stay within a name's 63 characters.


@dataclass(frozen=True, kw_only=True, slots=True)
class Zone:
    """An Availability Zone that node pools are made for.

    Args:
        key: Literal that goes into object names: ``us-east-1a``, or ``zone-1`` where the name is
            only known at deploy time.
        name: The zone's name as EC2 has it, for labels. May be a CDK token string.

    Raises:
        ConfigError: If the key is not a DNS label of at most 17 characters, or the name is empty.
    """

    key: str
    name: str

    def __post_init__(self) -> None:
        check_types(f"Zone {self.key!r}", self)
        problems = Problems(f"Zone {self.key!r}")
        problems.extend(dns_label("key", self.key, limit=MAX_KEY))
        known = isinstance(self.name, str) and bool(self.name)
        problems.require(known, "name", "must be the zone's name", self.name)
        problems.raise_if_any()

    @classmethod
    def named(cls, name: str) -> Self:
        """Make a zone whose name is known at synth: the name is its key."""
        return cls(key=name, name=name)


def check_zones(where: str, zones: tuple[Zone, ...]) -> None:
    """Check that there is at least one zone and that keys and names differ.

    Raises:
        ConfigError: If there is none, or two have one key or one name.
    """
    problems = Problems(where)
    problems.require(bool(zones), "zones", "must have at least one zone")
    for field in ("key", "name"):
        values = [getattr(zone, field) for zone in zones]
        rule = f"must differ in {field}"
        problems.require(len(set(values)) == len(values), "zones", rule, ", ".join(values))
    problems.raise_if_any()
