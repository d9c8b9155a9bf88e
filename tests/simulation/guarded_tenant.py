"""A tenant with its admission policies on a real API server, and the users of its namespace."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

import pytest

from cdk_emr_eks.model.access.execution_role import Component
from cdk_emr_eks.model.admission.admission import Admission, AdmissionMode
from cdk_emr_eks.model.admission.cluster_policies import ADMISSION_POLICIES
from cdk_emr_eks.model.namespaces.namespace import namespace_manifest
from cdk_emr_eks.model.tenants.emr_access import emr_role_manifests
from cdk_emr_eks.model.tenants.tenant import Tenant
from cdk_emr_eks.model.workloads.catalog import CRITICAL, NOTEBOOK, SHARED
from cdk_emr_eks.simulation.control_plane.plane import Plane
from cdk_emr_eks.simulation.jobs.blueprint import Blueprint
from cdk_emr_eks.simulation.jobs.emr_identities import identity_objects
from tests.simulation.admission_actors import (
    ACCOUNT,
    EMR,
    Answer,
    Pod,
    account,
    call,
    make,
    user_of,
)
from tests.simulation.waiting import until

NS: Final = "admission"
AUDITED: Final = "admission-audit"
ROLE, OTHER = "emr-admission-a", "emr-admission-b"
ON_DEMAND: Final = replace(CRITICAL, name="punctual", priority=4_000)
WORKLOADS: Final = (CRITICAL, SHARED, NOTEBOOK, ON_DEMAND)
OWN: Final = f"{ACCOUNT}.dkr.ecr.us-east-1.amazonaws.com/analytics/"
PODS: Final = f"/api/v1/namespaces/{NS}/pods"


def make_tenant(plane: Plane, tenant: Tenant) -> None:
    name = tenant.resolved_namespace
    owner = tenant.owner([SHARED, NOTEBOOK, ON_DEMAND])
    make(plane, namespace_manifest(name, owner), *tenant.policies(), *emr_role_manifests(name))
    for role in (ROLE, OTHER):
        blueprint: Any = type("Made", (), {"namespace": name, "execution_role": role})
        shape: Blueprint = blueprint
        for path, content in identity_objects(shape, ACCOUNT):
            assert call(plane, EMR, "POST", path, content).status in (201, 409)
        for component in (Component.GATEWAY, Component.KERNEL, Component.SESSION):
            make_endpoint_account(plane, name, account(component, role))


def make_endpoint_account(plane: Plane, namespace: str, name: str) -> None:
    """Give rights as EMR does for interactive endpoints: gateway and kernels create pods."""
    metadata = {"name": name, "namespace": namespace}
    path = f"/api/v1/namespaces/{namespace}/serviceaccounts"
    assert call(plane, EMR, "POST", path, {"metadata": metadata}).status in (201, 409)
    group = "rbac.authorization.k8s.io"
    rule = {"apiGroups": [""], "resources": ["pods"], "verbs": ["create", "delete"]}
    ref = {"apiGroup": group, "kind": "Role", "name": name}
    bound = {"metadata": metadata, "roleRef": ref}
    bound["subjects"] = [{"kind": "ServiceAccount", **metadata}]  # type: ignore[assignment]
    make(
        plane,
        {"kind": "Role", "metadata": metadata, "rules": [rule]},
        {"kind": "RoleBinding", **bound},
    )


@pytest.fixture(scope="module")
def guarded(plane: Plane) -> Plane:
    cluster_wide: list[dict[str, Any]] = [
        *(dict(each) for workload in WORKLOADS for each in workload.priority_classes()),
        *(item for policy in ADMISSION_POLICIES for item in policy.manifests()),
    ]
    make(plane, *cluster_wide)
    make_tenant(plane, Tenant(name=NS, admission=Admission(registries=(OWN,))))
    make_tenant(plane, Tenant(name=AUDITED, admission=Admission(mode=AdmissionMode.AUDIT)))
    # The API server reads new policies after some seconds.
    probe = {"metadata": {"name": "probe"}, "spec": {"type": "NodePort", "ports": [{"port": 1}]}}
    until(lambda: create(plane, DRIVER, probe, "services"), lambda found: not found.allowed)
    return plane


def create(plane: Plane, user: str, body: Pod, what: str = "pods", where: str = NS) -> Answer:
    path = f"/api/v1/namespaces/{where}/{what}"
    return call(plane, user, "POST", path, body, dryRun="All")


CLIENT = user_of(NS, Component.CLIENT, ROLE)
DRIVER = user_of(NS, Component.DRIVER, ROLE)
GATEWAY = user_of(NS, Component.GATEWAY, ROLE)
KERNEL = user_of(NS, Component.KERNEL, ROLE)
REPLICAS = "system:serviceaccount:kube-system:replicaset-controller"
