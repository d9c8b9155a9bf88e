"""Attempts to bypass the rules for pods, with a service account of the tenant.

The valid request for each attack is in this module, or in
``test_admission.py::test_pods_that_emr_creates_are_admitted``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import pytest

from cdk_emr_eks.model.nodes.storage_class import EXECUTOR_STORAGE_CLASS
from cdk_emr_eks.model.workloads.catalog import SHARED
from cdk_emr_eks.simulation.control_plane.plane import Plane
from tests.simulation.admission_actors import (
    Pod,
    call,
    container,
    driver,
    executor,
)
from tests.simulation.guarded_tenant import (
    CLIENT,
    DRIVER,
    NS,
    PODS,
    ROLE,
    create,
)

Change = Callable[[Pod], object]


def _main(pod: Pod) -> dict[str, Any]:
    found: dict[str, Any] = pod["spec"]["containers"][0]
    return found


def _spec(**fields: object) -> Change:
    return lambda pod: pod["spec"].update(fields)


def _metadata(**fields: object) -> Change:
    return lambda pod: pod["metadata"].update(fields)


def _label(key: str, value: str) -> Change:
    return lambda pod: pod["metadata"]["labels"].update({key: value})


def _in_main(**fields: object) -> Change:
    return lambda pod: _main(pod).update(fields)


def _volume(**source: object) -> Change:
    return lambda pod: pod["spec"]["volumes"].append({"name": "more", **source})


def claim(**more: object) -> dict[str, Any]:
    """The volume claim of an executor."""
    return {
        "accessModes": ["ReadWriteOnce"],
        "storageClassName": EXECUTOR_STORAGE_CLASS,
        "resources": {"requests": {"storage": "10Gi"}},
        **more,
    }


def _ephemeral(**more: object) -> Change:
    return _volume(ephemeral={"volumeClaimTemplate": {"spec": claim(**more)}})


def _affinity(kind: str, **term: object) -> Change:
    full = {"topologyKey": "kubernetes.io/hostname", "labelSelector": {}, **term}
    terms = {"requiredDuringSchedulingIgnoredDuringExecution": [full]}
    return lambda pod: pod["spec"]["affinity"].update({kind: terms})


def _sidecar(**more: object) -> Change:
    return _spec(initContainers=[{**container("sidecar"), "restartPolicy": "Always", **more}])


_METADATA_SERVICE: Final = {"host": "169.254.169.254", "port": 80, "path": "/latest/meta-data"}
_OWN_CLASS: Final = "claims must be of the storage class emr-eks-executor"
_NAMESPACES: Final = "affinity must not reach into other namespaces"

ATTACKS: Final[dict[str, tuple[str, Change, str]]] = {
    # Labels and owners of the pod.
    "another tenant's costs": (
        DRIVER,
        _label("emr-eks/tenant", "victim"),
        "emr-eks/tenant must be the namespace's own",
    ),
    "another workload's costs": (
        DRIVER,
        _label("emr-eks/workload", "critical"),
        "emr-eks/workload must be one of the tenant's workloads",
    ),
    "a namespace that never goes": (
        DRIVER,
        _metadata(finalizers=["example.com/never"]),
        "must have no finalizers",
    ),
    "a driver that never goes, by its template": (
        CLIENT,
        _metadata(finalizers=["example.com/never"]),
        "must have no finalizers",
    ),
    # Effects on other pods.
    "affinity to another tenant's pods": (
        DRIVER,
        _affinity("podAffinity", namespaces=["victim"]),
        _NAMESPACES,
    ),
    "affinity to any tenant's pods": (
        DRIVER,
        _affinity("podAffinity", namespaceSelector={}),
        _NAMESPACES,
    ),
    "memory of others on the node": (
        DRIVER,
        lambda pod: _main(pod)["resources"]["limits"].update(memory="64Gi"),
        "limit memory to at most",
    ),
    # Volumes.
    "any storage class": (DRIVER, _ephemeral(storageClassName="gp2"), _OWN_CLASS),
    "no storage class": (DRIVER, _ephemeral(storageClassName=None), _OWN_CLASS),
    "another tenant's volume": (
        DRIVER,
        _ephemeral(volumeName="pv-of-a-victim", storageClassName=""),
        _OWN_CLASS,
    ),
    "a copy of another tenant's disk": (
        DRIVER,
        _ephemeral(
            dataSource={
                "apiGroup": "snapshot.storage.k8s.io",
                "kind": "VolumeSnapshot",
                "name": "x",
            }
        ),
        _OWN_CLASS,
    ),
    "an image as a volume": (
        DRIVER,
        _volume(image={"reference": "docker.io/library/miner:1"}),
        "volumes must be one of",
    ),
    # Requests of the kubelet from the network of the node.
    "a probe of the metadata service": (
        DRIVER,
        _in_main(livenessProbe={"httpGet": _METADATA_SERVICE}),
        "probe or lifecycle host",
    ),
    "a probe of another tenant's port": (
        DRIVER,
        _in_main(readinessProbe={"tcpSocket": {"host": "10.0.0.9", "port": 7078}}),
        "probe or lifecycle host",
    ),
    "a hook to the metadata service": (
        DRIVER,
        _in_main(lifecycle={"postStart": {"httpGet": _METADATA_SERVICE}}),
        "probe or lifecycle host",
    ),
    "a probe in a sidecar": (
        DRIVER,
        _sidecar(startupProbe={"httpGet": _METADATA_SERVICE}),
        "probe or lifecycle host",
    ),
    # Rules of Pod Security admission.
    "no seccomp": (
        DRIVER,
        _spec(securityContext={"seccompProfile": {"type": "Unconfined"}}),
        "seccompProfile",
    ),
    "no AppArmor": (
        DRIVER,
        _spec(securityContext={"appArmorProfile": {"type": "Unconfined"}}),
        "forbidden AppArmor profile",
    ),
    "all of /proc": (
        DRIVER,
        lambda pod: _main(pod)["securityContext"].update(procMount="Unmasked"),
        "procMount",
    ),
    "all of /proc, in a user namespace": (
        DRIVER,
        lambda pod: (
            pod["spec"].update(hostUsers=False),
            _main(pod)["securityContext"].update(procMount="Unmasked"),
        ),
        "procMount",
    ),
    "root in a user namespace": (
        DRIVER,
        lambda pod: (
            pod["spec"].update(hostUsers=False),
            _main(pod)["securityContext"].update(runAsUser=0, runAsNonRoot=False),
        ),
        "must not run as root",
    ),
    "settings of the node": (
        DRIVER,
        _spec(securityContext={"sysctls": [{"name": "kernel.msgmax", "value": "1"}]}),
        "sysctls",
    ),
    # Sidecars are init containers for the API server.
    "a sidecar as root": (
        DRIVER,
        _sidecar(securityContext={}),
        "must not run as root",
    ),
    "a sidecar from anywhere": (
        CLIENT,
        _sidecar(image="docker.io/library/miner:1"),
        "images must come from EMR",
    ),
    # Ambiguous names of images.
    "a registry in capitals": (
        DRIVER,
        _in_main(image="755674844232.DKR.ECR.us-east-1.amazonaws.com/spark:1"),
        "images must come from EMR",
    ),
    "a registry as a user's name": (
        DRIVER,
        _in_main(image="755674844232.dkr.ecr.us-east-1.amazonaws.com@evil.example/spark:1"),
        "images must come from EMR",
    ),
    "a host below another": (
        DRIVER,
        _in_main(image="755674844232.dkr.ecr.us-east-1.amazonaws.com.evil.example/spark:1"),
        "images must come from EMR",
    ),
}


@pytest.mark.parametrize("attack", ATTACKS)
def test_pods_of_code_are_refused(attack: str, guarded: Plane) -> None:
    user, change, message = ATTACKS[attack]
    pod = driver(SHARED, ROLE) if user == CLIENT else executor(SHARED, ROLE)
    change(pod)
    found = create(guarded, user, pod)
    assert not found.allowed
    assert message in found.message


HARMLESS: Final[dict[str, tuple[str, Change]]] = {
    "the tenant's own label": (DRIVER, _label("emr-eks/tenant", NS)),
    "an ephemeral volume": (DRIVER, _ephemeral()),
    "affinity to pods of the tenant": (DRIVER, _affinity("podAffinity")),
    "anti-affinity to pods of the tenant": (DRIVER, _affinity("podAntiAffinity")),
    "a sidecar": (CLIENT, _sidecar()),
    "a probe of itself": (DRIVER, _in_main(livenessProbe={"httpGet": {"port": 4040}})),
    "a hook in its container": (
        DRIVER,
        _in_main(lifecycle={"preStop": {"exec": {"command": ["x"]}}}),
    ),
    "the memory of EMR's logging": (
        DRIVER,
        _in_main(
            resources={
                "requests": {"cpu": "1", "memory": "200Mi"},
                "limits": {"memory": "512Mi"},
            }
        ),
    ),
}


@pytest.mark.parametrize("twin", HARMLESS)
def test_similar_harmless_pods_are_admitted(twin: str, guarded: Plane) -> None:
    user, change = HARMLESS[twin]
    pod = driver(SHARED, ROLE) if user == CLIENT else executor(SHARED, ROLE)
    change(pod)
    assert create(guarded, user, pod).message == ""


def test_long_grace_periods_and_finalizers_are_refused(guarded: Plane) -> None:
    """A deletion can have a longer grace period than the pod, and the node waits for it."""
    assert call(guarded, CLIENT, "POST", PODS, driver(SHARED, ROLE, "slow")).allowed
    path = f"{PODS}/slow"
    # A pod without a node has no grace period.
    node = {"apiVersion": "v1", "kind": "Node", "name": "some-node"}
    bound = {"metadata": {"name": "slow"}, "target": node}
    assert call(guarded, None, "POST", f"{path}/binding", bound).allowed
    day = call(guarded, DRIVER, "DELETE", path, {"gracePeriodSeconds": 86_400})
    assert "grace period must be at most 120 seconds" in day.message
    by_query = call(guarded, DRIVER, "DELETE", path, gracePeriodSeconds="86400")
    assert "grace period must be at most 120 seconds" in by_query.message
    never = {"metadata": {"finalizers": ["example.com/never"]}}
    assert "must have no finalizers" in call(guarded, DRIVER, "PATCH", path, never).message
    assert call(guarded, DRIVER, "DELETE", path).message == ""
    assert call(guarded, DRIVER, "DELETE", path, {"gracePeriodSeconds": 0}).message == ""
