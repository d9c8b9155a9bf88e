"""Job submitters are spread over zones by the API server itself, and nobody else's pods are."""

from __future__ import annotations

from itertools import count
from typing import Any

import pytest
from kubernetes import client

from cdk_emr_eks.simulation.control_plane.plane import Plane
from cdk_emr_eks.spec.admission.submitters import spreads_submitters, submitter_spread
from cdk_emr_eks.spec.namespaces.namespace import NamespaceOwner, namespace_manifest
from tests.simulation.admission_actors import call
from tests.simulation.waiting import until

NS = "submitters"
_ADMISSION = "/apis/admissionregistration.k8s.io/v1"
_TERMS = "preferredDuringSchedulingIgnoredDuringExecution"


@pytest.fixture(scope="module")
def spread(plane: Plane) -> Plane:
    policy, binding = submitter_spread()
    made: list[tuple[str, Any]] = [
        (f"{_ADMISSION}/mutatingadmissionpolicies", policy),
        (f"{_ADMISSION}/mutatingadmissionpolicybindings", binding),
        ("/api/v1/namespaces", namespace_manifest(NS, NamespaceOwner(tenant=NS))),
    ]
    for path, item in made:
        answer = call(plane, None, "POST", path, item, fieldValidation="Strict")
        assert answer.status in (201, 409), answer
    return plane


def pod_of(plane: Plane, name: str, labels: dict[str, str], **spec: object) -> dict[str, Any]:
    """The pod that the job controller makes of a Job, as EMR's submitters are made."""
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


def affinity(pod: dict[str, Any]) -> Any:
    return pod["spec"].get("affinity")


def spreads(pod: dict[str, Any]) -> Any:
    return pod["spec"].get("topologySpreadConstraints")


def test_a_submitter_keeps_away_from_all_but_executors_of_its_workload(spread: Plane) -> None:
    numbers = count()

    def of_a_new_pod() -> Any:
        return affinity(pod_of(spread, f"early-{next(numbers)}", {"emr-eks/workload": "shared"}))

    found = until(of_a_new_pod)  # The API server takes a moment to know its policies.
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


def test_other_pods_are_left_as_they_are(spread: Plane) -> None:
    assert affinity(pod_of(spread, "unlabelled", {"team": "a"})) is None
    own: dict[str, object] = {"podAffinity": {}}
    with_own = pod_of(spread, "own", {"emr-eks/workload": "shared"}, affinity=own)
    assert affinity(with_own) == own
    assert spreads(with_own) is None


@pytest.mark.parametrize(("version", "spreads"), [("1.35", False), ("1.36", True), ("1.40", True)])
def test_older_versions_cannot(version: str, spreads: bool) -> None:
    assert spreads_submitters(version) is spreads
