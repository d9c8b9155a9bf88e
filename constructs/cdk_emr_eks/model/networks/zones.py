"""Availability Zones as values: a literal key, and a name that can be a CDK token."""

from __future__ import annotations

from typing import Final, Self

from cdk_emr_eks.checks import Check
from cdk_emr_eks.errors import ConfigError, ConfigProblem
from cdk_emr_eks.values import value

# '<workload, 20>-executor-on-demand-<key>-arm64' must stay within the 63 characters of a name.
MAX_KEY: Final = 17


@value(named_by="key")
class Zone:
    """An Availability Zone for node pools.

    Args:
        key: Literal part of object names: ``us-east-1a``, or ``zone-1`` where the name is known
            only at deploy time.
        name: EC2's name of the zone, for labels. Can be a CDK token.

    Raises:
        ConfigError: If the key is not a DNS label of at most 17 characters, or the name is empty.
    """

    key: str
    name: str

    def _rules(self, check: Check) -> None:
        check.dns_label("key", limit=MAX_KEY)
        check.not_empty("name")

    @classmethod
    def named(cls, name: str) -> Self:
        """Return a zone whose name is known at synth: the name is its key."""
        return cls(key=name, name=name)


def zone_problems(zones: tuple[Zone, ...]) -> tuple[ConfigProblem, ...]:
    """Return what is wrong with the zones of a pool: none at all, or repeated keys or names."""
    if not zones:
        return (ConfigProblem(field="zones", rule="must have at least one zone"),)
    found: list[ConfigProblem] = []
    for field in ("key", "name"):
        given = [getattr(zone, field) for zone in zones]
        if len(set(given)) < len(given):
            rule = f"must differ in {field}"
            found.append(ConfigProblem(field="zones", rule=rule, got=", ".join(given)))
    return tuple(found)


def check_zones(where: str, zones: tuple[Zone, ...]) -> None:
    """Check that there is at least one zone, and that keys and names differ.

    Raises:
        ConfigError: If there is no zone, or two zones have the same key or name.
    """
    if problems := zone_problems(zones):
        raise ConfigError(where, problems)
