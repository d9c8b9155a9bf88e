"""Priority classes of a workload's pods: drivers a little above executors, tiers far apart."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from cdk_emr_eks.errors import ConfigProblem
from cdk_emr_eks.labels import SparkRole

MAX_PRIORITY: Final = 1_000_000
DRIVER_PRIORITY_STEP: Final = 10
"""How much a driver's priority is above that of its executors."""
MIN_PRIORITY_GAP: Final = 100
"""Workloads of different priority are this far apart, so no driver passes the next tier."""


def priority_class_name(workload: str, role: SparkRole) -> str:
    """Return the name of the priority class of a workload's drivers or executors."""
    return f"{workload}-{role}"


def priority_problems(field: str, priority: int) -> tuple[ConfigProblem, ...]:
    """Return what is wrong with a priority; Kubernetes keeps those above 10^9 for itself."""
    whole = isinstance(priority, int) and not isinstance(priority, bool)
    if whole and 0 <= priority <= MAX_PRIORITY:
        return ()
    rule = f"must be a whole number from 0 to {MAX_PRIORITY}"
    return (ConfigProblem(field=field, rule=rule, got=priority),)


def priority_classes(workload: str, priority: int) -> tuple[Mapping[str, object], ...]:
    """Return the two ``scheduling.k8s.io/v1`` priority classes of a workload.

    Executors never preempt: what they could push out is executors of their own workload.
    """
    return (
        _priority_class(
            workload, SparkRole.DRIVER, priority + DRIVER_PRIORITY_STEP, "PreemptLowerPriority"
        ),
        _priority_class(workload, SparkRole.EXECUTOR, priority, "Never"),
    )


def _priority_class(
    workload: str, role: SparkRole, value: int, preemption: str
) -> Mapping[str, object]:
    return {
        "apiVersion": "scheduling.k8s.io/v1",
        "kind": "PriorityClass",
        "metadata": {"name": priority_class_name(workload, role)},
        "value": value,
        "globalDefault": False,
        "preemptionPolicy": preemption,
        "description": f"Spark {role}s of the workload {workload}",
    }
