"""Network policies of tenants: which connections pass, according to an evaluator of policies."""

from __future__ import annotations

from typing import Any, Final

import pytest

from cdk_emr_eks.model.namespaces.network_policies import (
    gateway_policy,
    livy_policies,
    network_policy,
    router_policy,
)
from cdk_emr_eks.model.namespaces.tenant_network import (
    SERVICE_RANGES,
    ClusterNetwork,
    NetworkPeer,
    NetworkProtocol,
    TenantNetwork,
)
from cdk_emr_eks.model.tenants.tenant import Tenant, check_tenant
from cdk_emr_eks.model.tenants.virtual_cluster import VirtualClusterOptions
from cdk_emr_eks.model.workloads.catalog import DEFAULT_WORKLOADS
from tests.refusals import Call, refusals, refused
from tests.unit.namespaces.network_evaluator import Judge, Place, Service

MADE: Final = ClusterNetwork(
    vpc_cidrs=("10.0.0.0/16",),
    pod_cidrs=("100.64.0.0/16",),
    service_cidrs=("172.20.0.0/16",),
)
UNKNOWN: Final = ClusterNetwork()
CLUSTERS: Final = pytest.mark.parametrize("cluster", [MADE, UNKNOWN], ids=["made", "unknown"])
OWN, PEER = Place("100.64.1.1", "data"), Place("100.64.1.2", "data")
OTHER: Final = Place("100.64.9.9", "rival")
DNS: Final = Place("100.64.3.3", "kube-system", {"k8s-app": "kube-dns"})
METRICS: Final = Place("100.64.3.4", "kube-system", {"k8s-app": "metrics-server"})
S3, ENDPOINT = Place("52.92.1.1"), Place("10.0.4.4")
AGENT, METADATA = Place("169.254.170.23"), Place("169.254.169.254")


def policies(cluster: ClusterNetwork, *tenants: Tenant) -> list[dict[str, Any]]:
    made = [each for tenant in tenants for each in tenant.policies(cluster)]
    return [each for each in made if each["kind"] == "NetworkPolicy"]


def two(cluster: ClusterNetwork, **options: Any) -> Judge:
    """A tenant with options, and another tenant."""
    mine = Tenant(name="data", network=TenantNetwork(**options))
    return Judge(policies(cluster, mine, Tenant(name="rival")))


# ---- the evaluator itself, on what Kubernetes documents


def test_a_namespace_without_policies_is_open() -> None:
    assert Judge([]).connects(OTHER, OWN, 1)


def test_a_policy_for_one_direction_does_not_restrict_the_other() -> None:
    judge = Judge([network_policy("closed", "data", ingress=[])])
    assert judge.connects(OWN, OTHER, 1)
    assert not judge.connects(OTHER, OWN, 1)


def test_policies_add_up_and_both_ends_must_allow() -> None:
    out = network_policy("out", "data", egress=[{"to": [{"ipBlock": {"cidr": "100.64.0.0/16"}}]}])
    closed = network_policy("closed", "data", egress=[])
    assert Judge([out, closed]).connects(OWN, OTHER, 1)
    assert not Judge([closed]).connects(OWN, OTHER, 1)
    assert not Judge([out, network_policy("shut", "rival", ingress=[])]).connects(OWN, OTHER, 1)


def test_two_selectors_of_one_peer_must_both_fit() -> None:
    named = {"matchLabels": {"kubernetes.io/metadata.name": "kube-system"}}
    dns = {"namespaceSelector": named, "podSelector": {"matchLabels": {"k8s-app": "kube-dns"}}}
    judge = Judge([network_policy("dns", "data", egress=[{"to": [dns]}])])
    assert judge.leaves(OWN, DNS, 53)
    assert not judge.leaves(OWN, METRICS, 53)
    assert not judge.leaves(OWN, Place("100.64.1.3", "data", {"k8s-app": "kube-dns"}), 53)


def test_unknown_fields_are_refused() -> None:
    strange = network_policy(
        "x", "data", egress=[{"to": [{"podSelector": {"matchExpressions": []}}]}]
    )
    with pytest.raises(AssertionError, match="matchExpressions"):
        Judge([strange]).leaves(OWN, PEER, 1)


# ---- what every tenant has


@CLUSTERS
def test_pods_of_a_tenant_reach_one_another_on_every_port(cluster: ClusterNetwork) -> None:
    judge = two(cluster)
    assert judge.connects(OWN, PEER, 7078)
    assert judge.connects(PEER, OWN, 40000, "UDP")


