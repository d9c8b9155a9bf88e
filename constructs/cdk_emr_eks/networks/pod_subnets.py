"""``PodSubnets``: subnets for pods in a second address block, for custom networking."""

from __future__ import annotations

from aws_cdk import CfnTag
from aws_cdk import aws_ec2 as ec2
from constructs import Construct

from cdk_emr_eks.model.networks.network import NetworkSpec
from cdk_emr_eks.model.networks.zones import Zone


class PodSubnets(Construct):
    """One pod subnet in each zone, with the route table of the zone's node subnet.

    Pods use the same NAT gateway and S3 endpoint as nodes. The subnets have no tags for Karpenter
    or load balancers, which use the node subnets.

    Resources: the VPC's second block, and for each zone a subnet, its route table association,
    and two reservations for prefixes.

    Args:
        vpc: The VPC.
        spec: Its address plan.
        zones: The zones, in order.
        node_subnets: The node subnets, in the order of the zones.

    Attributes:
        subnets: The pod subnets, in the order of the zones.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        vpc: ec2.Vpc,
        spec: NetworkSpec,
        zones: tuple[Zone, ...],
        node_subnets: tuple[ec2.ISubnet, ...],
    ) -> None:
        super().__init__(scope, id)
        vpc_id = vpc.vpc_id
        plan = spec.plan()
        block = ec2.CfnVPCCidrBlock(self, "Block", vpc_id=vpc_id, cidr_block=spec.pod_cidr)
        subnets: list[ec2.ISubnet] = []
        for index, zone in enumerate(zones):
            subnet = ec2.CfnSubnet(
                self,
                zone.key,
                vpc_id=vpc_id,
                availability_zone=zone.name,
                cidr_block=str(plan.pods[index]),
                map_public_ip_on_launch=False,
                tags=[CfnTag(key="Name", value=f"{self.node.path}/{zone.key}")],
            )
            subnet.add_resource_dependency(block)
            subnet_id = subnet.ref
            table = node_subnets[index].route_table.route_table_id
            ec2.CfnSubnetRouteTableAssociation(
                self, f"{zone.key}-routes", subnet_id=subnet_id, route_table_id=table
            )
            for number, reserved in enumerate(plan.reserved[index], 1):
                ec2.CfnSubnetCidrReservation(
                    self,
                    f"{zone.key}-prefixes-{number}",
                    subnet_id=subnet_id,
                    cidr=str(reserved),
                    reservation_type="prefix",
                )
            subnets.append(
                ec2.Subnet.from_subnet_attributes(
                    self,
                    f"{zone.key}-subnet",
                    subnet_id=subnet_id,
                    availability_zone=zone.name,
                    route_table_id=table,
                )
            )
        self.subnets = tuple(subnets)
