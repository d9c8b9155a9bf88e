"""Service accounts and labels of pods that users create.

The valid request for each attack is in this module, or in
``test_admission.py::test_pods_that_emr_creates_are_admitted``.
"""

from __future__ import annotations

from functools import partial
from operator import attrgetter
from typing import Any, Final

import pytest
from kubernetes import client

from cdk_emr_eks.model.access.execution_role import Component
from cdk_emr_eks.model.notebooks.livy import SERVER_ACCOUNT as LIVY_SERVER
from cdk_emr_eks.model.workloads.catalog import SHARED
from cdk_emr_eks.simulation.control_plane.plane import Plane
from tests.simulation.admission_actors import (
    JOB_CONTROLLER,
    Pod,
    account,
    call,
    driver,
    executor,
    gateway,
    make,
    owned,
    submitter,
    user_of,
    with_token,
)
from tests.simulation.guarded_tenant import (
    CLIENT,
    DRIVER,
    GATEWAY,
    KERNEL,
    NS,
    PODS,
    REPLICAS,
    ROLE,
    create,
    make_endpoint_account,
)
from tests.simulation.waiting import until

_RBAC: Final = "rbac.authorization.k8s.io"
LIVY: Final = f"system:serviceaccount:{NS}:{account(Component.LIVY, ROLE)}"
_ACCOUNT: Final = "a service account of an executor"

# User that creates a pod, and service account of the pod.
STOLEN: Final = {
    "a gateway, whose pods need not be hardened": (DRIVER, Component.GATEWAY),
    "a submitter, who makes drivers and reads secrets": (DRIVER, Component.CLIENT),
    "a session, whose code makes drivers": (DRIVER, Component.SESSION),
    "a gateway made by a submitter": (CLIENT, Component.GATEWAY),
    "a submitter made by a kernel": (KERNEL, Component.CLIENT),
    "a gateway made by a gateway": (GATEWAY, Component.GATEWAY),
}


@pytest.mark.parametrize("theft", STOLEN)
def test_code_gets_no_service_account_with_more_rights(theft: str, guarded: Plane) -> None:
    user, component = STOLEN[theft]
    pod = driver(SHARED, ROLE) if user == CLIENT else executor(SHARED, ROLE)
    pod["spec"]["serviceAccountName"] = account(component, ROLE)
    assert _ACCOUNT in create(guarded, user, pod).message


@pytest.mark.parametrize(
    ("user", "component"), [(DRIVER, Component.DRIVER), (KERNEL, Component.KERNEL)]
)
def test_executors_can_use_the_service_account_of_the_driver(
    user: str, component: Component, guarded: Plane
) -> None:
    pod = executor(SHARED, ROLE)
    pod["spec"]["serviceAccountName"] = account(component, ROLE)
    assert create(guarded, user, pod).message == ""


def test_sessions_of_livy_are_drivers(guarded: Plane) -> None:
    session = account(Component.LIVY, ROLE)
    pod = executor(SHARED, ROLE)
    pod["spec"]["serviceAccountName"] = session
    make_endpoint_account(guarded, NS, session)
    assert create(guarded, LIVY, pod).message == ""
    pod["metadata"]["labels"]["spark-role"] = "driver"
    assert "must be labelled as an executor" in create(guarded, LIVY, pod).message
    pod = executor(SHARED, ROLE)
    pod["spec"] |= {"serviceAccountName": session, "priorityClassName": "shared-driver"}
    assert "the priority class must be" in create(guarded, LIVY, pod).message


def test_livy_users_cannot_choose_a_service_account(guarded: Plane) -> None:
    """Spark reads the driver's service account from a property that Livy users can set."""
    server = f"system:serviceaccount:{NS}-livy:{LIVY_SERVER}"
    rights = {
        "kind": "RoleBinding",
        "metadata": {"name": "livy", "namespace": NS},
        "roleRef": {"apiGroup": _RBAC, "kind": "ClusterRole", "name": "edit"},
        "subjects": [{"kind": "User", "name": server, "apiGroup": _RBAC}],
    }
    make(guarded, rights)
    pod = driver(SHARED, ROLE)
    pod["spec"]["serviceAccountName"] = account(Component.LIVY, ROLE)
    assert until(partial(create, guarded, server, pod), attrgetter("allowed")).message == ""
    for taken in (account(Component.DRIVER, ROLE), "default"):
        pod["spec"]["serviceAccountName"] = taken
        found = create(guarded, server, pod)
        assert "Livy must make pods with the service account of its sessions" in found.message
    # Breaks only one rule: if two policies refuse, the API server returns either message.
    pod["spec"]["serviceAccountName"] = account(Component.LIVY, ROLE)
    pod["metadata"]["finalizers"] = ["example.com/never"]
    assert "must have no finalizers" in create(guarded, server, pod).message


@pytest.mark.parametrize(
    ("user", "pod"),
    [(JOB_CONTROLLER, submitter(SHARED, ROLE)), (REPLICAS, gateway(ROLE))],
    ids=["submitter", "gateway"],
)
def test_submitters_have_the_labels_of_their_tenant(user: str, pod: Pod, guarded: Plane) -> None:
    """A job can choose labels of its submitter, which determine its priority."""
    for key, value in (("emr-eks/tenant", "victim"), ("emr-eks/workload", "critical")):
        forged = {**pod, "metadata": {**pod["metadata"]}}
        forged["metadata"]["labels"] = {**pod["metadata"]["labels"], key: value}
        assert f"{key} must be" in create(guarded, user, forged).message
    assert create(guarded, user, pod).allowed


def test_executors_cannot_create_objects(guarded: Plane) -> None:
    user = user_of(NS, Component.EXECUTOR, ROLE)
    assert "cannot create resource" in create(guarded, user, executor(SHARED, ROLE)).message


def test_objects_of_a_driver_are_owned_by_its_pod(guarded: Plane) -> None:
    pod = executor(SHARED, ROLE)
    message = "what a driver makes must be owned by the driver's pod"
    for kind in ("ReplicaSet", "Job", "ConfigMap"):
        pod["metadata"]["ownerReferences"][0]["kind"] = kind
        assert message in create(guarded, DRIVER, pod).message
    pod["metadata"].pop("ownerReferences")
    assert message in create(guarded, DRIVER, pod).message
    # Admitted: the executor in test_admission.py, and this one, with the token of a pod.
    pair = ("self", "another")
    for each in pair:
        assert call(guarded, CLIENT, "POST", PODS, driver(SHARED, ROLE, each)).allowed
    with guarded.client() as api:
        core: Any = client.CoreV1Api(api)
        uids = {
            each: core.read_namespaced_pod(each, NS).metadata.uid for each in ("self", "another")
        }
        bound = {"kind": "Pod", "apiVersion": "v1", "name": "self", "uid": uids["self"]}
        request = {"spec": {"audiences": [], "boundObjectRef": bound}}
        name = account(Component.DRIVER, ROLE)
        token = core.create_namespaced_service_account_token(name, NS, request).status.token
    mine = with_token(guarded, token, PODS, owned(pod, "self", uids["self"]))
    assert mine.message == ""
    theirs = with_token(guarded, token, PODS, owned(pod, "another", uids["another"]))
    assert message in theirs.message
    for each in uids:
        assert call(guarded, None, "DELETE", f"{PODS}/{each}", gracePeriodSeconds="0").allowed