@CLUSTERS
def test_tenants_do_not_reach_each_other_on_any_port(cluster: ClusterNetwork) -> None:
    judge = two(cluster)
    for port in (443, 80, 53, 4040, 7078, 15002, 18888):
        for protocol in ("TCP", "UDP"):
            assert not judge.connects(OWN, OTHER, port, protocol)
            assert not judge.connects(OTHER, OWN, port, protocol)
    service = Service("172.20.7.7", "rival", {"spark-role": "driver"}, 443, [OTHER])
    assert not judge.reaches(OWN, service)


def test_known_ranges_of_pods_and_services_are_not_reached_by_https() -> None:
    judge = two(MADE)
    assert not judge.leaves(OWN, OTHER, 443)
    assert not judge.leaves(OWN, Place("100.64.50.50", "monitoring"), 443)
    assert not judge.leaves(OWN, Place("172.20.7.7", "monitoring"), 443)
    # Nothing is known of the ranges: then it is the receiver that must be closed.
    assert two(UNKNOWN).leaves(OWN, OTHER, 443)


@CLUSTERS
def test_dns_is_reached_by_its_service_and_no_other_port(cluster: ClusterNetwork) -> None:
    judge = two(cluster)
    service = Service("172.20.0.10", "kube-system", {"k8s-app": "kube-dns"}, 53, [DNS])
    assert judge.reaches(OWN, service, "UDP")
    assert judge.reaches(OWN, service, "TCP")
    assert judge.connects(OWN, DNS, 53, "UDP")
    assert not judge.connects(OWN, DNS, 9153)
    assert not judge.connects(OWN, METRICS, 53, "UDP")
    assert not judge.connects(OWN, Place("10.0.0.2"), 53, "UDP")


@CLUSTERS
@pytest.mark.parametrize("services", SERVICE_RANGES)
def test_the_api_server_is_reached_by_service_and_interfaces(
    cluster: ClusterNetwork, services: str
) -> None:
    judge = two(cluster)
    first = services.replace("0.0/16", "0.1")
    # A Service without a selector: its endpoints are the control plane's interfaces.
    assert judge.leaves(OWN, Place(first), 443)
    assert not judge.leaves(OWN, Place(first), 6443)
    assert judge.leaves(OWN, Place("10.0.17.9"), 443)


@CLUSTERS
def test_the_identity_agent_is_reached_but_not_the_metadata_service(
    cluster: ClusterNetwork,
) -> None:
    judge = two(cluster, egress=(NetworkPeer(cidr="0.0.0.0/0"), NetworkPeer(cidr="::/0")))
    for agent in (AGENT, Place("fd00:ec2::23")):
        assert judge.leaves(OWN, agent, 80)
        assert two(cluster).leaves(OWN, agent, 80)
        assert not two(cluster).leaves(OWN, agent, 8080)
    for service in (METADATA, Place("fd00:ec2::254")):
        for port in (80, 443, 1338):
            assert not judge.leaves(OWN, service, port)
            assert not two(cluster).leaves(OWN, service, port)


@CLUSTERS
def test_addresses_outside_are_reached_by_https_only(
    cluster: ClusterNetwork,
) -> None:
    judge = two(cluster)
    for place in (S3, ENDPOINT, Place("2600:1f00::1")):
        assert judge.leaves(OWN, place, 443)
        for port in (22, 80, 3306, 5432, 8080):
            assert not judge.leaves(OWN, place, port)
        assert not judge.leaves(OWN, place, 443, "UDP")
        assert not judge.enters(place, OWN, 443)


@CLUSTERS
def test_nodes_load_balancers_and_other_namespaces_reach_no_pod(
    cluster: ClusterNetwork,
) -> None:
    judge = two(cluster)
    for source in (ENDPOINT, DNS, METRICS, Place("100.64.8.8", "spark-connect-router")):
        for port in (4040, 8998, 15002, 18888):
            assert not judge.enters(source, OWN, port)


def test_https_can_be_restricted_to_the_vpc() -> None:
    judge = two(MADE, https=("52.92.0.0/16",))
    assert judge.leaves(OWN, S3, 443)
    assert judge.leaves(OWN, ENDPOINT, 443)
    assert judge.leaves(OWN, Place("172.20.0.1"), 443)
    assert not judge.leaves(OWN, Place("93.184.216.34"), 443)
    vpc_only = two(MADE, https=())
    assert vpc_only.leaves(OWN, ENDPOINT, 443)
    assert not vpc_only.leaves(OWN, S3, 443)


# ---- peers


