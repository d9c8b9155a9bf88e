"""Network policies of a tenant's namespace: deny all traffic, then allow what is needed.

Each policy selects all pods of its namespace. The VPC CNI shares its maps between pods of a node
whose names differ only in the last part, so rules for some pods of a namespace are not reliable
where a tenant chooses names. EMR does not document the labels of its pods.

The VPC CNI filters packets at the pod's interface, where a Service still has its cluster address.
For rules by pods it adds the addresses of the Services of these pods. The API server has no pods,
so a rule names its address.

Source: https://github.com/aws/amazon-network-policy-controller-k8s
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from ipaddress import ip_network
from typing import Final

from cdk_emr_eks.labels import MANAGED_BY
from cdk_emr_eks.model.namespaces.namespace import MANAGER
from cdk_emr_eks.model.namespaces.tenant_network import (
    SERVICE_RANGES,
    ClusterNetwork,
    NetworkPeer,
    TenantNetwork,
    contains,
)
from cdk_emr_eks.names import ROUTER_NAMESPACE

Rule = Mapping[str, object]

# Source: https://docs.aws.amazon.com/eks/latest/userguide/pod-id-how-it-works.html
_IDENTITY_AGENT: Final = ("169.254.170.23/32", "fd00:ec2::23/128")
_HTTPS: Final = ({"protocol": "TCP", "port": 443},)
_HTTP: Final = ({"protocol": "TCP", "port": 80},)
_DNS: Final = ({"protocol": "UDP", "port": 53}, {"protocol": "TCP", "port": 53})
_OWN_NAMESPACE: Final[Mapping[str, object]] = {"podSelector": {}}


def tenant_policies(
    namespace: str,
    network: TenantNetwork,
    cluster: ClusterNetwork,
    partners: Sequence[str] = (),
) -> tuple[dict[str, object], ...]:
    """Return the policies of every tenant's namespace.

    Args:
        namespace: The namespace.
        network: Network access of its pods.
        cluster: Address ranges of the cluster.
        partners: Further namespaces of the tenant, open in both directions, such as that of EMR's
            part of a job.
    """
    both: list[Rule] = [{"from": [_namespace_peer(each)]} for each in partners]
    ingress: list[Rule] = [
        {"from": [_OWN_NAMESPACE]},
        *both,
        *_peers("from", network.ingress, cluster),
    ]
    egress: list[Rule] = [
        *namespace_egress(network, cluster),
        *({"to": [_namespace_peer(each)]} for each in partners),
        *_peers("to", network.egress, cluster),
    ]
    return (
        # A separate policy, so that the namespace stays closed if the other one is deleted.
        network_policy("default-deny", namespace, ingress=[], egress=[]),
        network_policy("tenant", namespace, ingress=ingress, egress=egress),
    )


def namespace_egress(network: TenantNetwork, cluster: ClusterNetwork) -> list[Rule]:
    """Return the rules that all pods need: own namespace, DNS, API server, credentials, AWS."""
    dns = {
        **_namespace_peer("kube-system"),
        "podSelector": {"matchLabels": {"k8s-app": "kube-dns"}},
    }
    open_ranges = _widest([*network.https, *cluster.vpc_cidrs])
    https = [*(_cidr_peer(cidr, cluster) for cidr in open_ranges), *_api_server(cluster)]
    return [
        {"to": [_OWN_NAMESPACE]},
        {"to": [dns], "ports": _ports(_DNS)},
        {"to": [{"ipBlock": {"cidr": cidr}} for cidr in _IDENTITY_AGENT], "ports": _ports(_HTTP)},
        {"to": https, "ports": _ports(_HTTPS)},
    ]


def gateway_policy(
    namespace: str, network: TenantNetwork, cluster: ClusterNetwork
) -> dict[str, object]:
    """Return the policy that lets the load balancer of a managed endpoint reach its gateway."""
    clients = network.gateway_clients or cluster.vpc_cidrs
    port = {"protocol": "TCP", "port": network.gateway_port}
    rule = {"from": [_cidr_peer(cidr, cluster) for cidr in clients], "ports": [port]}
    return network_policy("interactive-endpoints", namespace, ingress=[rule])


def router_policy(namespace: str) -> dict[str, object]:
    """Return the policy that lets EMR's Spark Connect router reach a tenant's servers.

    EMR runs one router for the cluster, and does not document the port of the servers.
    """
    rule = {"from": [_namespace_peer(ROUTER_NAMESPACE)]}
    return network_policy("spark-connect", namespace, ingress=[rule])


def livy_policies(
    *,
    server_namespace: str,
    namespace: str,
    clients: Sequence[str],
    port: int,
    network: TenantNetwork | None,
    cluster: ClusterNetwork,
) -> tuple[dict[str, object], ...]:
    """Return the policies of a Livy server and of its sessions in the tenant's namespace.

    Server and sessions call each other on random ports.

    Args:
        server_namespace: Namespace of the server.
        namespace: The tenant's namespace.
        clients: Ranges outside the cluster that reach the server.
        port: The server's port.
        network: Network access of the tenant. None: only access to the server is restricted.
        cluster: Address ranges of the cluster.
    """
    ingress: list[Rule] = [{"from": [_namespace_peer(namespace)]}]
    if clients:
        ranges = [{"ipBlock": {"cidr": cidr}} for cidr in clients]
        ingress.append({"from": ranges, "ports": [{"protocol": "TCP", "port": port}]})
    if network is None:
        return (network_policy("livy", server_namespace, ingress=ingress),)
    egress = [*namespace_egress(network, cluster), {"to": [_namespace_peer(namespace)]}]
    server = _namespace_peer(server_namespace)
    return (
        network_policy("livy", server_namespace, ingress=ingress, egress=egress),
        network_policy("livy", namespace, ingress=[{"from": [server]}], egress=[{"to": [server]}]),
    )


def network_policy(
    name: str,
    namespace: str,
    *,
    ingress: Sequence[Rule] | None = None,
    egress: Sequence[Rule] | None = None,
) -> dict[str, object]:
    """Return a ``networking.k8s.io/v1`` NetworkPolicy for all pods of a namespace.

    Args:
        name: Its name.
        namespace: The namespace.
        ingress: Rules for incoming traffic. None: the policy does not restrict it.
        egress: Rules for outgoing traffic. None: the policy does not restrict it.
    """
    given = {"Ingress": ingress, "Egress": egress}
    types = [name for name, rules in given.items() if rules is not None]
    spec: dict[str, object] = {"podSelector": {}, "policyTypes": types}
    spec |= {name.lower(): list(rules) for name, rules in given.items() if rules}
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": name, "namespace": namespace, "labels": {MANAGED_BY: MANAGER}},
        "spec": spec,
    }


def _peers(
    direction: str, peers: Sequence[NetworkPeer], cluster: ClusterNetwork
) -> list[dict[str, object]]:
    rules: list[dict[str, object]] = []
    for peer in peers:
        who = (
            _namespace_peer(peer.namespace)
            if peer.namespace
            else _cidr_peer(str(peer.cidr), cluster)
        )
        rule: dict[str, object] = {direction: [who]}
        if peer.ports:
            rule["ports"] = [{"protocol": str(peer.protocol), "port": each} for each in peer.ports]
        rules.append(rule)
    return rules


def _namespace_peer(name: str) -> dict[str, object]:
    # The API server sets this label, and no user can change it.
    return {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": name}}}


def _cidr_peer(cidr: str, cluster: ClusterNetwork) -> dict[str, object]:
    block: dict[str, object] = {"cidr": cidr}
    if without := [each for each in cluster.closed if contains(cidr, each)]:
        block["except"] = without
    return {"ipBlock": block}


def _widest(cidrs: Sequence[str]) -> list[str]:
    """Leave out ranges that another range contains."""
    kept = list(dict.fromkeys(cidrs))
    return [
        cidr for cidr in kept if not any(other != cidr and contains(other, cidr) for other in kept)
    ]


def _api_server(cluster: ClusterNetwork) -> list[dict[str, object]]:
    """Return the address of the Service ``kubernetes``: the first of the Services' range."""
    ranges = cluster.service_cidrs or SERVICE_RANGES
    first = [ip_network(cidr).network_address + 1 for cidr in ranges]
    return [{"ipBlock": {"cidr": f"{address}/{address.max_prefixlen}"}} for address in first]


def _ports(ports: Sequence[Mapping[str, object]]) -> list[dict[str, object]]:
    return [dict(port) for port in ports]
