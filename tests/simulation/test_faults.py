"""Faults: how kinds are registered, and what faults do that wait for the cluster."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any, ClassVar, cast

import pytest

from cdk_emr_eks.errors import ConfigError
from cdk_emr_eks.labels import CapacityType
from cdk_emr_eks.simulation.control_plane.karpenter import Fleet
from cdk_emr_eks.simulation.faults import FAULTS, Fault, NoCapacity, ZoneLoss
from cdk_emr_eks.simulation.faults.context import FaultContext
from cdk_emr_eks.simulation.faults.fault import inject_faults
from cdk_emr_eks.simulation.observe.timeline import Clock
from cdk_emr_eks.simulation.scenario import parse_scenario
from cdk_emr_eks.values import value


class Cluster:
    """An observer of a cluster whose first driver runs when it is asked for the second time."""

    def __init__(self) -> None:
        self.asked = 0
        self.nodes: dict[str, object] = {}

    def drivers_by_zone(self) -> Counter[str]:
        self.asked += 1
        return Counter({"a": 0, "b": int(self.asked > 1)})

    def running_nodes(self) -> list[str]:
        return []


def context(folder: Path, cluster: Cluster | None = None, speed: float = 1) -> FaultContext:
    plane: Any = SimpleNamespace(fleet=Fleet(folder))
    nothing: Any = None
    observer = cast(Any, cluster or Cluster())
    return FaultContext(
        plane=plane, aws=nothing, api=nothing, observer=observer, clock=Clock(speed)
    )


def exhausted(folder: Path) -> list[dict[str, str]]:
    orders: dict[str, list[dict[str, str]]] = json.loads((folder / "orders.json").read_text())
    return orders["exhausted"]


def test_the_busiest_zone_is_one_with_a_driver(tmp_path: Path) -> None:
    cluster = Cluster()
    faults = context(tmp_path, cluster)
    shortage = NoCapacity(at=timedelta(0), zone="busiest", capacity_type=CapacityType.SPOT)
    asyncio.run(inject_faults((shortage,), faults))
    assert cluster.asked == 2
    assert exhausted(tmp_path) == [{"zone": "b", "capacityType": "spot"}]
    assert [each.text for each in faults.records] == ["no capacity spot in b"]


def test_shortages_that_overlap_end_separately(tmp_path: Path) -> None:
    faults = context(tmp_path, speed=100)
    second = timedelta(seconds=1)
    family = NoCapacity(at=0 * second, family="m7gd")
    everything = NoCapacity(at=10 * second, lasts=20 * second)
    zone = ZoneLoss(at=0 * second, zone="a", instances_end_after=0 * second, lasts=5 * second)
    asyncio.run(inject_faults((family, everything, zone), faults))
    assert exhausted(tmp_path) == [{"family": "m7gd"}]
    assert [each.text for each in faults.records][-1] == "capacity is back"


# ---- registration


@pytest.fixture
def registered() -> Iterator[None]:
    """Remove kinds that a test adds."""
    before = dict(FAULTS)
    yield
    FAULTS.clear()
    FAULTS.update(before)


@pytest.mark.usefixtures("registered")
def test_a_new_kind_is_one_class(tmp_path: Path) -> None:
    @value
    class SlowNetwork(Fault):
        kind: ClassVar[str] = "slow-network"
        latency: timedelta

        async def inject(self, context: FaultContext) -> None:
            context.record(self.kind, f"latency {self.latency.total_seconds():.0f} s")

    text = "jobs: [{}]\nfaults: [{kind: slow-network, at: 0s, latency: 2s}]"
    scenario = parse_scenario(text, "slow", "slow.yaml")
    assert scenario.faults == (SlowNetwork(at=timedelta(0), latency=timedelta(seconds=2)),)
    faults = context(tmp_path)
    asyncio.run(inject_faults(scenario.faults, faults))
    assert [(each.kind, each.text) for each in faults.records] == [("slow-network", "latency 2 s")]
    with pytest.raises(ConfigError, match="did you mean 'slow-network'"):
        parse_scenario(text.replace("slow-network", "slow-netwrok"), "slow", "slow.yaml")


@pytest.mark.usefixtures("registered")
def test_a_kind_has_one_class() -> None:
    with pytest.raises(TypeError, match="have the kind 'drift'"):

        @value
        class Other(Fault):
            kind: ClassVar[str] = "drift"
