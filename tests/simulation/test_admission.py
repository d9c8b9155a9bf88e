"""Admission on a real API server: each attack is refused, and a similar valid request is admitted.

Requests have the real identities: EMR's user, the job controller, and the service accounts of an
execution role with the rights that EMR gives them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import pytest

from cdk_emr_eks.model.access.execution_role import Component
from cdk_emr_eks.model.workloads.catalog import NOTEBOOK, SHARED
from cdk_emr_eks.simulation.control_plane.plane import Plane
from tests.simulation.admission_actors import (
    EMR,
    IMAGE,
    JOB_CONTROLLER,
    PATHS,
    Pod,
    account,
    call,
    container,
    driver,
    executor,
    gateway,
    make,
    submitter,
    user_of,
)
from tests.simulation.guarded_tenant import (
    AUDITED,
    CLIENT,
    DRIVER,
    GATEWAY,
    KERNEL,
    NS,
    ON_DEMAND,
    OTHER,
    OWN,
    PODS,
    REPLICAS,
    ROLE,
    create,
)
from tests.simulation.waiting import until


def test_pods_that_emr_creates_are_admitted(guarded: Plane) -> None:
    made = {
        "submitter": (JOB_CONTROLLER, submitter(SHARED, ROLE)),
        "driver": (CLIENT, driver(SHARED, ROLE)),
        "executor": (DRIVER, executor(SHARED, ROLE)),
        "notebook's executor": (DRIVER, executor(NOTEBOOK, ROLE)),
        "on-demand executor": (DRIVER, executor(ON_DEMAND, ROLE)),
        "gateway": (REPLICAS, gateway(ROLE)),
        "kernel of Spark": (GATEWAY, _bare(driver(NOTEBOOK, ROLE), Component.KERNEL)),
        "kernel of Python": (GATEWAY, _bare(gateway(ROLE), Component.KERNEL)),
        "kernel's executor": (KERNEL, executor(NOTEBOOK, ROLE)),
    }
    answers = {name: create(guarded, user, pod) for name, (user, pod) in made.items()}
    assert {name: found.message for name, found in answers.items() if not found.allowed} == {}


def _bare(pod: Pod, component: Component) -> Pod:
    """A pod of an endpoint without its undocumented parts: security context, limits."""
    pod["spec"]["serviceAccountName"] = account(component, ROLE)
    for each in pod["spec"]["containers"]:
        each.pop("securityContext")
        each.pop("resources")
    return pod


@pytest.mark.parametrize("user", [DRIVER, KERNEL, CLIENT], ids=["driver", "kernel", "client"])
def test_tenant_code_cannot_create_pods_that_only_emr_creates(user: str, guarded: Plane) -> None:
    component = Component.KERNEL if user == KERNEL else Component.EXECUTOR
    found = create(guarded, user, _bare(executor(NOTEBOOK, ROLE), component))
    assert "must not run as root" in found.message


def _main(pod: Pod) -> dict[str, Any]:
    found: dict[str, Any] = pod["spec"]["containers"][0]
    return found


def _security(pod: Pod) -> dict[str, Any]:
    found: dict[str, Any] = _main(pod)["securityContext"]
    return found


def _tolerate(*pairs: tuple[str, str]) -> Callable[[Pod], object]:
    tolerations = [{"key": key, "operator": "Equal", "value": value} for key, value in pairs]
    return lambda pod: pod["spec"].update(tolerations=tolerations)


def _volume(**source: object) -> Callable[[Pod], object]:
    return lambda pod: pod["spec"]["volumes"].append({"name": "more", **source})


def _spec(**fields: object) -> Callable[[Pod], object]:
    return lambda pod: pod["spec"].update(fields)


_ANTI = {
    "requiredDuringSchedulingIgnoredDuringExecution": [
        {"topologyKey": "topology.kubernetes.io/zone", "labelSelector": {}, "namespaceSelector": {}}
    ]
}
_NODES = "tolerate the nodes of the tenant's workloads"
_PRIORITY = "the priority class must be one of the tenant's workloads"

ATTACKS: Final[dict[str, tuple[Callable[[Pod], object], str]]] = {
    "root": (lambda pod: _security(pod).update(runAsUser=0), "must not run as root"),
    "root by default": (lambda pod: _security(pod).pop("runAsNonRoot"), "must not run as root"),
    "root in an init container": (
        _spec(initContainers=[{**container("init"), "securityContext": {}}]),
        "must not run as root",
    ),
    "escalation": (
        lambda pod: _security(pod).pop("allowPrivilegeEscalation"),
        "allowPrivilegeEscalation: false",
    ),
    "capabilities kept": (lambda pod: _security(pod).pop("capabilities"), "drop the capability"),
    "capability added": (
        lambda pod: _security(pod)["capabilities"].update(add=["NET_BIND_SERVICE"]),
        "drop the capability",
    ),
    "privileged": (lambda pod: _security(pod).update(privileged=True), "privileged"),
    "host network": (_spec(hostNetwork=True), "host namespaces"),
    "host path": (_volume(hostPath={"path": "/"}), "hostPath"),
    "NFS": (_volume(nfs={"server": "s", "path": "/"}), "volumes must be one of"),
    "foreign registry": (
        lambda pod: _main(pod).update(image="docker.io/library/miner:1"),
        "images must come from EMR or from the tenant's registries: docker.io/library/miner:1",
    ),
    "registry that looks like EMR's": (
        lambda pod: _main(pod).update(
            image="444455556666.dkr.ecr.us-east-1.amazonaws.com/spark/emr-7.14.0:latest"
        ),
        "images must come from EMR",
    ),
    "folder next to the tenant's": (
        lambda pod: _main(pod).update(image=OWN.rstrip("/") + "-other/x:1"),
        "images must come from EMR",
    ),
    "node by name": (_spec(nodeName="node"), "placed by the scheduler"),
    "another scheduler": (_spec(schedulerName="mine"), "default scheduler"),
    "every taint": (_spec(tolerations=[{"operator": "Exists"}]), _NODES),
    "system nodes": (_tolerate(("emr-eks/system", "true")), _NODES),
    "nodes of another workload": (
        _tolerate(("emr-eks/workload", "critical"), ("emr-eks/role", "executor")),
        _NODES,
    ),
    "driver nodes": (
        _tolerate(("emr-eks/workload", "shared"), ("emr-eks/role", "driver")),
        _NODES,
    ),
    "priority of another workload": (_spec(priorityClassName="critical-executor"), _PRIORITY),
    "a driver's priority": (_spec(priorityClassName="shared-driver"), _PRIORITY),
    "the system's priority": (_spec(priorityClassName="system-node-critical"), _PRIORITY),
    "keeping others away": (
        lambda pod: pod["spec"]["affinity"].update(podAntiAffinity=_ANTI),
        "anti-affinity must not reach into other namespaces",
    ),
    "a driver's label": (
        lambda pod: pod["metadata"]["labels"].update({"spark-role": "driver"}),
        "must be labelled as an executor",
    ),
    "a node that is never disrupted": (
        lambda pod: pod["metadata"].update(annotations={"karpenter.sh/do-not-disrupt": "true"}),
        "only drivers, job submitters and executors of on-demand workloads",
    ),
    "a grace period of an hour": (_spec(terminationGracePeriodSeconds=3600), "grace period"),
    "another role's account": (
        _spec(serviceAccountName=account(Component.DRIVER, OTHER)),
        "a service account of the execution role that makes them",
    ),
    "the namespace's default account": (
        _spec(serviceAccountName="default"),
        "a service account of the execution role that makes them",
    ),
    "memory without a limit": (
        lambda pod: _main(pod)["resources"].pop("limits"),
        "request cpu and memory and limit memory",
    ),
}


@pytest.mark.parametrize("attack", ATTACKS)
def test_code_in_a_driver_is_refused(attack: str, guarded: Plane) -> None:
    change, message = ATTACKS[attack]
    pod = executor(SHARED, ROLE)
    change(pod)
    found = create(guarded, DRIVER, pod)
    assert not found.allowed
    assert message in found.message
    # The same pod without the change is admitted in test_pods_that_emr_creates_are_admitted.


def test_registries_of_the_tenant_and_required_digests(guarded: Plane) -> None:
    pod = executor(SHARED, ROLE)
    _main(pod)["image"] = f"{OWN}spark:1"
    assert create(guarded, DRIVER, pod).allowed
    path = f"/api/v1/namespaces/{NS}"
    asked = {"metadata": {"annotations": {"emr-eks/image-digests": "required"}}}
    assert call(guarded, None, "PATCH", path, asked).allowed
    try:
        refused = until(lambda: create(guarded, DRIVER, pod), lambda found: not found.allowed)
        assert "must be named by digest" in refused.message
        _main(pod)["image"] = f"{OWN}spark@sha256:{'a' * 64}"
        assert create(guarded, DRIVER, pod).allowed
        # EMR names its images by tag, which users cannot change.
        assert create(guarded, DRIVER, executor(SHARED, ROLE)).allowed
    finally:
        back = {"metadata": {"annotations": {"emr-eks/image-digests": None}}}
        call(guarded, None, "PATCH", path, back)


def test_spec_and_labels_of_a_running_pod_cannot_change(guarded: Plane) -> None:
    for made, user in ((driver(SHARED, ROLE), CLIENT), (driver(SHARED, OTHER, "theirs"), None)):
        assert call(guarded, user, "POST", PODS, made).allowed
    own, theirs = f"{PODS}/driver", f"{PODS}/theirs"
    image = {"spec": {"containers": [{"name": "main", "image": f"{OWN}x:1"}]}}
    relabel = {"metadata": {"labels": {"spark-role": "executor"}}}
    harmless = {"metadata": {"labels": {"team": "a"}}}
    assert "spec of a pod must stay" in call(guarded, DRIVER, "PATCH", own, image).message
    assert "must stay" in call(guarded, DRIVER, "PATCH", own, relabel).message
    assert call(guarded, DRIVER, "PATCH", own, harmless).allowed
    # A pod of another execution role can be neither changed nor deleted.
    assert "another execution role" in call(guarded, DRIVER, "PATCH", theirs, harmless).message
    assert "another execution role" in call(guarded, DRIVER, "DELETE", theirs).message
    collected = call(guarded, DRIVER, "DELETE", PODS, fieldSelector="metadata.name=theirs")
    assert "another execution role" in collected.message
    assert call(guarded, None, "GET", theirs).allowed
    ephemeral = {"spec": {"ephemeralContainers": [{"name": "spy", "image": IMAGE}]}}
    answer = call(guarded, None, "PATCH", f"{own}/ephemeralcontainers", ephemeral)
    assert "must not get ephemeral containers" in answer.message
    resize = {"spec": {"containers": [{"name": "main", "resources": {"limits": {"cpu": "9"}}}]}}
    refused = call(guarded, None, "PATCH", f"{own}/resize", resize)
    assert "spec of a pod must stay" in refused.message
    for path, user in ((own, DRIVER), (theirs, None)):
        assert call(guarded, user, "DELETE", path, gracePeriodSeconds="0").allowed


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"type": "NodePort"}, "must be of the type ClusterIP: NodePort"),
        ({"type": "LoadBalancer"}, "must be of the type ClusterIP: LoadBalancer"),
        ({"type": "ExternalName", "externalName": "x.example"}, "ClusterIP: ExternalName"),
        ({"externalIPs": ["10.0.0.1"]}, "must not have external IPs"),
    ],
)
def test_services_of_drivers_have_no_external_address(
    fields: dict[str, object], message: str, guarded: Plane
) -> None:
    def service(**more: object) -> Pod:
        return {"metadata": {"name": "s"}, "spec": {"ports": [{"port": 7078}], **more}}

    assert message in create(guarded, DRIVER, service(**fields), "services").message
    assert create(guarded, DRIVER, service(clusterIP="None"), "services").allowed
    # EMR creates the load balancers of interactive endpoints.
    if fields.get("type") == "LoadBalancer":
        assert create(guarded, EMR, service(**fields), "services").allowed


def test_code_cannot_create_controllers(guarded: Plane) -> None:
    path = f"/apis/batch/v1/namespaces/{NS}/jobs"
    template = {"spec": submitter(SHARED, ROLE)["spec"]}
    job = {"metadata": {"name": "j"}, "spec": {"template": template}}
    # EMR's rights for drivers do not include it.
    assert (
        "cannot create resource" in call(guarded, DRIVER, "POST", path, job, dryRun="All").message
    )
    # With these rights, admission still refuses.
    binding = {
        "kind": "RoleBinding",
        "metadata": {"name": "too-much", "namespace": NS},
        "roleRef": {
            "apiGroup": "rbac.authorization.k8s.io",
            "kind": "ClusterRole",
            "name": "cluster-admin",
        },
        "subjects": [{"kind": "Group", "name": f"system:serviceaccounts:{NS}"}],
    }
    binding["subjects"][0]["apiGroup"] = "rbac.authorization.k8s.io"  # type: ignore[index]
    make(guarded, binding)
    try:
        until(
            lambda: call(guarded, DRIVER, "POST", path, job, dryRun="All").message,
            lambda message: "code in a pod may make and change only" in message,
        )
        assert call(guarded, EMR, "POST", path, job, dryRun="All").allowed
    finally:
        path = PATHS["RoleBinding"].format(NS)
        assert call(guarded, None, "DELETE", f"{path}/too-much").allowed


def test_audit_mode_warns_and_admits(guarded: Plane) -> None:
    pod = executor(SHARED, ROLE)
    _main(pod)["image"] = "docker.io/library/miner:1"
    user = user_of(AUDITED, Component.DRIVER, ROLE)
    found = create(guarded, user, pod, where=AUDITED)
    assert found.allowed
    assert "images must come from EMR" in found.warning
