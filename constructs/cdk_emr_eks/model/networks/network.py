"""The VPC of a platform as a plain value: zones, address plan, NAT, endpoints."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from ipaddress import IPv4Network
from math import ceil
from typing import Final

from cdk_emr_eks.checks import Check
from cdk_emr_eks.model.access.execution_role import RETENTION_DAYS
from cdk_emr_eks.model.instances.instances import MAX_PODS
from cdk_emr_eks.values import value

_ZONE: Final = re.compile(r"([a-z]{2,}(?:-[a-z]+)+-\d+)[a-z]")
# Source: https://docs.aws.amazon.com/vpc/latest/userguide/vpc-cidr-blocks.html
_BIGGEST_VPC: Final = 16
_SMALLEST_SUBNET: Final = 28

# EKS needs 16 free addresses in each subnet of a cluster, and EC2 reserves 5.
# Source: https://docs.aws.amazon.com/eks/latest/userguide/network-reqs.html
_SMALLEST_NODE_SUBNET: Final = 26

# Three quarters of 256 addresses hold the prefixes of one full node; those of 128 do not.
_SMALLEST_POD_SUBNET: Final = 24
_EC2_ADDRESSES: Final = 5
_PREFIX_ADDRESSES: Final = 16

# A VPC in one of these ranges accepts no block of another, and a VPC outside accepts none of them.
# Source: https://docs.aws.amazon.com/vpc/latest/userguide/vpc-cidr-blocks.html#add-cidr-block-restrictions
_CLOSED_RANGES: Final = tuple(
    IPv4Network(block)
    for block in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "198.19.0.0/16")
)


class Nat(StrEnum):
    """How private subnets reach the internet.

    Attributes:
        ONE: One NAT gateway for all zones: cheapest. Without its zone, no zone reaches the
            internet.
        PER_ZONE: One NAT gateway in each zone: no traffic between zones, and a lost zone affects no
            other.
        NONE: No NAT gateway and no public subnets: AWS services by VPC endpoints only.
    """

    ONE = "one"
    PER_ZONE = "per-zone"
    NONE = "none"


@dataclass(frozen=True, kw_only=True, slots=True)
class AddressPlan:
    """CIDR blocks of a new VPC, one for each zone in order.

    Args:
        public: Subnets of NAT gateways and internet-facing load balancers; empty without NAT.
        nodes: Subnets of nodes, of the control plane's interfaces and of VPC endpoints.
        pods: Subnets of pods, in the VPC's second block.
        reserved: For each pod subnet, the blocks reserved for prefixes of 16 addresses.
    """

    public: tuple[IPv4Network, ...]
    nodes: tuple[IPv4Network, ...]
    pods: tuple[IPv4Network, ...]
    reserved: tuple[tuple[IPv4Network, ...], ...]


@value
class NetworkSpec:
    """A new VPC for the platform.

    Nodes use the VPC's first block and pods a second one, so that no zone runs out of addresses:
    with the defaults 16,384 for nodes and 16,384 for pods in each of three zones.

    Args:
        cidr: The VPC's block: public subnets and node subnets. At least /24 for three zones.
        pod_cidr: The second block, for pods only. The default is in the shared range of providers
            (RFC 6598), so it uses no addresses of a company's address plan. The block is not routed
            outside the VPC, where pods have the address of their node.
        zones: Number of Availability Zones, 2 to 6: the first of the region, found at deploy time.
            Or their names, such as ``("us-east-1a", "us-east-1b")``, which are required where EKS
            does not run in each zone (a zone of us-east-1, us-west-1 and ca-central-1). In a stack
            with a known account, CDK looks up the zones of the region to check the names.
        nat: How private subnets reach the internet.
        interface_endpoints: Reach ECR, STS, CloudWatch Logs and EMR containers by private
            endpoints; without NAT, further services too. Each endpoint costs by the hour in each
            zone and by the gigabyte: https://aws.amazon.com/privatelink/pricing/. The S3 gateway
            endpoint is free and always created.
        flow_logs: Write the VPC's flow logs to CloudWatch, encrypted.
        flow_log_days: Days that CloudWatch keeps flow logs; ignored without ``flow_logs``.

    Raises:
        ConfigError: If a VPC cannot have one of the blocks, the blocks overlap or cannot be in one
            VPC, the zones do not fit into them, or nodes could reach no AWS service.

    Source: https://docs.aws.amazon.com/eks/latest/userguide/network-reqs.html
    """

    cidr: str = "10.0.0.0/16"
    pod_cidr: str = "100.64.0.0/16"
    zones: int | tuple[str, ...] = 3
    nat: Nat = Nat.ONE
    interface_endpoints: bool = False
    flow_logs: bool = True
    flow_log_days: int = 90

    def _rules(self, check: Check) -> None:
        fit = _check_zones(check, self.zones)
        first = _check_block(check, "cidr", self.cidr)
        second = _check_block(check, "pod_cidr", self.pod_cidr)
        if first and second:
            _check_pair(check, first, second)
        if fit and first:
            _check_room(check, first, self.zone_count)
        if fit and second:
            length = second.prefixlen + _bits(self.zone_count)
            rule = f"must give each of {self.zone_count} zones at least a /{_SMALLEST_POD_SUBNET}"
            check.require(length <= _SMALLEST_POD_SUBNET, "pod_cidr", rule, self.pod_cidr)
        check.require(
            self.nat is not Nat.NONE or self.interface_endpoints,
            "interface_endpoints",
            "must be True with nat=Nat.NONE, or nodes cannot join the cluster",
            self.interface_endpoints,
        )
        check.one_of("flow_log_days", RETENTION_DAYS, what="one of CloudWatch's steps")

    @property
    def zone_count(self) -> int:
        """Number of zones."""
        return self.zones if isinstance(self.zones, int) else len(self.zones)

    def plan(self) -> AddressPlan:
        """Lay out the subnets.

        The first of the equal parts has the public subnets, and each other part has the nodes of
        one zone. Pod subnets are equal parts of their block. Three quarters of each are reserved
        for prefixes: one used address makes its 16 addresses useless as a prefix. The other quarter
        has the single addresses of the nodes' interfaces.

        Source: https://docs.aws.amazon.com/eks/latest/best-practices/prefix-mode-linux.html
        """
        zones = self.zone_count
        first = IPv4Network(self.cidr)
        parts = tuple(first.subnets(prefixlen_diff=_bits(zones + 1)))
        public: tuple[IPv4Network, ...] = ()
        if self.nat is not Nat.NONE:
            public = tuple(parts[0].subnets(new_prefix=_public_length(first.prefixlen)))[:zones]
        second = IPv4Network(self.pod_cidr)
        pods = tuple(second.subnets(prefixlen_diff=_bits(zones)))[:zones]
        start = 1 if public else 0
        return AddressPlan(
            public=public,
            nodes=parts[start : start + zones],
            pods=pods,
            reserved=tuple(_reserved(pod) for pod in pods),
        )

    def pods_per_zone(self) -> int:
        """Return how many pods fit into one zone on full nodes, with reserved addresses only.

        A node of 110 pods has 7 prefixes of 16 addresses, and one spare prefix of the VPC CNI. A
        node with fewer pods has fewer prefixes, but at least 2.
        """
        plan = self.plan()
        addresses = sum(block.num_addresses for block in plan.reserved[0])
        prefixes = ceil(MAX_PODS / _PREFIX_ADDRESSES) + 1
        nodes = min(
            addresses // (prefixes * _PREFIX_ADDRESSES),
            plan.nodes[0].num_addresses - _EC2_ADDRESSES,
        )
        return nodes * MAX_PODS


def _bits(parts: int) -> int:
    return (parts - 1).bit_length()


def _public_length(vpc_length: int) -> int:
    # Public subnets are small: they have NAT gateways and load balancers only.
    return min(vpc_length + 8, _SMALLEST_SUBNET)


def _reserved(pod: IPv4Network) -> tuple[IPv4Network, ...]:
    lower, upper = pod.subnets()
    return (tuple(lower.subnets())[1], upper)


def _check_zones(check: Check, zones: int | tuple[str, ...]) -> bool:
    if isinstance(zones, int):
        fit = 2 <= zones <= 6
        check.require(fit, "zones", "must be from 2 to 6", zones)
        return fit
    matches = [_ZONE.fullmatch(zone) for zone in zones]
    regions = {match[1] for match in matches if match}
    differ = len(set(zones)) == len(zones)
    fit = 2 <= len(zones) <= 6 and differ and all(matches) and len(regions) == 1
    rule = "must be 2 to 6 different zones of one region, such as ('us-east-1a', 'us-east-1b')"
    check.require(fit, "zones", rule, zones)
    return fit


def _check_block(check: Check, field: str, value: str) -> IPv4Network | None:
    rule = f"must be an IPv4 block of /{_BIGGEST_VPC} to /{_SMALLEST_SUBNET}"
    fix = ""
    try:
        block = IPv4Network(value)
    except ValueError:
        block = None
        try:
            fix = f"try {str(IPv4Network(value, strict=False))!r}"
        except ValueError:
            fix = ""
    fits = block is not None and _BIGGEST_VPC <= block.prefixlen <= _SMALLEST_SUBNET
    check.require(fits, field, rule, value, fix)
    return block if fits else None


def _check_pair(check: Check, first: IPv4Network, second: IPv4Network) -> None:
    rule = f"must not overlap cidr {str(first)!r}"
    check.require(not first.overlaps(second), "pod_cidr", rule, str(second))
    home = [block for block in _CLOSED_RANGES if first.subnet_of(block)]
    other = [block for block in _CLOSED_RANGES if second.subnet_of(block)]
    allowed = not other or other == home
    rule = f"must be of 100.64.0.0/10 or of the private range of cidr {str(first)!r}"
    check.require(allowed, "pod_cidr", rule, str(second), "try '100.64.0.0/16'")


def _check_room(check: Check, block: IPv4Network, zones: int) -> None:
    need = max(length for length in range(_SMALLEST_SUBNET) if _has_room(length, zones))
    rule = f"must be /{need} or larger for {zones} zones"
    check.require(_has_room(block.prefixlen, zones), "cidr", rule, str(block))


def _has_room(length: int, zones: int) -> bool:
    part = length + _bits(zones + 1)
    public = _public_length(length)
    return part <= min(_SMALLEST_NODE_SUBNET, public) and zones <= 2 ** (public - part)
