"""Priority classes of a workload's pods: drivers slightly above executors."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from cdk_emr_eks.labels import SparkRole

# Kubernetes reserves priorities above 10^9; a platform does not need a thousandth of the rest.
MAX_PRIORITY: Final = 1_000_000

# How far the priority of drivers is above that of their executors.
DRIVER_PRIORITY_STEP: Final = 10

# Workloads of different priority are this far apart, so that no driver passes the next tier.
MIN_PRIORITY_GAP: Final = 100


def priority_class_name(workload: str, role: SparkRole) -> str:
    """Return the name of the priority class of a workload's drivers or executors."""
    return f"{workload}-{role}"


def priority_classes(workload: str, priority: int) -> tuple[Mapping[str, object], ...]:
    """Return the two ``scheduling.k8s.io/v1`` priority classes of a workload.

    Executors never preempt: they would push out executors of the same workload.
    """
    return (
        _priority_class(
            workload, SparkRole.DRIVER, priority + DRIVER_PRIORITY_STEP, "PreemptLowerPriority"
        ),
        _priority_class(workload, SparkRole.EXECUTOR, priority, "Never"),
    )


def _priority_class(
    workload: str, role: SparkRole, priority: int, preemption: str
) -> Mapping[str, object]:
    return {
        "apiVersion": "scheduling.k8s.io/v1",
        "kind": "PriorityClass",
        "metadata": {"name": priority_class_name(workload, role)},
        "value": priority,
        "globalDefault": False,
        "preemptionPolicy": preemption,
        "description": f"Spark {role}s of the workload {workload}",
    }
