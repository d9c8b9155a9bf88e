"""Quotas of one job, tags and virtual clusters: what is just allowed, and what is just refused."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

import pytest

from cdk_emr_eks.errors import ConfigError
from cdk_emr_eks.model.access.execution_role import ExecutionRoleSpec, JobIdentity, RoleUse
from cdk_emr_eks.model.admission.admission import Admission, AdmissionMode
from cdk_emr_eks.model.instances.packing import SUBMITTER
from cdk_emr_eks.model.jobs.spark_encryption import SparkEncryption
from cdk_emr_eks.model.namespaces.namespace import LimitDefaults, namespaced
from cdk_emr_eks.model.namespaces.quota import ClassQuota, Quota
from cdk_emr_eks.model.namespaces.tenant_network import ClusterNetwork, NetworkPeer, TenantNetwork
from cdk_emr_eks.model.tenants.emr_access import aws_auth_entry, emr_role_manifests
from cdk_emr_eks.model.tenants.job_size import smallest_job
from cdk_emr_eks.model.tenants.tenant import Tenant, check_tenant, select_workloads
from cdk_emr_eks.model.tenants.virtual_cluster import (
    EmrAccess,
    SchedulerLimits,
    VirtualClusterOptions,
    VirtualClusterSpec,
    tag_problems,
)
from cdk_emr_eks.model.workloads.catalog import DEFAULT_WORKLOADS, NOTEBOOK, SHARED
from cdk_emr_eks.model.workloads.executor_size import driver_size, executor_size
from cdk_emr_eks.model.workloads.storage import PersistentVolumes
from cdk_emr_eks.units import Cpu, Memory
from tests.refusals import refused

WORKLOADS: Final = {workload.name: workload for workload in DEFAULT_WORKLOADS}
LARGE: Final = Quota(cpu=Cpu.cores(1000), memory=Memory.from_gib(4000))
DISK: Final = LimitDefaults(ephemeral_storage=Memory.from_gib(1))
VOLUMES: Final = replace(NOTEBOOK, storage=PersistentVolumes(count=2, size=Memory.from_gib(50)))


def fails(quota: Quota, defaults: LimitDefaults | None = None) -> tuple[str, ...]:
    """Return the fields of a quota that do not allow one job of the volumes' workload."""
    tenant = Tenant(name="data", quota=quota, limit_defaults=defaults or DISK)
    try:
        check_tenant(tenant, {"notebook": VOLUMES})
    except ConfigError as error:
        return error.fields
    return ()


def test_the_smallest_job_is_submitter_driver_and_executor() -> None:
    job = smallest_job(VOLUMES, DISK)
    driver, executor = driver_size(VOLUMES), executor_size(VOLUMES)
    sidecars = 2 * DISK.cpu.millicores
    cores = driver.request_cores.millicores + executor.request_cores.millicores
    assert job.cpu == Cpu(SUBMITTER.cpu.millicores + cores + sidecars)
    memory = driver.pod_memory.mib + executor.pod_memory.mib
    assert job.memory == Memory(SUBMITTER.memory.mib + memory)
    assert (job.pods, job.volume_claims, job.storage) == (3, 2, Memory.from_gib(100))
    assert job.ephemeral_storage == Memory.from_gib(6)
    plain = smallest_job(SHARED, LimitDefaults())
    assert (plain.volume_claims, plain.storage, plain.ephemeral_storage) == (
        0,
        Memory(0),
        Memory(0),
    )


@pytest.mark.parametrize(
    ("field", "least", "fewer"),
    [
        ("pods", 3, 2),
        ("volume_claims", 2, 1),
        ("services", 1, None),
        ("config_maps", 6, 5),
        ("secrets", 1, None),
        ("storage", Memory.from_gib(100), Memory(100 * 1024 - 1)),
        ("ephemeral_storage", Memory.from_gib(6), Memory(6 * 1024 - 1)),
    ],
)
def test_a_quota_allows_exactly_one_job(field: str, least: Any, fewer: Any) -> None:
    assert fails(replace(LARGE, **{field: least})) == ()
    if fewer is not None:
        assert fails(replace(LARGE, **{field: fewer})) == (f"quota.{field}",)


