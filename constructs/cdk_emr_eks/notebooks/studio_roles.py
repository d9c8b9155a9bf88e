"""The roles of an EMR Studio, and the statements of its service role.

The statements are those of EMR's guide, narrowed to this account and Region, to the Studio's VPC
and subnets, and to its options. The guide says of two statements that they must not be changed.

Source: https://docs.aws.amazon.com/emr/latest/ManagementGuide/emr-studio-service-role.html
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from aws_cdk import Aws
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from constructs import Construct

from cdk_emr_eks.labels import EMR_MANAGED_TAG
from cdk_emr_eks.model.notebooks.studio import AuthMode, GitSecrets, StudioSpec
from cdk_emr_eks.security.iam import regional_arn
from cdk_emr_eks.security.iam_statements import Statement, allow
from cdk_emr_eks.security.suppressions import suppress, wildcard

_EMR: Final = "elasticmapreduce.amazonaws.com"
_ON_TAGGED: Final = {f"aws:ResourceTag/{EMR_MANAGED_TAG}": "true"}
_WITH_TAG: Final = {f"aws:RequestTag/{EMR_MANAGED_TAG}": "true"}

# Why a resource has a wildcard, by the end of the resource.
_WILDCARDS: Final = {
    "*": "Lists of EC2 and IAM, and searches in Identity Center, support no resource",
    ":cluster/*": "As in EMR's guide: reading which clusters exist",
    ":instance/*": "As in EMR's guide: instances of a cluster on EC2",
    ":network-interface/*": "EMR creates and tags the interfaces; the condition names the tag",
    ":security-group/*": "EMR creates and tags the groups; the condition names the tag",
    ":secret:*": "The tag in the condition identifies secrets of Git",
    ":user/*": "Users with whom a workspace can be shared are searched among all",
    ":role/*": "Roles with which a workspace can be shared are searched among all",
}


class StudioServiceRole(Construct):
    """Create the role that EMR Studio assumes to run workspaces.

    Only EMR of this account can assume it. Its policy is a separate resource, which is deleted
    after the Studio, so that EMR can still clean up.

    Resources: an ``AWS::IAM::Role`` and an ``AWS::IAM::Policy``.

    Args:
        studio: Name of the Studio, for the description.
        statements: IAM statements of the role.
        reasons: Why a resource has a wildcard, by resource.

    Attributes:
        role: The role.
        policy: Its policy. The Studio depends on it.

    Source: https://docs.aws.amazon.com/emr/latest/ManagementGuide/emr-studio-service-role.html
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        studio: str,
        statements: Sequence[Mapping[str, object]],
        reasons: Mapping[str, str],
    ) -> None:
        super().__init__(scope, id)
        source = f"arn:{Aws.PARTITION}:elasticmapreduce:*:{Aws.ACCOUNT_ID}:*"
        principal = iam.ServicePrincipal(
            _EMR,
            conditions={
                "StringEquals": {"aws:SourceAccount": Aws.ACCOUNT_ID},
                "ArnLike": {"aws:SourceArn": source},
            },
        )
        self.role = iam.Role(
            self,
            "Role",
            assumed_by=principal,
            description=f"EMR Studio {studio} runs workspaces",
        )
        self.policy = iam.Policy(
            self,
            "Policy",
            roles=[self.role],
            document=iam.PolicyDocument.from_json(
                {"Version": "2012-10-17", "Statement": [dict(each) for each in statements]}
            ),
        )
        suppress(self.policy, {wildcard(self, resource): why for resource, why in reasons.items()})

    def allow_secret_key(self, key: kms.IKey) -> None:
        """Let the role read secrets that a key encrypts, through Secrets Manager only."""
        through = f"secretsmanager.{Aws.REGION}.{Aws.URL_SUFFIX}"
        self.policy.add_statements(
            iam.PolicyStatement(
                actions=["kms:Decrypt"],
                resources=[key.key_arn],
                conditions={"StringEquals": {"kms:ViaService": through}},
            )
        )


