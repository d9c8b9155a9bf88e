"""Faults that must know something of the cluster wait until there is something to know."""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

from cdk_emr_eks.labels import CapacityType
from cdk_emr_eks.simulation.clock import Clock
from cdk_emr_eks.simulation.control_plane.fleet import Fleet
from cdk_emr_eks.simulation.faults import Faults
from cdk_emr_eks.simulation.scenario import NoCapacity


class Cluster:
    """An observer of a cluster whose first driver runs when it is asked for the second time."""

    def __init__(self) -> None:
        self.asked = 0
        self.nodes: dict[str, object] = {}

    def drivers_by_zone(self) -> Counter[str]:
        self.asked += 1
        return Counter({"a": 0, "b": int(self.asked > 1)})


def test_the_busiest_zone_is_one_with_a_driver(tmp_path: Path) -> None:
    fleet = Fleet(tmp_path)
    plane: Any = SimpleNamespace(fleet=fleet)
    nothing: Any = None
    cluster = Cluster()
    faults = Faults(plane, nothing, nothing, cast(Any, cluster), Clock(1))
    shortage = NoCapacity(at=timedelta(0), zone="busiest", capacity_type=CapacityType.SPOT)
    asyncio.run(faults.run((shortage,)))
    assert cluster.asked == 2
    assert '"zone": "b"' in (tmp_path / "orders.json").read_text()
    assert [each.what for each in faults.struck] == ["no capacity spot in b"]
