"""When Karpenter may take nodes away: never under a driver, and only empty ones of executors."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from cdk_emr_eks.errors import Problems
from cdk_emr_eks.field_types import check_types
from cdk_emr_eks.labels import SparkRole
from cdk_emr_eks.model.workloads.shapes import is_whole_seconds

_CRON: Final = re.compile(
    r"@(annually|yearly|monthly|weekly|daily|midnight|hourly)"
    r"|([\d*?,/-]+\s+){3}[\dA-Za-z*?,/-]+\s+[\dA-Za-z*?,/-]+"
)
_NODES: Final = re.compile(r"(100|[0-9]{1,2})%|[0-9]+")


@dataclass(frozen=True, kw_only=True, slots=True)
class DriftFreeze:
    """A repeated time in which drift (new image, changed pool) replaces no node.

    Args:
        schedule: Start in UTC: five cron fields, or ``@daily`` and the like.
        duration: How long it lasts, in whole minutes.

    Raises:
        ConfigError: If the schedule is not one Karpenter reads, or the duration not whole minutes.

    Source: https://karpenter.sh/docs/concepts/disruption/#schedule
    """

    schedule: str
    duration: timedelta

    def __post_init__(self) -> None:
        check_types("DriftFreeze", self)
        problems = Problems("DriftFreeze")
        rule = "must be five cron fields in UTC, or one of @daily, @weekly, @monthly ..."
        problems.require(bool(_CRON.fullmatch(self.schedule)), "schedule", rule, self.schedule)
        minutes = self.duration.total_seconds() / 60
        rule = "must be whole minutes, at least 1"
        whole = minutes >= 1 and minutes == int(minutes)
        problems.require(whole, "duration", rule, str(self.duration))
        problems.raise_if_any()


@dataclass(frozen=True, kw_only=True, slots=True)
class Disruption:
    """How long nodes live, and when they may go.

    Drivers carry ``karpenter.sh/do-not-disrupt``: their nodes are removed when empty; one that
    expires or drifts takes no more drivers and ends when its last driver does, at the latest after
    ``longest_job``. Nodes of executors are removed when empty; by default drift replaces none that
    is in use.

    Args:
        driver_consolidate_after: An empty driver node goes after this. Default 5 minutes.
        executor_consolidate_after: An empty executor node goes after this; longer than the idle
            timeout of dynamic allocation, so that a job that grows again finds its nodes. Default
            2 minutes.
        expire_after: Age at which a node is replaced, in whole hours. Default 30 days.
        longest_job: A driver on a node that must go has this long to end, in whole hours. Default
            24 hours.
        drift_nodes: Nodes of one driver pool that drift may replace at once, a number or a
            percentage. Default ``10%``.
        executor_drift_nodes: The same for executor pools. Default ``0``: their nodes are replaced
            as they become empty or expire, and drift costs no running job an executor.
        drift_freeze: When drift replaces no node at all. Default None: no such time.

    Raises:
        ConfigError: If a time is not positive or whole, or ``expire_after`` is not longer than
            ``longest_job``.

    Source: https://karpenter.sh/docs/concepts/disruption/
    """

    driver_consolidate_after: timedelta = timedelta(minutes=5)
    executor_consolidate_after: timedelta = timedelta(minutes=2)
    expire_after: timedelta = timedelta(days=30)
    longest_job: timedelta = timedelta(hours=24)
    drift_nodes: str = "10%"
    executor_drift_nodes: str = "0"
    drift_freeze: DriftFreeze | None = None

    def __post_init__(self) -> None:
        check_types("Disruption", self)
        problems = Problems("Disruption")
        for field in ("driver_consolidate_after", "executor_consolidate_after"):
            value: timedelta = getattr(self, field)
            rule = "must be at least 1 second, in whole seconds"
            problems.require(is_whole_seconds(value), field, rule, str(value))
        for field in ("expire_after", "longest_job"):
            value = getattr(self, field)
            hours = value.total_seconds() / 3600
            rule = "must be whole hours, at least 1"
            problems.require(hours >= 1 and hours == int(hours), field, rule, str(value))
        rule = f"must be longer than longest_job ({self.longest_job})"
        longer = self.expire_after > self.longest_job
        problems.require(longer, "expire_after", rule, str(self.expire_after))
        for field in ("drift_nodes", "executor_drift_nodes"):
            nodes: str = getattr(self, field)
            rule = "must be a number of nodes or a percentage such as '10%'"
            problems.require(bool(_NODES.fullmatch(nodes)), field, rule, nodes)
        problems.raise_if_any()

    def budgets(self, role: SparkRole) -> tuple[Mapping[str, object], ...]:
        """Return Karpenter's disruption budgets of a pool; of those active the smallest counts."""
        nodes = self.drift_nodes if role is SparkRole.DRIVER else self.executor_drift_nodes
        budgets: list[Mapping[str, object]] = [
            {"nodes": "100%", "reasons": ("Empty",)},
            {"nodes": nodes, "reasons": ("Drifted",)},
        ]
        if self.drift_freeze is not None:
            freeze = self.drift_freeze
            budgets.append(
                {
                    "nodes": "0",
                    "reasons": ("Drifted",),
                    "schedule": freeze.schedule,
                    "duration": go_duration(freeze.duration),
                }
            )
        return tuple(budgets)


def go_duration(value: timedelta) -> str:
    """Return a time as Karpenter reads it, in the largest unit that is exact: ``720h``, ``5m``."""
    seconds = int(value.total_seconds())
    if seconds % 3600 == 0:
        return f"{seconds // 3600}h"
    if seconds % 60 == 0:
        return f"{seconds // 60}m"
    return f"{seconds}s"
