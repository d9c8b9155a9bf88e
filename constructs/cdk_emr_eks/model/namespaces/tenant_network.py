"""Whom a tenant's pods may talk to, and the address ranges of the cluster that rules need."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Final

from cdk_emr_eks.errors import ConfigProblem, Problems
from cdk_emr_eks.field_types import check_types
from cdk_emr_eks.names import dns_label

METADATA_SERVICE: Final = ("169.254.169.254/32", "fd00:ec2::254/128")
"""EC2's metadata service, which has the credentials of the node.

Source: https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/instancedata-data-retrieval.html
"""
SERVICE_RANGES: Final = ("10.100.0.0/16", "172.20.0.0/16")
"""The ranges of which EKS takes one for Services where none is asked for.

Source: https://docs.aws.amazon.com/eks/latest/APIReference/API_KubernetesNetworkConfigRequest.html
"""
_PRIVATE: Final = ("10.0.0.0/8", "100.64.0.0/10", "172.16.0.0/12", "192.168.0.0/16")
_MOST_PORTS: Final = 20
# The VPC CNI holds 24 ports for one address, and leaves out what is more; HTTPS, DNS with both
# protocols and the Pod Identity agent are the platform's.
# Source: https://docs.aws.amazon.com/eks/latest/userguide/cni-network-policy.html
_RULE: Final = "must be CIDR blocks known at synth, such as '10.1.0.0/16'"


class NetworkProtocol(StrEnum):
    """Protocol of a port."""

    TCP = "TCP"
    """Connections."""
    UDP = "UDP"
    """Datagrams."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ClusterNetwork:
    """Address ranges of a cluster, so that rules can tell pods, Services and the rest apart.

    ``EmrEksCluster`` knows them for a network that it makes. Of an existing network neither blocks
    nor pods' ranges are known: there a tenant's own pods may send HTTPS to any address, and it is
    the rules of the others that keep these from being reached.

    Args:
        vpc_cidrs: Ranges of nodes, load balancers, VPC endpoints and the control plane's
            interfaces. Default: all private ranges.
        pod_cidrs: Ranges that only pods have. Default empty: not known, or pods share the nodes'.
        service_cidrs: The cluster's ranges for Services. Default empty: not known.

    Raises:
        ConfigError: If a range is no CIDR block, or a range of the VPC is pods' or Services' only.
    """

    vpc_cidrs: tuple[str, ...] = _PRIVATE
    pod_cidrs: tuple[str, ...] = ()
    service_cidrs: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        check_types("ClusterNetwork", self)
        problems = Problems("ClusterNetwork")
        problems.require(bool(self.vpc_cidrs), "vpc_cidrs", "must be given")
        for field in ("vpc_cidrs", "pod_cidrs", "service_cidrs"):
            for cidr in getattr(self, field):
                problems.extend(cidr_problems(field, cidr))
        problems.raise_if_any()
        for cidr in self.vpc_cidrs:
            rule = "must be more than what pods or Services have"
            problems.require(not self.closed_to(cidr), "vpc_cidrs", rule, cidr)
        problems.raise_if_any()

    @property
    def closed(self) -> tuple[str, ...]:
        """What no rule by address opens: the metadata service, pods, Services."""
        return (*METADATA_SERVICE, *self.pod_cidrs, *self.service_cidrs)

    def closed_to(self, cidr: str) -> str | None:
        """Return the closed range that holds all of a range, if one does."""
        return next((each for each in self.closed if holds(each, cidr)), None)


@dataclass(frozen=True, kw_only=True, slots=True)
class NetworkPeer:
    """Somebody beyond its own namespace whom a tenant's pods may talk to.

    Args:
        cidr: Address range, such as ``10.20.0.0/24`` of a database. Pods, Services and the metadata
            service are never part of it where their ranges are known. Either this or ``namespace``.
        namespace: Namespace of the cluster, all pods of it; no other tenant's.
        ports: Ports, at most 20. Empty: all ports of all protocols.
        protocol: Protocol of the ports, TCP by default.

    Raises:
        ConfigError: If it is none or both of range and namespace, the range is none or the metadata
            service's, or a port is not 1 to 65535, is there twice, or they are too many.
    """

    cidr: str | None = None
    namespace: str | None = None
    ports: tuple[int, ...] = ()
    protocol: NetworkProtocol = NetworkProtocol.TCP

    def __post_init__(self) -> None:
        where = f"NetworkPeer {self.cidr or self.namespace!r}"
        check_types(where, self)
        problems = Problems(where)
        one = (self.cidr is None) != (self.namespace is None)
        problems.require(one, "cidr", "or namespace must be given, not both")
        if self.namespace is not None:
            problems.extend(dns_label("namespace", self.namespace))
        if self.cidr is not None:
            found = cidr_problems("cidr", self.cidr)
            problems.extend(found)
            closed = not found and any(holds(each, self.cidr) for each in METADATA_SERVICE)
            rule = "must not be the metadata service, which has the node's credentials"
            problems.require(not closed, "cidr", rule, self.cidr)
        bad = [port for port in self.ports if not 1 <= port <= 65535]
        problems.require(not bad, "ports", "must be 1 to 65535", bad)
        problems.require(len(set(self.ports)) == len(self.ports), "ports", "must be given once")
        rule = f"must be at most {_MOST_PORTS}, since the VPC CNI leaves out what is more"
        problems.require(len(self.ports) <= _MOST_PORTS, "ports", rule, len(self.ports))
        problems.raise_if_any()


