"""When Karpenter may terminate nodes: expiry, drift and consolidation."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Final

from cdk_emr_eks.checks import Check
from cdk_emr_eks.labels import SparkRole
from cdk_emr_eks.values import value

_CRON: Final = re.compile(
    r"@(annually|yearly|monthly|weekly|daily|midnight|hourly)"
    r"|([\d*?,/-]+\s+){3}[\dA-Za-z*?,/-]+\s+[\dA-Za-z*?,/-]+"
)
_NODES: Final = re.compile(r"(100|[0-9]{1,2})%|[0-9]+")


@value
class DriftFreeze:
    """A recurring time window in which drift (new image, changed pool) replaces no node.

    Args:
        schedule: Start in UTC: five cron fields, or a macro such as ``@daily``.
        duration: Length of the window, in whole minutes.

    Raises:
        ConfigError: If Karpenter cannot read the schedule, or the duration is not whole minutes.

    Source: https://karpenter.sh/docs/concepts/disruption/#schedule
    """

    schedule: str
    duration: timedelta

    def _rules(self, check: Check) -> None:
        check.matches(
            "schedule", _CRON, "five cron fields in UTC, or one of @daily, @weekly, @monthly ..."
        )
        check.whole_minutes("duration")


@value
class Disruption:
    """How long nodes live, and when Karpenter may terminate them.

    Drivers carry ``karpenter.sh/do-not-disrupt``. Karpenter terminates their nodes when empty. A
    driver node that expires or drifts takes no further drivers; it ends with its last driver, at
    the latest after ``longest_job``. Karpenter terminates executor nodes when empty. By default
    drift replaces no executor node that is in use.

    Args:
        driver_consolidate_after: Time after which an empty driver node is terminated. Default 5
            minutes.
        executor_consolidate_after: Time after which an empty executor node is terminated. It is
            longer than the idle timeout of dynamic allocation, so that a job that grows again finds
            its nodes. Default 2 minutes.
        expire_after: Age at which a node is replaced, in whole hours. Default 30 days.
        longest_job: Time that a driver has to end when its node must go, in whole hours. Default 24
            hours.
        drift_nodes: Nodes of one driver pool that drift may replace at once, a number or a
            percentage. Default ``10%``.
        executor_drift_nodes: The same for executor pools. Default ``0``: Karpenter replaces these
            nodes when they are empty or expire, so drift costs no running job an executor.
        drift_freeze: When drift replaces no node at all. Default None: no such window.

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

    def _rules(self, check: Check) -> None:
        check.whole_seconds("driver_consolidate_after")
        check.whole_seconds("executor_consolidate_after")
        check.whole_hours("expire_after")
        check.whole_hours("longest_job")
        rule = f"must be longer than longest_job ({self.longest_job})"
        check.require(self.expire_after > self.longest_job, "expire_after", rule, self.expire_after)
        nodes = "a number of nodes or a percentage such as '10%'"
        check.matches("drift_nodes", _NODES, nodes)
        check.matches("executor_drift_nodes", _NODES, nodes)

    def budgets(self, role: SparkRole) -> tuple[Mapping[str, object], ...]:
        """Return the disruption budgets of a pool; Karpenter obeys the smallest active one."""
        nodes = self.drift_nodes if role is SparkRole.DRIVER else self.executor_drift_nodes
        budgets: list[Mapping[str, object]] = [
            {"nodes": "100%", "reasons": ("Empty",)},
            {"nodes": nodes, "reasons": ("Drifted",)},
        ]
        if self.drift_freeze is not None:
            budgets.append(
                {
                    "nodes": "0",
                    "reasons": ("Drifted",),
                    "schedule": self.drift_freeze.schedule,
                    "duration": go_duration(self.drift_freeze.duration),
                }
            )
        return tuple(budgets)


def go_duration(duration: timedelta) -> str:
    """Return a duration as Karpenter reads it, in the largest exact unit: ``720h``, ``5m``."""
    seconds = int(duration.total_seconds())
    if seconds % 3600 == 0:
        return f"{seconds // 3600}h"
    if seconds % 60 == 0:
        return f"{seconds // 60}m"
    return f"{seconds}s"
