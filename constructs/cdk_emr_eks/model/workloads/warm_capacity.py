"""Room that is kept ready for jobs that have not come yet."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from cdk_emr_eks.errors import ConfigProblem, Problems
from cdk_emr_eks.field_types import check_types
from cdk_emr_eks.labels import SparkRole
from cdk_emr_eks.model.instances.instances import Resources
from cdk_emr_eks.model.instances.packing import (
    LOGGING_SIDECAR_CPU,
    LOGGING_SIDECAR_MEMORY,
    SUBMITTER,
    Packing,
)
from cdk_emr_eks.model.workloads.shapes import NodePoolLimits
from cdk_emr_eks.units import Cpu, Memory


@dataclass(frozen=True, kw_only=True, slots=True)
class WarmCapacity:
    """Nodes with room for so many jobs, in each zone, before there is a job.

    A job that comes finds its nodes there and starts at once; while it runs, the room is made
    anew beside it. Room costs what its nodes cost, all the time: ``emr-eks plan`` shows how many.

    Karpenter keeps it by capacity buffers: it plans for pods that do not exist, so nothing has to
    be evicted when real ones come, and the room is wherever a node has some left.

    Args:
        jobs: Jobs that can start in each zone: for each the room of a driver and of EMR's job
            submitter, on driver nodes. Default 0.
        executors: Executors that can start in each zone. Default 0.
        zones: Keys of the zones that have it, such as ``us-east-1a``, or ``zone-1`` where the
            account decides. None: all zones of the platform.

    Raises:
        ConfigError: If a number is negative, both are 0, or zones are given but none or one twice.

    Source: https://karpenter.sh/v1.14/reference/settings/#feature-gates (CapacityBuffer)

    Example:
        >>> from dataclasses import replace
        >>> from cdk_emr_eks.model.workloads.catalog import CRITICAL
        >>> replace(CRITICAL, warm=WarmCapacity(jobs=2, executors=8)).warm.jobs
        2
    """

    jobs: int = 0
    executors: int = 0
    zones: tuple[str, ...] | None = None

    def __post_init__(self) -> None:
        check_types("WarmCapacity", self)
        problems = Problems("WarmCapacity")
        for field in ("jobs", "executors"):
            amount: int = getattr(self, field)
            problems.require(amount >= 0, field, "must be 0 or more", amount)
        rule = "must be more than 0, or executors must"
        problems.require(bool(self.jobs or self.executors), "jobs", rule, self.jobs)
        if self.zones is not None:
            rule = "must have at least one zone, or be None for all"
            problems.require(bool(self.zones), "zones", rule)
            rule = "must name a zone once"
            for key in sorted({each for each in self.zones if self.zones.count(each) > 1}):
                problems.require(False, "zones", rule, key)
        problems.raise_if_any()

    def rooms(self, role: SparkRole) -> int:
        """Return how many rooms of a role each zone has."""
        return self.jobs if role is SparkRole.DRIVER else self.executors


def pods_of_a_room(role: SparkRole, packing: Packing) -> Mapping[str, Resources]:
    """Return by name what the pods request that one room is for, logging containers included.

    Args:
        role: Whose room.
        packing: How pods of that role fill their nodes.
    """
    pod = Resources(
        Cpu(packing.request.millicores + LOGGING_SIDECAR_CPU.millicores),
        Memory(packing.memory.mib + LOGGING_SIDECAR_MEMORY.mib),
    )
    return (
        {"submitter": SUBMITTER, "driver": pod} if role is SparkRole.DRIVER else {"executor": pod}
    )


def warm_problems(
    role: SparkRole, rooms: int, pods: Mapping[str, Resources], limits: NodePoolLimits
) -> tuple[ConfigProblem, ...]:
    """Return why some rooms can never be there together; empty where they can.

    Args:
        role: Whose rooms.
        rooms: How many of them one pool is to have.
        pods: What the pods of one room request.
        limits: Limits of the pool.
    """
    cpu = Cpu(rooms * sum(each.cpu.millicores for each in pods.values()))
    memory = Memory(rooms * sum(each.memory.mib for each in pods.values()))
    if cpu <= limits.cpu and memory <= limits.memory:
        return ()
    field = "warm.jobs" if role is SparkRole.DRIVER else "warm.executors"
    bound = f"cpu {limits.cpu.kubernetes}, memory {limits.memory.kubernetes}"
    rule = f"must have room within the {role}_limits of one pool ({bound})"
    got = f"cpu {cpu.kubernetes}, memory {memory.kubernetes}"
    return (ConfigProblem(field=field, rule=rule, got=got),)
