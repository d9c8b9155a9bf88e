"""The API server spreads job submitters over zones, and no other pods."""

from __future__ import annotations

from itertools import count
from typing import Any

import pytest
from kubernetes import client

from cdk_emr_eks.labels import JOB_ID
from cdk_emr_eks.model.admission.mutation import driver_zone, submitter_spread, supports_mutation
from cdk_emr_eks.model.namespaces.namespace import NamespaceOwner, namespace_manifest
from cdk_emr_eks.simulation.control_plane.plane import Plane
from tests.simulation.admission_actors import call
from tests.simulation.waiting import until

NS = "submitters"
ZONES = ("zone-a", "zone-b", "zone-c")
_KINDS = ("mutatingadmissionpolicies", "mutatingadmissionpolicybindings")
_ADMISSION = "/apis/admissionregistration.k8s.io/v1"
_TERMS = "preferredDuringSchedulingIgnoredDuringExecution"
_PREFERENCE = {"matchExpressions": [{"key": "disk", "operator": "Exists"}]}
_APART = {
    "weight": 100,
    "podAffinityTerm": {
        "topologyKey": "topology.kubernetes.io/zone",
        "labelSelector": {"matchLabels": {"spark-role": "driver"}},
        "namespaceSelector": {},
    },
}


@pytest.fixture(scope="module")
def spread(plane: Plane) -> Plane:
    made: list[tuple[str, Any]] = [
        *(
            (f"{_ADMISSION}/{kind}", item)
            for both in (submitter_spread(ZONES), driver_zone(ZONES))
            for kind, item in zip(_KINDS, both, strict=True)
        ),
        ("/api/v1/namespaces", namespace_manifest(NS, NamespaceOwner(tenant=NS))),
    ]
    for path, item in made:
        answer = call(plane, None, "POST", path, item, fieldValidation="Strict")
        assert answer.status in (201, 409), answer
    numbers, marks = count(), {"emr-eks/workload": "shared", JOB_ID: "0000000abc00"}
    # The API server reads new policies after some seconds.
    until(lambda: affinity(pod_of(plane, f"early-{next(numbers)}", marks)))
    until(lambda: affinity(driver_of(plane, f"early-driver-{next(numbers)}", marks)))
    return plane


def pod_of(plane: Plane, name: str, labels: dict[str, str], **spec: object) -> dict[str, Any]:
    """The pod that the job controller creates for EMR's Job."""
    template = {"restartPolicy": "Never", "containers": [{"name": "c", "image": "x"}], **spec}
    job = {
        "metadata": {"name": name},
        "spec": {"template": {"metadata": {"labels": labels}, "spec": template}},
    }
    made = call(plane, None, "POST", f"/apis/batch/v1/namespaces/{NS}/jobs", job)
    assert made.status == 201, made

    with plane.client() as api:
        core: Any = client.CoreV1Api(api)
        (found,) = until(
            lambda: core.list_namespaced_pod(NS, label_selector=f"job-name={name}").items
        )
        pod: dict[str, Any] = api.sanitize_for_serialization(found)
        return pod


def driver_of(plane: Plane, name: str, labels: dict[str, str], **spec: object) -> dict[str, Any]:
    """The driver pod that Spark creates."""
    pod = {
        "metadata": {"name": name, "labels": {"spark-role": "driver", **labels}},
        "spec": {"containers": [{"name": "c", "image": "x"}], **spec},
    }
    made = call(plane, None, "POST", f"/api/v1/namespaces/{NS}/pods", pod)
    assert made.status == 201, made
    with plane.client() as api:
        core: Any = client.CoreV1Api(api)
        found = core.read_namespaced_pod(name, NS)
        content: dict[str, Any] = api.sanitize_for_serialization(found)
        return content


def affinity(pod: dict[str, Any]) -> Any:
    return pod["spec"].get("affinity")


def spreads(pod: dict[str, Any]) -> Any:
    return pod["spec"].get("topologySpreadConstraints")