def make_user_role(scope: Construct, id: str, *, studio: str) -> iam.Role:
    """Create the role that a Studio gives to users of Identity Center.

    It has no permissions. A user may do what both the policies of this role and the session policy
    of the user allow.

    Source: https://docs.aws.amazon.com/emr/latest/ManagementGuide/emr-studio-user-permissions.html
    """
    role = iam.Role(
        scope,
        id,
        assumed_by=iam.ServicePrincipal(_EMR),
        description=f"People of EMR Studio {studio}",
    )
    trust = role.assume_role_policy
    assert trust is not None  # A role that is created here has a trust policy.
    trust.add_statements(
        iam.PolicyStatement(
            # EMR passes the identity of the user.
            actions=["sts:SetContext"],
            principals=[iam.ServicePrincipal(_EMR)],
        )
    )
    return role


def service_statements(
    spec: StudioSpec, *, vpc_id: str, subnet_ids: Sequence[str]
) -> tuple[Statement, ...]:
    """Return the statements of a Studio's service role, without those for its bucket and key."""
    statements = [_read_clusters(), _read_network()]
    statements += [*_interfaces(subnet_ids), *_security_groups(vpc_id)]
    git = spec.git_access
    if git is not None and git.secrets is GitSecrets.SERVICE:
        statements.append(_read_secrets())
    if spec.collaborates:
        statements.extend(_look_up_people(spec))
    return tuple(statements)


def wildcard_reasons(statements: Sequence[Statement]) -> dict[str, str]:
    """Return why resources of these statements have wildcards, by resource."""
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
    """Yield the statements for network interfaces of workspaces in the Studio's subnets."""
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
        # The guide has no tag here: the instances are those of a cluster on EC2.
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
        # By id, where the guide has a tag: narrower, and subnets of an imported VPC need no tag.
        [_ec2("subnet", subnet) for subnet in subnet_ids],
    )
    yield _allow(
        "AllowAddingTagsDuringEC2ENICreation",
        "ec2",
        ("CreateTags",),
        # EMR's guide says that this statement must not be changed.
        [f"arn:{Aws.PARTITION}:ec2:*:*:network-interface/*"],
        {"ec2:CreateAction": "CreateNetworkInterface"},
    )


def _security_groups(vpc_id: str) -> Iterator[Statement]:
    """Yield the statements for security groups."""
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
        # By id, where the guide has a tag, as with the subnets.
        [_ec2("vpc", vpc_id)],
    )
    yield _allow(
        "AllowAddingEMRTagsDuringDefaultSecurityGroupCreation",
        "ec2",
        ("CreateTags",),
        # EMR's guide says that this statement must not be changed.
        [f"arn:{Aws.PARTITION}:ec2:*:*:security-group/*"],
        {**_WITH_TAG, "ec2:CreateAction": "CreateSecurityGroup"},
    )


def _read_network() -> Statement:
    verbs = (
        *("DescribeSecurityGroups", "DescribeNetworkInterfaces", "DescribeTags"),
        *("DescribeInstances", "DescribeSubnets", "DescribeVpcs"),
    )
    # EC2's Describe calls support no resource.
    return _allow("AllowEC2ReadOnlyActions", "ec2", verbs, ["*"])


def _read_secrets() -> Statement:
    arn = regional_arn("secretsmanager", "secret:*")
    sid = "AllowSecretsManagerReadOnlyActionsWithEMRTags"
    return _allow(sid, "secretsmanager", ("GetSecretValue",), [arn], _ON_TAGGED)


def _look_up_people(spec: StudioSpec) -> Iterator[Statement]:
    """Yield the statements to search users with whom a workspace is shared; the guide has one."""
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
        # Lists and searches support no resource.
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
    condition = {"StringEquals": equal} if equal else None
    return allow(sid, [f"{service}:{verb}" for verb in verbs], resources, condition)