def test_peers_open_their_ports_and_no_others() -> None:
    database = NetworkPeer(cidr="10.9.0.0/24", ports=(5432, 5433))
    log = NetworkPeer(cidr="10.9.1.0/24", ports=(514,), protocol=NetworkProtocol.UDP)
    metastore = NetworkPeer(namespace="metastore", ports=(9083,))
    scraper = NetworkPeer(namespace="monitoring", ports=(4040,))
    judge = two(MADE, egress=(database, log, metastore), ingress=(scraper,))
    assert judge.leaves(OWN, Place("10.9.0.5"), 5432)
    assert not judge.leaves(OWN, Place("10.9.0.5"), 5434)
    assert judge.leaves(OWN, Place("10.9.1.5"), 514, "UDP")
    assert not judge.leaves(OWN, Place("10.9.1.5"), 514)
    hive = Place("100.64.7.7", "metastore")
    assert judge.connects(OWN, hive, 9083)
    assert not judge.connects(OWN, hive, 9084)
    assert not judge.connects(hive, OWN, 9083)
    prometheus = Place("100.64.7.8", "monitoring")
    assert judge.connects(prometheus, OWN, 4040)
    assert not judge.connects(prometheus, OWN, 4041)
    assert not judge.connects(OWN, prometheus, 4040)


def test_a_wide_range_does_not_open_pods_or_services() -> None:
    judge = two(MADE, egress=(NetworkPeer(cidr="0.0.0.0/0"),))
    assert judge.leaves(OWN, Place("93.184.216.34"), 25)
    assert not judge.leaves(OWN, OTHER, 25)
    assert not judge.leaves(OWN, Place("172.20.7.7", "rival"), 25)


def test_without_rules_there_are_no_policies() -> None:
    assert policies(MADE, Tenant(name="data", network=None)) == []


# ---- endpoints and Livy


def test_a_gateway_is_reached_from_load_balancers_on_its_port_only() -> None:
    network = TenantNetwork()
    opened = gateway_policy("data", network, MADE)
    judge = Judge([*policies(MADE, Tenant(name="data"), Tenant(name="rival")), opened])
    assert judge.enters(ENDPOINT, OWN, 18888)
    assert not judge.enters(ENDPOINT, OWN, 4040)
    assert not judge.connects(OTHER, OWN, 18888)
    assert not judge.enters(OTHER, OWN, 18888)
    assert not judge.enters(S3, OWN, 18888)
    narrow = TenantNetwork(gateway_clients=("10.0.4.0/24",), gateway_port=9547)
    other = Judge([*policies(MADE, Tenant(name="data")), gateway_policy("data", narrow, MADE)])
    assert other.enters(ENDPOINT, OWN, 9547)
    assert not other.enters(ENDPOINT, OWN, 18888)
    assert not other.enters(Place("10.0.5.5"), OWN, 9547)


def test_emrs_router_reaches_sessions_but_sessions_do_not_reach_it() -> None:
    judge = Judge([*policies(MADE, Tenant(name="data")), router_policy("data")])
    router = Place("100.64.8.8", "spark-connect-router")
    assert judge.connects(router, OWN, 15002)
    assert not judge.leaves(OWN, router, 15002)
    assert not judge.enters(OTHER, OWN, 15002)


def test_a_tenant_with_sessions_talks_to_its_own_system_namespace() -> None:
    sessions = VirtualClusterOptions(session_enabled=True)
    judge = Judge(policies(MADE, Tenant(name="data", virtual_cluster=sessions)))
    own, foreign = Place("100.64.8.1", "data-system"), Place("100.64.8.2", "rival-system")
    assert judge.connects(own, OWN, 1)
    assert judge.connects(OWN, own, 1)
    assert not judge.connects(OWN, foreign, 1)
    assert not judge.connects(foreign, OWN, 1)


@pytest.mark.parametrize("clients", [(), ("10.0.0.0/16",)])
def test_livy_and_its_sessions_call_each_other(clients: tuple[str, ...]) -> None:
    made = livy_policies(
        server_namespace="data-livy",
        namespace="data",
        clients=clients,
        port=8998,
        network=TenantNetwork(),
        cluster=MADE,
    )
    judge = Judge([*policies(MADE, Tenant(name="data"), Tenant(name="rival")), *made])
    server = Place("100.64.6.6", "data-livy")
    assert judge.connects(server, OWN, 10001)
    assert judge.connects(OWN, server, 10000)
    assert judge.leaves(server, S3, 443)
    assert judge.leaves(server, AGENT, 80)
    assert not judge.leaves(server, METADATA, 80)
    assert not judge.connects(OTHER, server, 8998)
    assert not judge.connects(server, OTHER, 10001)
    assert judge.enters(ENDPOINT, server, 8998) is bool(clients)
    assert not judge.enters(ENDPOINT, server, 10000)


# ---- bad input