def test_submitters_spread_over_zones(spread: Plane) -> None:
    found = affinity(pod_of(spread, "one", {"emr-eks/workload": "shared"}))
    (term,) = found["podAntiAffinity"][_TERMS]
    assert term["weight"] == 100
    assert term["podAffinityTerm"] == {
        "topologyKey": "topology.kubernetes.io/zone",
        "namespaceSelector": {},
        "labelSelector": {
            "matchLabels": {"emr-eks/workload": "shared"},
            "matchExpressions": [
                {"key": "spark-role", "operator": "NotIn", "values": ["executor"]}
            ],
        },
    }
    other = pod_of(spread, "other", {"emr-eks/workload": "critical"})
    selector = affinity(other)["podAntiAffinity"][_TERMS][0]["podAffinityTerm"]["labelSelector"]
    assert selector["matchLabels"] == {"emr-eks/workload": "critical"}
    (evenly,) = spreads(other)
    assert evenly == {
        "topologyKey": "topology.kubernetes.io/zone",
        "maxSkew": 1,
        "whenUnsatisfiable": "ScheduleAnyway",
        "nodeTaintsPolicy": "Honor",
        "labelSelector": selector,
    }


def test_other_pods_are_not_changed(spread: Plane) -> None:
    assert affinity(pod_of(spread, "unlabelled", {"team": "a"})) is None
    own: dict[str, object] = {"podAffinity": {}}
    with_own = pod_of(spread, "own", {"emr-eks/workload": "shared"}, affinity=own)
    assert affinity(with_own) == own
    assert spreads(with_own) is None


# First zones by the last digits of a job's id: their sum modulo three.
DRAWS = {"00": "zone-a", "01": "zone-b", "0b": "zone-c", "zz": "zone-b", "a1": "zone-c"}


def drawn(pod: dict[str, Any]) -> list[str]:
    (term,) = affinity(pod)["nodeAffinity"][_TERMS]
    assert term["weight"] == 100
    (expression,) = term["preference"]["matchExpressions"]
    assert (expression["key"], expression["operator"]) == ("topology.kubernetes.io/zone", "In")
    values: list[str] = expression["values"]
    return values


@pytest.mark.parametrize(("digits", "zone"), DRAWS.items())
def test_submitter_and_driver_of_a_job_prefer_the_same_zone(
    spread: Plane, digits: str, zone: str
) -> None:
    marks = {"emr-eks/workload": "shared", JOB_ID: f"0000000abc{digits}"}
    submitter = pod_of(spread, f"draws-{digits}", marks)
    assert drawn(submitter) == [zone]
    assert affinity(submitter)["podAntiAffinity"][_TERMS]
    apart = {"podAntiAffinity": {_TERMS: [_APART]}}
    driver = driver_of(spread, f"driver-{digits}", marks, affinity=apart)
    assert drawn(driver) == [zone]
    assert affinity(driver)["podAntiAffinity"] == apart["podAntiAffinity"]
    assert drawn(driver_of(spread, f"bare-{digits}", marks)) == [zone]


def test_only_drivers_of_jobs_without_node_affinity_prefer_a_zone(spread: Plane) -> None:
    marks = {"emr-eks/workload": "shared", JOB_ID: "0000000abc00"}
    own = {"nodeAffinity": {_TERMS: [{"weight": 1, "preference": _PREFERENCE}]}}
    assert affinity(driver_of(spread, "own-zone", marks, affinity=own)) == own
    executor = {**marks, "spark-role": "executor"}
    assert affinity(driver_of(spread, "executor", executor)) is None
    no_job = {"emr-eks/workload": "shared", JOB_ID: "UPPER"}
    assert affinity(driver_of(spread, "no-job", no_job)) is None
    alone = affinity(pod_of(spread, "no-job", no_job))
    assert set(alone) == {"podAntiAffinity"}


@pytest.mark.parametrize(("version", "spreads"), [("1.35", False), ("1.36", True), ("1.40", True)])
def test_mutating_policies_need_kubernetes_1_36(version: str, spreads: bool) -> None:
    assert supports_mutation(version) is spreads
