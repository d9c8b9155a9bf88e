"""Addresses that pods can have in each zone, from the subnets of an assembly."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from ipaddress import IPv4Network
from typing import Final

from cdk_emr_eks.model.instances.instances import MAX_PODS
from cdk_emr_eks.plan.assembly import StackFile
from cdk_emr_eks.plan.intrinsics import intrinsic, mapping, sequence
from cdk_emr_eks.plan.model import ZonePlan

_PREFIX: Final = 16
"""Addresses of a /28, which the VPC CNI takes as a whole with prefix delegation.

Source: https://docs.aws.amazon.com/eks/latest/userguide/cni-increase-ip-addresses.html, 2026-11.
"""
_NODE_PREFIXES: Final = -(-MAX_PODS // _PREFIX) + 1
"""Prefixes of a full node: those its pods use, and one that the VPC CNI keeps warm."""
_EC2_ADDRESSES: Final = 5
"""Addresses of each subnet that AWS keeps: the first four and the last.

Source: https://docs.aws.amazon.com/vpc/latest/userguide/subnet-sizing.html, 2026-11.
"""
_SHARED_SPACE: Final = IPv4Network("100.64.0.0/10")
# RFC 6598: what pods are given where the VPC's own range is too dear for them.


@dataclass(frozen=True, slots=True)
class _Subnet:
    zone: str
    network: IPv4Network
    reserved: int
    """Addresses reserved for prefixes."""

    @property
    def for_pods(self) -> bool:
        return self.reserved > 0 or self.network.subnet_of(_SHARED_SPACE)

    @property
    def addresses(self) -> int:
        return max(self.network.num_addresses - _EC2_ADDRESSES, 0)

    @property
    def prefixes(self) -> int:
        # Without a reservation, EC2's own addresses make the first and the last block unusable.
        return self.reserved // _PREFIX or max(self.network.num_addresses // _PREFIX - 2, 0)


def zone_plans(stacks: Iterable[StackFile]) -> tuple[ZonePlan, ...]:
    """Return the pod addresses of each zone of the subnets that the stacks make.

    Subnets with reservations for prefixes, or in 100.64.0.0/10, are the pods' own; where a stack
    has none, pods share the private subnets with nodes. An existing VPC's subnets are not in a
    template, so nothing is said of them.
    """
    return tuple(plan for stack in stacks for plan in _of_stack(stack))


def _of_stack(stack: StackFile) -> list[ZonePlan]:
    nodes: dict[str, list[_Subnet]] = defaultdict(list)
    pods: dict[str, list[_Subnet]] = defaultdict(list)
    for subnet in _subnets(stack):
        (pods if subnet.for_pods else nodes)[subnet.zone].append(subnet)
    return [
        _zone(stack.name, zone, subnets, nodes[zone])
        for zone, subnets in sorted((pods or dict(nodes)).items())
    ]


def _zone(stack: str, zone: str, subnets: list[_Subnet], of_nodes: list[_Subnet]) -> ZonePlan:
    nodes = sum(subnet.prefixes for subnet in subnets) // _NODE_PREFIXES
    if of_nodes:
        # Each node has an address of its own, too.
        nodes = min(nodes, sum(subnet.addresses for subnet in of_nodes))
    return ZonePlan(
        stack=stack,
        zone=zone,
        subnets=tuple(str(subnet.network) for subnet in subnets),
        addresses=sum(subnet.addresses for subnet in subnets),
        pods=nodes * MAX_PODS,
        nodes=nodes,
    )


def _subnets(stack: StackFile) -> Iterable[_Subnet]:
    """Yield the private subnets whose block is known."""
    reserved: dict[str, int] = defaultdict(int)
    for _, properties in stack.resources("AWS::EC2::SubnetCidrReservation"):
        function = intrinsic(properties.get("SubnetId"))
        block = _network(stack, properties.get("Cidr"))
        if function and block and properties.get("ReservationType") == "prefix":
            reserved[str(function[1])] += block.num_addresses
    for logical_id, properties in stack.resources("AWS::EC2::Subnet"):
        block = _network(stack, properties.get("CidrBlock"))
        if block and not _is_public(properties):
            zone = stack.intrinsics.text(properties.get("AvailabilityZone"))
            yield _Subnet(zone, block, reserved[logical_id])


def _network(stack: StackFile, value: object) -> IPv4Network | None:
    try:
        return IPv4Network(stack.intrinsics.text(value))
    except ValueError:
        return None  # a block that only a deployment knows, such as one from an address pool


def _is_public(properties: Mapping[str, object]) -> bool:
    tags = {
        mapping(t).get("Key"): mapping(t).get("Value") for t in sequence(properties.get("Tags"))
    }
    public = tags.get("aws-cdk:subnet-type") == "Public"
    return public or properties.get("MapPublicIpOnLaunch") is True
