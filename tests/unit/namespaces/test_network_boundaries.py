"""Address ranges and ports: what is just allowed, and what is just refused."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

import pytest

from cdk_emr_eks.errors import ConfigError
from cdk_emr_eks.model.namespaces.network_policies import gateway_policy, tenant_policies
from cdk_emr_eks.model.namespaces.quota import ClassQuota, Quota
from cdk_emr_eks.model.namespaces.tenant_network import (
    METADATA_SERVICE,
    SERVICE_RANGES,
    ClusterNetwork,
    NetworkPeer,
    NetworkProtocol,
    TenantNetwork,
    cidr_problems,
    contains,
)
from cdk_emr_eks.units import Cpu, Memory

KNOWN: Final = ClusterNetwork(
    vpc_cidrs=("10.0.0.0/16",), pod_cidrs=("100.64.0.0/16",), service_cidrs=("172.20.0.0/16",)
)


def test_well_known_addresses() -> None:
    assert METADATA_SERVICE == ("169.254.169.254/32", "fd00:ec2::254/128")
    assert SERVICE_RANGES == ("10.100.0.0/16", "172.20.0.0/16")
    private = ("10.0.0.0/8", "100.64.0.0/10", "172.16.0.0/12", "192.168.0.0/16")
    assert ClusterNetwork() == ClusterNetwork(vpc_cidrs=private, pod_cidrs=(), service_cidrs=())
    assert [each.value for each in NetworkProtocol] == ["TCP", "UDP"]


@pytest.mark.parametrize(
    ("outer", "inner", "inside"),
    [
        ("10.0.0.0/8", "10.1.0.0/16", True),
        ("10.0.0.0/8", "10.0.0.0/8", True),
        ("10.1.0.0/16", "10.0.0.0/8", False),
        ("0.0.0.0/0", "::/0", False),
        ("::/0", "0.0.0.0/0", False),
        ("2001:db8::/32", "2001:db8:1::/48", True),
    ],
)
def test_a_range_contains_another(outer: str, inner: str, inside: bool) -> None:
    assert contains(outer, inner) is inside


@pytest.mark.parametrize("text", ["10.0.0.0/8", "10.0.0.1/32", "::/0", "2001:db8::/32"])
def test_ranges_without_host_bits_pass(text: str) -> None:
    assert cidr_problems("https", text) == ()


@pytest.mark.parametrize(
    ("text", "fix"),
    [
        ("", ""),
        ("10.0.0.1", "try '10.0.0.1/32'"),
        ("10.0.0.1/8", "try '10.0.0.0/8'"),
        ("10.0.0.0/33", ""),
        ("${Token[TOKEN.1]}", ""),
    ],
)
def test_other_text_is_refused_with_a_proposal(text: str, fix: str) -> None:
    (problem,) = cidr_problems("https", text)
    assert (problem.field, problem.got, problem.fix) == ("https", text, fix)


def test_closed_ranges_are_the_metadata_service_pods_and_services() -> None:
    assert KNOWN.closed == (*METADATA_SERVICE, "100.64.0.0/16", "172.20.0.0/16")
    assert KNOWN.closed_to("100.64.9.0/24") == "100.64.0.0/16"
    assert KNOWN.closed_to("172.20.0.0/16") == "172.20.0.0/16"
    assert KNOWN.closed_to("172.16.0.0/12") is None
    for field, closed in (("pod_cidrs", "10.0.0.0/8"), ("service_cidrs", "10.0.0.0/16")):
        with pytest.raises(ConfigError) as caught:
            ClusterNetwork(vpc_cidrs=("10.0.0.0/16",), **{field: (closed,)})
        assert caught.value.fields == ("vpc_cidrs",)


@pytest.mark.parametrize("field", ["vpc_cidrs", "pod_cidrs", "service_cidrs"])
def test_each_range_of_a_cluster_is_checked(field: str) -> None:
    with pytest.raises(ConfigError) as caught:
        ClusterNetwork(**{field: ("10.0.0.1/8",)})
    assert caught.value.fields == (field,)


@pytest.mark.parametrize("field", ["https", "gateway_clients"])
def test_each_range_of_a_tenant_is_checked(field: str) -> None:
    for ranges in (("10.0.0.1/8",), ("10.0.0.0/8", "10.0.0.0/8")):
        given: dict[str, Any] = {field: ranges}
        with pytest.raises(ConfigError) as caught:
            TenantNetwork(**given)
        assert caught.value.fields == (field,)
    inside: dict[str, Any] = {field: ("100.64.1.0/24",)}
    (problem,) = TenantNetwork(**inside).cluster_problems(KNOWN)
    assert (problem.field, problem.got, problem.fix) == (field, "100.64.1.0/24", "use namespace")
    assert TenantNetwork(**inside).cluster_problems(ClusterNetwork()) == ()


@pytest.mark.parametrize("field", ["egress", "ingress"])
def test_peers_of_both_directions_are_checked(field: str) -> None:
    peer = NetworkPeer(cidr="172.20.1.0/24")
    network: dict[str, Any] = {field: (peer,)}
    (problem,) = TenantNetwork(**network).cluster_problems(KNOWN)
    assert (problem.field, problem.got) == (field, "172.20.1.0/24")
    twice: dict[str, Any] = {field: (peer, peer)}
    with pytest.raises(ConfigError) as caught:
        TenantNetwork(**twice)
    assert caught.value.fields == (field,)
    spread = tuple(
        NetworkPeer(cidr=f"10.{number}.0.0/16", ports=tuple(range(number * 10, number * 10 + 10)))
        for number in range(1, 4)
    )
    TenantNetwork(**{field: spread[:2]})  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="at most 20 ports for all ranges") as caught:
        TenantNetwork(**{field: (*spread[:2], replace(spread[2], ports=(99,)))})  # type: ignore[arg-type]
    assert caught.value.fields == (field,)
    # Ports of namespaces and equal ports do not count.
    other = NetworkPeer(namespace="db", ports=(99,))
    equal = replace(spread[2], ports=spread[0].ports)
    TenantNetwork(**{field: (*spread[:2], other, equal)})  # type: ignore[arg-type]


def test_the_same_port_of_another_protocol_counts() -> None:
    tcp = NetworkPeer(cidr="10.1.0.0/16", ports=tuple(range(1, 12)))
    udp = NetworkPeer(cidr="10.2.0.0/16", ports=tuple(range(1, 11)), protocol=NetworkProtocol.UDP)
    with pytest.raises(ConfigError, match="got 21"):
        TenantNetwork(egress=(tcp, udp))


def test_defaults_of_a_tenants_network() -> None:
    network = TenantNetwork()
    assert (network.https, network.gateway_port) == (("0.0.0.0/0", "::/0"), 18888)
    assert (network.egress, network.ingress, network.gateway_clients) == ((), (), None)
    with pytest.raises(ConfigError, match="None is the cluster's VPC"):
        TenantNetwork(gateway_clients=())
    peer = NetworkPeer(namespace="db")
    assert (peer.ports, peer.protocol, peer.where) == ((), NetworkProtocol.TCP, "NetworkPeer 'db'")


def test_the_gateway_is_open_to_the_vpc_or_its_clients() -> None:
    def sources(network: TenantNetwork) -> list[Any]:
        policy: Any = gateway_policy("data", network, KNOWN)
        (rule,) = policy["spec"]["ingress"]
        assert policy["metadata"]["name"] == "interactive-endpoints"
        assert rule["ports"] == [{"protocol": "TCP", "port": network.gateway_port}]
        return [each["ipBlock"]["cidr"] for each in rule["from"]]

    assert sources(TenantNetwork()) == ["10.0.0.0/16"]
    assert sources(TenantNetwork(gateway_port=9, gateway_clients=("10.0.1.0/24",))) == [
        "10.0.1.0/24"
    ]


def test_a_wide_range_replaces_those_that_it_contains() -> None:
    _, tenant = tenant_policies("data", TenantNetwork(https=("10.0.0.0/8",)), KNOWN)
    egress: Any = tenant["spec"]
    https = [
        rule for rule in egress["egress"] if rule.get("ports") == [{"protocol": "TCP", "port": 443}]
    ]
    blocks = [each["ipBlock"]["cidr"] for each in https[0]["to"]]
    assert blocks == ["10.0.0.0/8", "172.20.0.1/32"]


def test_a_quota_of_a_class_has_one_limit_at_least() -> None:
    for quota in (ClassQuota(cpu=Cpu(1)), ClassQuota(memory=Memory(1)), ClassQuota(pods=1)):
        assert len(quota.hard()) == 1
    with pytest.raises(ConfigError, match="cpu, memory or pods must be given"):
        ClassQuota()


@pytest.mark.parametrize(
    "field", ["cpu", "memory", "storage", "ephemeral_storage", "pods", "volume_claims"]
)
def test_each_amount_of_a_quota_is_checked(field: str) -> None:
    zero = {"cpu": Cpu(0), "pods": 0, "volume_claims": -1}.get(field, Memory(0))
    given: dict[str, Any] = {"cpu": Cpu(1), "memory": Memory(1), field: zero}
    with pytest.raises(ConfigError) as caught:
        Quota(**given)
    assert caught.value.fields == (field,)
