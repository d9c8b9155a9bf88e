"""Network policies on a real API server: each one is accepted; tenants cannot change them.

The control plane has no network: ``tests/unit/namespaces/test_network_policies.py`` tests the
traffic that policies allow.
"""

from __future__ import annotations

from typing import Any, Final

import kubernetes.client
import pytest

from cdk_emr_eks.model.access.execution_role import Component
from cdk_emr_eks.model.namespaces.namespace import namespace_manifest
from cdk_emr_eks.model.namespaces.network_policies import (
    gateway_policy,
    livy_policies,
    network_policy,
    router_policy,
)
from cdk_emr_eks.model.namespaces.tenant_network import (
    ClusterNetwork,
    NetworkPeer,
    NetworkProtocol,
    TenantNetwork,
)
from cdk_emr_eks.model.tenants.emr_access import emr_role_manifests
from cdk_emr_eks.model.tenants.tenant import Tenant
from cdk_emr_eks.model.tenants.virtual_cluster import VirtualClusterOptions
from cdk_emr_eks.simulation.control_plane.plane import Plane
from tests.simulation.admission_actors import call, make, user_of

NS: Final = "closed"
POLICIES: Final = f"/apis/networking.k8s.io/v1/namespaces/{NS}/networkpolicies"
MADE: Final = ClusterNetwork(
    vpc_cidrs=("10.0.0.0/16",), pod_cidrs=("100.64.0.0/16",), service_cidrs=("172.20.0.0/16",)
)
FULL: Final = TenantNetwork(
    egress=(
        NetworkPeer(cidr="0.0.0.0/0", ports=(5432, 9083)),
        NetworkPeer(cidr="::/0", ports=(53,), protocol=NetworkProtocol.UDP),
        NetworkPeer(namespace="metastore"),
    ),
    ingress=(NetworkPeer(namespace="monitoring", ports=(4040,)),),
)


def rendered(network: TenantNetwork, cluster: ClusterNetwork) -> list[dict[str, Any]]:
    """Every policy of a tenant's namespace, and of Livy."""
    sessions = VirtualClusterOptions(session_enabled=True)
    tenant = Tenant(name=NS, network=network, virtual_cluster=sessions)
    made: list[dict[str, Any]] = [
        *(each for each in tenant.policies(cluster) if each["kind"] == "NetworkPolicy"),
        gateway_policy(NS, network, cluster),
        router_policy(NS),
        *livy_policies(
            server_namespace=f"{NS}-livy",
            namespace=NS,
            clients=("10.9.0.0/16",),
            port=8998,
            network=network,
            cluster=cluster,
        ),
    ]
    return made


@pytest.fixture(scope="module")
def closed(plane: Plane) -> Plane:
    tenant = Tenant(name=NS)
    for name in (NS, f"{NS}-livy"):
        make(plane, namespace_manifest(name, tenant.owner([])))
    make(plane, *emr_role_manifests(NS), *tenant.policies(MADE))
    return plane


@pytest.mark.parametrize("network", [TenantNetwork(), FULL], ids=["plain", "full"])
@pytest.mark.parametrize("cluster", [MADE, ClusterNetwork()], ids=["made", "unknown"])
def test_the_api_server_accepts_each_policy_unchanged(
    closed: Plane, network: TenantNetwork, cluster: ClusterNetwork
) -> None:
    for policy in rendered(network, cluster):
        name, namespace = policy["metadata"]["name"], policy["metadata"]["namespace"]
        path = POLICIES.replace(f"/{NS}/", f"/{namespace}/")
        # Another name, since some exist.
        tried = {**policy, "metadata": {**policy["metadata"], "name": f"{name}-tried"}}
        answer = call(closed, None, "POST", path, tried, dryRun="All", fieldValidation="Strict")
        assert answer.status == 201, (name, answer.message)
        assert not answer.warning


def test_the_api_server_refuses_invalid_policies(closed: Plane) -> None:
    block = {"cidr": "10.0.0.0/16", "except": ["192.168.0.0/24"]}
    bad = network_policy("bad", NS, egress=[{"to": [{"ipBlock": block}]}])
    answer = call(closed, None, "POST", POLICIES, bad, dryRun="All", fieldValidation="Strict")
    assert answer.status == 422
    assert "except" in answer.message


@pytest.mark.parametrize("component", [Component.CLIENT, Component.DRIVER, Component.EXECUTOR])
def test_code_in_a_pod_cannot_change_network_policies(closed: Plane, component: Component) -> None:
    user = user_of(NS, component, "emr-closed")
    opened = network_policy("open", NS, ingress=[{}], egress=[{}])
    tries = [
        ("POST", POLICIES, opened),
        ("PATCH", f"{POLICIES}/tenant", {"spec": {"egress": [{}]}}),
        ("DELETE", f"{POLICIES}/default-deny", None),
    ]
    for method, path, body in tries:
        assert call(closed, user, method, path, body, dryRun="All").status == 403
        # The same request of an administrator succeeds: only the identity is refused.
        assert call(closed, None, method, path, body, dryRun="All").allowed


def test_tenants_cannot_write_labels_that_policies_trust(closed: Plane) -> None:
    user = user_of(NS, Component.DRIVER, "emr-closed")
    forged = {"metadata": {"labels": {"kubernetes.io/metadata.name": "kube-system"}}}
    path = f"/api/v1/namespaces/{NS}"
    assert call(closed, user, "PATCH", path, forged, dryRun="All").status == 403
    # No other user can, either: the API server writes the real name back.
    assert call(closed, None, "PATCH", path, forged).allowed
    with closed.client() as api:
        found: Any = kubernetes.client.CoreV1Api(api).read_namespace(NS)
    assert found.metadata.labels["kubernetes.io/metadata.name"] == NS
