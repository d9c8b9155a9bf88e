"""What the smallest job of a workload requests, for a tenant's quota to be held against."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from cdk_emr_eks.spec.executor_shape import driver_shape, executor_shape
from cdk_emr_eks.spec.namespace import LimitDefaults
from cdk_emr_eks.spec.storage import PersistentVolumes
from cdk_emr_eks.spec.workload import Workload
from cdk_emr_eks.units import Cpu, Memory

# EMR's job submitter and its logging container, as described pods of EMR show them. Source:
# https://docs.aws.amazon.com/emr/latest/EMR-on-EKS-DevelopmentGuide/emr-eks-job-submitter.html
_SUBMITTER_CPU: Final = Cpu(800 + 100)
_SUBMITTER_MEMORY: Final = Memory(512 + 200)


@dataclass(frozen=True, kw_only=True, slots=True)
class JobSize:
    """Requests of one submitter, one driver and one executor together."""

    cpu: Cpu
    memory: Memory
    pods: int
    volume_claims: int
    storage: Memory


def smallest_job(workload: Workload, defaults: LimitDefaults) -> JobSize:
    """Add up the smallest job of a workload.

    Args:
        workload: The workload, with its worked-out shapes.
        defaults: Requests that logging containers of driver and executor get, since they name none.
    """
    driver, executor = driver_shape(workload), executor_shape(workload)
    storage = workload.storage
    claims = storage.count if isinstance(storage, PersistentVolumes) else 0
    size = storage.size.mib if isinstance(storage, PersistentVolumes) else 0
    cpu = (
        _SUBMITTER_CPU.millicores
        + driver.request_cores.millicores
        + executor.request_cores.millicores
        + 2 * defaults.cpu.millicores
    )
    memory = _SUBMITTER_MEMORY.mib + driver.pod_memory.mib + executor.pod_memory.mib
    return JobSize(
        cpu=Cpu(cpu),
        memory=Memory(memory),
        pods=3,
        volume_claims=claims,
        storage=Memory(claims * size),
    )
