"""The most that a tenant's jobs may have at a time: in all, and by priority class."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from cdk_emr_eks.errors import ConfigProblem, Problems
from cdk_emr_eks.field_types import check_types, hold_mappings
from cdk_emr_eks.model.namespaces.namespace import namespaced
from cdk_emr_eks.names import dns_label
from cdk_emr_eks.units import Cpu, Memory

_SOME = "must be more than 0"


@dataclass(frozen=True, kw_only=True, slots=True)
class ClassQuota:
    """The most that pods of one priority class may request at a time.

    Args:
        cpu: Sum of the CPU requests. None: no limit.
        memory: Sum of the memory requests. None: no limit.
        pods: Number of pods. None: no limit.

    Raises:
        ConfigError: If an amount is zero, or none is given.
    """

    cpu: Cpu | None = None
    memory: Memory | None = None
    pods: int | None = None

    def __post_init__(self) -> None:
        check_types("ClassQuota", self)
        problems = Problems("ClassQuota")
        given = any(each is not None for each in (self.cpu, self.memory, self.pods))
        problems.require(given, "cpu, memory or pods", "must be given")
        problems.extend(_amount_problems(self.cpu, self.memory, self.pods))
        problems.raise_if_any()

    def hard(self) -> dict[str, str]:
        """Return the limits as Kubernetes has them."""
        return {
            **({} if self.cpu is None else {"requests.cpu": self.cpu.kubernetes}),
            **({} if self.memory is None else {"requests.memory": self.memory.kubernetes}),
            **({} if self.pods is None else {"pods": str(self.pods)}),
        }


@dataclass(frozen=True, kw_only=True, slots=True)
class Quota:
    """The most that all jobs of a tenant may have at a time.

    CPU is limited by requests only: EMR's logging sidecar has no CPU limit, so a quota on limits
    would refuse every driver.

    Counts of services, ConfigMaps and secrets bound what code in a job may make beside pods; each
    job that runs or has ended a short time ago has a service, about five ConfigMaps and a secret of
    EMR's own, so they bound the number of jobs, too.

    Args:
        cpu: Sum of the CPU requests.
        memory: Sum of the memory requests.
        pods: Number of pods. None: no limit.
        volume_claims: Number of persistent volume claims. None: no limit.
        storage: Sum of the sizes of the claims. None: no limit.
        ephemeral_storage: Sum of the requests for the nodes' disks. EMR's containers request none,
            so it goes with ``LimitDefaults.ephemeral_storage``. It bounds requests, not what is
            written. None: no limit.
        services: Number of services. None: no limit.
        config_maps: Number of ConfigMaps, Kubernetes' own one included. None: no limit.
        secrets: Number of secrets. None: no limit.
        jobs: Number of Kubernetes' Jobs: each job of EMR has one while it waits or runs. EMR fails
            a job that it cannot submit; ``SchedulerLimits`` let it wait instead. None: no limit.
        priority_classes: Further limits by priority class (``Workload.driver_priority_class``,
            ``executor_priority_class``): fewer drivers than all pods leave room for executors, and
            no workload takes the whole quota. Job submitters count among drivers.

    Raises:
        ConfigError: If an amount is zero, or a priority class is no name of one.

    Source: https://kubernetes.io/docs/concepts/policy/resource-quotas/
    """

    cpu: Cpu
    memory: Memory
    pods: int | None = None
    volume_claims: int | None = None
    storage: Memory | None = None
    ephemeral_storage: Memory | None = None
    services: int | None = None
    config_maps: int | None = None
    secrets: int | None = None
    jobs: int | None = None
    priority_classes: Mapping[str, ClassQuota] = field(default_factory=dict)

    def __post_init__(self) -> None:
        check_types("Quota", self)
        hold_mappings(self)
        problems = Problems("Quota")
        problems.extend(_amount_problems(self.cpu, self.memory, self.pods))
        if self.volume_claims is not None:
            rule = "must be 0 or more"
            problems.require(self.volume_claims >= 0, "volume_claims", rule, self.volume_claims)
        for name, size in (
            ("storage", self.storage),
            ("ephemeral_storage", self.ephemeral_storage),
        ):
            if size is not None:
                problems.require(size > Memory(0), name, _SOME, size.kubernetes)
        for name in ("services", "config_maps", "secrets", "jobs"):
            count: int | None = getattr(self, name)
            problems.require(count is None or count > 0, name, _SOME, count)
        for name in self.priority_classes:
            problems.extend(dns_label("priority_classes", name))
        problems.raise_if_any()

    def manifests(self, namespace: str) -> tuple[dict[str, object], ...]:
        """Return the ``v1`` ResourceQuotas: that of the whole namespace, and one for each class."""
        return (
            namespaced("ResourceQuota", "tenant", namespace, {"hard": self._hard()}),
            *(
                namespaced("ResourceQuota", f"tenant-{name}", namespace, _scoped(name, limits))
                for name, limits in self.priority_classes.items()
            ),
        )

    def _hard(self) -> dict[str, str]:
        amounts: dict[str, Cpu | Memory | None] = {
            "requests.cpu": self.cpu,
            "requests.memory": self.memory,
            "requests.storage": self.storage,
            "requests.ephemeral-storage": self.ephemeral_storage,
        }
        counts = {
            "pods": self.pods,
            "persistentvolumeclaims": self.volume_claims,
            "services": self.services,
            "configmaps": self.config_maps,
            "secrets": self.secrets,
            "count/jobs.batch": self.jobs,
        }
        return {
            **{key: size.kubernetes for key, size in amounts.items() if size is not None},
            **{key: str(count) for key, count in counts.items() if count is not None},
        }


def _scoped(priority_class: str, limits: ClassQuota) -> dict[str, object]:
    scope = {"scopeName": "PriorityClass", "operator": "In", "values": [priority_class]}
    return {"hard": limits.hard(), "scopeSelector": {"matchExpressions": [scope]}}


def _amount_problems(
    cpu: Cpu | None, memory: Memory | None, pods: int | None
) -> tuple[ConfigProblem, ...]:
    found = []
    if cpu is not None and cpu <= Cpu(0):
        found.append(ConfigProblem(field="cpu", rule=_SOME, got=cpu.kubernetes))
    if memory is not None and memory <= Memory(0):
        found.append(ConfigProblem(field="memory", rule=_SOME, got=memory.kubernetes))
    if pods is not None and pods <= 0:
        found.append(ConfigProblem(field="pods", rule=_SOME, got=pods))
    return tuple(found)
