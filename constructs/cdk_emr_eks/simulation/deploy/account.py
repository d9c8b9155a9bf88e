"""Deploy resources of CloudFormation by one call of an AWS API each; a table has the calls.

A row of the table lists the properties that the emulated account gets. The outcome lists the other
properties as ignored. Moto's CloudFormation does not report ignored properties, and does not
support EKS clusters, node groups and virtual clusters.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import jmespath

from cdk_emr_eks.assembly.evaluation import ResourceValues
from cdk_emr_eks.assembly.paths import sequence, text
from cdk_emr_eks.simulation.deploy.model import Deployed, DeployOutcome, Request, physical_name

if TYPE_CHECKING:
    from cdk_emr_eks.simulation.aws import EmulatedAws


@dataclass(frozen=True, kw_only=True, slots=True)
class Row:
    """The API calls that create and delete a resource.

    Args:
        service: Name of the service in boto3.
        create: Method that creates the resource.
        passes: Argument of that method, by property.
        ref: Path of the value of ``Ref`` in the response, or a property, such as ``=Name``.
        delete: Method that deletes the resource.
        by: Arguments of that method: ``ref``, an attribute, or a property, such as ``=Name``.
        attributes: Path of each attribute in the response, by name for ``Fn::GetAtt``.
        tagged: Type of the resource in ``TagSpecifications``; empty if the call takes no tags.
    """

    service: str
    create: str
    passes: Mapping[str, str]
    ref: str
    delete: str
    by: Mapping[str, str]
    attributes: Mapping[str, str] = field(default_factory=dict)
    tagged: str = ""


def _same(*names: str) -> Mapping[str, str]:
    return {name: name for name in names}


ROWS: Final[Mapping[str, Row]] = {
    "AWS::EC2::VPC": Row(
        service="ec2",
        create="create_vpc",
        passes=_same("CidrBlock", "InstanceTenancy"),
        ref="Vpc.VpcId",
        attributes={"VpcId": "Vpc.VpcId", "CidrBlock": "Vpc.CidrBlock"},
        delete="delete_vpc",
        by={"VpcId": "ref"},
        tagged="vpc",
    ),
    "AWS::EC2::VPCCidrBlock": Row(
        service="ec2",
        create="associate_vpc_cidr_block",
        passes=_same("VpcId", "CidrBlock"),
        ref="CidrBlockAssociation.AssociationId",
        delete="disassociate_vpc_cidr_block",
        by={"AssociationId": "ref"},
    ),
    "AWS::EC2::Subnet": Row(
        service="ec2",
        create="create_subnet",
        passes=_same("VpcId", "CidrBlock", "AvailabilityZone"),
        ref="Subnet.SubnetId",
        attributes={
            "SubnetId": "Subnet.SubnetId",
            "VpcId": "Subnet.VpcId",
            "CidrBlock": "Subnet.CidrBlock",
            "AvailabilityZone": "Subnet.AvailabilityZone",
        },
        delete="delete_subnet",
        by={"SubnetId": "ref"},
        tagged="subnet",
    ),
    "AWS::EC2::RouteTable": Row(
        service="ec2",
        create="create_route_table",
        passes=_same("VpcId"),
        ref="RouteTable.RouteTableId",
        attributes={"RouteTableId": "RouteTable.RouteTableId"},
        delete="delete_route_table",
        by={"RouteTableId": "ref"},
        tagged="route-table",
    ),
    "AWS::EC2::SubnetRouteTableAssociation": Row(
        service="ec2",
        create="associate_route_table",
        passes=_same("RouteTableId", "SubnetId"),
        ref="AssociationId",
        attributes={"Id": "AssociationId"},
        delete="disassociate_route_table",
        by={"AssociationId": "ref"},
    ),
    "AWS::EC2::Route": Row(
        service="ec2",
        create="create_route",
        passes=_same(
            "RouteTableId",
            "DestinationCidrBlock",
            "GatewayId",
            "NatGatewayId",
            "TransitGatewayId",
        ),
        ref="=RouteTableId",
        delete="delete_route",
        by={"RouteTableId": "=RouteTableId", "DestinationCidrBlock": "=DestinationCidrBlock"},
    ),
    "AWS::EC2::InternetGateway": Row(
        service="ec2",
        create="create_internet_gateway",
        passes={},
        ref="InternetGateway.InternetGatewayId",
        attributes={"InternetGatewayId": "InternetGateway.InternetGatewayId"},
        delete="delete_internet_gateway",
        by={"InternetGatewayId": "ref"},
        tagged="internet-gateway",
    ),
    "AWS::EC2::VPCGatewayAttachment": Row(
        service="ec2",
        create="attach_internet_gateway",
        passes=_same("InternetGatewayId", "VpcId"),
        ref="=VpcId",
        delete="detach_internet_gateway",
        by={"InternetGatewayId": "=InternetGatewayId", "VpcId": "=VpcId"},
    ),
    "AWS::EC2::EIP": Row(
        service="ec2",
        create="allocate_address",
        passes=_same("Domain"),
        ref="PublicIp",
        attributes={"AllocationId": "AllocationId", "PublicIp": "PublicIp"},
        delete="release_address",
        by={"AllocationId": "AllocationId"},
        tagged="elastic-ip",
    ),
    "AWS::EC2::NatGateway": Row(
        service="ec2",
        create="create_nat_gateway",
        passes=_same("AllocationId", "SubnetId"),
        ref="NatGateway.NatGatewayId",
        attributes={"NatGatewayId": "NatGateway.NatGatewayId"},
        delete="delete_nat_gateway",
        by={"NatGatewayId": "ref"},
        tagged="natgateway",
    ),
    "AWS::EC2::VPCEndpoint": Row(
        service="ec2",
        create="create_vpc_endpoint",
        passes=_same(
            "VpcId",
            "ServiceName",
            "VpcEndpointType",
            "RouteTableIds",
            "SubnetIds",
            "SecurityGroupIds",
            "PrivateDnsEnabled",
        ),
        ref="VpcEndpoint.VpcEndpointId",
        attributes={"Id": "VpcEndpoint.VpcEndpointId"},
        delete="delete_vpc_endpoints",
        by={"VpcEndpointIds": "ref"},
    ),
    "AWS::EC2::LaunchTemplate": Row(
        service="ec2",
        create="create_launch_template",
        passes=_same("LaunchTemplateName", "LaunchTemplateData"),
        ref="LaunchTemplate.LaunchTemplateId",
        attributes={
            "LaunchTemplateId": "LaunchTemplate.LaunchTemplateId",
            "LatestVersionNumber": "LaunchTemplate.LatestVersionNumber",
            "DefaultVersionNumber": "LaunchTemplate.DefaultVersionNumber",
        },
        delete="delete_launch_template",
        by={"LaunchTemplateId": "ref"},
    ),
    "AWS::KMS::Key": Row(
        service="kms",
        create="create_key",
        passes=_same("Description"),
        ref="KeyMetadata.KeyId",
        attributes={"Arn": "KeyMetadata.Arn", "KeyId": "KeyMetadata.KeyId"},
        delete="schedule_key_deletion",
        by={"KeyId": "ref"},
    ),
}


def deploy_row(row: Row, request: Request, aws: EmulatedAws) -> Deployed:
    """Create a resource by the call of its row.

    Raises:
        ClientError: If the emulated account refuses.
    """
    client = aws.client(row.service)
    given = request.properties
    arguments = {row.passes[name]: value for name, value in given.items() if name in row.passes}
    if request.type == "AWS::EC2::LaunchTemplate":
        arguments.setdefault("LaunchTemplateName", physical_name(request, 128))
    if row.tagged and given.get("Tags"):
        specification = {"ResourceType": row.tagged, "Tags": given["Tags"]}
        arguments["TagSpecifications"] = [specification]
    response = getattr(client, row.create)(**arguments)
    attributes = {name: jmespath.search(path, response) for name, path in row.attributes.items()}
    ref = _read(row.ref, given, response)
    by = {}
    for argument, source in row.by.items():
        value = ref if source == "ref" else attributes.get(source, given.get(source[1:]))
        by[argument] = [value] if argument.endswith("Ids") else value

    def undo(_: float) -> tuple[str, ...]:
        getattr(client, row.delete)(**by)
        return ()

    unread = sorted(set(given) - set(row.passes) - {"Tags" if row.tagged else ""})
    return Deployed(
        values=ResourceValues(ref=ref, attributes=attributes),
        outcome=DeployOutcome.EMULATED,
        why=f"ignored: {', '.join(unread)}" if unread else "",
        undo=undo,
    )


def _read(source: str, given: Mapping[str, object], response: object) -> str:
    found = given.get(source[1:]) if source[0] == "=" else jmespath.search(source, response)
    return str(found)


def tags(request: Request) -> dict[str, str]:
    """Return the tags of a resource as a mapping."""
    return {text(tag, "Key"): text(tag, "Value") for tag in sequence(request.properties, "Tags")}
