"""What goes wrong during a scenario: each fault is a value with the time at which it strikes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import ClassVar

from cdk_emr_eks.errors import Problems
from cdk_emr_eks.field_types import check_types
from cdk_emr_eks.labels import CapacityType, SparkRole
from cdk_emr_eks.units import Cpu

BUSIEST = "busiest"
"""In place of a zone's name: the zone that has the most drivers when the fault strikes."""

_ZERO = timedelta()


class Component(StrEnum):
    """A process of the control plane that can be stopped."""

    KARPENTER = "karpenter"
    API_SERVER = "kube-apiserver"
    SCHEDULER = "kube-scheduler"
    CONTROLLER_MANAGER = "kube-controller-manager"


@dataclass(frozen=True, kw_only=True, slots=True)
class SpotInterruption:
    """EC2 takes spot instances back: the notice goes through the EventBridge rule and the queue.

    Args:
        at: Time from the scenario's start; without spot nodes then, as soon as there is one.
        count: How many of the spot nodes that run then. Default 1.
        share: Share of them instead of a number (0 to 1). Default None.
        duplicates: How often each notice is delivered. Default once.
        garbage: Messages on the queue between them that are no notices. Default none.

    Raises:
        ConfigError: If a number is out of its range.
    """

    kind: ClassVar[str] = "spot-interruption"
    at: timedelta
    count: int = 1
    share: float | None = None
    duplicates: int = 1
    garbage: int = 0

    def __post_init__(self) -> None:
        problems = _checked(self)
        problems.require(self.count > 0, "count", "must be at least 1", self.count)
        problems.require(self.duplicates > 0, "duplicates", "must be at least 1", self.duplicates)
        problems.require(self.garbage >= 0, "garbage", "must not be negative", self.garbage)
        good = self.share is None or 0 < self.share <= 1
        problems.require(good, "share", "must be more than 0, at most 1", self.share)
        problems.raise_if_any()


@dataclass(frozen=True, kw_only=True, slots=True)
class ZoneLoss:
    """A zone goes dark: its nodes stop reporting, its instances end, nothing can be bought there.

    Args:
        at: Time from the scenario's start.
        zone: Zone's name, its position counted from 1, or ``busiest``. Default the busiest.
        instances_end_after: From the moment that nodes stop reporting to the end of their
            instances in EC2, by the wall clock. Default 40 seconds.
        lasts: How long nothing can be bought; None: until the end. Default None.

    Raises:
        ConfigError: If a time is negative.
    """

    kind: ClassVar[str] = "zone-loss"
    at: timedelta
    zone: str = BUSIEST
    instances_end_after: timedelta = timedelta(seconds=40)
    lasts: timedelta | None = None

    def __post_init__(self) -> None:
        problems = _checked(self)
        after = self.instances_end_after
        rule = "must not be negative"
        problems.require(after >= _ZERO, "instances_end_after", rule, str(after))
        problems.raise_if_any()


@dataclass(frozen=True, kw_only=True, slots=True)
class NoCapacity:
    """EC2 answers InsufficientInstanceCapacity. With no field set, for everything.

    Args:
        at: Time from the scenario's start.
        zone: Only in this zone: its name, its position counted from 1, or ``busiest``, the one
            with the most drivers. Default None: in all.
        capacity_type: Only spot, or only on-demand. Default None: both.
        family: Only this instance family, such as ``m7gd``. Default None: all.
        lasts: How long; None: until the end. Default None.

    Raises:
        ConfigError: If a time is negative.
    """

    kind: ClassVar[str] = "no-capacity"
    at: timedelta
    zone: str | None = None
    capacity_type: CapacityType | None = None
    family: str | None = None
    lasts: timedelta | None = None

    def __post_init__(self) -> None:
        _checked(self).raise_if_any()


@dataclass(frozen=True, kw_only=True, slots=True)
class NeverRegisters:
    """Instances that boot in a time start, are paid for, and never become nodes.

    Karpenter gives them up after 15 minutes; the simulation sets the clock of each forward, so that
    this happens sooner.

    Args:
        at: Time from the scenario's start.
        lasts: For how long instances boot so. Default 20 seconds.
        given_up_after: When Karpenter gives up on each, by the wall clock. Default a minute.

    Raises:
        ConfigError: If a time is out of its range.
    """

    kind: ClassVar[str] = "never-registers"
    at: timedelta
    lasts: timedelta = timedelta(seconds=20)
    given_up_after: timedelta = timedelta(minutes=1)

    def __post_init__(self) -> None:
        problems = _checked(self)
        good = timedelta() < self.given_up_after <= timedelta(minutes=15)
        rule = "must be more than 0, at most 15 minutes"
        problems.require(good, "given_up_after", rule, str(self.given_up_after))
        problems.raise_if_any()


@dataclass(frozen=True, kw_only=True, slots=True)
class Crash:
    """A process of the control plane is killed, and starts again.

    Args:
        component: Which one.
        at: Time from the scenario's start.
        down: How long it stays away, by the wall clock. Default 10 seconds.
        interruptions: Spot notices that arrive while it is away. Default none.

    Raises:
        ConfigError: If a time or number is negative.
    """

    kind: ClassVar[str] = "crash"
    component: Component
    at: timedelta
    down: timedelta = timedelta(seconds=10)
    interruptions: int = 0

    def __post_init__(self) -> None:
        problems = _checked(self)
        rule = "must not be negative"
        problems.require(self.interruptions >= 0, "interruptions", rule, self.interruptions)
        problems.require(self.down >= _ZERO, "down", rule, str(self.down))
        problems.raise_if_any()


@dataclass(frozen=True, kw_only=True, slots=True)
class PoolLimit:
    """Node pools of a workload get a lower limit, as if they were nearly full.

    Args:
        at: Time from the scenario's start.
        workload: The workload whose pools.
        cpu: New limit of each of its pools, in vCPUs of nodes.
        role: Pools of drivers or of executors. Default executors.

    Raises:
        ConfigError: If a time is negative.
    """

    kind: ClassVar[str] = "pool-limit"
    at: timedelta
    workload: str
    cpu: Cpu
    role: SparkRole = SparkRole.EXECUTOR

    def __post_init__(self) -> None:
        _checked(self).raise_if_any()


@dataclass(frozen=True, kw_only=True, slots=True)
class Drift:
    """All node classes change, so that Karpenter wants to replace every node.

    Args:
        at: Time from the scenario's start.

    Raises:
        ConfigError: If the time is negative.
    """

    kind: ClassVar[str] = "drift"
    at: timedelta

    def __post_init__(self) -> None:
        _checked(self).raise_if_any()


Fault = SpotInterruption | ZoneLoss | NoCapacity | NeverRegisters | Crash | PoolLimit | Drift
FAULTS: tuple[type[Fault], ...] = (
    SpotInterruption,
    ZoneLoss,
    NoCapacity,
    NeverRegisters,
    Crash,
    PoolLimit,
    Drift,
)
"""Every kind of fault."""


def _checked(fault: Fault) -> Problems:
    where = type(fault).__name__
    check_types(where, fault)
    problems = Problems(where)
    problems.require(fault.at >= _ZERO, "at", "must not be negative", str(fault.at))
    lasts = getattr(fault, "lasts", None)
    good = lasts is None or lasts > _ZERO
    problems.require(good, "lasts", "must be more than 0", str(lasts))
    return problems
