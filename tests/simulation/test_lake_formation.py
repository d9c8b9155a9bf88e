"""The system driver of Lake Formation on a real API server: objects that it can create."""

from __future__ import annotations

from functools import partial
from operator import attrgetter
from typing import Any, Final

import pytest

from cdk_emr_eks.model.access.execution_role import Component
from cdk_emr_eks.model.access.lake_formation import LakeFormation
from cdk_emr_eks.model.admission.admission import SYSTEM_NAMESPACES
from cdk_emr_eks.model.admission.identities import EMR_USERS
from cdk_emr_eks.model.tenants.emr_access import emr_cluster_role_manifests
from cdk_emr_eks.model.tenants.tenant import Tenant
from cdk_emr_eks.model.workloads.catalog import SHARED
from cdk_emr_eks.simulation.control_plane.plane import Plane
from tests.simulation.admission_actors import Answer, call, executor, user_of
from tests.simulation.guarded_tenant import NS, ON_DEMAND, ROLE, create
from tests.simulation.waiting import until

_API: Final = "/apis/rbac.authorization.k8s.io/v1"
_GROUP: Final = "rbac.authorization.k8s.io"
SYSTEM: Final = f"{NS}-system"
ENGINE: Final = user_of(SYSTEM, Component.DRIVER, "emr-lf-admission")
PODS: Final = {"apiGroups": [""], "resources": ["pods"], "verbs": ["create", "delete", "get"]}


@pytest.fixture(scope="module")
def lake(guarded: Plane) -> Plane:
    """EMR's rights across namespaces, which a tenant with Lake Formation adds."""
    tenant = Tenant(name=NS, lake_formation=LakeFormation(session_tag_value="emr"))
    annotations = {SYSTEM_NAMESPACES: tenant.owner([SHARED]).annotations[SYSTEM_NAMESPACES]}
    named = call(
        guarded,
        None,
        "PATCH",
        f"/api/v1/namespaces/{NS}",
        {"metadata": {"annotations": annotations}},
    )
    assert named.allowed
    role, binding = emr_cluster_role_manifests(NS)
    for kind, item in (("clusterroles", role), ("clusterrolebindings", binding)):
        assert call(guarded, None, "POST", f"{_API}/{kind}", item, fieldValidation="Strict").allowed
    # EMR gives the system driver rights on the pods of the tenant's namespace.
    metadata = {"name": "engine", "namespace": NS}
    until(partial(_make, guarded, EMR_USERS[0], "roles", _own("engine")), attrgetter("allowed"))
    subject = {"kind": "User", "name": ENGINE, "apiGroup": _GROUP}
    bound = {
        "metadata": metadata,
        "subjects": [subject],
        "roleRef": {"kind": "Role", "name": "engine", "apiGroup": _GROUP},
    }
    assert _make(guarded, EMR_USERS[0], "rolebindings", bound).allowed
    until(partial(create, guarded, ENGINE, executor(SHARED, ROLE)), attrgetter("allowed"))
    return guarded


def _own(name: str) -> dict[str, Any]:
    return {"metadata": {"name": name, "namespace": NS}, "rules": [PODS]}


def _make(plane: Plane, user: str, kind: str, body: object) -> Answer:
    return call(plane, user, "POST", f"{_API}/namespaces/{NS}/{kind}", body)


def _wide(plane: Plane, user: str, rule: dict[str, list[str]]) -> Answer:
    body = {"metadata": {"name": "emr-engine-wide"}, "rules": [rule]}
    return call(plane, user, "POST", f"{_API}/clusterroles", body, dryRun="All")


@pytest.mark.parametrize("user", EMR_USERS)
def test_emr_creates_bindings_across_namespaces_as_either_user(user: str, lake: Plane) -> None:
    until(partial(_wide, lake, user, PODS), attrgetter("allowed"))


@pytest.mark.parametrize(
    "rule",
    [
        {"apiGroups": [""], "resources": ["secrets"], "verbs": ["get"]},
        {"apiGroups": [""], "resources": ["nodes"], "verbs": ["get"]},
        {"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]},
    ],
    ids=["reading secrets", "nodes", "all"],
)
def test_emr_grants_only_rights_that_it_has(rule: dict[str, list[str]], lake: Plane) -> None:
    answer = _wide(lake, EMR_USERS[0], rule)
    assert answer.status == 403
    assert "attempting to grant RBAC permissions not currently held" in answer.message


def test_the_system_driver_creates_executors_of_the_user_driver(lake: Plane) -> None:
    answer = create(lake, ENGINE, executor(SHARED, ROLE))
    assert answer.allowed, answer


def test_executors_with_do_not_disrupt_are_refused(
    lake: Plane,
) -> None:
    answer = create(lake, ENGINE, executor(ON_DEMAND, ROLE))
    assert "do-not-disrupt" in answer.message, answer


def test_user_code_cannot_create_pods_in_the_system_namespace(lake: Plane) -> None:
    thief = user_of(NS, Component.DRIVER, ROLE)
    pod = executor(SHARED, ROLE)
    pod["metadata"]["namespace"] = SYSTEM
    answer = create(lake, thief, pod, where=SYSTEM)
    assert (answer.status, "forbidden" in answer.message) == (403, True)
