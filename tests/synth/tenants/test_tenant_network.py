"""Network policies in templates: address ranges, policies of endpoints, refused peers."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, cast

import aws_cdk as cdk
import pytest

from cdk_emr_eks.errors import ConfigError
from cdk_emr_eks.model.clusters.cluster import ClusterSpec
from cdk_emr_eks.model.namespaces.network_policies import router_policy
from cdk_emr_eks.model.namespaces.tenant_network import ClusterNetwork, NetworkPeer, TenantNetwork
from cdk_emr_eks.model.networks.network import NetworkSpec
from cdk_emr_eks.model.notebooks.managed_endpoint import ManagedEndpointSpec
from cdk_emr_eks.model.notebooks.spark_connect import SparkConnectSpec
from cdk_emr_eks.model.tenants.tenant import Tenant
from cdk_emr_eks.model.tenants.virtual_cluster import VirtualClusterOptions, VirtualClusterSpec
from cdk_emr_eks.notebooks.managed_endpoint import ManagedEndpoint
from cdk_emr_eks.notebooks.spark_connect import SparkConnectEndpoint
from cdk_emr_eks.platforms.emr_eks_cluster import EmrEksCluster
from cdk_emr_eks.platforms.imported_cluster import ImportedEmrEksCluster, ImportedPlatform
from cdk_emr_eks.platforms.platform import Platform
from cdk_emr_eks.platforms.tenant_host import TenantHost
from tests.synth.tenants.tenancy_app import new_app
from tests.unit.namespaces.network_evaluator import Judge, Place

KUBECTL = "arn:aws:lambda:eu-west-1:111122223333:function:kubectl"
MANIFEST = "Custom::AWSCDK-EKS-KubernetesResource"
OWN = Place("100.64.1.1", "data")
RIVAL = Place("100.64.9.9", "rival")

SESSIONS = VirtualClusterOptions(session_enabled=True)


def host(scope: cdk.Stack, network: ClusterNetwork | None = None) -> ImportedEmrEksCluster:
    return ImportedEmrEksCluster.from_cluster_attributes(
        scope,
        "Cluster",
        kubectl_service_token=KUBECTL,
        platform=ImportedPlatform(
            cluster_name="data-platform", endpoints=True, network=network or ClusterNetwork()
        ),
    )


def new_stack() -> cdk.Stack:
    environment = cdk.Environment(account="111122223333", region="eu-west-1")
    return cdk.Stack(new_app(), "Stack", env=environment)


def policies(stack: cdk.Stack) -> list[dict[str, Any]]:
    """The network policies of a stack, as its custom resources apply them."""
    assembly = cast(cdk.App, stack.node.root).synth()
    template = assembly.get_stack_artifact(stack.artifact_id).template
    resources = cast(Mapping[str, Mapping[str, Any]], template["Resources"])
    objects = [
        item
        for each in resources.values()
        if each["Type"] == MANIFEST
        for item in json.loads(each["Properties"]["Manifest"])
    ]
    return [item for item in objects if item["kind"] == "NetworkPolicy"]


def names(made: list[dict[str, Any]]) -> list[tuple[str, str]]:
    return [(each["metadata"]["namespace"], each["metadata"]["name"]) for each in made]


CLOSED = [("data", "default-deny"), ("data", "tenant")]


def test_endpoints_open_what_they_need_once_and_for_their_tenant_only() -> None:
    stack = new_stack()
    made = host(stack, ClusterNetwork(vpc_cidrs=("10.0.0.0/16",), pod_cidrs=("100.64.0.0/16",)))
    tenant = made.add_tenant(Tenant(name="data", virtual_cluster=SESSIONS))
    made.add_tenant(Tenant(name="rival"))
    for name in ("first", "second"):
        ManagedEndpoint(
            tenant, f"Endpoint-{name}", tenant=tenant, spec=ManagedEndpointSpec(name=name)
        )
        spec = SparkConnectSpec(name=f"{name}-sc")
        SparkConnectEndpoint(tenant, f"SparkConnect-{name}", tenant=tenant, spec=spec)
    found = policies(stack)
    assert sorted(names(found)) == [
        ("data", "default-deny"),
        ("data", "interactive-endpoints"),
        ("data", "spark-connect"),
        ("data", "tenant"),
        ("rival", "default-deny"),
        ("rival", "tenant"),
    ]
    judge = Judge(found)
    balancer, router = Place("10.0.4.4"), Place("100.64.8.8", "spark-connect-router")
    assert judge.enters(balancer, OWN, 18888)
    assert judge.enters(router, OWN, 15002)
    assert not judge.enters(balancer, RIVAL, 18888)
    assert not judge.enters(router, RIVAL, 15002)
    assert not judge.connects(RIVAL, OWN, 18888)


def test_without_rules_endpoints_add_none() -> None:
    stack = new_stack()
    made = host(stack)
    tenant = made.add_tenant(Tenant(name="data", virtual_cluster=SESSIONS, network=None))
    ManagedEndpoint(tenant, "Endpoint-first", tenant=tenant, spec=ManagedEndpointSpec(name="first"))
    SparkConnectEndpoint(
        tenant, "SparkConnect-second", tenant=tenant, spec=SparkConnectSpec(name="second")
    )
    assert policies(stack) == []


def test_a_tenant_without_endpoints_has_none_of_their_rules() -> None:
    stack = new_stack()
    host(stack).add_tenant(Tenant(name="data"))
    assert names(policies(stack)) == CLOSED


def test_a_new_cluster_has_its_ranges() -> None:
    stack = cdk.Stack(new_app(), "Stack")
    spec = NetworkSpec(cidr="10.7.0.0/16", pod_cidr="100.70.0.0/16")
    cluster = EmrEksCluster(
        stack,
        "Platform",
        platform=Platform(network=spec, cluster=ClusterSpec(service_cidr="192.168.0.0/20")),
    )
    assert cluster.context.network == ClusterNetwork(
        vpc_cidrs=("10.7.0.0/16",), pod_cidrs=("100.70.0.0/16",), service_cidrs=("192.168.0.0/20",)
    )
    own, rival = Place("100.70.1.1", "data"), Place("100.70.9.9", "rival")
    judge = Judge(Tenant(name="data").policies(cluster.context.network)[-2:])
    assert not judge.leaves(own, rival, 443)
    assert judge.leaves(own, Place("192.168.0.1"), 443)
    assert not judge.leaves(own, Place("192.168.0.2"), 443)


def test_services_do_not_have_addresses_of_the_network() -> None:
    with pytest.raises(ConfigError) as refused:
        Platform(network=NetworkSpec(cidr="172.20.0.0/16"))
    assert str(refused.value) == (
        "Platform: cluster.service_cidr must not overlap with network.cidr 172.20.0.0/16, got "
        "'172.20.0.0/16'."
    )


def with_peer(made: TenantHost) -> object:
    peers = (NetworkPeer(namespace="rival", ports=(5432,)),)
    return made.add_tenant(Tenant(name="data", network=TenantNetwork(egress=peers)))


def with_rival(made: TenantHost) -> object:
    return made.add_tenant(Tenant(name="rival"))


@pytest.mark.parametrize("steps", [(with_peer, with_rival), (with_rival, with_peer)])
def test_a_peer_cannot_be_the_namespace_of_another_tenant_in_any_order(steps: Any) -> None:
    made = host(new_stack())
    first, second = steps
    first(made)
    with pytest.raises(ConfigError) as refused:
        second(made)
    assert str(refused.value) == (
        "Stack/Cluster/Tenant-data: network must not name the namespace of another tenant; "
        "'Stack/Cluster/Tenant-rival' has it, got 'rival'."
    )


def test_a_range_of_pods_is_refused_before_anything_is_created() -> None:
    stack = new_stack()
    made = host(stack, ClusterNetwork(vpc_cidrs=("10.0.0.0/16",), pod_cidrs=("100.64.0.0/16",)))
    peers = (NetworkPeer(cidr="100.64.9.0/24", ports=(5432,)),)
    with pytest.raises(ConfigError, match="egress must not be a range of pods"):
        made.add_tenant(Tenant(name="data", network=TenantNetwork(egress=peers)))
    assert made.node.try_find_child("Tenant-data") is None


def test_an_object_of_a_namespace_is_created_once_and_is_one_thing_only() -> None:
    made = host(new_stack()).add_tenant(Tenant(name="data")).virtual_cluster
    policy = router_policy("data")
    made.add_object(policy)
    made.add_object(dict(policy))
    with pytest.raises(ConfigError, match="must be unique in its bundle"):
        made.add_object({**policy, "spec": {"podSelector": {}}})


def test_what_has_no_objects_takes_none() -> None:
    spec = VirtualClusterSpec(name="data", namespace="data", create_namespace=False)
    made = host(new_stack()).add_emr_virtual_cluster(spec)
    with pytest.raises(ConfigError) as refused:
        made.add_object(router_policy("data"))
    assert str(refused.value) == (
        "Virtual cluster 'data': namespace must be created here or have other objects, got "
        "'data'; set create_namespace."
    )