@dataclass(frozen=True, kw_only=True, slots=True)
class TenantNetwork:
    """Whom a tenant's pods may talk to. Nobody, both ways, but for what follows.

    They talk to one another, to DNS, to the API server, to the Pod Identity agent, and by HTTPS to
    AWS; never to the metadata service, and not to pods of others. Endpoints and Livy bring the
    rules that they need.

    Args:
        https: Ranges that they may reach on port 443. All by default: AWS's services have public
            addresses, S3 also behind a gateway endpoint. The cluster's VPC, with the control plane
            and VPC endpoints, can always be reached on that port.
        egress: Whom they may reach besides.
        ingress: Who may reach them besides, such as what gathers metrics.
        gateway_port: Port on which gateways of managed endpoints listen. EMR documents 18888
            for their load balancer; it says nothing of the pod.
        gateway_clients: Ranges that reach that port, once the tenant has a managed endpoint:
            those of its load balancer. None: the cluster's VPC.

    Raises:
        ConfigError: If a range is no CIDR block, there is twice, or all peers together have more
            ports than the VPC CNI takes.

    Source: https://kubernetes.io/docs/concepts/services-networking/network-policies/
    """

    https: tuple[str, ...] = ("0.0.0.0/0", "::/0")
    egress: tuple[NetworkPeer, ...] = ()
    ingress: tuple[NetworkPeer, ...] = ()
    gateway_port: int = 18888
    gateway_clients: tuple[str, ...] | None = None

    def __post_init__(self) -> None:
        check_types("TenantNetwork", self)
        problems = Problems("TenantNetwork")
        ranges = {"https": self.https, "gateway_clients": self.gateway_clients or ()}
        for field, cidrs in ranges.items():
            for cidr in cidrs:
                problems.extend(cidr_problems(field, cidr))
            rule = "must be given once"
            problems.require(len(set(cidrs)) == len(cidrs), field, rule, list(cidrs))
        rule, fix = "must be absent or name a range", "None is the cluster's VPC"
        problems.require(self.gateway_clients != (), "gateway_clients", rule, fix=fix)
        holds_port = 1 <= self.gateway_port <= 65535
        problems.require(holds_port, "gateway_port", "must be 1 to 65535", self.gateway_port)
        for field in ("egress", "ingress"):
            peers: tuple[NetworkPeer, ...] = getattr(self, field)
            problems.extend(_port_problems(field, peers))
            problems.require(len(set(peers)) == len(peers), field, "must name a peer once")
        problems.raise_if_any()

    def problems_on(self, cluster: ClusterNetwork) -> tuple[ConfigProblem, ...]:
        """Return what speaks against these rules on a cluster: ranges that it never opens."""
        named = [("https", cidr) for cidr in self.https]
        named += [("gateway_clients", cidr) for cidr in self.gateway_clients or ()]
        for field in ("egress", "ingress"):
            named += [(field, peer.cidr) for peer in getattr(self, field) if peer.cidr]
        rule, fix = "must not be a range of pods, Services or the metadata service", "use namespace"
        return tuple(
            ConfigProblem(field=field, rule=rule, got=cidr, fix=fix)
            for field, cidr in named
            if cluster.closed_to(cidr)
        )


def holds(outer: str, inner: str) -> bool:
    """Tell whether one range holds all of another."""
    wide, narrow = ip_network(outer), ip_network(inner)
    if isinstance(wide, IPv4Network):
        return isinstance(narrow, IPv4Network) and narrow.subnet_of(wide)
    return isinstance(narrow, IPv6Network) and narrow.subnet_of(wide)


def cidr_problems(field: str, value: str) -> tuple[ConfigProblem, ...]:
    """Check a range: a literal CIDR block without bits behind its length."""
    try:
        ip_network(value)
    except ValueError:
        return (ConfigProblem(field=field, rule=_RULE, got=value, fix=_proposal(value)),)
    if "/" in value:
        return ()
    return (ConfigProblem(field=field, rule=_RULE, got=value, fix=_proposal(value)),)


def _proposal(value: str) -> str:
    try:
        return f"try {str(ip_network(value, strict=False))!r}"
    except ValueError:
        return ""


def _port_problems(field: str, peers: Sequence[NetworkPeer]) -> tuple[ConfigProblem, ...]:
    # An address that several ranges hold gets the ports of all of them.
    ports = {(peer.protocol, port) for peer in peers if peer.cidr for port in peer.ports}
    if len(ports) <= _MOST_PORTS:
        return ()
    rule = f"must have at most {_MOST_PORTS} ports for all ranges together, as the VPC CNI takes"
    return (ConfigProblem(field=field, rule=rule, got=len(ports)),)
