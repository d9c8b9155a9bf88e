"""Work out the addresses for pods in each zone from the subnets of an assembly."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from ipaddress import IPv4Network
from typing import Final

from cdk_emr_eks.assembly.paths import at, sequence
from cdk_emr_eks.assembly.reader import Assembly
from cdk_emr_eks.assembly.references import names
from cdk_emr_eks.assembly.stack import Stack
from cdk_emr_eks.model.instances.instances import MAX_PODS
from cdk_emr_eks.plan.model import ZonePlan

# Addresses of a /28, which the VPC CNI takes as a whole with prefix delegation.
# Source: https://docs.aws.amazon.com/eks/latest/userguide/cni-increase-ip-addresses.html, 2026-11.
_PREFIX: Final = 16
# Prefixes of a full node: those that its pods use, and one that the VPC CNI keeps warm.
_NODE_PREFIXES: Final = -(-MAX_PODS // _PREFIX) + 1
# Addresses of each subnet that AWS reserves: the first four and the last.
# Source: https://docs.aws.amazon.com/vpc/latest/userguide/subnet-sizing.html, 2026-11.
_EC2_ADDRESSES: Final = 5
# RFC 6598: addresses for pods in a VPC whose own range is too small for them.
_SHARED_SPACE: Final = IPv4Network("100.64.0.0/10")


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
        # Without a reservation, the addresses that EC2 reserves are in the first and last block.
        return self.reserved // _PREFIX or max(self.network.num_addresses // _PREFIX - 2, 0)


def zone_plans(assembly: Assembly) -> tuple[ZonePlan, ...]:
    """Return the pod addresses of each zone of the subnets that the stacks declare.

    Subnets with reservations for prefixes, or in 100.64.0.0/10, are for pods only; in a VPC without
    such subnets, pods share the private subnets with nodes. Subnets of an existing VPC are not in a
    template, so the plan does not show them.
    """
    clusters = _clusters(assembly)
    return tuple(plan for stack in assembly.stacks for plan in _of_stack(stack, assembly, clusters))


def _of_stack(
    stack: Stack, assembly: Assembly, clusters: Mapping[str, list[str]]
) -> Iterator[ZonePlan]:
    vpcs: dict[str, list[_Subnet]] = defaultdict(list)
    for vpc, subnet in _subnets(stack, assembly):
        vpcs[vpc].append(subnet)
    for vpc, subnets in vpcs.items():
        nodes: dict[str, list[_Subnet]] = defaultdict(list)
        pods: dict[str, list[_Subnet]] = defaultdict(list)
        for subnet in subnets:
            (pods if subnet.for_pods else nodes)[subnet.zone].append(subnet)
        for zone, of_zone in sorted((pods or dict(nodes)).items()):
            plan = _zone(stack.name, zone, of_zone, nodes[zone])
            yield replace(plan, clusters=tuple(clusters.get(vpc, ())))


def _clusters(assembly: Assembly) -> Mapping[str, list[str]]:
    """Return the keys of the clusters in each VPC."""
    found: dict[str, list[str]] = defaultdict(list)
    for stack in assembly.stacks:
        for logical_id, properties in stack.resources("AWS::EKS::Cluster"):
            subnets = at(properties, "ResourcesVpcConfig", "SubnetIds")
            vpcs = {
                _vpc(subnet.stack, at(subnet.resource, "Properties"), assembly)
                for subnet in assembly.targets(stack, subnets)
            }
            for vpc in vpcs:
                found[vpc].append(f"{stack.name}/{logical_id}")
    return found


def _vpc(stack: Stack, subnet: object, assembly: Assembly) -> str:
    """Return the text that identifies the VPC of a subnet."""
    value = at(subnet, "VpcId")
    targets = ("/".join(target.key) for target in assembly.targets(stack, value))
    return next(targets, stack.text(value))


def _zone(stack: str, zone: str, subnets: list[_Subnet], of_nodes: list[_Subnet]) -> ZonePlan:
    nodes = sum(subnet.prefixes for subnet in subnets) // _NODE_PREFIXES
    if of_nodes:
        # Each node has its own address, too.
        nodes = min(nodes, sum(subnet.addresses for subnet in of_nodes))
    return ZonePlan(
        stack=stack,
        clusters=(),
        zone=zone,
        subnets=tuple(str(subnet.network) for subnet in subnets),
        addresses=sum(subnet.addresses for subnet in subnets),
        pods=nodes * MAX_PODS,
        nodes=nodes,
    )


def _subnets(stack: Stack, assembly: Assembly) -> Iterator[tuple[str, _Subnet]]:
    """Yield VPC and subnet for the private subnets whose block is known."""
    reserved: dict[str, int] = defaultdict(int)
    for _, properties in stack.resources("AWS::EC2::SubnetCidrReservation"):
        block = _network(stack, properties.get("Cidr"))
        if block and properties.get("ReservationType") == "prefix":
            for logical_id in names(properties.get("SubnetId")):
                reserved[logical_id] += block.num_addresses
    for logical_id, properties in stack.resources("AWS::EC2::Subnet"):
        block = _network(stack, properties.get("CidrBlock"))
        if block and not _is_public(properties):
            zone = stack.text(properties.get("AvailabilityZone"))
            yield _vpc(stack, properties, assembly), _Subnet(zone, block, reserved[logical_id])


def _network(stack: Stack, value: object) -> IPv4Network | None:
    try:
        return IPv4Network(stack.text(value))
    except ValueError:
        return None  # only a deployment knows the block, for example of an address pool


def _is_public(properties: Mapping[str, object]) -> bool:
    tags = {at(tag, "Key"): at(tag, "Value") for tag in sequence(properties, "Tags")}
    public = tags.get("aws-cdk:subnet-type") == "Public"
    return public or properties.get("MapPublicIpOnLaunch") is True
