"""Narrow the actions of CloudFormation's handlers to what an app names and uses.

``handlers.json`` lists the actions for each resource type. The rows below say to which ARNs the
actions are bound, which properties an action is for, and where the published list is too long or
too short. A type without a row keeps its published actions, on the resources of
``grants.default_grant``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from cdk_emr_eks.deploy_policy.grants import (
    ASSETS,
    FUNCTIONS,
    IAM,
    IN_REGION,
    LAYERS,
    ROLES,
    USED_ROLES,
    USER_GROUPS,
    USERS,
    Grant,
    Narrowing,
    cluster,
    linked,
    regional,
    unnamed,
)

_TAGS: Final = "eks:TagResource eks:UntagResource"
_POD_IDENTITY: Final = regional("eks", "podidentityassociation/${ClusterName}/*")
_EMR: Final = "arn:${AWS::Partition}:emr-containers:${AWS::Region}:${AWS::AccountId}:/"
_EMR_ENTRY: Final = regional(
    "eks",
    "access-entry/${ContainerProvider.Id}/role/${AWS::AccountId}/"
    "AWSServiceRoleForAmazonEMRContainers/*",
)
# EKS looks for its own roles in the name of the deploying role, and fails if it may not:
# https://github.com/terraform-aws-modules/terraform-aws-eks/issues/823
_EKS_LINKED: Final = Grant(
    resource=IAM + "role/aws-service-role/eks*.amazonaws.com/*", actions="iam:GetRole"
)
_USED: Final = Grant(resource=USED_ROLES, actions="iam:GetRole iam:ListAttachedRolePolicies")
_STUDIO: Final = regional("elasticmapreduce", "studio/*")
_STUDIO_GUIDE: Final = (
    "https://docs.aws.amazon.com/emr/latest/ManagementGuide/emr-studio-admin-permissions.html"
)
_STUDIO_APPLICATION: Final = (
    "sso:CreateApplication sso:DeleteApplication sso:PutApplicationAssignmentConfiguration "
    "sso:PutApplicationAuthenticationMethod sso:DeleteApplicationAuthenticationMethod "
    "sso:PutApplicationGrant sso:DeleteApplicationGrant sso:PutApplicationAccessScope "
    "sso:DeleteApplicationAccessScope"
)
_ATTACHED: Final = "granted for the policies that the app attaches, see environment.py"

_IDENTITY: Final[Mapping[str, Narrowing]] = {
    "AWS::IAM::Group": Narrowing(
        rest=IAM + "group/${GroupName}", omitted={_ATTACHED: "iam:*tachGroupPolicy"}
    ),
    "AWS::IAM::GroupPolicy": Narrowing(rest=IAM + "group/${GroupName}"),
    "AWS::IAM::InstanceProfile": Narrowing(
        rest=IAM + "instance-profile/${InstanceProfileName}",
        passed_to={"Roles": "ec2.amazonaws.com"},
    ),
    "AWS::IAM::ManagedPolicy": Narrowing(
        rest=IAM + "policy/${ManagedPolicyName}",
        omitted={_ATTACHED: "iam:Attach* iam:Detach*"},
    ),
    "AWS::IAM::OIDCProvider": Narrowing(rest=IAM + "oidc-provider/oidc.eks.${AWS::Region}.*"),
    "AWS::IAM::Policy": Narrowing(
        grants=(
            Grant(resource=ROLES, actions="iam:*RolePolicy"),
            Grant(resource=USERS, actions="iam:*UserPolicy"),
            Grant(resource=USER_GROUPS, actions="iam:*GroupPolicy"),
        ),
        only_with={"Users": "iam:*UserPolicy", "Groups": "iam:*GroupPolicy"},
    ),
    "AWS::IAM::Role": Narrowing(
        rest=IAM + "role/${RoleName}", omitted={_ATTACHED: "iam:*tachRolePolicy"}
    ),
    "AWS::IAM::RolePolicy": Narrowing(rest=IAM + "role/${RoleName}"),
    "AWS::IAM::SAMLProvider": Narrowing(rest=IAM + "saml-provider/${Name}"),
    "AWS::IAM::ServerCertificate": Narrowing(
        rest=IAM + "server-certificate/${ServerCertificateName}"
    ),
    # The ARN holds the service: EMR's, or EC2's for spot instances.
    "AWS::IAM::ServiceLinkedRole": Narrowing(
        rest=IAM + "role/aws-service-role/${AWSServiceName}/*"
    ),
    "AWS::IAM::User": Narrowing(
        rest=IAM + "user/${UserName}",
        grants=(
            # Groups are named by the user.
            Grant(resource=USERS, actions="iam:AddUserToGroup iam:RemoveUserFromGroup"),
            Grant(resource=USER_GROUPS, actions="iam:AddUserToGroup iam:RemoveUserFromGroup"),
        ),
        only_with={"Groups": "iam:AddUserToGroup iam:RemoveUserFromGroup"},
        omitted={_ATTACHED: "iam:*tachUserPolicy"},
    ),
    "AWS::IAM::UserPolicy": Narrowing(rest=IAM + "user/${UserName}"),
    "AWS::IAM::VirtualMFADevice": Narrowing(rest=IAM + "mfa/${VirtualMfaDeviceName}"),
    # An alias is changed with rights on itself and on its key.
    "AWS::KMS::Alias": Narrowing(
        grants=(
            Grant(
                resource=regional("kms", "${AliasName}"),
                actions="kms:CreateAlias kms:DeleteAlias kms:UpdateAlias",
            ),
            Grant(
                resource=regional("kms", "key/*"),
                actions="kms:CreateAlias kms:DeleteAlias kms:UpdateAlias",
            ),
            unnamed("kms:ListAliases"),
        ),
    ),
    "AWS::KMS::Key": Narrowing(
        grants=(unnamed("kms:CreateKey"),),
    ),
}

_NETWORK: Final[Mapping[str, Narrowing]] = {
    "AWS::EC2::EIP": Narrowing(only_with={"TransferAddress": "ec2:AcceptAddressTransfer"}),
    "AWS::EC2::FlowLog": Narrowing(
        only_with={"LogDestination": "s3:* iam:CreateServiceLinkedRole autoscaling:*"},
        passed_to={"DeliverLogsPermissionArn": "vpc-flow-logs.amazonaws.com"},
    ),
    "AWS::EC2::LaunchTemplate": Narrowing(
        added={"the handler reads versions": "ec2:DescribeLaunchTemplateVersions"}
    ),
    "AWS::EC2::NatGateway": Narrowing(
        only_with={
            "SecondaryAllocationIds SecondaryPrivateIpAddresses SecondaryPrivateIpAddressCount "
            "AvailabilityZoneAddresses": "ec2:*NatGatewayAddress"
        }
    ),
    "AWS::EC2::Subnet": Narrowing(
        only_with={"Ipv6CidrBlock Ipv6IpamPoolId Ipv6Native": "ec2:*sociateSubnetCidrBlock"}
    ),
    "AWS::EC2::SubnetCidrReservation": Narrowing(),
    "AWS::EC2::VPC": Narrowing(
        only_with={"VpcEncryptionControl": "ec2:CreateVpcEncryptionControl"}
    ),
    "AWS::EC2::VPCCidrBlock": Narrowing(
        only_with={"Ipv4IpamPoolId Ipv6IpamPoolId": "ec2:AllocateIpamPoolCidr"}
    ),
    "AWS::EC2::VPCEndpoint": Narrowing(
        only_with={"ServiceNetworkArn": "vpc-lattice:*", "ServiceRegion": "vpce:AllowMultiRegion"}
    ),
    "AWS::EC2::VPCGatewayAttachment": Narrowing(
        only_with={"VpnGatewayId": "ec2:AttachVpnGateway ec2:DetachVpnGateway"}
    ),
}

_EKS: Final[Mapping[str, Narrowing]] = {
    "AWS::EKS::AccessEntry": Narrowing(
        grants=(cluster("ClusterName", "eks:CreateAccessEntry"),),
        rest=regional("eks", "access-entry/${ClusterName}/*"),
    ),
    "AWS::EKS::Addon": Narrowing(
        grants=(
            cluster(
                "ClusterName",
                "eks:CreateAddon eks:CreatePodIdentityAssociation eks:DescribeUpdate",
            ),
            Grant(
                resource=_POD_IDENTITY,
                actions="eks:DeletePodIdentityAssociation eks:UpdatePodIdentityAssociation "
                + _TAGS,
            ),
            Grant(
                resource=regional("eks", "addon/${ClusterName}/*"),
                actions="eks:DescribeUpdate " + _TAGS,
            ),
        ),
        rest=regional("eks", "addon/${ClusterName}/*"),
        passed_to={
            "ServiceAccountRoleArn": "eks.amazonaws.com",
            "PodIdentityAssociations": "pods.eks.amazonaws.com",
        },
    ),
    "AWS::EKS::Cluster": Narrowing(
        grants=(
            linked("eks.amazonaws.com"),
            _EKS_LINKED,
            _USED,
            Grant(resource=IAM + "instance-profile/eks-*", actions="iam:*InstanceProfile"),
        ),
        rest=regional("eks", "cluster/${Name}"),
        only_with={
            # The profile of Auto Mode's nodes; it has none without a role.
            "ComputeConfig.NodeRoleArn": "iam:*InstanceProfile",
            "ActiveCertificateAuthorityId CertificateAuthority": "eks:ActivateCertificateAuthority",
        },
        passed_to={
            "RoleArn": "eks.amazonaws.com",
            "ComputeConfig.NodeRoleArn": "eks.amazonaws.com",
        },
    ),
    "AWS::EKS::Nodegroup": Narrowing(
        grants=(
            cluster("ClusterName", "eks:CreateNodegroup"),
            linked("eks-nodegroup.amazonaws.com"),
            _EKS_LINKED,
            _USED,
        ),
        rest=regional("eks", "nodegroup/${ClusterName}/*"),
        passed_to={"NodeRole": "eks.amazonaws.com"},
    ),
    "AWS::EKS::PodIdentityAssociation": Narrowing(
        grants=(cluster("ClusterName", "eks:CreatePodIdentityAssociation"),),
        rest=_POD_IDENTITY,
        passed_to={"RoleArn": "pods.eks.amazonaws.com"},
    ),
}

_EMR_TYPES: Final[Mapping[str, Narrowing]] = {
    "AWS::EMR::Studio": Narrowing(
        grants=(unnamed("elasticmapreduce:CreateStudio"),),
        rest=_STUDIO,
        # A Studio is an application of Identity Center, which chooses the ARN.
        only_with={"IdcInstanceArn": "sso:*"},
        added={_STUDIO_GUIDE: _STUDIO_APPLICATION},
        passed_to={
            "ServiceRole": "elasticmapreduce.amazonaws.com",
            "UserRole": "elasticmapreduce.amazonaws.com",
        },
    ),
    "AWS::EMR::StudioSessionMapping": Narrowing(
        rest=_STUDIO,
        omitted={
            "granted for the Studio": _STUDIO_APPLICATION,
            "people come from the identity source": "sso-directory:Create*",
        },
        added={
            _STUDIO_GUIDE: "organizations:DescribeOrganization "
            "organizations:ListDelegatedAdministrators sso:DescribeRegisteredRegions "
            "sso:GetSharedSsoConfiguration"
        },
    ),
    # EMR creates a security group for the endpoint's load balancer, and opens that of the nodes to
    # it, in the name of who creates the endpoint; and reverts both on deletion.
    # Source: https://docs.aws.amazon.com/emr/latest/EMR-on-EKS-DevelopmentGuide/prereqs-for-studio.html
    "AWS::EMRContainers::Endpoint": Narrowing(
        grants=(
            Grant(
                resource=regional("emr-containers", "/virtualclusters/*"),
                actions="emr-containers:CreateManagedEndpoint",
            ),
        ),
        rest=regional("emr-containers", "/virtualclusters/*/endpoints/*"),
        omitted={"EC2 has no such action": "ec2:DescribeSecurityGroup"},
        added={"the schema leaves out the last letter": "ec2:DescribeSecurityGroups"},
        # The guide of Spark Connect names the one, the Service Authorization Reference the other.
        passed_to={"ExecutionRoleArn": "emr-containers.amazonaws.com pods.eks.amazonaws.com"},
    ),
    "AWS::EMRContainers::JobTemplate": Narrowing(
        grants=(unnamed("emr-containers:CreateJobTemplate"),),
        rest=_EMR + "jobtemplates/*",
        added={"tags are removed, too": "emr-containers:UntagResource"},
    ),
    "AWS::EMRContainers::SecurityConfiguration": Narrowing(
        grants=(unnamed("emr-containers:CreateSecurityConfiguration"),),
        rest=_EMR + "securityconfigurations/*",
    ),
    "AWS::EMRContainers::VirtualCluster": Narrowing(
        grants=(
            unnamed("emr-containers:CreateVirtualCluster"),
            linked("emr-containers.amazonaws.com"),
            cluster("ContainerProvider.Id", "eks:CreateAccessEntry"),
            Grant(
                resource=_EMR_ENTRY,
                actions="eks:DescribeAccessEntry eks:DeleteAccessEntry "
                "eks:ListAssociatedAccessPolicies",
            ),
            Grant(
                resource=_EMR_ENTRY,
                actions="eks:AssociateAccessPolicy eks:DisassociateAccessPolicy",
                condition={"StringEquals": {"eks:accessScope": "namespace"}},
            ),
        ),
        rest=_EMR + "virtualclusters/*",
        added={
            # EMR creates an access entry in the name of who creates the virtual cluster.
            # Source: https://docs.aws.amazon.com/emr/latest/EMR-on-EKS-DevelopmentGuide/setting-up-iam.html
            "EMR's own access entry": "eks:CreateAccessEntry eks:DescribeAccessEntry "
            "eks:DeleteAccessEntry eks:ListAssociatedAccessPolicies eks:AssociateAccessPolicy "
            "eks:DisassociateAccessPolicy"
        },
    ),
}

_IMAGES: Final[Mapping[str, Narrowing]] = {
    "AWS::CodeBuild::Project": Narrowing(
        rest=regional("codebuild", "project/${Name}"),
        # Source: https://docs.aws.amazon.com/codebuild/latest/userguide/auth-and-access-control-permissions-reference.html
        added={
            "CloudFormation publishes no handlers": "codebuild:BatchGetProjects "
            "codebuild:CreateProject codebuild:DeleteProject codebuild:UpdateProject"
        },
        passed_to={"ServiceRole": "codebuild.amazonaws.com"},
    ),
    "AWS::CodePipeline::Pipeline": Narrowing(
        rest=regional("codepipeline", "${Name}"),
        only_with={"DisableInboundStageTransitions": "codepipeline:*ableStageTransition"},
        omitted={"the sources are no code repositories": "codestar-connections:PassConnection"},
        passed_to={"RoleArn": "codepipeline.amazonaws.com"},
    ),
    # ECR does not narrow rules to a prefix. The rule's service-linked role is ECR's own.
    "AWS::ECR::PullThroughCacheRule": Narrowing(
        grants=(linked("pullthroughcache.ecr.amazonaws.com"),),
        only_with={"CredentialArn": "secretsmanager:GetSecretValue"},
    ),
    "AWS::ECR::Repository": Narrowing(rest=regional("ecr", "repository/${RepositoryName}")),
}

_SERVICES: Final[Mapping[str, Narrowing]] = {
    # CloudFormation names nested stacks after their parent, and deploys them with its role.
    "AWS::CloudFormation::Stack": Narrowing(
        rest=regional("cloudformation", "stack/${StackName}/*"),
        grants=(
            Grant(
                resource=IAM + "role/cdk-*-cfn-exec-role-${AWS::AccountId}-${AWS::Region}",
                actions="iam:PassRole",
                condition={"StringEquals": {"iam:PassedToService": "cloudformation.amazonaws.com"}},
            ),
            Grant(resource=ASSETS, actions="s3:GetObject"),
        ),
        added={"the template of a nested stack is an asset": "s3:GetObject"},
    ),
    "AWS::Events::Rule": Narrowing(
        rest=regional("events", "rule/${Name}"), passed_to={"RoleArn": "events.amazonaws.com"}
    ),
    "AWS::Lambda::Function": Narrowing(
        grants=(
            Grant(resource=LAYERS, actions="lambda:GetLayerVersion"),
            Grant(resource=ASSETS, actions="s3:GetObject s3:GetObjectVersion"),
        ),
        rest=regional("lambda", "function:${FunctionName}"),
        only_with={
            "FileSystemConfigs": "elasticfilesystem:* s3files:*",
            "KmsKeyArn": "kms:*",
            "CodeSigningConfigArn": "lambda:GetCodeSigningConfig "
            "lambda:PutFunctionCodeSigningConfig lambda:DeleteFunctionCodeSigningConfig",
            "ReservedConcurrentExecutions": "lambda:*FunctionConcurrency",
            "CapacityProviderConfig": "lambda:PassCapacityProvider",
            "PublishToLatestPublished CapacityProviderConfig": "lambda:PublishVersion",
            "RecursiveLoop": "lambda:PutFunctionRecursionConfig",
            "FunctionScalingConfig": "lambda:PutFunctionScalingConfig",
        },
        omitted={"Lambda has no such action": "lambda:AssociateRuntimeAlias"},
        passed_to={"Role": "lambda.amazonaws.com"},
    ),
    "AWS::Lambda::LayerVersion": Narrowing(
        grants=(
            Grant(
                resource=regional("lambda", "layer:${LayerName}"),
                actions="lambda:PublishLayerVersion",
            ),
            Grant(resource=ASSETS, actions="s3:*"),
        ),
        rest=regional("lambda", "layer:${LayerName}:*"),
    ),
    "AWS::Lambda::Permission": Narrowing(grants=(Grant(resource=FUNCTIONS, actions="lambda:*"),)),
    "AWS::Logs::LogGroup": Narrowing(
        grants=(
            # IAM does not narrow these searches to one log group.
            Grant(resource=regional("logs", "log-group:*"), actions="logs:DescribeLogGroups"),
            unnamed("logs:DescribeResourcePolicies"),
        ),
        rest=regional("logs", "log-group:${LogGroupName}*"),
        only_with={
            "DataProtectionPolicy": "logs:PutDataProtectionPolicy "
            "logs:DeleteDataProtectionPolicy logs:CreateLogDelivery firehose:*",
            "FieldIndexPolicies": "logs:PutIndexPolicy logs:DeleteIndexPolicy",
            "ResourcePolicyDocument": "logs:PutResourcePolicy logs:DeleteResourcePolicy",
            "BearerTokenAuthenticationEnabled": "logs:PutBearerTokenAuthentication",
            "DeletionProtectionEnabled": "logs:PutLogGroupDeletionProtection",
        },
    ),
    "AWS::S3::Bucket": Narrowing(
        rest="arn:${AWS::Partition}:s3:::${BucketName}",
        only_with={
            "AbacStatus": "s3:PutBucketAbac",
            "AccelerateConfiguration": "s3:PutAccelerateConfiguration",
            "AccessControl": "s3:PutBucketAcl",
            "AnalyticsConfigurations": "s3:PutAnalyticsConfiguration",
            "CorsConfiguration": "s3:PutBucketCORS",
            "IntelligentTieringConfigurations": "s3:PutIntelligentTieringConfiguration",
            "InventoryConfigurations": "s3:PutInventoryConfiguration",
            "MetricsConfigurations": "s3:PutMetricsConfiguration",
            "NotificationConfiguration": "s3:PutBucketNotification",
            "ObjectLockConfiguration ObjectLockEnabled": "s3:PutBucketObjectLockConfiguration",
            "ReplicationConfiguration": "s3:PutReplicationConfiguration",
            "WebsiteConfiguration": "s3:PutBucketWebsite s3:DeleteBucketWebsite",
            "MetadataConfiguration MetadataTableConfiguration": "s3:CreateBucketMetadata* "
            "s3:DeleteBucketMetadata* s3:UpdateBucketMetadata* s3tables:*",
        },
        omitted={
            "S3 has no such action": "s3:DeleteBucketAnalyticsConfiguration s3:DeleteBucketCors "
            "s3:DeleteBucketEncryption s3:DeleteBucketLifecycle s3:DeleteBucketReplication "
            "s3:DeleteBucketMetricsConfiguration s3:PutBucketReplication "
            "s3:PutObjectLockConfiguration",
            "a stack changes no objects": "s3:DeleteObject s3:PutObjectAcl",
        },
    ),
    "AWS::S3::BucketPolicy": Narrowing(rest="arn:${AWS::Partition}:s3:::${Bucket}"),
    # Without a name, the policy would allow reading every secret of the account.
    "AWS::SecretsManager::Secret": Narrowing(
        grants=(unnamed("secretsmanager:GetRandomPassword"),),
        rest=regional("secretsmanager", "secret:${Name}-*"),
    ),
    "AWS::SQS::Queue": Narrowing(rest=regional("sqs", "${QueueName}")),
    # A policy names its queues by URL; their names are generated, or begin with the stack's.
    "AWS::SQS::QueuePolicy": Narrowing(rest=regional("sqs", "${QueueName}")),
    "AWS::SSM::Parameter": Narrowing(rest=regional("ssm", "parameter/${Name}")),
    "AWS::StepFunctions::StateMachine": Narrowing(
        rest=regional("states", "stateMachine:${StateMachineName}"),
        only_with={"EncryptionConfiguration": "kms:*", "DefinitionS3Location": "s3:*"},
        passed_to={"RoleArn": "states.amazonaws.com"},
    ),
}

# Types that need no rights: CloudFormation handles them alone.
WITHOUT_RIGHTS: Final = frozenset(
    {
        "AWS::CDK::Metadata",
        "AWS::CloudFormation::WaitCondition",
        "AWS::CloudFormation::WaitConditionHandle",
    }
)
NARROWINGS: Final[Mapping[str, Narrowing]] = {
    **_EKS,
    **_EMR_TYPES,
    **_IDENTITY,
    **_IMAGES,
    **_NETWORK,
    **_SERVICES,
}

# Rights of a stack that calls `Fn::GetAZs`, which reads in the name of the deploying role.
# Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/intrinsic-function-reference-getavailabilityzones.html
ZONES: Final = Grant(
    resource="*",
    actions="ec2:DescribeAccountAttributes ec2:DescribeAvailabilityZones ec2:DescribeSubnets",
    condition=IN_REGION,
)