@pytest.mark.parametrize("role", ["driver", "executor"])
@pytest.mark.parametrize("field", ["cpu", "memory", "pods"])
def test_a_class_quota_allows_exactly_one_job(role: str, field: str) -> None:
    size = driver_size(VOLUMES) if role == "driver" else executor_size(VOLUMES)
    submitters = 1 if role == "driver" else 0
    least: dict[str, Any] = {
        "cpu": Cpu(
            size.request_cores.millicores
            + DISK.cpu.millicores
            + submitters * SUBMITTER.cpu.millicores
        ),
        "memory": Memory(size.pod_memory.mib + submitters * SUBMITTER.memory.mib),
        "pods": 1 + submitters,
    }
    name = f"notebook-{role}"

    def quota(amount: Any) -> Quota:
        return replace(LARGE, priority_classes={name: ClassQuota(**{field: amount})})

    assert fails(quota(least[field])) == ()
    one: dict[str, Any] = {"cpu": Cpu(1), "memory": Memory(1), "pods": 1}
    if least[field] != one[field]:
        assert fails(quota(less(least[field]))) == (f"quota.priority_classes[{name!r}].{field}",)


def less(amount: Any) -> Any:
    """Return the next smaller amount."""
    if isinstance(amount, Cpu):
        return Cpu(amount.millicores - 1)
    return Memory(amount.mib - 1) if isinstance(amount, Memory) else amount - 1


def test_tags_have_limits_of_aws() -> None:
    assert tag_problems("tags", {f"key{number}": "x" for number in range(50)}) == ()
    (problem,) = tag_problems("tags", {f"key{number}": "x" for number in range(51)})
    assert (problem.field, problem.got) == ("tags", 51)
    for key in ("", "k" * 129, "aws:x", "AWS:x"):
        assert [each.got for each in tag_problems("tags", {key: "x"})] == [key]
    assert tag_problems("tags", {"k" * 128: "x" * 256, "awsx": ""}) == ()
    assert len(tag_problems("tags", {"k": "x" * 257})) == 1


def test_defaults_of_a_virtual_cluster() -> None:
    spec = VirtualClusterSpec(name="data")
    assert (spec.resolved_namespace, spec.create_namespace) == ("data", True)
    assert replace(spec, namespace="other").resolved_namespace == "other"
    options = VirtualClusterOptions()
    assert (options.access, options.session_enabled) == (EmrAccess.ACCESS_ENTRY, False)
    assert [each.value for each in EmrAccess] == ["access-entry", "aws-auth"]
    assert SchedulerLimits(max_concurrent_job_runs=5).parameters() == {"maxConcurrentJobRuns": 5}
    assert SchedulerLimits(max_in_queue_job_runs=7).parameters() == {"maxInQueueJobRuns": 7}


@pytest.mark.parametrize(
    ("text", "allowed"),
    [("a", True), ("0z" * 32, True), ("", False), ("0z" * 32 + "a", False), ("A", False)],
)
def test_ids_of_security_configurations(text: str, allowed: bool) -> None:
    def build() -> VirtualClusterOptions:
        return VirtualClusterOptions(session_enabled=True, security_configuration_id=text)

    if allowed:
        assert build().own_security_configuration is None
        return
    with pytest.raises(ConfigError) as caught:
        build()
    assert caught.value.fields == ("security_configuration_id",)


def test_the_entry_of_aws_auth_has_no_path() -> None:
    assert aws_auth_entry("aws-cn", "111122223333") == (
        "- rolearn: arn:aws-cn:iam::111122223333:role/AWSServiceRoleForAmazonEMRContainers\n"
        "  username: emr-containers\n"
    )
    role, binding = emr_role_manifests("data")
    assert role["metadata"] == {"name": "emr-containers", "namespace": "data"}
    assert binding["roleRef"] == {
        "kind": "Role",
        "name": "emr-containers",
        "apiGroup": "rbac.authorization.k8s.io",
    }


