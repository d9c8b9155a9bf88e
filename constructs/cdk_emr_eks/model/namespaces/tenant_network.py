"""Network access of a tenant's pods, and the address ranges of the cluster."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Final

from cdk_emr_eks.checks import Check
from cdk_emr_eks.errors import ConfigProblem
from cdk_emr_eks.values import value

# EC2's instance metadata service, which returns the credentials of the node.
# Source: https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/instancedata-data-retrieval.html
METADATA_SERVICE: Final = ("169.254.169.254/32", "fd00:ec2::254/128")

# EKS uses one of these ranges for Services if none is requested.
# Source: https://docs.aws.amazon.com/eks/latest/APIReference/API_KubernetesNetworkConfigRequest.html
SERVICE_RANGES: Final = ("10.100.0.0/16", "172.20.0.0/16")

_PRIVATE: Final = ("10.0.0.0/8", "100.64.0.0/10", "172.16.0.0/12", "192.168.0.0/16")

# The VPC CNI stores 24 ports for one address and ignores further ones. The platform needs HTTPS,
# DNS with both protocols, and the Pod Identity agent.
# Source: https://docs.aws.amazon.com/eks/latest/userguide/cni-network-policy.html
_MOST_PORTS: Final = 20
_RULE: Final = "must be CIDR blocks known at synth, such as '10.1.0.0/16'"


class NetworkProtocol(StrEnum):
    """Protocol of a port."""

    TCP = "TCP"
    UDP = "UDP"


@value
class ClusterNetwork:
    """Address ranges of a cluster, which separate pods, Services and other addresses in rules.

    ``EmrEksCluster`` knows the ranges of a network that it creates, but not those of an existing
    network. There a tenant's pods may send HTTPS to any address, and only the rules of the other
    tenants protect their pods.

    Args:
        vpc_cidrs: Ranges of nodes, load balancers, VPC endpoints and the control plane's
            interfaces. Default: all private ranges.
        pod_cidrs: Ranges that only pods have. Default empty: unknown, or pods share the nodes'.
        service_cidrs: The cluster's ranges for Services. Default empty: unknown.

    Raises:
        ConfigError: If a range is not a CIDR block, or a range of the VPC contains only pods or
            Services.
    """

    vpc_cidrs: tuple[str, ...] = _PRIVATE
    pod_cidrs: tuple[str, ...] = ()
    service_cidrs: tuple[str, ...] = ()

    def _rules(self, check: Check) -> None:
        check.require(bool(self.vpc_cidrs), "vpc_cidrs", "must be given")
        for field in ("vpc_cidrs", "pod_cidrs", "service_cidrs"):
            check.passes(field, cidr_problems)
        check.raise_if_any()
        for cidr in self.vpc_cidrs:
            rule = "must be more than what pods or Services have"
            check.require(not self.closed_to(cidr), "vpc_cidrs", rule, cidr)

    @property
    def closed(self) -> tuple[str, ...]:
        """Ranges that no rule by address opens: the metadata service, pods, Services."""
        return (*METADATA_SERVICE, *self.pod_cidrs, *self.service_cidrs)

    def closed_to(self, cidr: str) -> str | None:
        """Return the closed range that contains a range, or None."""
        return next((each for each in self.closed if contains(each, cidr)), None)


@value
class NetworkPeer:
    """An address range or namespace that a tenant's pods may talk to.

    Args:
        cidr: Address range, such as ``10.20.0.0/24`` of a database. Pods, Services and the metadata
            service are excluded if their ranges are known. Either this or ``namespace``.
        namespace: Namespace of the cluster: all its pods. Not that of another tenant.
        ports: Ports, at most 20. Empty: all ports of all protocols.
        protocol: Protocol of the ports, TCP by default.

    Raises:
        ConfigError: If not exactly one of range and namespace is given, the range is not a CIDR
            block or is the metadata service's, or a port is not 1 to 65535 or is repeated, or there
            are more than 20 ports.
    """

    cidr: str | None = None
    namespace: str | None = None
    ports: tuple[int, ...] = ()
    protocol: NetworkProtocol = NetworkProtocol.TCP

    def _rules(self, check: Check) -> None:
        one = (self.cidr is None) != (self.namespace is None)
        check.require(one, "cidr", "or namespace must be given, not both")
        check.dns_label("namespace")
        if self.cidr is not None:
            found = cidr_problems("cidr", self.cidr)
            check.add(found)
            closed = not found and any(contains(each, self.cidr) for each in METADATA_SERVICE)
            rule = "must not be the metadata service, which has the node's credentials"
            check.require(not closed, "cidr", rule, self.cidr)
        bad = [port for port in self.ports if not 1 <= port <= 65535]
        check.require(not bad, "ports", "must be 1 to 65535", bad)
        check.require(len(set(self.ports)) == len(self.ports), "ports", "must be given once")
        rule = f"must be at most {_MOST_PORTS}, since the VPC CNI leaves out what is more"
        check.require(len(self.ports) <= _MOST_PORTS, "ports", rule, len(self.ports))

    @property
    def where(self) -> str:
        """What errors call the peer."""
        return f"NetworkPeer {self.cidr or self.namespace!r}"


@value
class TenantNetwork:
    """Network access of a tenant's pods. All other traffic is denied in both directions.

    Pods of a tenant talk to one another, to DNS, to the API server, to the Pod Identity agent, and
    by HTTPS to AWS; never to the metadata service or to pods of other tenants. Managed endpoints
    and Livy add the rules that they need.

    Args:
        https: Ranges that the pods may reach on port 443. Default: all addresses, since AWS
            services have public addresses, also S3 behind a gateway endpoint. The cluster's VPC,
            with the control plane and VPC endpoints, is always open on that port.
        egress: Further peers that the pods may reach.
        ingress: Peers that may reach the pods, such as a metrics collector.
        gateway_port: Port of the gateways of managed endpoints. EMR documents 18888 for their load
            balancer, and does not document the port of the pod.
        gateway_clients: Ranges that reach that port, once the tenant has a managed endpoint:
            those of its load balancer. None: the cluster's VPC.

    Raises:
        ConfigError: If a range is not a CIDR block or is repeated, or the ports of all peers exceed
            what the VPC CNI stores.

    Source: https://kubernetes.io/docs/concepts/services-networking/network-policies/
    """

    https: tuple[str, ...] = ("0.0.0.0/0", "::/0")
    egress: tuple[NetworkPeer, ...] = ()
    ingress: tuple[NetworkPeer, ...] = ()
    gateway_port: int = 18888
    gateway_clients: tuple[str, ...] | None = None

    def _rules(self, check: Check) -> None:
        ranges = {"https": self.https, "gateway_clients": self.gateway_clients or ()}
        for field, cidrs in ranges.items():
            check.passes(field, cidr_problems)
            rule = "must be given once"
            check.require(len(set(cidrs)) == len(cidrs), field, rule, list(cidrs))
        rule, fix = "must be absent or name a range", "None is the cluster's VPC"
        check.require(self.gateway_clients != (), "gateway_clients", rule, fix=fix)
        check.between("gateway_port", 1, 65535)
        for field in ("egress", "ingress"):
            peers: tuple[NetworkPeer, ...] = getattr(self, field)
            check.add(_port_problems(field, peers))
            check.require(len(set(peers)) == len(peers), field, "must name a peer once")

    def cluster_problems(self, cluster: ClusterNetwork) -> tuple[ConfigProblem, ...]:
        """Check that the rules name no range that the cluster never opens."""
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


def contains(outer: str, inner: str) -> bool:
    """Return whether one range contains another."""
    wide, narrow = ip_network(outer), ip_network(inner)
    if isinstance(wide, IPv4Network):
        return isinstance(narrow, IPv4Network) and narrow.subnet_of(wide)
    return isinstance(narrow, IPv6Network) and narrow.subnet_of(wide)


def cidr_problems(field: str, value: str) -> tuple[ConfigProblem, ...]:
    """Check a range: a literal CIDR block without host bits."""
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
    # An address in several ranges gets the ports of all of them.
    ports = {(peer.protocol, port) for peer in peers if peer.cidr for port in peer.ports}
    if len(ports) <= _MOST_PORTS:
        return ()
    rule = f"must have at most {_MOST_PORTS} ports for all ranges together, as the VPC CNI takes"
    return (ConfigProblem(field=field, rule=rule, got=len(ports)),)
