"""Grants: actions of IAM, bound to resources whose names a template may hold."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Final

Condition = Mapping[str, Mapping[str, object]]


@dataclass(frozen=True, kw_only=True, slots=True)
class Grant:
    """Actions on a resource.

    Args:
        resource: An ARN, a group of ARNs, or ``*``. A text between ``${`` and ``}`` is a pseudo
            parameter of CloudFormation, or the property that holds the resource's name.
        actions: Actions as ``service:Verb``, with blanks between them and ``*`` as a wildcard.
        condition: IAM condition.
    """

    resource: str
    actions: str
    condition: Condition = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, slots=True)
class Narrowing:
    """Narrow the published actions of a resource type; actions are written as in ``Grant``.

    Args:
        grants: Actions with their resources. An action may be bound to several resources.
        rest: ARN for the remaining actions of the service that the ARN names.
        only_with: Actions that a resource needs only if it has one of the properties of the key.
        omitted: Published actions that are not granted, by reason.
        added: Unpublished actions that are granted, by reason.
        passed_to: Services that get the role which a property holds.
    """

    grants: tuple[Grant, ...] = ()
    rest: str = ""
    only_with: Mapping[str, str] = field(default_factory=dict)
    omitted: Mapping[str, str] = field(default_factory=dict)
    added: Mapping[str, str] = field(default_factory=dict)
    passed_to: Mapping[str, str] = field(default_factory=dict)


def matches(action: str, patterns: str) -> bool:
    """Return whether one of several patterns, with blanks between them, names an action."""
    return any(fnmatchcase(action, pattern) for pattern in patterns.split())


IAM: Final = "arn:${AWS::Partition}:iam::${AWS::AccountId}:"


def regional(service: str, resource: str) -> str:
    """Return the ARN of a resource in the account and Region of the stack."""
    return f"arn:${{AWS::Partition}}:{service}:${{AWS::Region}}:${{AWS::AccountId}}:{resource}"


# Groups of ARNs, which `environment.py` collects from all stacks of an environment.
ROLES: Final = "{roles}"
USED_ROLES: Final = "{used roles}"
USERS: Final = "{users}"
USER_GROUPS: Final = "{user groups}"
FUNCTIONS: Final = "{functions}"
LAYERS: Final = "{layers}"

ASSETS: Final = "arn:${AWS::Partition}:s3:::cdk-*-assets-${AWS::AccountId}-${AWS::Region}/*"
IN_REGION: Final[Condition] = {"StringEquals": {"aws:RequestedRegion": "${AWS::Region}"}}

# Services with one endpoint for many Regions, so that a call has another Region than the stack, and
# IAM Identity Center and Organizations, which are called in the Region where they are enabled.
# Source: https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_scps_examples_general.html
_GLOBAL_SERVICES: Final = (
    "account:* billing:* budgets:* ce:* chatbot:* cloudfront:* cur:* globalaccelerator:* health:* "
    "iam:* identitystore:* networkmanager:* organizations:* pricing:* route53:* route53-*:* "
    "route53domains:* savingsplans:* shield:* sso:* sso-directory:* sts:* support:* supportapp:* "
    "trustedadvisor:* waf:*"
)
_DEFAULTS: Final = (
    Grant(resource=USED_ROLES, actions="iam:GetRole iam:ListAttachedRolePolicies sts:AssumeRole"),
    Grant(resource="*", actions="iam:Get* iam:List*"),
    # Handlers of other services prepare their service-linked roles, and change no other role.
    Grant(resource=IAM + "role/aws-service-role/*", actions="iam:*"),
    # The id of a key is not known before the key exists.
    Grant(resource=regional("kms", "key/*"), actions="kms:*"),
    Grant(resource="*", actions=_GLOBAL_SERVICES),
    Grant(resource="*", actions="*", condition=IN_REGION),
)


def default_grant(action: str) -> Grant:
    """Return the grant that binds an action of a type without a narrower one."""
    return next(each for each in _DEFAULTS if matches(action, each.actions))


def unnamed(actions: str) -> Grant:
    """Grant actions in the Region, on resources whose names are not known before they exist."""
    return Grant(resource="*", actions=actions, condition=IN_REGION)


def linked(service: str) -> Grant:
    """Grant the creation of a service's service-linked role."""
    return Grant(
        resource=f"{IAM}role/aws-service-role/{service}/*",
        actions="iam:CreateServiceLinkedRole",
        condition={"StringEquals": {"iam:AWSServiceName": service}},
    )


def cluster(name: str, actions: str) -> Grant:
    """Grant actions on the EKS cluster whose name a property holds."""
    return Grant(resource=regional("eks", f"cluster/${{{name}}}"), actions=actions)