def test_workloads_are_selected_by_name_and_once() -> None:
    assert select_workloads("T", (), WORKLOADS) == DEFAULT_WORKLOADS
    assert select_workloads("T", ("shared", "shared"), WORKLOADS) == (SHARED,)
    assert refused(lambda: select_workloads("T", ("shared", "b", "a"), WORKLOADS)) == (
        "T: workloads must name workloads of the platform (critical, shared, notebook), got 'a, b'."
    )


def test_the_default_role_follows_the_options_of_the_tenant() -> None:
    (plain,) = Tenant(name="data").roles("c")
    assert (plain.uses, plain.identity) == ((RoleUse.JOBS,), JobIdentity.POD_IDENTITY)
    sessions = Tenant(name="data", virtual_cluster=VirtualClusterOptions(session_enabled=True))
    (role,) = sessions.roles("c")
    assert role.uses == (RoleUse.JOBS, RoleUse.ENDPOINTS)


@pytest.mark.parametrize("release", ["emr-7.2.0-latest", "emr-6.15.0-latest"])
def test_the_default_role_needs_a_release_with_pod_identity(release: str) -> None:
    with pytest.raises(ConfigError) as caught:
        Tenant(name="data", release_label=release)
    assert caught.value.fields == ("release_label",)
    irsa = ExecutionRoleSpec(name="r", identity=JobIdentity.IRSA)
    Tenant(name="data", release_label=release, execution_roles=(irsa,))
    with pytest.raises(ConfigError) as caught:
        Tenant(
            name="data",
            release_label=release,
            execution_roles=(irsa,),
            spark_encryption=SparkEncryption(),
        )
    assert caught.value.fields == ("release_label",)


def test_a_tenant_does_not_name_its_namespace_as_a_peer() -> None:
    peer = NetworkPeer(namespace="data")
    network = TenantNetwork(egress=(peer,), ingress=(peer,))
    with pytest.raises(ConfigError) as caught:
        Tenant(name="data", network=network)
    assert caught.value.fields == ("network.egress", "network.ingress")
    assert Tenant(name="other", network=network).network is network


def test_network_rules_are_checked_against_the_cluster() -> None:
    tenant = Tenant(name="data", network=TenantNetwork(https=("100.64.1.0/24",)))
    check_tenant(tenant, WORKLOADS)
    with pytest.raises(ConfigError) as caught:
        check_tenant(tenant, WORKLOADS, ClusterNetwork(pod_cidrs=("100.64.0.0/16",)))
    assert caught.value.fields == ("https",)


def test_all_tags_of_a_tenant_include_its_name() -> None:
    tenant = Tenant(name="data", tags={"emr-eks/tenant": "other", "team": "a"})
    assert tenant.all_tags == {"emr-eks/tenant": "data", "team": "a"}


def test_a_tenant_without_network_has_no_network_policies() -> None:
    kinds = [each["kind"] for each in Tenant(name="data").policies()]
    assert kinds == ["LimitRange", "NetworkPolicy", "NetworkPolicy"]
    open_tenant = Tenant(name="data", network=None, quota=LARGE)
    assert [each["kind"] for each in open_tenant.policies()] == ["LimitRange", "ResourceQuota"]


def test_the_owner_of_a_namespace_lists_workloads() -> None:
    tenant = Tenant(name="data")
    owner = tenant.owner(tenant.selected_workloads(WORKLOADS))
    assert owner.tenant == "data"
    assert owner.labels == {"emr-eks/admission": "enforce"}
    assert owner.annotations["emr-eks/workloads"] == "critical,shared,notebook"
    assert owner.annotations["emr-eks/undisturbed-executors"] == "critical"
    off = Tenant(name="data", admission=Admission(mode=AdmissionMode.OFF))
    assert off.owner([SHARED]).labels == {}


def test_objects_of_a_namespace_are_managed_by_the_library() -> None:
    assert namespaced("Secret", "a", "b", {"c": 1}) == {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {
            "name": "a",
            "namespace": "b",
            "labels": {"app.kubernetes.io/managed-by": "cdk-emr-eks"},
        },
        "spec": {"c": 1},
    }
