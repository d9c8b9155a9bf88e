"""Objects other than pods: secrets, claims, services, and objects that code must not change."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from operator import attrgetter
from typing import Any, Final

import pytest
from kubernetes import client

from cdk_emr_eks.model.access.execution_role import Component
from cdk_emr_eks.model.workloads.catalog import SHARED
from cdk_emr_eks.simulation.control_plane.plane import Plane
from tests.simulation.admission_actors import (
    EMR,
    PATHS,
    account,
    call,
    driver,
    make,
)
from tests.simulation.guarded_tenant import CLIENT, DRIVER, NS, OTHER, PODS, ROLE, create
from tests.simulation.test_admission_pods import claim
from tests.simulation.waiting import until

BASE: Final = f"/api/v1/namespaces/{NS}"
_RBAC: Final = "rbac.authorization.k8s.io"
NEVER: Final = ["example.com/never"]
BALANCERS: Final = "system:serviceaccount:kube-system:aws-load-balancer-controller"


def _named(name: str, **more: object) -> dict[str, Any]:
    return {"metadata": {"name": name}, **more}


def test_secrets_cannot_request_the_token_of_another_role(guarded: Plane) -> None:
    """Kubernetes fills a secret of this type with a token that never expires."""
    theirs = {"kubernetes.io/service-account.name": account(Component.DRIVER, OTHER)}
    kind = "kubernetes.io/service-account-token"
    secret = _named("theft", type=kind)
    secret["metadata"]["annotations"] = theirs
    found = create(guarded, CLIENT, secret, "secrets")
    assert "not tokens of service accounts" in found.message
    # A secret that EMR's submitter creates.
    opaque = _named("own", stringData={"a": "b"})
    assert create(guarded, CLIENT, opaque, "secrets").allowed
    # The secret would hold this token.
    assert call(guarded, None, "POST", f"{BASE}/secrets", secret).allowed
    try:
        with guarded.client() as api:
            core: Any = client.CoreV1Api(api)
            until(
                lambda: core.read_namespaced_secret("theft", NS).data or {},
                lambda data: "token" in data,
            )
    finally:
        call(guarded, None, "DELETE", f"{BASE}/secrets/theft")


CLAIMS: Final[dict[str, tuple[dict[str, Any], str]]] = {
    "another class": (claim(storageClassName="gp2"), "of the storage class"),
    "the default class": (claim(storageClassName=None), "of the storage class"),
    "another tenant's volume": (claim(volumeName="pv-of-a-victim"), "of the storage class"),
    "a volume by labels": (claim(selector={}), "of the storage class"),
    "a copy": (
        claim(dataSource={"kind": "PersistentVolumeClaim", "name": "x"}),
        "of the storage class",
    ),
    "another's speed": (claim(volumeAttributesClassName="fast"), "of the storage class"),
}


@pytest.mark.parametrize("attack", CLAIMS)
def test_volume_claims_use_the_storage_class_of_the_platform(attack: str, guarded: Plane) -> None:
    spec, message = CLAIMS[attack]
    found = create(guarded, DRIVER, _named("c", spec=spec), "persistentvolumeclaims")
    assert message in found.message
    twin = create(guarded, DRIVER, _named("c", spec=claim()), "persistentvolumeclaims")
    assert twin.message == ""
    # Administrators can create others, such as a claim of a shared file system.
    assert create(guarded, "admin", _named("c", spec=spec), "persistentvolumeclaims").status == 403
    path = f"{BASE}/persistentvolumeclaims"
    assert call(guarded, None, "POST", path, _named("c", spec=spec), dryRun="All").allowed


def test_volume_claims_pass_no_parameters_to_the_driver(guarded: Plane) -> None:
    """The EBS driver reads speed and tags of a volume from annotations of its claim."""
    made = _named("fast", spec=claim())
    made["metadata"]["annotations"] = {"ebs.csi.aws.com/iops": "64000"}
    found = create(guarded, DRIVER, made, "persistentvolumeclaims")
    assert "no annotations of ebs.csi.aws.com" in found.message
    made["metadata"]["annotations"] = {"team": "a"}
    assert create(guarded, DRIVER, made, "persistentvolumeclaims").message == ""


@pytest.mark.parametrize(
    ("what", "body"),
    [
        ("configmaps", {"data": {"a": "b"}}),
        ("services", {"spec": {"ports": [{"port": 7078}]}}),
        ("persistentvolumeclaims", {"spec": claim()}),
    ],
)
def test_finalizers_are_refused(what: str, body: dict[str, object], guarded: Plane) -> None:
    path = f"{BASE}/{what}"
    plain = _named("held", **body)
    held = {**plain, "metadata": {"name": "held", "finalizers": NEVER}}
    assert "must have no finalizers" in create(guarded, DRIVER, held, what).message
    assert call(guarded, DRIVER, "POST", path, plain).message == ""
    try:
        later = {"metadata": {"finalizers": NEVER}}
        found = call(guarded, DRIVER, "PATCH", f"{path}/held", later)
        assert "must have no finalizers" in found.message
        # A claim has a finalizer of Kubernetes, and can still be changed.
        harmless = {"metadata": {"labels": {"team": "a"}}}
        assert call(guarded, DRIVER, "PATCH", f"{path}/held", harmless).message == ""
    finally:
        assert call(guarded, DRIVER, "DELETE", f"{path}/held").allowed


@pytest.fixture
def mighty(guarded: Plane) -> Iterator[Plane]:
    """The tenant's service accounts have all rights in the cluster, by mistake."""
    group = f"system:serviceaccounts:{NS}"
    subject = {"kind": "Group", "name": group, "apiGroup": _RBAC}
    binding = {
        "kind": "RoleBinding",
        "metadata": {"name": "mighty", "namespace": NS},
        "roleRef": {"apiGroup": _RBAC, "kind": "ClusterRole", "name": "cluster-admin"},
        "subjects": [subject],
    }
    make(guarded, binding)
    config_map = _named("probe")
    until(
        lambda: create(guarded, f"system:serviceaccount:{NS}:x", config_map, "configmaps"),
        attrgetter("allowed"),
    )
    assert call(guarded, None, "POST", PODS, driver(SHARED, ROLE, "mine")).allowed
    yield guarded
    call(guarded, None, "DELETE", f"{PODS}/mine", gracePeriodSeconds="0")
    assert call(guarded, None, "DELETE", f"{PATHS['RoleBinding'].format(NS)}/mighty").allowed


