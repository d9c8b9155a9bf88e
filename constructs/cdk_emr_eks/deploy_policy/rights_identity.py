"""What CloudFormation calls for roles, policies, identity providers and keys."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from cdk_emr_eks.deploy_policy.right import Right, regional, right

_ROLE: Final = "arn:{partition}:iam::{account}:role/{name}"
_POLICY: Final = "arn:{partition}:iam::{account}:policy/{name}"
_OIDC: Final = "arn:{partition}:iam::{account}:oidc-provider/oidc.eks.{region}.*"

IDENTITY_RIGHTS: Final[Mapping[str, tuple[Right, ...]]] = {
    "AWS::IAM::InstanceProfile": (
        right(
            "iam",
            "CreateInstanceProfile DeleteInstanceProfile GetInstanceProfile "
            "AddRoleToInstanceProfile RemoveRoleFromInstanceProfile",
            "arn:{partition}:iam::{account}:instance-profile/{name}",
            "InstanceProfileName",
        ),
    ),
    "AWS::IAM::ManagedPolicy": (
        right(
            "iam",
            "CreatePolicy DeletePolicy GetPolicy CreatePolicyVersion DeletePolicyVersion "
            "GetPolicyVersion ListPolicyVersions ListEntitiesForPolicy",
            _POLICY,
            "ManagedPolicyName",
        ),
    ),
    "AWS::IAM::OIDCProvider": (
        right(
            "iam",
            "CreateOpenIDConnectProvider GetOpenIDConnectProvider DeleteOpenIDConnectProvider "
            "AddClientIDToOpenIDConnectProvider RemoveClientIDFromOpenIDConnectProvider "
            "UpdateOpenIDConnectProviderThumbprint TagOpenIDConnectProvider "
            "UntagOpenIDConnectProvider ListOpenIDConnectProviderTags",
            _OIDC,
        ),
    ),
    "AWS::IAM::Policy": (right("iam", "PutRolePolicy GetRolePolicy DeleteRolePolicy", "{roles}"),),
    "AWS::IAM::Role": (
        right(
            "iam",
            "CreateRole GetRole DeleteRole UpdateRole UpdateRoleDescription "
            "UpdateAssumeRolePolicy PutRolePolicy GetRolePolicy DeleteRolePolicy ListRolePolicies "
            "ListAttachedRolePolicies PutRolePermissionsBoundary DeleteRolePermissionsBoundary "
            "TagRole UntagRole",
            _ROLE,
            "RoleName",
        ),
    ),
    "AWS::IAM::ServiceLinkedRole": (
        # The ARN holds the service: EMR's, or EC2's for spot instances.
        right(
            "iam",
            "CreateServiceLinkedRole DeleteServiceLinkedRole GetServiceLinkedRoleDeletionStatus "
            "GetRole UpdateRole",
            "arn:{partition}:iam::{account}:role/aws-service-role/{name}/*",
            "AWSServiceName",
        ),
    ),
    "AWS::KMS::Alias": (
        # An alias is changed with rights on itself and on its key.
        right(
            "kms",
            "CreateAlias DeleteAlias UpdateAlias",
            "arn:{partition}:kms:{region}:{account}:{name}",
            "AliasName",
        ),
        right("kms", "CreateAlias DeleteAlias UpdateAlias", regional("kms", "key/*")),
        right("kms", "ListAliases"),
    ),
    "AWS::KMS::Key": (
        right("kms", "CreateKey"),
        right(
            "kms",
            "DescribeKey DisableKey DisableKeyRotation EnableKey EnableKeyRotation GetKeyPolicy "
            "GetKeyRotationStatus ListResourceTags PutKeyPolicy ScheduleKeyDeletion TagResource "
            "UntagResource UpdateKeyDescription",
            regional("kms", "key/*"),
        ),
    ),
}
"""Rights by type of resource; see ``rights.RIGHTS``."""
