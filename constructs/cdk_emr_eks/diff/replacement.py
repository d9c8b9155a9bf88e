"""Find the changes that replace a resource, and those that Kubernetes or EMR refuses.

The tables list types that this library uses, and properties whose every change is a replacement.
A replacement for another reason is not reported.

Source of ``REPLACING``: ``createOnlyProperties`` of CloudFormation's resource schemas, 2026-11; a
test compares the table with the schemas that cfn-lint ships.
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
        "AWS::EMR::Studio": (
            "AuthMode EncryptionKeyArn EngineSecurityGroupId IdcInstanceArn IdcUserAssignment "
            "ServiceRole TrustedIdentityPropagationEnabled UserRole VpcId WorkspaceSecurityGroupId"
        ),
        "AWS::EMR::StudioSessionMapping": "IdentityName IdentityType StudioId",
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
        "AWS::S3::Bucket": "BucketName",
        "AWS::ECR::PullThroughCacheRule": (
            "CredentialArn CustomRoleArn EcrRepositoryPrefix UpstreamRegistry UpstreamRegistryUrl "
            "UpstreamRepositoryPrefix"
        ),
        "AWS::ECR::Repository": "RepositoryName EncryptionConfiguration",
        "AWS::CodeBuild::Project": "Name",
        "AWS::CodePipeline::Pipeline": "Name",
        "AWS::SQS::Queue": "FifoQueue QueueName",
        "AWS::Events::Rule": "Name",
        "AWS::Lambda::Function": "FunctionName PackageType",
    }.items()
}

# Fields that the API server does not allow to change, so that the deployment fails.
# Source: ``ValidatePriorityClassUpdate`` and ``ValidateStorageClassUpdate`` in
# https://github.com/kubernetes/kubernetes/tree/v1.36.0/pkg/apis (scheduling and storage), 2026-11.
IMMUTABLE: Final[Mapping[str, frozenset[str]]] = {
    "PriorityClass": frozenset({"value", "preemptionPolicy"}),
    "StorageClass": frozenset(
        {"parameters", "provisioner", "reclaimPolicy", "volumeBindingMode"},
    ),
}
_VIRTUAL_CLUSTER: Final = "AWS::EMRContainers::VirtualCluster"
_PROVIDER: Final = "ContainerProvider"


def replacing(kind: str, old: Mapping[str, object], new: Mapping[str, object]) -> tuple[str, ...]:
    """Return the properties that differ and whose change replaces the resource."""
    return _differing(old, new, REPLACING.get(kind, frozenset()))


def immutable(kind: str, old: Mapping[str, object], new: Mapping[str, object]) -> tuple[str, ...]:
    """Return the fields that differ and whose change makes the deployment fail.

    For a virtual cluster these are all properties that replace it, unless it moves to another
    namespace: EMR accepts one virtual cluster for a namespace, and CloudFormation creates the new
    one first.

    Source: https://docs.aws.amazon.com/emr/latest/EMR-on-EKS-DevelopmentGuide/virtual-cluster.html
    (one to one) and https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/using-cfn-updating-stacks-update-behaviors.html
    (order), 2026-11; "A virtual cluster already exists in the given namespace" is EMR's answer.
    """
    if kind == _VIRTUAL_CLUSTER and old.get(_PROVIDER) == new.get(_PROVIDER):
        return replacing(kind, old, new)
    return _differing(old, new, IMMUTABLE.get(kind, frozenset()))


def _differing(
    old: Mapping[str, object], new: Mapping[str, object], of: frozenset[str]
) -> tuple[str, ...]:
    return tuple(key for key in {**old, **new} if key in of and old.get(key) != new.get(key))