def test_extra_rbac_rights_allow_nothing_more(mighty: Plane) -> None:
    coordination = f"/apis/coordination.k8s.io/v1/namespaces/{NS}/leases"
    node = {"apiVersion": "v1", "kind": "Node", "name": "node-of-others"}
    binding = {"metadata": {"name": "mine"}, "target": node}
    token = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {}}
    theirs = account(Component.DRIVER, OTHER)
    eviction = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": "mine"}}
    tries: list[tuple[str, str, object]] = [
        ("POST", f"{PODS}/mine/binding", binding),
        ("POST", f"{PODS}/mine/eviction", eviction),
        ("PATCH", f"{PODS}/mine/status", {"status": {"phase": "Succeeded"}}),
        ("POST", f"{PODS}/mine/exec?command=id&stdout=true", None),
        ("POST", f"{PODS}/mine/attach", None),
        ("POST", f"{PODS}/mine/proxy/x", None),
        ("POST", f"{BASE}/serviceaccounts/{theirs}/token", token),
        ("POST", f"{BASE}/resourcequotas", _named("q", spec={"hard": {"pods": "9"}})),
        ("DELETE", f"{BASE}/limitranges/tenant", None),
        ("POST", coordination, _named("l", spec={})),
    ]
    for method, path, body in tries:
        found = call(mighty, DRIVER, method, path, body)
        assert "code in a pod may make and change only" in found.message, (path, found)
    event = {
        **_named("e"),
        "involvedObject": {"kind": "Pod", "namespace": NS, "name": "mine"},
    }
    assert create(mighty, DRIVER, event, "events").message == ""


def test_the_load_balancer_controller_can_update_services_of_endpoints(guarded: Plane) -> None:
    """EMR creates the service; the load balancer controller adds a finalizer."""
    service = _named("balancer", spec={"type": "LoadBalancer", "ports": [{"port": 18888}]})
    path = f"{BASE}/services"
    assert call(guarded, EMR, "POST", path, service).allowed
    account_name = {"namespace": "kube-system", "name": "aws-load-balancer-controller"}
    rights = {
        "kind": "RoleBinding",
        "metadata": {"name": "balancers", "namespace": NS},
        "roleRef": {"apiGroup": _RBAC, "kind": "ClusterRole", "name": "cluster-admin"},
        "subjects": [{"kind": "ServiceAccount", **account_name}],
    }
    make(guarded, rights)
    finalizer = {"metadata": {"finalizers": ["service.k8s.aws/resources"]}}
    patch = f"{path}/balancer"
    try:
        finalize = partial(call, guarded, BALANCERS, "PATCH", patch, finalizer)
        found = until(finalize, attrgetter("allowed"))
        assert found.message == ""
        # The tenant's code can neither change it nor remove the finalizer.
        taken = {"metadata": {"finalizers": None}, "spec": {"ports": [{"port": 1}]}}
        assert not call(guarded, DRIVER, "PATCH", patch, taken).allowed
        shut = {"spec": {"type": "ClusterIP"}}
        assert "LoadBalancer" in call(guarded, DRIVER, "PATCH", patch, shut).message
        assert "LoadBalancer" in call(guarded, DRIVER, "DELETE", patch).message
    finally:
        mended = call(guarded, None, "PATCH", patch, {"metadata": {"finalizers": None}})
        assert mended.message == ""
        assert call(guarded, EMR, "DELETE", patch).allowed
        call(guarded, None, "DELETE", f"{PATHS['RoleBinding'].format(NS)}/balancers")
