"""Which changes of a property make CloudFormation delete the resource and make another.

Only types of this library are listed, and only properties whose every change is a replacement; of
all else nothing is claimed.

Source: ``createOnlyProperties`` of CloudFormation's resource schemas, 2026-11; a test compares the
table with the schemas that cfn-lint ships.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

REPLACING: Final[Mapping[str, frozenset[str]]] = {
    kind: frozenset(properties.split())
    for kind, properties in {
        "AWS::EMRContainers::VirtualCluster": (
            "ContainerProvider Name SecurityConfigurationId SessionEnabled"
        ),
        "AWS::EMRContainers::JobTemplate": "Name JobTemplateData Tags",
        "AWS::EMRContainers::SecurityConfiguration": (
            "SecurityConfigurationData Name ContainerProvider"
        ),
        "AWS::EMRContainers::Endpoint": (
            "Name VirtualClusterId Type ReleaseLabel ExecutionRoleArn ConfigurationOverrides "
            "SessionIdleTimeoutInMinutes"
        ),
        "AWS::EKS::Cluster": "EncryptionConfig Name RoleArn BootstrapSelfManagedAddons",
        "AWS::EKS::Addon": "ClusterName AddonName NamespaceConfig",
        "AWS::EKS::AccessEntry": "PrincipalArn ClusterName Type",
        "AWS::EKS::PodIdentityAssociation": "ClusterName Namespace ServiceAccount",
        "AWS::EKS::Nodegroup": (
            "CapacityType NodegroupName NodeRole ClusterName InstanceTypes DiskSize AmiType Subnets"
        ),
        "AWS::IAM::Role": "Path RoleName",
        "AWS::IAM::ManagedPolicy": "ManagedPolicyName Description Path",
        "AWS::IAM::OIDCProvider": "Url",
        "AWS::EC2::VPC": "CidrBlock",
        "AWS::EC2::Subnet": "VpcId AvailabilityZone CidrBlock",
        "AWS::EC2::VPCCidrBlock": "VpcId CidrBlock",
        "AWS::EC2::SecurityGroup": "GroupDescription GroupName VpcId",
        "AWS::Logs::LogGroup": "LogGroupName",
        "AWS::SQS::Queue": "FifoQueue QueueName",
        "AWS::Events::Rule": "Name",
        "AWS::Lambda::Function": "FunctionName PackageType",
    }.items()
}
