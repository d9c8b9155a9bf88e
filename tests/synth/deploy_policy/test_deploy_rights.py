"""The rights of the deploy policy are what CloudFormation's handlers ask for, type by type."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from policy_sentry.querying.actions import get_actions_for_service

from cdk_emr_eks.deploy_policy.rights import PASSED_TO, RIGHTS

DATA = Path(__file__).parents[2] / "data" / "cloudformation_permissions.json"
HANDLERS: dict[str, dict[str, list[str]]] = json.loads(DATA.read_text())["types"]

# Rights that a handler asks for and the platform does not give: the features they belong to.
UNUSED = {
    "AWS::StepFunctions::StateMachine": {
        **dict.fromkeys(
            ("kms:Decrypt", "kms:DescribeKey", "kms:GenerateDataKey"), "Step Functions' own key"
        ),
        **dict.fromkeys(("s3:GetObject", "s3:GetObjectVersion"), "definitions are in the template"),
    },
    "AWS::CodePipeline::Pipeline": {
        "codepipeline:DisableStageTransition": "stages that are held back",
        "codepipeline:EnableStageTransition": "stages that are held back",
        "codestar-connections:PassConnection": "sources in repositories of code",
    },
    "AWS::EC2::EIP": {"ec2:AcceptAddressTransfer": "transfer between accounts"},
    "AWS::EC2::FlowLog": {
        "autoscaling:DescribeTags": "flow logs of scaling groups",
        "iam:CreateServiceLinkedRole": "delivery to Firehose",
        "s3:GetBucketPolicy": "delivery to S3",
        "s3:PutBucketPolicy": "delivery to S3",
    },
    "AWS::EC2::NatGateway": {
        f"ec2:{verb}": "secondary addresses"
        for verb in (
            "AssignPrivateNatGatewayAddress",
            "AssociateNatGatewayAddress",
            "DisassociateNatGatewayAddress",
            "UnassignPrivateNatGatewayAddress",
        )
    },
    "AWS::EC2::Subnet": {
        "ec2:AssociateSubnetCidrBlock": "IPv6",
        "ec2:DisassociateSubnetCidrBlock": "IPv6",
    },
    "AWS::EC2::VPC": {"ec2:CreateVpcEncryptionControl": "encryption control"},
    "AWS::EC2::VPCCidrBlock": {"ec2:AllocateIpamPoolCidr": "IPAM"},
    "AWS::EC2::VPCEndpoint": {
        "vpc-lattice:CreateServiceNetworkVpcEndpointAssociation": "VPC Lattice",
        "vpc-lattice:DescribeServiceNetworkVpcEndpointAssociation": "VPC Lattice",
        "vpce:AllowMultiRegion": "endpoints to other regions",
    },
    "AWS::EC2::VPCGatewayAttachment": {
        "ec2:AttachVpnGateway": "VPN",
        "ec2:DetachVpnGateway": "VPN",
    },
    "AWS::ECR::PullThroughCacheRule": {
        "secretsmanager:GetSecretValue": "registries that one signs in to"
    },
    "AWS::EKS::Cluster": {
        "eks:ActivateCertificateAuthority": "rotation of the certificate authority",
        **{
            f"iam:{verb}": "Auto Mode"
            for verb in (
                "AddRoleToInstanceProfile",
                "CreateInstanceProfile",
                "DeleteInstanceProfile",
                "GetInstanceProfile",
                "RemoveRoleFromInstanceProfile",
                "TagInstanceProfile",
            )
        },
    },
    "AWS::EMRContainers::Endpoint": {
        "ec2:DescribeSecurityGroup": "no action of EC2: the schema leaves out its last letter"
    },
    "AWS::EMR::StudioSessionMapping": {
        **{
            f"sso:{verb}Application{part}": "the Studio's own, given for it"
            for verb in ("Put", "Delete")
            for part in ("AuthenticationMethod", "Grant", "AccessScope")
        },
        "sso:CreateApplication": "the Studio's own, given for it",
        "sso:DeleteApplication": "the Studio's own, given for it",
        "sso:PutApplicationAssignmentConfiguration": "the Studio's own, given for it",
        "sso-directory:CreateGroup": "people come from the identity source",
        "sso-directory:CreateUser": "people come from the identity source",
    },
    "AWS::IAM::ManagedPolicy": {
        f"iam:{verb}{kind}Policy": "given apart, for the app's own policies"
        for verb in ("Attach", "Detach")
        for kind in ("Group", "Role", "User")
    },
    "AWS::IAM::Policy": {
        f"iam:{verb}{kind}Policy": "policies of users and groups"
        for verb in ("Delete", "Get", "Put")
        for kind in ("Group", "User")
    },
    "AWS::IAM::Role": {
        f"iam:{verb}RolePolicy": "given apart, for the app's own policies"
        for verb in ("Attach", "Detach")
    },
}
# Types with whole families of features that the platform leaves alone; reads are checked all the
# same.
WIDE = {"AWS::Lambda::Function", "AWS::Logs::LogGroup", "AWS::S3::Bucket"}
UNREAD = {
    "iam:PassRole",
    "kms:Decrypt",  # environment variables under a key of one's own
    "vpc-lattice:DescribeServiceNetworkVpcEndpointAssociation",
}
# EMR makes its access entry in the name of the deploying role; the schema does not say so.
# https://docs.aws.amazon.com/emr/latest/EMR-on-EKS-DevelopmentGuide/setting-up-iam.html
BEYOND = {
    "AWS::EMRContainers::VirtualCluster": {
        "eks:AssociateAccessPolicy",
        "eks:CreateAccessEntry",
        "eks:DeleteAccessEntry",
        "eks:DescribeAccessEntry",
        "eks:DisassociateAccessPolicy",
        "eks:ListAssociatedAccessPolicies",
    },
    "AWS::EC2::LaunchTemplate": {"ec2:DescribeLaunchTemplateVersions"},
    # Identity Center asks for more than the handlers say.
    # https://docs.aws.amazon.com/emr/latest/ManagementGuide/emr-studio-admin-permissions.html
    "AWS::EMR::Studio": {
        "sso:CreateApplication",
        "sso:DeleteApplication",
        "sso:PutApplicationAssignmentConfiguration",
        *(
            f"sso:{verb}Application{part}"
            for verb in ("Put", "Delete")
            for part in ("AuthenticationMethod", "Grant", "AccessScope")
        ),
    },
    "AWS::EMR::StudioSessionMapping": {
        "organizations:DescribeOrganization",
        "organizations:ListDelegatedAdministrators",
        "sso:DescribeRegisteredRegions",
        "sso:GetSharedSsoConfiguration",
    },
    "AWS::EMRContainers::Endpoint": {"ec2:DescribeSecurityGroups"},
}
# CloudFormation publishes no handlers for these.
WITHOUT_SCHEMA = {
    "AWS::CDK::Metadata",
    "AWS::CloudFormation::WaitCondition",
    "AWS::CloudFormation::WaitConditionHandle",
    "AWS::CodeBuild::Project",
    "AWS::EC2::SubnetCidrReservation",
    "AWS::EMRContainers::JobTemplate",
}


def given(kind: str) -> set[str]:
    return {action for item in RIGHTS[kind] for action in item.actions}


def test_every_type_has_handlers_to_be_held_against() -> None:
    assert set(RIGHTS) - set(HANDLERS) == WITHOUT_SCHEMA


@pytest.mark.parametrize("kind", sorted(set(HANDLERS) - WIDE))
def test_rights_are_the_handlers(kind: str) -> None:
    asked = {*HANDLERS[kind]["read"], *HANDLERS[kind]["write"]} - {"iam:PassRole"}
    assert asked - given(kind) == set(UNUSED.get(kind, {}))
    assert given(kind) - asked == BEYOND.get(kind, set())


@pytest.mark.parametrize("kind", sorted(WIDE))
def test_rights_of_wide_types_are_some_of_the_handlers(kind: str) -> None:
    asked = {action.lower() for way in HANDLERS[kind].values() for action in way}
    assert {action.lower() for action in given(kind)} <= asked
    reads = {action.lower() for action in HANDLERS[kind]["read"]} - {
        item.lower() for item in UNREAD
    }
    assert reads <= {action.lower() for action in given(kind)}


def test_roles_are_passed_where_handlers_pass_them() -> None:
    passing = {kind for kind, ways in HANDLERS.items() if "iam:PassRole" in ways["write"]}
    # A bucket passes a role for replication only, a cache one to another account's registry.
    # The schema of endpoints forgets that EMR asks for the right, which the Service Authorization
    # Reference has; CodeBuild's has none.
    unsaid = {"AWS::CodeBuild::Project", "AWS::EMRContainers::Endpoint"}
    elsewhere = {"AWS::S3::Bucket", "AWS::ECR::PullThroughCacheRule"}
    assert passing - elsewhere == set(PASSED_TO) - unsaid


def test_every_action_exists() -> None:
    actions = {action for items in RIGHTS.values() for item in items for action in item.actions}
    for service in {action.split(":")[0] for action in actions}:
        known = set(get_actions_for_service(service))
        assert {action for action in actions if action.startswith(f"{service}:")} <= known
