"""Quotas on a real API server: exhaustion, recovery, and independence of other tenants."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

import pytest
from kubernetes import client

from cdk_emr_eks.labels import SparkRole
from cdk_emr_eks.model.access.execution_role import Component
from cdk_emr_eks.model.namespaces.namespace import LimitDefaults
from cdk_emr_eks.model.namespaces.quota import ClassQuota, Quota
from cdk_emr_eks.model.tenants.tenant import Tenant
from cdk_emr_eks.model.workloads.catalog import NOTEBOOK, SHARED
from cdk_emr_eks.simulation.control_plane.plane import Plane
from cdk_emr_eks.units import Cpu, Memory
from tests.simulation.admission_actors import EMR, Answer, call, driver, executor, user_of
from tests.simulation.tenants_on_plane import Land, role_of, submitter_job
from tests.simulation.waiting import until

A, B, SMALL, TRAPPED = "quota-a", "quota-b", "quota-small", "quota-trapped"
PODS: Final = 20
JOBS: Final = 1_000
MOST_JOBS: Final = 40
LARGE: Final = Quota(cpu=Cpu.cores(500), memory=Memory.from_gib(2_000), pods=PODS, jobs=MOST_JOBS)


@pytest.fixture(scope="module")
def land(plane: Plane) -> Land:
    made = Land(plane, (SHARED, NOTEBOOK))
    for name in (A, B):
        made.tenant(Tenant(name=name, quota=LARGE, workloads=("shared",)))
    made.tenant(
        Tenant(
            name=SMALL,
            workloads=("shared",),
            quota=Quota(
                cpu=Cpu.cores(50),
                memory=Memory.from_gib(200),
                ephemeral_storage=Memory.from_gib(40),
                services=2,
                config_maps=4,
                priority_classes={SHARED.driver_priority_class: ClassQuota(pods=2)},
            ),
            limit_defaults=LimitDefaults(ephemeral_storage=Memory.from_gib(5)),
        )
    )
    return made


@pytest.fixture(autouse=True)
def empty(land: Land) -> Iterator[None]:
    """Each test starts and ends without pods."""
    yield
    land.empty(A, B, SMALL)


def start_driver(land: Land, tenant: str, name: str = "driver") -> Answer:
    user = user_of(tenant, Component.CLIENT, role_of(tenant))
    return land.create(tenant, user, driver(SHARED, role_of(tenant), name))


def start_executor(land: Land, tenant: str, number: int) -> Answer:
    user = user_of(tenant, Component.DRIVER, role_of(tenant))
    return land.create(tenant, user, executor(SHARED, role_of(tenant), f"exec-{number}"))


def fill(land: Land, tenant: str, count: int) -> list[Answer]:
    with ThreadPoolExecutor(8) as threads:
        return list(threads.map(lambda n: start_executor(land, tenant, n), range(count)))


def test_a_quota_is_exhausted_and_recovers(land: Land) -> None:
    assert start_driver(land, A).allowed
    answers = fill(land, A, PODS)
    refused = [each for each in answers if not each.allowed]
    assert len(refused) == 1
    assert "exceeded quota: tenant, requested: pods=1, used: pods=20" in refused[0].message
    # An executor that has ended frees quota, like a deleted one.
    names = [pod.metadata.name for pod in land.pods(A)]
    one, other = [name for name in names if name != "driver"][:2]
    ended = {"status": {"phase": "Succeeded"}}
    land.core.patch_namespaced_pod_status(one, A, ended)
    until(lambda: start_executor(land, A, 100), lambda found: found.allowed)
    land.core.delete_namespaced_pod(other, A, grace_period_seconds=0)
    until(lambda: start_executor(land, A, 101), lambda found: found.allowed)
    assert not start_executor(land, A, 102).allowed


def test_two_tenants_at_full_quota_at_once(land: Land) -> None:
    with ThreadPoolExecutor(2) as threads:
        both = list(threads.map(lambda name: fill(land, name, PODS + 10), (A, B)))
    # Each tenant gets exactly its quota, also with concurrent requests.
    assert [sum(each.allowed for each in answers) for answers in both] == [PODS, PODS]
    land.core.delete_namespaced_pod(_any_pod(land, A), A, grace_period_seconds=0)
    until(lambda: start_executor(land, A, 100), lambda found: found.allowed)
    assert "exceeded quota" in start_executor(land, B, 100).message


def _any_pod(land: Land, namespace: str) -> str:
    return str(land.pods(namespace)[0].metadata.name)


def test_drivers_leave_room_for_their_executors(land: Land) -> None:
    assert start_driver(land, SMALL, "one").allowed
    assert start_driver(land, SMALL, "two").allowed
    refused = start_driver(land, SMALL, "three")
    assert "exceeded quota: tenant-shared-driver, requested: pods=1" in refused.message
    assert start_executor(land, SMALL, 1).allowed


def test_disk_is_counted_for_containers_without_a_request(land: Land) -> None:
    # Two containers of 5 GiB each: four pods are 40 GiB.
    answers = [start_executor(land, SMALL, number) for number in range(5)]
    assert [each.allowed for each in answers] == [True] * 4 + [False]
    assert "requests.ephemeral-storage=10Gi" in answers[-1].message


def test_a_quota_stops_a_driver_that_floods_its_namespace(land: Land) -> None:
    user = user_of(SMALL, Component.DRIVER, role_of(SMALL))

    def config_map(number: int) -> Answer:
        body = {"metadata": {"name": f"flood-{number}"}}
        return land.create(SMALL, user, body, "configmaps")

    answers = [config_map(number) for number in range(6)]
    assert not all(each.allowed for each in answers)
    # One of the four is of Kubernetes.
    assert sum(each.allowed for each in answers) <= 4
    assert "exceeded quota: tenant" in answers[-1].message
    service = {"metadata": {"name": "s"}, "spec": {"ports": [{"port": 7078}], "clusterIP": "None"}}
    assert land.create(SMALL, user, service, "services").allowed
    others = user_of(B, Component.DRIVER, role_of(B))
    assert land.create(B, others, {"metadata": {"name": "mine"}}, "configmaps").allowed


# ---- traps: effects of other LimitRanges and quotas on EMR's pods


TRAPS: Final[dict[str, tuple[str, Mapping[str, object], str]]] = {
    "a default CPU limit": (
        "limitranges",
        {"limits": [{"type": "Container", "default": {"cpu": "1"}}]},
        "must be less than or equal to cpu limit of 1",
    ),
    "a quota on CPU limits": (
        "resourcequotas",
        {"hard": {"limits.cpu": "100"}},
        "must specify limits.cpu for: emr-container-fluentd",
    ),
    "a quota on CPU requests without defaults": (
        "resourcequotas",
        {"hard": {"requests.cpu": "100"}},
        "must specify requests.cpu for: emr-container-fluentd",
    ),
}


def large_executor() -> dict[str, Any]:
    pod = executor(SHARED, role_of(A), "large")
    pod["spec"]["containers"][0]["resources"]["requests"]["cpu"] = "4"
    # Any service account: namespaces of traps have none of EMR.
    pod["spec"]["serviceAccountName"] = "default"
    return pod


@pytest.fixture
def trapped(land: Land, request: pytest.FixtureRequest) -> Iterator[str]:
    """A namespace without a tenant, with another limit."""
    what, spec = request.param
    path = f"/api/v1/namespaces/{TRAPPED}/{what}"
    land.make({"apiVersion": "v1", "kind": "Namespace", **_named(TRAPPED)})
    assert call(land.plane, None, "POST", path, {**_named("trap"), "spec": spec}).allowed
    accounts = f"/api/v1/namespaces/{TRAPPED}/serviceaccounts/default"
    until(lambda: call(land.plane, None, "GET", accounts).allowed)
    yield TRAPPED
    assert call(land.plane, None, "DELETE", f"{path}/trap").allowed


def _named(name: str) -> dict[str, Any]:
    return {"metadata": {"name": name}}


@pytest.mark.parametrize(
    ("trapped", "message"),
    [((what, spec), message) for what, spec, message in TRAPS.values()],
    ids=list(TRAPS),
    indirect=["trapped"],
)
def test_other_limit_ranges_would_refuse_executors_of_emr(
    land: Land, trapped: str, message: str
) -> None:
    path = f"/api/v1/namespaces/{trapped}/pods"
    found = until(
        lambda: call(land.plane, None, "POST", path, large_executor(), dryRun="All"),
        lambda answer: not answer.allowed,
    )
    assert message in found.message


@pytest.mark.parametrize(
    "trapped",
    [("limitranges", {"limits": [{"type": "Container", "max": {"cpu": "96"}}]})],
    ids=["a maximum"],
    indirect=True,
)
def test_a_maximum_without_defaults_would_give_a_sidecar_a_whole_node(
    land: Land, trapped: str
) -> None:
    made = land.core.create_namespaced_pod
    until(lambda: made(trapped, large_executor(), dry_run="All"), lambda pod: _sidecar(pod) == "96")


def test_the_limit_range_of_the_library_has_neither_problem(land: Land) -> None:
    pod = executor(SHARED, role_of(A), "large")
    pod["spec"]["containers"][0]["resources"]["requests"]["cpu"] = "4"
    user = user_of(A, Component.DRIVER, role_of(A))
    assert land.create(A, user, pod).allowed
    assert _sidecar(land.core.read_namespaced_pod("large", A)) == "10m"


def _sidecar(pod: Any) -> str:
    _main, logging = pod.spec.containers
    return str((logging.resources.requests or {}).get("cpu"))


# ---- a thousand jobs


def test_a_thousand_jobs_do_not_delay_the_first_driver_of_another_tenant(land: Land) -> None:
    # Nodes for the quota of A, and for one job of B.
    land.node("quota-drivers", "shared", SparkRole.DRIVER, cpu=2 * PODS + 8)
    with land.plane.client(as_user=EMR, groups=["system:authenticated"]) as api:
        batch: Any = client.BatchV1Api(api)

        def submit(number: int) -> bool:
            return submitted(batch, submitter_job(SHARED, A, role_of(A), f"job-{number}"))

        with ThreadPoolExecutor(8) as threads:
            taken = sum(threads.map(submit, range(JOBS)))
        # Its quota, and no more: refused pods do not delay other tenants.
        assert taken == MOST_JOBS
        assert submitted(batch, submitter_job(SHARED, B, role_of(B), "first"))
    (pod,) = until(lambda: land.pods(B))
    until(lambda: land.phase(B, pod.metadata.name), lambda phase: phase == "Running")
    assert start_driver(land, B).allowed
    until(lambda: land.phase(B, "driver"), lambda phase: phase == "Running")
    # B did not wait for jobs of A: all of them still exist.
    assert land.used(A)["count/jobs.batch"] == str(MOST_JOBS)
    assert len(land.pods(A)) <= PODS
    jobs = f"/apis/batch/v1/namespaces/{A}/jobs"
    assert call(land.plane, None, "DELETE", jobs, propagationPolicy="Background").allowed


def submitted(batch: Any, job: Mapping[str, Any]) -> bool:
    """Create a Job; repeat the request on a conflict of the quota."""
    while True:
        try:
            batch.create_namespaced_job(job["metadata"]["namespace"], job)
        except client.ApiException as error:
            if error.status == 403 and "exceeded quota" in str(error.body):
                return False
            if error.status != 409:
                raise
        else:
            return True
