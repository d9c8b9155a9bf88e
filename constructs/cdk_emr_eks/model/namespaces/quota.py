"""Quotas of a tenant: for the whole namespace, and by priority class."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field

from cdk_emr_eks.checks import Check
from cdk_emr_eks.model.namespaces.namespace import namespaced
from cdk_emr_eks.names import dns_label
from cdk_emr_eks.units import Cpu, Memory
from cdk_emr_eks.values import value


@value
class ClassQuota:
    """Limits on the pods of one priority class at a time.

    Args:
        cpu: Sum of the CPU requests. None: no limit.
        memory: Sum of the memory requests. None: no limit.
        pods: Number of pods. None: no limit.

    Raises:
        ConfigError: If an amount is zero, or no limit is given.
    """

    cpu: Cpu | None = None
    memory: Memory | None = None
    pods: int | None = None

    def _rules(self, check: Check) -> None:
        given = any(each is not None for each in (self.cpu, self.memory, self.pods))
        check.require(given, "cpu, memory or pods", "must be given")
        check.more_than("cpu", Cpu(0))
        check.more_than("memory", Memory(0))
        check.more_than("pods", 0)

    def hard(self) -> dict[str, str]:
        """Return the limits under Kubernetes' names."""
        return {
            **({} if self.cpu is None else {"requests.cpu": self.cpu.kubernetes}),
            **({} if self.memory is None else {"requests.memory": self.memory.kubernetes}),
            **({} if self.pods is None else {"pods": str(self.pods)}),
        }


@value
class Quota:
    """Limits on all jobs of a tenant at a time.

    CPU is limited by requests only: EMR's logging sidecar has no CPU limit, so a quota on limits
    would refuse every driver.

    Counts of services, ConfigMaps and secrets bound what code in a job may create in addition to
    pods. A job that runs, or ended a short time ago, has a service, about five ConfigMaps and a
    secret of EMR, so these counts also bound the number of jobs.

    Args:
        cpu: Sum of the CPU requests.
        memory: Sum of the memory requests.
        pods: Number of pods. None: no limit.
        volume_claims: Number of persistent volume claims. None: no limit.
        storage: Sum of the sizes of the claims. None: no limit.
        ephemeral_storage: Sum of the requests for the nodes' disks. It needs
            ``LimitDefaults.ephemeral_storage``, since EMR's containers set no request. It bounds
            requests, not what containers write. None: no limit.
        services: Number of services. None: no limit.
        config_maps: Number of ConfigMaps, including Kubernetes' own one. None: no limit.
        secrets: Number of secrets. None: no limit.
        jobs: Number of Kubernetes Jobs: each job of EMR has one while it waits or runs. EMR fails a
            job that it cannot submit; with ``SchedulerLimits`` the job waits. None: no limit.
        priority_classes: Further limits by priority class (``Workload.driver_priority_class``,
            ``executor_priority_class``). A limit on drivers leaves room for executors, and a limit
            for each workload leaves room for the others. Job submitters count as drivers.

    Raises:
        ConfigError: If an amount is zero, or a priority class is not a DNS label.

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

    def _rules(self, check: Check) -> None:
        for amount in ("memory", "storage", "ephemeral_storage"):
            check.more_than(amount, Memory(0))
        check.more_than("cpu", Cpu(0))
        for count in ("pods", "services", "config_maps", "secrets", "jobs"):
            check.more_than(count, 0)
        if self.volume_claims is not None:
            rule = "must be 0 or more"
            check.require(self.volume_claims >= 0, "volume_claims", rule, self.volume_claims)
        for name in self.priority_classes:
            check.add(dns_label("priority_classes", name))

    def manifests(self, namespace: str) -> tuple[dict[str, object], ...]:
        """Return the ``v1`` ResourceQuotas: of the namespace, and of each priority class."""
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
