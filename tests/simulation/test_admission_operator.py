"""EMR's Spark operator with the policies: its jobs run, and give users no other role.

The operator creates drivers from SparkApplications of users, which name the service account, the
volumes and the image. It acts as its service account, with the rights of EMR's chart in all
namespaces. The drivers are those of its spark-submit and its webhook.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, Final

import pytest
from kubernetes import client

from cdk_emr_eks.model.access.execution_role import Component
from cdk_emr_eks.model.workloads.catalog import SHARED
from cdk_emr_eks.simulation.control_plane.plane import Plane
from tests.simulation.admission_actors import Pod, account, call, executor
from tests.simulation.guarded_tenant import NS, OTHER, ROLE, create
from tests.simulation.operated_tenant import (
    APPS,
    CHARTS_ACCOUNT,
    DRIVER,
    OPERATED,
    OPERATOR,
    ORCHESTRATOR,
    PERSON,
    THIEF,
    application,
    authorized,
    make_app,
    operated,
    operated_driver,
    owner,
    rights,
)
from tests.simulation.test_admission_pods import claim

__all__ = ["operated"]

BASE: Final = f"/api/v1/namespaces/{OPERATED}"
_NAMED: Final = {"metadata": {"name": "pi", "ownerReferences": [owner()]}}
_STRANGER: Final = "pods must be made by EMR, the tenant's own code or controllers that it names"
_NOTHING: Final = "jobs and controllers of others must make and change nothing here"
_ROLE: Final = "an account of a role that the tenant lets them use"


def test_a_job_of_the_operator_runs(operated: Plane) -> None:
    ui = {"spec": {"ports": [{"port": 4040}], "selector": {"spark-role": "driver"}}}
    headless = {"spec": {"ports": [{"port": 7078}], "clusterIP": "None"}}
    made: dict[str, tuple[str, str, Pod]] = {
        "driver": (OPERATOR, "pods", operated_driver()),
        "executor": (DRIVER, "pods", executor(SHARED, ROLE)),
        "executor of an orchestrator": (ORCHESTRATOR, "pods", executor(SHARED, OTHER)),
        "driver's service": (OPERATOR, "services", {**_NAMED, **headless}),
        "user interface": (OPERATOR, "services", {**_NAMED, **ui}),
        "configuration": (OPERATOR, "configmaps", {**_NAMED, "data": {"spark.properties": "a=b"}}),
        "executors' configuration": (DRIVER, "configmaps", {**_NAMED, "data": {"a": "b"}}),
        "secret": (OPERATOR, "secrets", {**_NAMED, "stringData": {"a": "b"}}),
        "volume": (OPERATOR, "persistentvolumeclaims", {**_NAMED, "spec": claim()}),
    }
    answers = {
        name: create(operated, user, body, what, where=OPERATED)
        for name, (user, what, body) in made.items()
    }
    assert {name: found.message for name, found in answers.items() if not found.allowed} == {}


def test_the_operator_updates_and_deletes_its_jobs(operated: Plane) -> None:
    assert make_app(operated, PERSON).message == ""
    event = {"involvedObject": {"namespace": OPERATED}, "reason": "a", "metadata": {"name": "e"}}
    assert create(operated, OPERATOR, event, "events", where=OPERATED).message == ""
    with operated.client() as api:
        kinds = ("sparkoperator.k8s.io", "v1beta2", OPERATED, "sparkapplications")
        found: Any = client.CustomObjectsApi(api).get_namespaced_custom_object(*kinds, "pi")
    pod = operated_driver()
    # The garbage collector deletes a pod whose owner does not exist, sometimes before this test.
    pod["metadata"]["ownerReferences"][0]["uid"] = found["metadata"]["uid"]
    assert call(operated, OPERATOR, "POST", f"{BASE}/pods", pod).message == ""
    running = {**found, "status": {"applicationState": {"state": "RUNNING"}}}
    assert call(operated, OPERATOR, "PUT", f"{APPS}/pi/status", running).message == ""
    path = f"{BASE}/pods/pi-driver"
    assert call(operated, OPERATOR, "DELETE", path, gracePeriodSeconds="0").message == ""
    assert call(operated, OPERATOR, "DELETE", f"{APPS}/pi").message == ""


def _spec(**fields: object) -> Callable[[Pod], object]:
    return lambda pod: pod["spec"].update(fields)


def _main(pod: Pod) -> dict[str, Any]:
    found: dict[str, Any] = pod["spec"]["containers"][0]
    return found


def _as(component: Component, role: str = ROLE) -> Callable[[Pod], object]:
    return _spec(serviceAccountName=account(component, role))


# Fields of a SparkApplication that the operator follows.
ATTACKS: Final[dict[str, tuple[Callable[[Pod], object], str]]] = {
    "another role": (_as(Component.DRIVER, OTHER), _ROLE),
    "another role's executor": (_as(Component.EXECUTOR, OTHER), _ROLE),
    "a submitter, who reads secrets": (_as(Component.CLIENT), _ROLE),
    "a gateway": (_as(Component.GATEWAY), _ROLE),
    "a session of Livy": (_as(Component.LIVY), _ROLE),
    "the namespace's default": (_spec(serviceAccountName="default"), _ROLE),
    "the account of EMR's chart": (_spec(serviceAccountName=CHARTS_ACCOUNT), _ROLE),
    "the node's disk, as in EMR's guide": (
        lambda pod: pod["spec"]["volumes"].append({"name": "n", "hostPath": {"path": "/tmp"}}),
        "hostPath",
    ),
    "no hardening, as in EMR's guide": (
        lambda pod: _main(pod).pop("securityContext"),
        "must not run as root",
    ),
    "no limits": (
        lambda pod: _main(pod)["resources"].pop("limits"),
        "request cpu and memory and limit memory",
    ),
    "the node's network": (_spec(hostNetwork=True), "host namespaces"),
    "a node by name": (_spec(nodeName="node"), "placed by the scheduler"),
    "every taint": (_spec(tolerations=[{"operator": "Exists"}]), "must tolerate the nodes of"),
    "another workload's priority": (
        _spec(priorityClassName="critical-driver"),
        "the priority class must be one of the tenant's workloads",
    ),
    "a foreign image": (
        lambda pod: _main(pod).update(image="docker.io/library/miner:1"),
        "images must come from EMR",
    ),
    "a foreign tenant": (
        lambda pod: pod["metadata"]["labels"].update({"emr-eks/tenant": "victim"}),
        "emr-eks/tenant must be",
    ),
    "a finalizer": (
        lambda pod: pod["metadata"].update(finalizers=["example.com/never"]),
        "must have no finalizers",
    ),
}


@pytest.mark.parametrize("attack", ATTACKS)
def test_pods_of_the_operator_follow_the_rules_for_code(attack: str, operated: Plane) -> None:
    change, message = ATTACKS[attack]
    pod = operated_driver()
    change(pod)
    found = create(operated, OPERATOR, pod, where=OPERATED)
    assert message in found.message
    # The same pod without the change is admitted in test_a_job_of_the_operator_runs.


def test_each_controller_has_separate_roles(operated: Plane) -> None:
    for user, own, other in ((OPERATOR, ROLE, OTHER), (ORCHESTRATOR, OTHER, ROLE)):
        assert create(operated, user, operated_driver(own), where=OPERATED).message == ""
        assert _ROLE in create(operated, user, operated_driver(other), where=OPERATED).message


_TOKEN: Final = {
    "metadata": {
        "name": "theft",
        "annotations": {"kubernetes.io/service-account.name": account(Component.DRIVER, OTHER)},
    },
    "type": "kubernetes.io/service-account-token",
}
_JOB: Final = {"template": {"spec": operated_driver()["spec"]}}
_BACKEND: Final = {"service": {"name": "pi", "port": {"number": 4040}}}
OBJECTS: Final[dict[str, tuple[str, Pod, str]]] = {
    "a load balancer": (
        f"{BASE}/services",
        {**_NAMED, "spec": {"type": "LoadBalancer", "ports": [{"port": 4040}]}},
        "must be of the type ClusterIP",
    ),
    "an ingress": (
        f"/apis/networking.k8s.io/v1/namespaces/{OPERATED}/ingresses",
        {**_NAMED, "spec": {"defaultBackend": _BACKEND}},
        "controllers of jobs may make and change only",
    ),
    "a Job, whose pods pass for EMR's": (
        f"/apis/batch/v1/namespaces/{OPERATED}/jobs",
        {**_NAMED, "spec": _JOB},
        "controllers of jobs may make and change only",
    ),
    "a budget that holds a node": (
        f"/apis/policy/v1/namespaces/{OPERATED}/poddisruptionbudgets",
        {**_NAMED, "spec": {"minAvailable": 1}},
        "controllers of jobs may make and change only",
    ),
    "another disk": (
        f"{BASE}/persistentvolumeclaims",
        {**_NAMED, "spec": claim(storageClassName="gp2")},
        "of the storage class",
    ),
    "a token of another role": (f"{BASE}/secrets", _TOKEN, "not tokens of service accounts"),
    "a ConfigMap with a finalizer": (
        f"{BASE}/configmaps",
        {"metadata": {"name": "pi", "finalizers": ["example.com/never"]}},
        "must have no finalizers",
    ),
}


@pytest.mark.parametrize("attack", OBJECTS)
def test_the_operator_cannot_create_other_objects(attack: str, operated: Plane) -> None:
    path, body, message = OBJECTS[attack]
    assert message in call(operated, OPERATOR, "POST", path, body, dryRun="All").message


def test_the_operator_has_no_access_to_tenants_that_do_not_name_it(operated: Plane) -> None:
    pod = create(operated, OPERATOR, operated_driver(), where=NS)
    assert "must be made by EMR" in pod.message or _NOTHING in pod.message
    assert _NOTHING in create(operated, OPERATOR, _NAMED, "configmaps", where=NS).message
    path = APPS.replace(f"/{OPERATED}/", f"/{NS}/")
    assert _NOTHING in call(operated, OPERATOR, "POST", path, application(), dryRun="All").message


@pytest.mark.parametrize(
    "user",
    [
        "system:serviceaccount:spark-operator:spark-operator-controller",
        "system:serviceaccount:airflow:worker-of-others",
        "system:serviceaccount:airflow-2:worker",
    ],
)
def test_controllers_that_are_not_named_cannot_create_pods(user: str, operated: Plane) -> None:
    rights(operated, user, "spark-operator")
    found = authorized(partial(create, operated, user, operated_driver(), where=OPERATED))
    assert _STRANGER in found.message
    # Administrators can apply objects from within the cluster, for example by GitOps.
    assert create(operated, user, _NAMED, "configmaps", where=OPERATED).message == ""
    fast = {**_NAMED, "spec": claim(storageClassName="fast")}
    assert create(operated, user, fast, "persistentvolumeclaims", where=OPERATED).message == ""
    assert "not tokens" in create(operated, user, _TOKEN, "secrets", where=OPERATED).message


@pytest.mark.parametrize("namespace", ["kube-system", OPERATED, "elsewhere"])
def test_the_name_of_the_operator_alone_gives_no_access(namespace: str, operated: Plane) -> None:
    """In kube-system, it would look like a controller of Kubernetes."""
    user = f"system:serviceaccount:{namespace}:emr-containers-sa-spark-operator"
    rights(operated, user, "spark-operator")
    found = authorized(partial(create, operated, user, operated_driver(), where=OPERATED))
    own = "a service account of the execution role that makes them"
    assert (own if namespace == OPERATED else "must be made by EMR") in found.message or (
        _NOTHING in found.message
    )


def test_code_cannot_create_jobs_of_the_operator(operated: Plane) -> None:
    """Otherwise, a driver could use every role of the operator."""
    assert "cannot create resource" in make_app(operated, DRIVER, dryRun="All").message
    # EMR's guide binds the ClusterRole `edit` for drivers of its operator in all namespaces. Charts
    # of operators add their kinds to it.
    for user in (DRIVER, THIEF):
        rights(operated, user, "edit")
        rights(operated, user, "applications")
    own = authorized(partial(make_app, operated, DRIVER, dryRun="All"))
    assert "code in a pod may make and change only" in own.message
    theirs = authorized(partial(make_app, operated, THIEF, dryRun="All"))
    assert _NOTHING in theirs.message
    # Admitted: a user of the tenant with the RBAC right.
    assert make_app(operated, PERSON, dryRun="All").message == ""


def test_jobs_of_another_tenant_have_no_access(operated: Plane) -> None:
    """With the rights in all namespaces that EMR's guide gives drivers of its operator."""
    rights(operated, THIEF, "edit")
    pod = authorized(partial(create, operated, THIEF, executor(SHARED, ROLE), where=OPERATED))
    assert _NOTHING in pod.message or _STRANGER in pod.message
    for what in ("configmaps", "secrets"):
        assert _NOTHING in create(operated, THIEF, _NAMED, what, where=OPERATED).message
    service = {**_NAMED, "spec": {"ports": [{"port": 1}]}}
    assert _NOTHING in create(operated, THIEF, service, "services", where=OPERATED).message
    # Without an owner: the garbage collector deletes an object whose owner does not exist.
    unowned = {"metadata": {"name": "pi"}}
    assert call(operated, DRIVER, "POST", f"{BASE}/configmaps", unowned).message == ""
    assert _NOTHING in call(operated, THIEF, "DELETE", f"{BASE}/configmaps/pi").message
    token = f"{BASE}/serviceaccounts/{account(Component.DRIVER, ROLE)}/token"
    request = {"spec": {"audiences": ["pods.eks.amazonaws.com"]}}
    assert _NOTHING in call(operated, THIEF, "POST", token, request).message
    assert call(operated, DRIVER, "DELETE", f"{BASE}/configmaps/pi").message == ""
