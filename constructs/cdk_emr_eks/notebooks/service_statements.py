"""What EMR Studio does in an account, as statements of its service role.

They are those of EMR's guide, narrowed to this account and region, to the Studio's own VPC and
subnets, and to what was asked for. Of two the guide says that they must not be changed.

Source: https://docs.aws.amazon.com/emr/latest/ManagementGuide/emr-studio-service-role.html
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from aws_cdk import Aws

from cdk_emr_eks.labels import EMR_MANAGED_TAG
from cdk_emr_eks.model.notebooks.studio import AuthMode, GitSecrets, StudioSpec
from cdk_emr_eks.security.arns import regional_arn

Statement = dict[str, object]

_ON_TAGGED: Final = {f"aws:ResourceTag/{EMR_MANAGED_TAG}": "true"}
_WITH_TAG: Final = {f"aws:RequestTag/{EMR_MANAGED_TAG}": "true"}

_WILDCARDS: Final = {
    "*": "Lists of EC2 and IAM, and searches in Identity Center, can't be narrowed to a resource",
    ":cluster/*": "The guide's own: reading which clusters there are",
    ":instance/*": "The guide's own: instances of a cluster on EC2",
    ":network-interface/*": "EMR makes the interfaces, and tags them; the condition names the tag",
    ":security-group/*": "EMR makes groups of its own, and tags them; the condition names the tag",
    ":secret:*": "Secrets of Git are told by the tag in the condition",
    ":user/*": "People that a workspace may be shared with are looked for among all",
    ":role/*": "People that a workspace may be shared with are looked for among all",
}
"""Why a resource has a wildcard, by the end of the resource."""


def service_statements(
    spec: StudioSpec, *, vpc_id: str, subnet_ids: Sequence[str]
) -> tuple[Statement, ...]:
    """Return the statements of a Studio's service role, without those on its bucket and key."""
    statements = [_read_clusters(), _read_network()]
    statements += [*_interfaces(subnet_ids), *_security_groups(vpc_id)]
    git = spec.git_access
    if git is not None and git.secrets is GitSecrets.SERVICE:
        statements.append(_read_secrets())
    if spec.collaborates:
        statements.extend(_look_up_people(spec))
    return tuple(statements)


def wildcard_reasons(statements: Sequence[Statement]) -> dict[str, str]:
    """Return why the resources of these statements have wildcards, by the resource."""
    resources = {each for statement in statements for each in _resources(statement)}
    return {
        resource: why
        for resource in resources
        for end, why in _WILDCARDS.items()
        if resource.endswith(end) and (end != "*" or resource == end)
    }


def _resources(statement: Statement) -> list[str]:
    found = statement["Resource"]
    return [str(each) for each in found] if isinstance(found, list) else [str(found)]


def _read_clusters() -> Statement:
    actions = ("ListInstances", "DescribeCluster", "ListSteps")
    arn = regional_arn("elasticmapreduce", "cluster/*")
    return _allow("AllowEMRReadOnlyActions", "elasticmapreduce", actions, [arn])


def _interfaces(subnet_ids: Sequence[str]) -> Iterator[Statement]:
    """Yield what puts workspaces' network interfaces into the Studio's subnets."""
    interfaces, groups = _ec2("network-interface"), _ec2("security-group")
    yield _allow(
        "AllowEC2ENIActionsWithEMRTags",
        "ec2",
        ("CreateNetworkInterfacePermission", "DeleteNetworkInterface"),
        [interfaces],
        _ON_TAGGED,
    )
    yield _allow(
        "AllowEC2ENIAttributeAction",
        "ec2",
        ("ModifyNetworkInterfaceAttribute",),
        # Without a tag in the guide: the instances are those of a cluster on EC2.
        [_ec2("instance"), interfaces, groups],
    )
    yield _allow(
        "AllowEC2ENICreationWithEMRTags",
        "ec2",
        ("CreateNetworkInterface",),
        [interfaces],
        _WITH_TAG,
    )
    yield _allow(
        "AllowEC2ENICreationInSubnetAndSecurityGroupWithEMRTags",
        "ec2",
        ("CreateNetworkInterface",),
        [groups],
        _ON_TAGGED,
    )
    yield _allow(
        "AllowEC2ENICreationInStudioSubnets",
        "ec2",
        ("CreateNetworkInterface",),
        # By id where the guide has a tag: narrower, and subnets of an imported VPC need no tag.
        [_ec2("subnet", subnet) for subnet in subnet_ids],
    )
    yield _allow(
        "AllowAddingTagsDuringEC2ENICreation",
        "ec2",
        ("CreateTags",),
        # EMR's guide: this statement must not be changed.
        [f"arn:{Aws.PARTITION}:ec2:*:*:network-interface/*"],
        {"ec2:CreateAction": "CreateNetworkInterface"},
    )


