"""Resource requests of the smallest job of a workload, for the check of a tenant's quota."""

from __future__ import annotations

from typing import Final

from cdk_emr_eks.checks import Check
from cdk_emr_eks.labels import SparkRole
from cdk_emr_eks.model.instances.packing import SUBMITTER
from cdk_emr_eks.model.namespaces.namespace import LimitDefaults
from cdk_emr_eks.model.namespaces.quota import Quota
from cdk_emr_eks.model.workloads.executor_size import SparkPodSize, driver_size, executor_size
from cdk_emr_eks.model.workloads.priority import priority_class_name
from cdk_emr_eks.model.workloads.storage import PersistentVolumes
from cdk_emr_eks.model.workloads.workload import Workload
from cdk_emr_eks.units import Cpu, Memory
from cdk_emr_eks.values import value

# Submitter, driver and executor, each with EMR's logging container.
_CONTAINERS: Final = 6

# Executors find their driver by the service, and EMR's logging container writes the secret. There
# are ConfigMaps for pod templates, logging, Spark's defaults, the driver and the executors, and
# Kubernetes' own kube-root-ca.crt.
_SERVICES: Final = 1
_CONFIG_MAPS: Final = 6
_SECRETS: Final = 1


@value
class PodSize:
    """Requests of one pod with its logging container."""

    cpu: Cpu
    memory: Memory


@value
class JobSize:
    """Requests of one submitter, one driver and one executor together."""

    cpu: Cpu
    memory: Memory
    pods: int
    volume_claims: int
    storage: Memory
    ephemeral_storage: Memory


def smallest_job(workload: Workload, defaults: LimitDefaults) -> JobSize:
    """Add up the smallest job of a workload.

    Args:
        workload: The workload.
        defaults: Requests of the logging containers of driver and executor, which set none.
    """
    pods = [_pod(shape(workload), defaults) for shape in (driver_size, executor_size)]
    storage = workload.storage
    claims = storage.count if isinstance(storage, PersistentVolumes) else 0
    size = storage.size.mib if isinstance(storage, PersistentVolumes) else 0
    disk = defaults.ephemeral_storage
    return JobSize(
        cpu=Cpu(SUBMITTER.cpu.millicores + sum(each.cpu.millicores for each in pods)),
        memory=Memory(SUBMITTER.memory.mib + sum(each.memory.mib for each in pods)),
        pods=3,
        volume_claims=claims,
        storage=Memory(claims * size),
        ephemeral_storage=Memory(_CONTAINERS * disk.mib if disk else 0),
    )


def check_fit(check: Check, quota: Quota, workload: Workload, defaults: LimitDefaults) -> None:
    """Check that a quota allows one job of a workload.

    Args:
        check: Records the problems.
        quota: The quota.
        workload: The workload.
        defaults: Requests of containers that set none.
    """
    job = smallest_job(workload, defaults)
    needs = f"for one submitter, driver and executor of workload {workload.name!r}"
    amounts: tuple[tuple[str, Cpu | Memory | None, Cpu | Memory], ...] = (
        ("cpu", quota.cpu, job.cpu),
        ("memory", quota.memory, job.memory),
        ("storage", quota.storage, job.storage),
        ("ephemeral_storage", quota.ephemeral_storage, job.ephemeral_storage),
    )
    counts = (
        ("pods", quota.pods, job.pods),
        ("volume_claims", quota.volume_claims, job.volume_claims),
        ("services", quota.services, _SERVICES),
        ("config_maps", quota.config_maps, _CONFIG_MAPS),
        ("secrets", quota.secrets, _SECRETS),
    )
    for field, has, least in amounts:
        _require(check, f"quota.{field}", has, least, needs)
    for field, count, least_count in counts:
        rule = f"must be at least {least_count} {needs}"
        holds = count is None or count >= least_count
        check.require(holds, f"quota.{field}", rule, count)
    _check_class(check, quota, workload, SparkRole.DRIVER, defaults)
    _check_class(check, quota, workload, SparkRole.EXECUTOR, defaults)


def _check_class(
    check: Check, quota: Quota, workload: Workload, role: SparkRole, defaults: LimitDefaults
) -> None:
    name = priority_class_name(workload.name, role)
    limits = quota.priority_classes.get(name)
    if limits is None:
        return
    driver = role is SparkRole.DRIVER
    pod = _pod(driver_size(workload) if driver else executor_size(workload), defaults)
    # Submitters have the priority of drivers.
    cpu = Cpu(pod.cpu.millicores + (SUBMITTER.cpu.millicores if driver else 0))
    memory = Memory(pod.memory.mib + (SUBMITTER.memory.mib if driver else 0))
    count = 2 if driver else 1
    field = f"quota.priority_classes[{name!r}]"
    needs = "for one submitter and driver" if driver else "for one executor"
    _require(check, f"{field}.cpu", limits.cpu, cpu, needs)
    _require(check, f"{field}.memory", limits.memory, memory, needs)
    enough = limits.pods is None or limits.pods >= count
    check.require(enough, f"{field}.pods", f"must be at least {count} {needs}", limits.pods)


def _require(
    check: Check,
    field: str,
    has: Cpu | Memory | None,
    least: Cpu | Memory,
    needs: str,
) -> None:
    if has is None:
        return
    enough = _amount(has) >= _amount(least)
    check.require(enough, field, f"must be at least {least.kubernetes} {needs}", has.kubernetes)


def _amount(value: Cpu | Memory) -> int:
    return value.millicores if isinstance(value, Cpu) else value.mib


def _pod(shape: SparkPodSize, defaults: LimitDefaults) -> PodSize:
    return PodSize(
        cpu=Cpu(shape.request_cores.millicores + defaults.cpu.millicores),
        memory=shape.pod_memory,
    )
