"""Hourly prices of instances in the simulation.

On-demand prices are those of AWS, from a table in Karpenter's module that is generated from the
price list API for ``us-east-1``. No complete source of spot prices is public without an account, so
spot prices are an assumption, and every report says so.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Final

from cdk_emr_eks.errors import refuse

# Region of Karpenter's table. Other Regions are simulated with its prices.
PRICED_REGION: Final = "us-east-1"
# Spot prices as a share of on-demand prices, unless the scenario has another share: an assumption.
DEFAULT_SPOT_SHARE: Final = 0.4

_ENTRY: Final = re.compile(r'"([a-z0-9-]+\.[a-z0-9-]+)": ([0-9.]+)')
_REGION: Final = re.compile(rf'"{PRICED_REGION}": \{{(.*?)\n\t\}}', re.DOTALL)


@dataclass(frozen=True, kw_only=True, slots=True)
class Prices:
    """Hourly prices of Linux instances with shared tenancy, in US dollars.

    Args:
        on_demand: Price by instance type. Other types do not exist in the simulation, since
            Karpenter ignores types without a price.
        spot_share: Spot price as a share of the on-demand price, the same for every type and zone.
            Default 0.4: an assumption that is not measured.

    Raises:
        ConfigError: If there are no prices, or the share is not above 0 and at most 1.
    """

    on_demand: Mapping[str, float]
    spot_share: float = DEFAULT_SPOT_SHARE

    def __post_init__(self) -> None:
        if not self.on_demand:
            raise refuse("Prices", "on_demand", "must have at least one instance type")
        if not 0 < self.spot_share <= 1:
            rule = "must be above 0 and at most 1"
            raise refuse("Prices", "spot_share", rule, self.spot_share, "0.4 is 40 percent")
        object.__setattr__(self, "on_demand", MappingProxyType(dict(self.on_demand)))

    def hourly(self, instance_type: str, capacity_type: str) -> float:
        """Return the hourly price; ``capacity_type`` is ``spot`` or ``on-demand``.

        Raises:
            KeyError: If the type has no price.
        """
        price = self.on_demand[instance_type]
        return price * self.spot_share if capacity_type == "spot" else price


def read_prices(table: Path, spot_share: float = DEFAULT_SPOT_SHARE) -> Prices:
    """Read Karpenter's generated price table, a Go source.

    Raises:
        ConfigError: If the file has no price of the Region.

    Source: https://github.com/aws/karpenter-provider-aws/blob/v1.14.1/pkg/providers/pricing/
    """
    region = _REGION.search(table.read_text(encoding="utf-8"))
    found = _ENTRY.findall(region.group(1)) if region else []
    if not found:
        raise refuse("Prices", "table", f"must be Karpenter's table of {PRICED_REGION}", str(table))
    return Prices(on_demand={name: float(price) for name, price in found}, spot_share=spot_share)
