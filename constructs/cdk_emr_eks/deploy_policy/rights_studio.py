"""What CloudFormation calls for an EMR Studio and for the people assigned to it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from cdk_emr_eks.deploy_policy.right import Right, regional, right

_STUDIO: Final = regional("elasticmapreduce", "studio/*")
_CENTER: Final = "IdcInstanceArn"
# Identity Center's actions are given only to who makes a Studio that people of it sign in to.

STUDIO_RIGHTS: Final[Mapping[str, tuple[Right, ...]]] = {
    "AWS::EMR::Studio": (
        right("elasticmapreduce", "CreateStudio"),
        right(
            "elasticmapreduce",
            "DescribeStudio UpdateStudio DeleteStudio AddTags RemoveTags",
            _STUDIO,
        ),
        # A Studio is an application of Identity Center; its ARN is Identity Center's choice. Beyond
        # the handlers', those of EMR's guide:
        # https://docs.aws.amazon.com/emr/latest/ManagementGuide/emr-studio-admin-permissions.html
        right(
            "sso",
            "CreateManagedApplicationInstance GetManagedApplicationInstance "
            "DeleteManagedApplicationInstance CreateApplication PutApplicationAuthenticationMethod "
            "PutApplicationGrant PutApplicationAccessScope PutApplicationAssignmentConfiguration "
            "DeleteApplication DeleteApplicationAuthenticationMethod "
            "DeleteApplicationAccessScope DeleteApplicationGrant",
            when=_CENTER,
        ),
    ),
    "AWS::EMR::StudioSessionMapping": (
        right(
            "elasticmapreduce",
            "CreateStudioSessionMapping GetStudioSessionMapping UpdateStudioSessionMapping "
            "DeleteStudioSessionMapping",
            _STUDIO,
        ),
        right("sso-directory", "SearchUsers SearchGroups DescribeUser DescribeGroup"),
        right(
            "sso",
            "GetManagedApplicationInstance DescribeApplication ListInstances DescribeInstance "
            "ListDirectoryAssociations GetProfile ListProfiles AssociateProfile "
            "DisassociateProfile CreateApplicationAssignment DeleteApplicationAssignment "
            "ListApplicationAssignments DescribeRegisteredRegions GetSharedSsoConfiguration",
        ),
        right("organizations", "DescribeOrganization ListDelegatedAdministrators"),
    ),
}
"""Rights by type of resource; see ``rights.RIGHTS``."""
