"""What CloudFormation calls for each type of resource of EC2."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from cdk_emr_eks.deploy_policy.right import Right, ec2, right

NETWORK_RIGHTS: Final[Mapping[str, tuple[Right, ...]]] = {
    "AWS::EC2::EIP": ec2(
        "AllocateAddress AssociateAddress DisassociateAddress ReleaseAddress DescribeAddresses "
        "CreateTags DeleteTags"
    ),
    "AWS::EC2::FlowLog": (
        *ec2("CreateFlowLogs DeleteFlowLogs DescribeFlowLogs CreateTags DeleteTags DescribeTags"),
        # Log delivery has no resources of its own to name.
        right("logs", "CreateLogDelivery DeleteLogDelivery"),
    ),
    "AWS::EC2::InternetGateway": ec2(
        "CreateInternetGateway DeleteInternetGateway DescribeInternetGateways CreateTags DeleteTags"
    ),
    "AWS::EC2::LaunchTemplate": ec2(
        "CreateLaunchTemplate CreateLaunchTemplateVersion DeleteLaunchTemplate "
        "DescribeLaunchTemplates DescribeLaunchTemplateVersions CreateTags DeleteTags"
    ),
    "AWS::EC2::NatGateway": ec2(
        "CreateNatGateway DeleteNatGateway DescribeNatGateways CreateTags DeleteTags"
    ),
    "AWS::EC2::Route": ec2(
        "CreateRoute DeleteRoute ReplaceRoute DescribeRouteTables DescribeNetworkInterfaces"
    ),
    "AWS::EC2::RouteTable": ec2(
        "CreateRouteTable DeleteRouteTable DescribeRouteTables CreateTags DeleteTags"
    ),
    "AWS::EC2::SecurityGroup": ec2(
        "CreateSecurityGroup DeleteSecurityGroup DescribeSecurityGroups DescribeInstances "
        "AuthorizeSecurityGroupEgress AuthorizeSecurityGroupIngress RevokeSecurityGroupEgress "
        "RevokeSecurityGroupIngress UpdateSecurityGroupRuleDescriptionsEgress "
        "UpdateSecurityGroupRuleDescriptionsIngress CreateTags DeleteTags"
    ),
    "AWS::EC2::SecurityGroupEgress": ec2(
        "AuthorizeSecurityGroupEgress RevokeSecurityGroupEgress DescribeSecurityGroupRules "
        "UpdateSecurityGroupRuleDescriptionsEgress"
    ),
    "AWS::EC2::SecurityGroupIngress": ec2(
        "AuthorizeSecurityGroupIngress RevokeSecurityGroupIngress DescribeSecurityGroupRules "
        "DescribeSecurityGroups UpdateSecurityGroupRuleDescriptionsIngress"
    ),
    "AWS::EC2::Subnet": ec2(
        "CreateSubnet DeleteSubnet ModifySubnetAttribute DescribeSubnets DescribeNetworkAcls "
        "CreateTags DeleteTags"
    ),
    "AWS::EC2::SubnetCidrReservation": ec2(
        "CreateSubnetCidrReservation DeleteSubnetCidrReservation GetSubnetCidrReservations"
    ),
    "AWS::EC2::SubnetRouteTableAssociation": ec2(
        "AssociateRouteTable DisassociateRouteTable ReplaceRouteTableAssociation "
        "DescribeRouteTables DescribeSubnets"
    ),
    "AWS::EC2::VPC": ec2(
        "CreateVpc DeleteVpc ModifyVpcAttribute ModifyVpcTenancy DescribeVpcs DescribeVpcAttribute "
        "DescribeNetworkAcls DescribeSecurityGroups DescribeVpcEncryptionControls CreateTags "
        "DeleteTags"
    ),
    "AWS::EC2::VPCCidrBlock": ec2("AssociateVpcCidrBlock DisassociateVpcCidrBlock DescribeVpcs"),
    "AWS::EC2::VPCEndpoint": ec2(
        "CreateVpcEndpoint DeleteVpcEndpoints ModifyVpcEndpoint DescribeVpcEndpoints "
        "DescribeSecurityGroups DescribeSubnets DescribeVpcs CreateTags DeleteTags"
    ),
    "AWS::EC2::VPCGatewayAttachment": ec2(
        "AttachInternetGateway DetachInternetGateway DescribeInternetGateways "
        # The handler looks for either kind of gateway.
        "DescribeVpnGateways"
    ),
}
"""Rights by type of resource; see ``rights.RIGHTS``."""

ZONE_RIGHTS: Final = ec2("DescribeAccountAttributes DescribeAvailabilityZones DescribeSubnets")
"""What ``Fn::GetAZs`` reads in the deploying role's name.

Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/intrinsic-function-reference-getavailabilityzones.html
"""
