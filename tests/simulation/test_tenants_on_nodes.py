"""Tenants on nodes with the real scheduler: priority, preemption, dedicated nodes, removal."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Final

import pytest

from cdk_emr_eks.labels import SparkRole
from cdk_emr_eks.model.access.execution_role import Component
from cdk_emr_eks.model.namespaces.quota import Quota
from cdk_emr_eks.model.tenants.tenant import Tenant
from cdk_emr_eks.model.workloads.catalog import CRITICAL, SHARED
from cdk_emr_eks.simulation.control_plane.plane import Plane
from cdk_emr_eks.units import Cpu, Memory
from tests.simulation.admission_actors import (
    EMR,
    Answer,
    Pod,
    call,
    driver,
    executor,
    user_of,
)
from tests.simulation.tenants_on_plane import Land, role_of, submitter_job
from tests.simulation.waiting import until
from tests.unit.nodes.test_dedicated import dedicated

A, B, ACME, AGAIN = "nodes-a", "nodes-b", "nodes-acme", "nodes-again"
OWN: Final = dedicated(replace(SHARED, name="nodes-own"))
OPEN: Final = "nodes-open"
QUOTA: Final = Quota(cpu=Cpu.cores(100), memory=Memory.from_gib(400), pods=50)


@pytest.fixture(scope="module")
def land(plane: Plane) -> Land:
    made = Land(plane, (SHARED, CRITICAL))
    made.make(*OWN.workload_with_limits.priority_classes())
    for name in (A, B):
        made.tenant(Tenant(name=name))
    made.tenant(Tenant(name=ACME, dedicated=(OWN,)))
    return made


@pytest.fixture(autouse=True)
def empty(land: Land) -> Iterator[None]:
    yield
    for name in (A, B, ACME):
        jobs = f"/apis/batch/v1/namespaces/{name}/jobs"
        call(land.plane, None, "DELETE", jobs, propagationPolicy="Background")
    land.empty(A, B, ACME)
    land.remove_nodes()


def make(land: Land, tenant: str, pod: Pod) -> Answer:
    component = Component.CLIENT if _role(pod) == "driver" else Component.DRIVER
    return land.create(tenant, user_of(tenant, component, role_of(tenant)), pod)


def _role(pod: Pod) -> str:
    return str(pod["metadata"]["labels"]["spark-role"])


def anywhere(pod: Pod, cpu: str = "1") -> Pod:
    """A pod with a template of the tenant that selects other nodes."""
    pod["spec"]["nodeSelector"] = {"emr-eks/workload": OPEN}
    pod["spec"].pop("affinity", None)
    pod["spec"].pop("topologySpreadConstraints", None)
    pod["spec"]["containers"][0]["resources"]["requests"]["cpu"] = cpu
    return pod


def runs(land: Land, tenant: str, name: str) -> None:
    until(lambda: land.phase(tenant, name), lambda phase: phase == "Running")


def waits(land: Land, tenant: str, name: str) -> str:
    """Wait until the scheduler finds no node; return its message."""

    def message() -> str:
        pod = land.core.read_namespaced_pod(name, tenant)
        return "".join(each.message or "" for each in pod.status.conditions or ())

    return until(message, lambda text: "nodes are available" in text)


# ---- priority and preemption


def submitter_of(land: Land, tenant: str) -> str:
    job = submitter_job(SHARED, tenant, role_of(tenant), "job")
    path = f"/apis/batch/v1/namespaces/{tenant}/jobs"
    assert call(land.plane, EMR, "POST", path, job).allowed
    (pod,) = until(lambda: land.pods(tenant))
    return str(pod.metadata.name)


def test_drivers_do_not_preempt_submitters_of_other_tenants(land: Land) -> None:
    # A job ends with its submitter, and EMR gives submitters no priority.
    land.node("nodes-drivers", "shared", SparkRole.DRIVER, cpu=2)
    theirs = submitter_of(land, A)
    runs(land, A, theirs)
    assert make(land, B, driver(SHARED, role_of(B))).allowed
    assert "No preemption victims found" in waits(land, B, "driver")
    assert land.phase(A, theirs) == "Running"
    pod = land.core.read_namespaced_pod(theirs, A)
    assert (pod.spec.priority_class_name, pod.spec.priority) == ("shared-driver", 2_010)


def test_drivers_of_a_higher_tier_preempt_executors_and_executors_preempt_no_pod(
    land: Land,
) -> None:
    land.open_node("nodes-open", OPEN, cpu=2)
    assert make(land, A, anywhere(executor(SHARED, role_of(A), "low"))).allowed
    runs(land, A, "low")
    assert make(land, B, anywhere(executor(CRITICAL, role_of(B), "high"))).allowed
    assert "not eligible due to preemptionPolicy=Never" in waits(land, B, "high")
    assert land.phase(A, "low") == "Running"
    assert make(land, B, anywhere(driver(CRITICAL, role_of(B)))).allowed
    runs(land, B, "driver")
    assert land.phase(A, "low") in ("gone", "ending", "Failed")


def test_pending_pods_of_a_higher_tier_are_scheduled_first(land: Land) -> None:
    land.open_node("nodes-waiting", OPEN, cpu=2)
    assert make(land, A, anywhere(driver(CRITICAL, role_of(A), "first"))).allowed
    runs(land, A, "first")
    assert make(land, A, anywhere(driver(SHARED, role_of(A), "early"))).allowed
    waits(land, A, "early")
    assert make(land, B, anywhere(executor(CRITICAL, role_of(B), "late"))).allowed
    waits(land, B, "late")
    # After a failed attempt, the scheduler ignores a pod for a second.
    time.sleep(3)
    land.core.delete_namespaced_pod("first", A, grace_period_seconds=0)
    runs(land, B, "late")
    assert land.phase(A, "early") == "Pending"


# ---- dedicated nodes


def test_dedicated_nodes_run_only_pods_of_their_tenant(land: Land) -> None:
    land.node("nodes-theirs", "shared", SparkRole.DRIVER)
    land.node("nodes-own", "nodes-own", SparkRole.DRIVER)
    assert make(land, ACME, driver(OWN.workload_with_limits, role_of(ACME))).allowed
    runs(land, ACME, "driver")
    assert land.core.read_namespaced_pod("driver", ACME).spec.node_name == "nodes-own"
    # With the templates of the platform's workloads, on shared nodes.
    shared = make(land, ACME, driver(SHARED, role_of(ACME), "shared"))
    assert "tolerate the nodes of the tenant's workloads" in shared.message
    # Another tenant that uses the name.
    eve = make(land, A, driver(OWN.workload_with_limits, role_of(A), "eve"))
    assert "tolerate the nodes of the tenant's workloads" in eve.message
    # And without tolerations, with another template.
    sneaky = driver(SHARED, role_of(A), "sneaky")
    sneaky["spec"]["nodeSelector"] = {"kubernetes.io/hostname": "nodes-own"}
    assert make(land, A, sneaky).allowed
    assert "untolerated taint" in waits(land, A, "sneaky")


# ---- removal


def test_a_tenant_is_removed_with_running_jobs_and_created_again(land: Land) -> None:
    land.node("nodes-removal", "shared", SparkRole.DRIVER, cpu=16)
    land.node("nodes-executors", "shared", SparkRole.EXECUTOR, cpu=16)
    tenant = Tenant(name=AGAIN, workloads=("shared",), quota=QUOTA)
    for again in (False, True):
        land.tenant(tenant)
        name = submitter_of(land, AGAIN)
        runs(land, AGAIN, name)
        pod = land.core.read_namespaced_pod(name, AGAIN)
        # This finalizer would keep the namespace.
        assert pod.metadata.finalizers == ["batch.kubernetes.io/job-tracking"]
        assert make(land, AGAIN, driver(SHARED, role_of(AGAIN))).allowed
        runs(land, AGAIN, "driver")
        assert make(land, AGAIN, executor(SHARED, role_of(AGAIN))).allowed
        runs(land, AGAIN, "executor")
        assert land.used(AGAIN)["pods"] == "3"
        if not again:
            assert land.remove(AGAIN) == ()
    land.empty(AGAIN)
