"""Quotas: the rendered objects, and the check that a quota allows one job."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cdk_emr_eks.errors import ConfigError
from cdk_emr_eks.model.namespaces.namespace import LimitDefaults
from cdk_emr_eks.model.namespaces.quota import ClassQuota, Quota
from cdk_emr_eks.model.tenants.job_size import smallest_job
from cdk_emr_eks.model.tenants.tenant import Tenant, check_tenant
from cdk_emr_eks.model.workloads.catalog import DEFAULT_WORKLOADS, SHARED
from cdk_emr_eks.model.workloads.executor_size import driver_size
from cdk_emr_eks.units import Cpu, Memory
from tests.refusals import Call, refusals, refused

WORKLOADS = {workload.name: workload for workload in DEFAULT_WORKLOADS}
LARGE = Quota(cpu=Cpu.cores(100), memory=Memory.from_gib(400))
DISK = LimitDefaults(ephemeral_storage=Memory.from_gib(2))


def checked(quota: Quota, defaults: LimitDefaults | None = None) -> None:
    tenant = Tenant(
        name="data",
        workloads=("shared",),
        quota=quota,
        limit_defaults=defaults or LimitDefaults(),
    )
    check_tenant(tenant, WORKLOADS)


def test_all_limits_are_rendered_under_kubernetes_names() -> None:
    quota = Quota(
        cpu=Cpu.cores(100),
        memory=Memory.from_gib(400),
        pods=200,
        volume_claims=10,
        storage=Memory.from_gib(1_000),
        ephemeral_storage=Memory.from_gib(2_000),
        services=40,
        jobs=60,
        config_maps=200,
        secrets=50,
        priority_classes={"shared-driver": ClassQuota(pods=20, cpu=Cpu.cores(40))},
    )
    whole, drivers = quota.manifests("data")
    assert whole["spec"] == {
        "hard": {
            "requests.cpu": "100",
            "requests.memory": "400Gi",
            "requests.storage": "1000Gi",
            "requests.ephemeral-storage": "2000Gi",
            "pods": "200",
            "persistentvolumeclaims": "10",
            "services": "40",
            "configmaps": "200",
            "secrets": "50",
            "count/jobs.batch": "60",
        }
    }
    scope = {"scopeName": "PriorityClass", "operator": "In", "values": ["shared-driver"]}
    assert drivers["spec"] == {
        "hard": {"requests.cpu": "40", "pods": "20"},
        "scopeSelector": {"matchExpressions": [scope]},
    }
    names = [each["metadata"]["name"] for each in (whole, drivers)]  # type: ignore[index]
    assert names == ["tenant", "tenant-shared-driver"]
    checked(quota, DISK)


def test_containers_get_a_default_disk_request() -> None:
    (limit,) = DISK.manifest("data")["spec"]["limits"]  # type: ignore[index]
    assert limit == {
        "type": "Container",
        "defaultRequest": {"cpu": "10m", "memory": "200Mi", "ephemeral-storage": "2Gi"},
    }


INVALID: dict[str, tuple[Call, str]] = {
    "no services": (
        lambda: replace(LARGE, services=0),
        "Quota: services must be more than 0, got 0.",
    ),
    "no disk": (
        lambda: replace(LARGE, ephemeral_storage=Memory(0)),
        "Quota: ephemeral_storage must be more than 0, got '0Mi'.",
    ),
    "no limit of a class": (ClassQuota, "ClassQuota: cpu, memory or pods must be given."),
    "an empty limit of a class": (
        lambda: ClassQuota(pods=0),
        "ClassQuota: pods must be more than 0, got 0.",
    ),
    "no name of a class": (
        lambda: replace(LARGE, priority_classes={"Shared": ClassQuota(pods=1)}),
        "Quota: priority_classes must be a DNS label (a-z, 0-9, '-', at most 63 characters), "
        "got 'Shared'; try 'shared'.",
    ),
    "a class of a workload that the tenant lacks": (
        lambda: checked(replace(LARGE, priority_classes={"critical-driver": ClassQuota(pods=1)})),
        "Tenant 'data': quota.priority_classes must be priority classes of the tenant's workloads "
        "(shared-driver, shared-executor), got 'critical-driver'.",
    ),
    "a class for less than one job": (
        lambda: checked(replace(LARGE, priority_classes={"shared-driver": ClassQuota(pods=1)})),
        "Tenant 'data': quota.priority_classes['shared-driver'].pods must be at least 2 for one "
        "submitter and driver, got 1.",
    ),
    "disk that no container requests": (
        lambda: checked(replace(LARGE, ephemeral_storage=Memory.from_gib(100))),
        "Tenant 'data': limit_defaults.ephemeral_storage must be given with "
        "quota.ephemeral_storage: no container of EMR requests any.",
    ),
    "disk for less than one job": (
        lambda: checked(replace(LARGE, ephemeral_storage=Memory.from_gib(11)), DISK),
        "Tenant 'data': quota.ephemeral_storage must be at least 12Gi for one submitter, driver "
        "and executor of workload 'shared', got '11Gi'.",
    ),
    "ConfigMaps for less than one job": (
        lambda: checked(replace(LARGE, config_maps=5)),
        "Tenant 'data': quota.config_maps must be at least 6 for one submitter, driver and "
        "executor of workload 'shared', got 5.",
    ),
}


@refusals(INVALID)
def test_invalid_values_are_refused(call: Call, message: str) -> None:
    assert refused(call) == message


def test_a_class_quota_allows_one_submitter_and_driver() -> None:
    least = 900 + driver_size(SHARED).request_cores.millicores + LimitDefaults().cpu.millicores

    def of(millicores: int) -> Quota:
        classes = {SHARED.driver_priority_class: ClassQuota(cpu=Cpu(millicores))}
        return replace(LARGE, priority_classes=classes)

    checked(of(least))
    with pytest.raises(ConfigError) as caught:
        checked(of(least - 1))
    assert caught.value.fields == ("quota.priority_classes['shared-driver'].cpu",)


def test_all_containers_of_a_job_request_disk() -> None:
    assert smallest_job(SHARED, DISK).ephemeral_storage == Memory.from_gib(12)
    assert smallest_job(SHARED, LimitDefaults()).ephemeral_storage == Memory(0)
