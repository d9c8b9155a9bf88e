"""Dedicated pools of a tenant: pools, node classes, and what is refused."""

from __future__ import annotations

from dataclasses import replace

from cdk_emr_eks.model.access.execution_role import ExecutionRoleSpec
from cdk_emr_eks.model.admission.admission import Admission, AdmissionMode
from cdk_emr_eks.model.namespaces.quota import Quota
from cdk_emr_eks.model.networks.zones import Zone
from cdk_emr_eks.model.nodes.dedicated import DedicatedPools
from cdk_emr_eks.model.tenants.tenant import Tenant, check_tenant
from cdk_emr_eks.model.workloads.catalog import CRITICAL, DEFAULT_WORKLOADS, NOTEBOOK, SHARED
from cdk_emr_eks.model.workloads.shapes import NodePoolLimits
from cdk_emr_eks.model.workloads.storage import PersistentVolumes
from cdk_emr_eks.model.workloads.workload import Workload
from cdk_emr_eks.units import Cpu, Memory
from tests.refusals import Call, refusals, refused

WORKLOADS = {workload.name: workload for workload in DEFAULT_WORKLOADS}
DRIVERS = NodePoolLimits(cpu=Cpu.cores(32), memory=Memory.from_gib(128))
EXECUTORS = NodePoolLimits(cpu=Cpu.cores(320), memory=Memory.from_gib(2_560))
ZONES = (Zone.named("eu-west-1a"), Zone.named("eu-west-1b"))


def dedicated(workload: Workload | None = None) -> DedicatedPools:
    return DedicatedPools(
        workload=workload or replace(SHARED, name="acme"),
        driver_limits=DRIVERS,
        executor_limits=EXECUTORS,
    )


def test_a_tenant_with_dedicated_pools_uses_no_other_workload() -> None:
    tenant = Tenant(name="acme", dedicated=(dedicated(),))
    assert [each.name for each in tenant.selected_workloads(WORKLOADS)] == ["acme"]
    owner = tenant.owner(tenant.selected_workloads(WORKLOADS))
    assert owner.annotations["emr-eks/workloads"] == "acme"
    both = replace(tenant, workloads=("critical",))
    assert [each.name for each in both.selected_workloads(WORKLOADS)] == ["critical", "acme"]
    # No other tenant can use them, whether it names workloads or not.
    assert "acme" not in {each.name for each in Tenant(name="other").selected_workloads(WORKLOADS)}


def test_pools_have_the_tenants_limits_label_and_classes() -> None:
    pools_of_tenant = dedicated()
    pools = pools_of_tenant.node_pools(ZONES, "acme")
    assert {pool.limits for pool in pools} == {DRIVERS, EXECUTORS}
    assert {pool.workload for pool in pools} == {"acme"}
    manifest = pools[0].manifest()
    template = manifest["spec"]["template"]  # type: ignore[index]
    assert template["metadata"]["labels"]["emr-eks/tenant"] == "acme"
    assert {"key": "emr-eks/workload", "value": "acme", "effect": "NoSchedule"} in (
        template["spec"]["taints"]
    )
    # No class is shared with the platform or another tenant: each is deleted with its tenant.
    classes = {each.name for each in pools_of_tenant.node_classes()}
    assert {pool.node_class for pool in pools} == classes
    assert classes == {"acme-emr-nvme", "acme-emr-ebs-100g"}


REFUSED: dict[str, tuple[Call, str]] = {
    "no limits": (
        lambda: DedicatedPools(workload=replace(SHARED, name="acme")),  # type: ignore[call-arg]
        "DedicatedPools:\n  - driver_limits must be given.\n  - executor_limits must be given.",
    ),
    "limits below one node": (
        lambda: replace(
            dedicated(), driver_limits=NodePoolLimits(cpu=Cpu.cores(4), memory=Memory(4096))
        ),
        "DedicatedPools 'acme': driver_limits must allow at least one node of the smallest type "
        "(m6g.2xlarge), got 'cpu 4, memory 4Gi'.",
    ),
    "the name of a platform's workload": (
        lambda: check_tenant(Tenant(name="acme", dedicated=(dedicated(SHARED),)), WORKLOADS),
        "Tenant 'acme': dedicated must have a name that no workload of the platform has, "
        "got 'shared'; replace(workload, name='shared-own').",
    ),
    "one name twice": (
        lambda: check_tenant(Tenant(name="acme", dedicated=(dedicated(),) * 2), WORKLOADS),
        "Workloads: name must be used once, got 'acme'.",
    ),
    "a priority between two tiers": (
        lambda: check_tenant(
            Tenant(
                name="acme",
                dedicated=(dedicated(replace(SHARED, name="acme", priority=2_050)),),
            ),
            WORKLOADS,
        ),
        "Workloads: priority must equal that of 'shared' or be 100 apart from it, "
        "got \"'acme': 2050\"; 'shared' has 2000.",
    ),
    "volumes without a class": (
        lambda: check_tenant(
            Tenant(
                name="acme",
                dedicated=(dedicated(replace(NOTEBOOK, name="acme", storage=PersistentVolumes())),),
            ),
            WORKLOADS,
        ),
        "Tenant 'acme': dedicated must not use PersistentVolumes unless a workload of the platform "
        "does, got 'acme'.",
    ),
    "pools that admission does not protect": (
        lambda: Tenant(
            name="acme", dedicated=(dedicated(),), admission=Admission(mode=AdmissionMode.AUDIT)
        ),
        "Tenant 'acme': admission.mode must be enforced with dedicated pools: only admission keeps "
        "pods on them, got 'audit'.",
    ),
    "a role of a shared workload": (
        lambda: Tenant(
            name="acme",
            dedicated=(dedicated(),),
            execution_roles=(ExecutionRoleSpec(name="r", workloads=("shared",)),),
        ),
        "Tenant 'acme': execution_roles must use workloads of the tenant only (acme), "
        "got 'shared'.",
    ),
    "another tenant's workload": (
        lambda: check_tenant(Tenant(name="eve", workloads=("acme",)), WORKLOADS),
        "Tenant 'eve': workloads must name workloads of the platform (critical, shared, notebook), "
        "got 'acme'.",
    ),
    "a quota below one job": (
        lambda: check_tenant(
            Tenant(
                name="acme",
                dedicated=(dedicated(replace(CRITICAL, name="acme")),),
                quota=Quota(cpu=Cpu.cores(2), memory=Memory.from_gib(400)),
            ),
            WORKLOADS,
        ),
        "Tenant 'acme': quota.cpu must be at least 12510m for one submitter, driver and executor "
        "of workload 'acme', got '2'.",
    ),
}


@refusals(REFUSED)
def test_invalid_input_is_refused(call: Call, message: str) -> None:
    assert refused(call) == message