INVALID: Final[dict[str, tuple[Call, str]]] = {
    "neither range nor namespace": (
        lambda: NetworkPeer(ports=(1,)),
        "NetworkPeer None: cidr or namespace must be given, not both.",
    ),
    "both": (
        lambda: NetworkPeer(cidr="10.0.0.0/8", namespace="other"),
        "NetworkPeer '10.0.0.0/8': cidr or namespace must be given, not both.",
    ),
    "host bits in a range": (
        lambda: NetworkPeer(cidr="10.9.0.5/24"),
        "NetworkPeer '10.9.0.5/24': cidr must be CIDR blocks known at synth, such as "
        "'10.1.0.0/16', got '10.9.0.5/24'; try '10.9.0.0/24'.",
    ),
    "an address without a prefix length": (
        lambda: TenantNetwork(https=("52.92.1.1",)),
        "TenantNetwork: https must be CIDR blocks known at synth, such as '10.1.0.0/16', got "
        "'52.92.1.1'; try '52.92.1.1/32'.",
    ),
    "a token": (
        lambda: NetworkPeer(cidr="${Token[Vpc.CidrBlock.1]}"),
        "NetworkPeer '${Token[Vpc.CidrBlock.1]}': cidr must be CIDR blocks known at synth, such "
        "as '10.1.0.0/16', got '${Token[Vpc.CidrBlock.1]}'.",
    ),
    "the metadata service": (
        lambda: NetworkPeer(cidr="169.254.169.254/32", ports=(80,)),
        "NetworkPeer '169.254.169.254/32': cidr must not be the metadata service, which has the "
        "node's credentials, got '169.254.169.254/32'.",
    ),
    "ports": (
        lambda: NetworkPeer(namespace="other", ports=(0, 80, 80, 70000)),
        "NetworkPeer 'other':\n"
        "  - ports must be 1 to 65535, got [0, 70000].\n"
        "  - ports must be given once.",
    ),
    "too many ports": (
        lambda: NetworkPeer(cidr="10.0.0.0/8", ports=tuple(range(1, 22))),
        "NetworkPeer '10.0.0.0/8': ports must be at most 20, since the VPC CNI leaves out what is "
        "more, got 21.",
    ),
    "too many ports together": (
        lambda: TenantNetwork(
            egress=tuple(
                NetworkPeer(cidr=f"10.{n}.0.0/16", ports=tuple(range(n * 20 + 1, n * 20 + 16)))
                for n in (1, 2)
            )
        ),
        "TenantNetwork: egress must have at most 20 ports for all ranges together, as the VPC CNI "
        "takes, got 30.",
    ),
    "namespace": (
        lambda: NetworkPeer(namespace="Hive"),
        "NetworkPeer 'Hive': namespace must be a DNS label (a-z, 0-9, '-', at most 63 characters), "
        "got 'Hive'; try 'hive'.",
    ),
    "a gateway without clients": (
        lambda: TenantNetwork(gateway_clients=(), gateway_port=0),
        "TenantNetwork:\n"
        "  - gateway_clients must be absent or name a range; None is the cluster's VPC.\n"
        "  - gateway_port must be from 1 to 65535, got 0.",
    ),
    "a peer twice": (
        lambda: TenantNetwork(ingress=(NetworkPeer(namespace="a"), NetworkPeer(namespace="a"))),
        "TenantNetwork: ingress must name a peer once.",
    ),
    "the tenant itself": (
        lambda: Tenant(name="data", network=TenantNetwork(egress=(NetworkPeer(namespace="data"),))),
        "Tenant 'data': network.egress must not name the tenant's own namespace, which is open to "
        "itself, got 'data'.",
    ),
    "a range of pods": (
        lambda: check_tenant(
            Tenant(
                name="data",
                network=TenantNetwork(egress=(NetworkPeer(cidr="100.64.9.0/24", ports=(1,)),)),
            ),
            {workload.name: workload for workload in DEFAULT_WORKLOADS},
            MADE,
        ),
        "Tenant 'data': egress must not be a range of pods, Services or the metadata service, got "
        "'100.64.9.0/24'; use namespace.",
    ),
    "a VPC of pods only": (
        lambda: ClusterNetwork(vpc_cidrs=("100.64.0.0/17",), pod_cidrs=("100.64.0.0/16",)),
        "ClusterNetwork: vpc_cidrs must be more than what pods or Services have, got "
        "'100.64.0.0/17'.",
    ),
    "no VPC": (
        lambda: ClusterNetwork(vpc_cidrs=()),
        "ClusterNetwork: vpc_cidrs must be given.",
    ),
}


@refusals(INVALID)
def test_invalid_values_are_refused(call: Call, message: str) -> None:
    assert refused(call) == message
