"""Capacity buffers: node capacity that Karpenter keeps ready for future jobs."""

from __future__ import annotations

from collections.abc import Mapping

from cdk_emr_eks.checks import Check
from cdk_emr_eks.errors import ConfigProblem
from cdk_emr_eks.labels import SparkRole
from cdk_emr_eks.model.instances.instances import Resources
from cdk_emr_eks.model.instances.packing import (
    LOGGING_SIDECAR_CPU,
    LOGGING_SIDECAR_MEMORY,
    SUBMITTER,
    PodPacking,
)
from cdk_emr_eks.model.workloads.shapes import NodePoolLimits
from cdk_emr_eks.units import Cpu, Memory
from cdk_emr_eks.values import value


@value
class CapacityBuffers:
    """Capacity for a number of jobs in each zone, kept ready before a job exists.

    A new job finds its nodes and starts at once. While it runs, Karpenter adds nodes until the
    capacity is free again. The nodes cost the same whether a job uses them or not; ``emr-eks plan``
    shows how many they are.

    Karpenter keeps the capacity with ``CapacityBuffer`` objects: it plans for pods that do not
    exist, so real pods evict nothing, and free capacity of any node counts.

    Args:
        jobs: Jobs that can start in each zone. For each, driver nodes have room for one driver and
            one job submitter of EMR. Default 0.
        executors: Executors that can start in each zone. Default 0.
        zones: Keys of the zones that have buffers, such as ``us-east-1a``, or ``zone-1`` where the
            account decides. None: all zones of the platform.

    Raises:
        ConfigError: If a number is negative, both are 0, or ``zones`` is empty or repeats a zone.

    Source: https://karpenter.sh/v1.14/reference/settings/#feature-gates (CapacityBuffer)

    Example:
        >>> from dataclasses import replace
        >>> from cdk_emr_eks.model.workloads.catalog import CRITICAL
        >>> buffers = CapacityBuffers(jobs=2, executors=8)
        >>> replace(CRITICAL, capacity_buffers=buffers).capacity_buffers.jobs
        2
    """

    jobs: int = 0
    executors: int = 0
    zones: tuple[str, ...] | None = None

    def _rules(self, check: Check) -> None:
        check.at_least("jobs", 0)
        check.at_least("executors", 0)
        rule = "must be more than 0, or executors must"
        check.require(bool(self.jobs or self.executors), "jobs", rule, self.jobs)
        check.not_empty("zones", why="None stands for all zones")
        check.unique("zones")

    def replicas(self, role: SparkRole) -> int:
        """Return how many jobs or executors the buffers of each zone have capacity for."""
        return self.jobs if role is SparkRole.DRIVER else self.executors


def buffered_pods(role: SparkRole, packing: PodPacking) -> Mapping[str, Resources]:
    """Return by name what the pods of one replica request, logging containers included.

    Args:
        role: Drivers or executors.
        packing: How pods of that role fill their nodes.
    """
    pod = Resources(
        Cpu(packing.request.millicores + LOGGING_SIDECAR_CPU.millicores),
        Memory(packing.memory.mib + LOGGING_SIDECAR_MEMORY.mib),
    )
    return (
        {"submitter": SUBMITTER, "driver": pod} if role is SparkRole.DRIVER else {"executor": pod}
    )


def buffer_problems(
    role: SparkRole, replicas: int, pods: Mapping[str, Resources], limits: NodePoolLimits
) -> tuple[ConfigProblem, ...]:
    """Return why the limits of a pool do not allow its buffers; empty where they do.

    Args:
        role: Drivers or executors.
        replicas: Replicas of all buffers of the pool.
        pods: What the pods of one replica request.
        limits: Limits of the pool.
    """
    cpu = Cpu(replicas * sum(each.cpu.millicores for each in pods.values()))
    memory = Memory(replicas * sum(each.memory.mib for each in pods.values()))
    if cpu <= limits.cpu and memory <= limits.memory:
        return ()
    field = f"capacity_buffers.{'jobs' if role is SparkRole.DRIVER else 'executors'}"
    bound = f"cpu {limits.cpu.kubernetes}, memory {limits.memory.kubernetes}"
    rule = f"must fit the {role}_limits of one pool ({bound})"
    got = f"cpu {cpu.kubernetes}, memory {memory.kubernetes}"
    return (ConfigProblem(field=field, rule=rule, got=got),)
