"""What CloudFormation calls for each type of resource that the platform is made of.

One row a type, from the handlers' permissions in CloudFormation's own resource schemas, less what
belongs to features that the platform does not use. A type without a row is an error.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from cdk_emr_eks.deploy_policy.right import Right, ec2, linked, regional, right
from cdk_emr_eks.deploy_policy.rights_endpoints import ENDPOINT_PASSED_TO, ENDPOINT_RIGHTS
from cdk_emr_eks.deploy_policy.rights_identity import IDENTITY_RIGHTS
from cdk_emr_eks.deploy_policy.rights_images import IMAGE_PASSED_TO, IMAGE_RIGHTS
from cdk_emr_eks.deploy_policy.rights_network import NETWORK_RIGHTS
from cdk_emr_eks.deploy_policy.rights_state_machines import (
    STATE_MACHINE_PASSED_TO,
    STATE_MACHINE_RIGHTS,
)
from cdk_emr_eks.deploy_policy.rights_studio import STUDIO_RIGHTS

_CLUSTER: Final = regional("eks", "cluster/{name}")
_EKS_LINKED: Final = "arn:{partition}:iam::{account}:role/aws-service-role/eks*.amazonaws.com/*"
_EMR: Final = "arn:{partition}:emr-containers:{region}:{account}:/"
_EMR_LINKED: Final = "role/{account}/AWSServiceRoleForAmazonEMRContainers/*"
_FUNCTION: Final = regional("lambda", "function:{name}")
_LOG_GROUP: Final = regional("logs", "log-group:{name}")
_TAGS: Final = " TagResource UntagResource"

RIGHTS: Final[Mapping[str, tuple[Right, ...]]] = {
    "AWS::CDK::Metadata": (),
    **NETWORK_RIGHTS,
    **IDENTITY_RIGHTS,
    **STUDIO_RIGHTS,
    **ENDPOINT_RIGHTS,
    **IMAGE_RIGHTS,
    **STATE_MACHINE_RIGHTS,
    "AWS::EKS::AccessEntry": (
        right("eks", "CreateAccessEntry", _CLUSTER, "ClusterName"),
        right(
            "eks",
            "DescribeAccessEntry UpdateAccessEntry DeleteAccessEntry AssociateAccessPolicy "
            "DisassociateAccessPolicy ListAssociatedAccessPolicies" + _TAGS,
            regional("eks", "access-entry/{name}/*"),
            "ClusterName",
        ),
    ),
    "AWS::EKS::Addon": (
        right(
            "eks",
            "CreateAddon CreatePodIdentityAssociation DescribeUpdate",
            _CLUSTER,
            "ClusterName",
        ),
        right(
            "eks",
            "DescribeAddon UpdateAddon DeleteAddon DescribeUpdate" + _TAGS,
            regional("eks", "addon/{name}/*"),
            "ClusterName",
        ),
        right(
            "eks",
            "DeletePodIdentityAssociation UpdatePodIdentityAssociation" + _TAGS,
            regional("eks", "podidentityassociation/{name}/*"),
            "ClusterName",
        ),
        right("iam", "GetRole", "{roles}"),
    ),
    "AWS::EKS::Cluster": (
        right(
            "eks",
            "CreateCluster DescribeCluster DeleteCluster UpdateClusterConfig UpdateClusterVersion "
            "DescribeUpdate CreateAccessEntry" + _TAGS,
            _CLUSTER,
            "Name",
        ),
        *ec2("DescribeSubnets DescribeVpcs"),
        right("iam", "GetRole ListAttachedRolePolicies", "{roles}"),
        linked("eks.amazonaws.com"),
        right("iam", "GetRole", _EKS_LINKED),
        # Encryption of secrets; the key's id is not known before it exists.
        right("kms", "CreateGrant DescribeKey", regional("kms", "key/*")),
    ),
    "AWS::EKS::Nodegroup": (
        right("eks", "CreateNodegroup", _CLUSTER, "ClusterName"),
        right(
            "eks",
            "DescribeNodegroup UpdateNodegroupConfig UpdateNodegroupVersion DeleteNodegroup "
            "DescribeUpdate ListUpdates" + _TAGS,
            regional("eks", "nodegroup/{name}/*"),
            "ClusterName",
        ),
        *ec2(
            "RunInstances CreateTags DeleteTags DescribeKeyPairs DescribeLaunchTemplates "
            "DescribeLaunchTemplateVersions DescribeRouteTables DescribeSecurityGroups "
            "DescribeSubnets DescribeVpcs"
        ),
        right("iam", "GetRole ListAttachedRolePolicies", "{roles}"),
        linked("eks-nodegroup.amazonaws.com"),
        # EKS looks in the deploying role's name whether its own role is there, and fails if it may
        # not: https://github.com/terraform-aws-modules/terraform-aws-eks/issues/823
        right("iam", "GetRole", _EKS_LINKED),
    ),
    "AWS::EKS::PodIdentityAssociation": (
        right("eks", "CreatePodIdentityAssociation", _CLUSTER, "ClusterName"),
        right(
            "eks",
            "DescribePodIdentityAssociation UpdatePodIdentityAssociation "
            "DeletePodIdentityAssociation" + _TAGS,
            regional("eks", "podidentityassociation/{name}/*"),
            "ClusterName",
        ),
        right("iam", "GetRole", "{roles}"),
    ),
    "AWS::EMRContainers::JobTemplate": (
        right("emr-containers", "CreateJobTemplate"),
        right(
            "emr-containers",
            "DescribeJobTemplate DeleteJobTemplate ListTagsForResource" + _TAGS,
            _EMR + "jobtemplates/*",
        ),
    ),
    "AWS::EMRContainers::SecurityConfiguration": (
        right("emr-containers", "CreateSecurityConfiguration"),
        right(
            "emr-containers",
            "DescribeSecurityConfiguration DeleteSecurityConfiguration ListTagsForResource" + _TAGS,
            _EMR + "securityconfigurations/*",
        ),
    ),
    "AWS::EMRContainers::VirtualCluster": (
        right("emr-containers", "CreateVirtualCluster"),
        right(
            "emr-containers",
            "DescribeVirtualCluster DeleteVirtualCluster ListTagsForResource" + _TAGS,
            _EMR + "virtualclusters/*",
        ),
        linked("emr-containers.amazonaws.com"),
        # EMR makes its own access entry, in the name of who makes the virtual cluster.
        right("eks", "CreateAccessEntry", _CLUSTER, "ContainerProvider.Id"),
        right(
            "eks",
            "DescribeAccessEntry DeleteAccessEntry ListAssociatedAccessPolicies",
            regional("eks", "access-entry/{name}/" + _EMR_LINKED),
            "ContainerProvider.Id",
        ),
        right(
            "eks",
            "AssociateAccessPolicy DisassociateAccessPolicy",
            regional("eks", "access-entry/{name}/" + _EMR_LINKED),
            "ContainerProvider.Id",
            {"StringEquals": {"eks:accessScope": "namespace"}},
        ),
    ),
    "AWS::Events::Rule": (
        right(
            "events",
            "PutRule DescribeRule DeleteRule PutTargets RemoveTargets ListTargetsByRule "
            "ListTagsForResource" + _TAGS,
            regional("events", "rule/{name}"),
            "Name",
        ),
    ),
    "AWS::Lambda::Function": (
        right(
            "lambda",
            "CreateFunction DeleteFunction GetFunction GetFunctionCodeSigningConfig "
            "GetFunctionRecursionConfig GetFunctionScalingConfig GetRuntimeManagementConfig "
            "PutRuntimeManagementConfig UpdateFunctionCode UpdateFunctionConfiguration" + _TAGS,
            _FUNCTION,
            "FunctionName",
        ),
        right("lambda", "GetLayerVersion", "{layers}"),
        right("s3", "GetObject GetObjectVersion", "{assets}"),
        *ec2("DescribeNetworkInterfaces DescribeSecurityGroups DescribeSubnets DescribeVpcs"),
    ),
    "AWS::Lambda::LayerVersion": (
        right(
            "lambda",
            "PublishLayerVersion",
            regional("lambda", "layer:{name}"),
            "LayerName",
        ),
        right(
            "lambda",
            "GetLayerVersion DeleteLayerVersion",
            regional("lambda", "layer:{name}:*"),
            "LayerName",
        ),
        right("s3", "GetObject GetObjectVersion", "{assets}"),
    ),
    "AWS::Lambda::Permission": (
        right("lambda", "AddPermission GetPolicy RemovePermission", "{functions}"),
    ),
    "AWS::Logs::LogGroup": (
        right(
            "logs",
            "CreateLogGroup DeleteLogGroup PutRetentionPolicy DeleteRetentionPolicy "
            "AssociateKmsKey DisassociateKmsKey ListTagsForResource DescribeIndexPolicies "
            "GetDataProtectionPolicy" + _TAGS,
            _LOG_GROUP + "*",
            "LogGroupName",
        ),
        # Searches over all names: IAM does not narrow them to one group.
        right("logs", "DescribeLogGroups", regional("logs", "log-group:*")),
        right("logs", "DescribeResourcePolicies"),
    ),
    "AWS::S3::Bucket": (
        right(
            "s3",
            "CreateBucket DeleteBucket ListBucket GetBucketAcl GetBucketCORS GetBucketLogging "
            "GetBucketNotification GetBucketObjectLockConfiguration GetBucketOwnershipControls "
            "GetBucketPublicAccessBlock GetBucketTagging GetBucketVersioning GetBucketWebsite "
            "GetEncryptionConfiguration GetLifecycleConfiguration GetAccelerateConfiguration "
            "GetAnalyticsConfiguration GetIntelligentTieringConfiguration "
            "GetInventoryConfiguration GetMetricsConfiguration GetReplicationConfiguration "
            "PutBucketLogging "
            "PutBucketOwnershipControls PutBucketPublicAccessBlock PutBucketTagging "
            "PutBucketVersioning PutEncryptionConfiguration PutLifecycleConfiguration "
            "GetBucketAbac GetBucketMetadataTableConfiguration ListTagsForResource "
            "TagResource UntagResource",
            "arn:{partition}:s3:::{name}",
            "BucketName",
        ),
    ),
    "AWS::S3::BucketPolicy": (
        right(
            "s3",
            "GetBucketPolicy PutBucketPolicy DeleteBucketPolicy",
            "arn:{partition}:s3:::{name}",
            "Bucket",
        ),
    ),
    "AWS::SQS::Queue": (
        right(
            "sqs",
            "CreateQueue DeleteQueue GetQueueAttributes GetQueueUrl ListQueueTags "
            "SetQueueAttributes TagQueue UntagQueue",
            regional("sqs", "{name}"),
            "QueueName",
        ),
    ),
    "AWS::SQS::QueuePolicy": (right("sqs", "SetQueueAttributes", regional("sqs", "{queues}")),),
    "AWS::SSM::Parameter": (
        right(
            "ssm",
            "PutParameter GetParameters DeleteParameter AddTagsToResource RemoveTagsFromResource "
            "ListTagsForResource",
            regional("ssm", "parameter/{name}"),
            "Name",
        ),
    ),
}
"""Rights by type of resource. Source of the actions:
https://docs.aws.amazon.com/cloudformation-cli/latest/userguide/resource-type-schema.html (handlers)
"""

PASSED_TO: Final[Mapping[str, tuple[tuple[str, str], ...]]] = {
    **ENDPOINT_PASSED_TO,
    **IMAGE_PASSED_TO,
    **STATE_MACHINE_PASSED_TO,
    "AWS::EC2::FlowLog": (("DeliverLogsPermissionArn", "vpc-flow-logs.amazonaws.com"),),
    "AWS::EKS::Addon": (
        ("ServiceAccountRoleArn", "eks.amazonaws.com"),
        ("PodIdentityAssociations", "pods.eks.amazonaws.com"),
    ),
    "AWS::EKS::Cluster": (("RoleArn", "eks.amazonaws.com"),),
    "AWS::EKS::Nodegroup": (("NodeRole", "eks.amazonaws.com"),),
    "AWS::EKS::PodIdentityAssociation": (("RoleArn", "pods.eks.amazonaws.com"),),
    "AWS::EMR::Studio": (
        ("ServiceRole", "elasticmapreduce.amazonaws.com"),
        ("UserRole", "elasticmapreduce.amazonaws.com"),
    ),
    "AWS::Events::Rule": (("RoleArn", "events.amazonaws.com"),),
    "AWS::IAM::InstanceProfile": (("Roles", "ec2.amazonaws.com"),),
    "AWS::Lambda::Function": (("Role", "lambda.amazonaws.com"),),
}
"""Property of each type that passes a role, and the service that gets it."""