def _security_groups(vpc_id: str) -> Iterator[Statement]:
    """Yield what EMR does with security groups."""
    groups = _ec2("security-group")
    yield _allow(
        "AllowEC2SecurityGroupActionsWithEMRTags",
        "ec2",
        (
            "AuthorizeSecurityGroupEgress",
            "AuthorizeSecurityGroupIngress",
            "RevokeSecurityGroupEgress",
            "RevokeSecurityGroupIngress",
            "DeleteNetworkInterfacePermission",
        ),
        [groups, _ec2("network-interface")],
        _ON_TAGGED,
    )
    yield _allow(
        "AllowDefaultEC2SecurityGroupsCreationWithEMRTags",
        "ec2",
        ("CreateSecurityGroup",),
        [groups],
        _WITH_TAG,
    )
    yield _allow(
        "AllowDefaultEC2SecurityGroupsCreationInVPCWithEMRTags",
        "ec2",
        ("CreateSecurityGroup",),
        # By id where the guide has a tag, as with the subnets.
        [_ec2("vpc", vpc_id)],
    )
    yield _allow(
        "AllowAddingEMRTagsDuringDefaultSecurityGroupCreation",
        "ec2",
        ("CreateTags",),
        # EMR's guide: this statement must not be changed.
        [f"arn:{Aws.PARTITION}:ec2:*:*:security-group/*"],
        {**_WITH_TAG, "ec2:CreateAction": "CreateSecurityGroup"},
    )


def _read_network() -> Statement:
    verbs = (
        *("DescribeSecurityGroups", "DescribeNetworkInterfaces", "DescribeTags"),
        *("DescribeInstances", "DescribeSubnets", "DescribeVpcs"),
    )
    # EC2's lists can't be narrowed to a resource.
    return _allow("AllowEC2ReadOnlyActions", "ec2", verbs, ["*"])


def _read_secrets() -> Statement:
    arn = regional_arn("secretsmanager", "secret:*")
    sid = "AllowSecretsManagerReadOnlyActionsWithEMRTags"
    return _allow(sid, "secretsmanager", ("GetSecretValue",), [arn], _ON_TAGGED)


def _look_up_people(spec: StudioSpec) -> Iterator[Statement]:
    """Yield what finds the people that a workspace is shared with; the guide has it as one."""
    iam = f"arn:{Aws.PARTITION}:iam::{Aws.ACCOUNT_ID}:"
    yield _allow(
        "AllowWorkspaceCollaboration",
        "iam",
        ("GetUser", "GetRole"),
        [f"{iam}user/*", f"{iam}role/*"],
    )
    center = ("sso:GetManagedApplicationInstance", "sso-directory:SearchUsers")
    more = center if spec.auth.mode is AuthMode.SSO else ()
    yield {
        "Sid": "AllowWorkspaceCollaborationLists",
        "Effect": "Allow",
        "Action": ["iam:ListUsers", "iam:ListRoles", *more],
        # Lists and searches can't be narrowed to a resource.
        "Resource": ["*"],
    }


def _ec2(kind: str, id: str = "*") -> str:
    return regional_arn("ec2", f"{kind}/{id}")


def _allow(
    sid: str,
    service: str,
    verbs: Sequence[str],
    resources: Sequence[str],
    equal: dict[str, str] | None = None,
) -> Statement:
    statement: Statement = {
        "Sid": sid,
        "Effect": "Allow",
        "Action": [f"{service}:{verb}" for verb in verbs],
        "Resource": list(resources),
    }
    return statement | ({"Condition": {"StringEquals": dict(equal)}} if equal else {})
