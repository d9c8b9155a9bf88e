"""What the controller may do: its project's published policy, narrowed to one cluster.

The published policy asks of most resources that they bear the tag ``elbv2.k8s.aws/cluster`` with
any value; here it must have the cluster's name, so that controllers of two clusters in an account
cannot touch each other's load balancers. Listeners and their rules must bear it, too: the values
keep the feature ``ListenerRulesTagging`` on, which tags them as they are made. Left out is what the
library turns off, and what the code of the controller does not call. A contract test compares both.

Source: https://github.com/kubernetes-sigs/aws-load-balancer-controller/blob/v3.5.0/docs/install/iam_policy.json
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from cdk_emr_eks.security.iam_statements import Statement, allow

OWNER: Final = "elbv2.k8s.aws/cluster"
"""Tag by which the controller knows its own; the value is the cluster's name."""

_PROTECTION: Final = "web firewalls, Shield and sign-in by Cognito are turned off"
LEFT_OUT: Final[Mapping[str, str]] = {
    "ec2:DescribeCoipPools": "addresses of a customer's own are for Outposts",
    "ec2:GetCoipPoolUsage": "addresses of a customer's own are for Outposts",
    "iam:ListServerCertificates": "the controller's code does not call it",
    "iam:GetServerCertificate": "the controller's code does not call it",
    "cognito-idp:DescribeUserPoolClient": _PROTECTION,
    "waf-regional:GetWebACL": _PROTECTION,
    "waf-regional:GetWebACLForResource": _PROTECTION,
    "waf-regional:AssociateWebACL": _PROTECTION,
    "waf-regional:DisassociateWebACL": _PROTECTION,
    "wafv2:GetWebACL": _PROTECTION,
    "wafv2:GetWebACLForResource": _PROTECTION,
    "wafv2:AssociateWebACL": _PROTECTION,
    "wafv2:DisassociateWebACL": _PROTECTION,
    "shield:GetSubscriptionState": _PROTECTION,
    "shield:DescribeProtection": _PROTECTION,
    "shield:CreateProtection": _PROTECTION,
    "shield:DeleteProtection": _PROTECTION,
    "elasticloadbalancing:SetWebAcl": _PROTECTION,
}
"""Published actions that are not granted, each with its reason."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ControllerScope:
    """The names that the statements are narrowed to; all but the cluster's may be tokens.

    Args:
        partition: AWS partition.
        region: AWS Region.
        account: Account id.
        cluster_name: Literal name of the cluster, as it stands in condition keys.
        vpc_arn: ARN of the cluster's VPC.
    """

    partition: str
    region: str
    account: str
    cluster_name: str
    vpc_arn: str

    def arn(self, service: str, resource: str) -> str:
        """Return an ARN in this account and Region."""
        return f"arn:{self.partition}:{service}:{self.region}:{self.account}:{resource}"

    def elb(self, *kinds: str) -> tuple[str, ...]:
        """Return the ARNs of load balancers' parts, of application and network ones."""
        return tuple(self.arn("elasticloadbalancing", kind) for kind in kinds)

    @property
    def security_groups(self) -> str:
        """ARN of the security groups of this account."""
        return self.arn("ec2", "security-group/*")


_BALANCERS: Final = ("loadbalancer/app/*/*", "loadbalancer/net/*/*")
_TARGETS: Final = "targetgroup/*/*"
_LISTENERS: Final = ("listener/app/*/*/*", "listener/net/*/*/*")
_RULES: Final = ("listener-rule/app/*/*/*/*", "listener-rule/net/*/*/*/*")


def controller_policies(scope: ControllerScope) -> Mapping[str, Mapping[str, object]]:
    """Return the controller's policy documents by name: together they are over IAM's limit."""
    statements: dict[str, tuple[Statement, ...]] = {
        "SecurityGroups": (*_discovery(scope), *_security_groups(scope)),
        "LoadBalancers": (*_creation(scope), *_changes(scope)),
    }
    return {
        name: {"Version": "2012-10-17", "Statement": content}
        for name, content in statements.items()
    }


def _verbs(service: str, verbs: str) -> tuple[str, ...]:
    return tuple(f"{service}:{verb}" for verb in verbs.split())


def _owned(scope: ControllerScope) -> Mapping[str, object]:
    return {"StringEquals": {f"aws:ResourceTag/{OWNER}": scope.cluster_name}}


def _requested(scope: ControllerScope, **more: object) -> Mapping[str, object]:
    """Condition on what is made: it bears the cluster's tag from the start."""
    return {"StringEquals": {f"aws:RequestTag/{OWNER}": scope.cluster_name, **more}}


def _retagged(scope: ControllerScope) -> Mapping[str, object]:
    """Condition on tags of what is there: it is the cluster's, and that tag stays as it is."""
    return {**_owned(scope), "Null": {f"aws:RequestTag/{OWNER}": "true"}}


def _discovery(scope: ControllerScope) -> tuple[Statement, ...]:
    service = "elasticloadbalancing.amazonaws.com"
    linked = f"arn:{scope.partition}:iam::{scope.account}:role/aws-service-role/{service}/*"
    ec2 = (
        "AccountAttributes Addresses AvailabilityZones InternetGateways Vpcs VpcPeeringConnections "
        "Subnets SecurityGroups Instances NetworkInterfaces Tags IpamPools RouteTables"
    )
    elb = (
        "LoadBalancers LoadBalancerAttributes Listeners ListenerCertificates SSLPolicies Rules "
        "TargetGroups TargetGroupAttributes TargetHealth Tags TrustStores ListenerAttributes "
        "CapacityReservation"
    )
    return (
        allow(
            "AllowServiceLinkedRole",
            ("iam:CreateServiceLinkedRole",),
            linked,
            {"StringEquals": {"iam:AWSServiceName": service}},
        ),
        # '*' since Describe calls support no resource; they are narrowed to the Region.
        allow(
            "AllowRegionalReading",
            (
                *(f"ec2:Describe{subject}" for subject in ec2.split()),
                *(f"elasticloadbalancing:Describe{subject}" for subject in elb.split()),
                "acm:ListCertificates",
            ),
            "*",
            {"StringEquals": {"aws:RequestedRegion": scope.region}},
        ),
        allow(
            "AllowReadingCertificates",
            ("acm:DescribeCertificate",),
            scope.arn("acm", "certificate/*"),
        ),
    )


def _security_groups(scope: ControllerScope) -> tuple[Statement, ...]:
    groups = scope.security_groups
    ingress = _verbs("ec2", "AuthorizeSecurityGroupIngress RevokeSecurityGroupIngress")
    nodes = f"aws:ResourceTag/kubernetes.io/cluster/{scope.cluster_name}"
    return (
        allow("AllowReadingGroupsOfTheVpc", ("ec2:GetSecurityGroupsForVpc",), scope.vpc_arn),
        # From load balancers to nodes: EKS tags the cluster's own security group so.
        allow("AllowRulesOfNodes", ingress, groups, {"StringEquals": {nodes: "owned"}}),
        allow(
            "AllowRulesAndDeletionOfOwnGroups",
            (*ingress, "ec2:DeleteSecurityGroup"),
            groups,
            _owned(scope),
        ),
        allow("AllowNewGroups", ("ec2:CreateSecurityGroup",), groups, _requested(scope)),
        allow("AllowNewGroupsInTheVpc", ("ec2:CreateSecurityGroup",), scope.vpc_arn),
        allow(
            "AllowTagsOfNewGroups",
            ("ec2:CreateTags",),
            groups,
            _requested(scope, **{"ec2:CreateAction": "CreateSecurityGroup"}),
        ),
        allow(
            "AllowTagsOfOwnGroups", _verbs("ec2", "CreateTags DeleteTags"), groups, _retagged(scope)
        ),
    )


def _creation(scope: ControllerScope) -> tuple[Statement, ...]:
    elb = "elasticloadbalancing"
    makes = ("CreateTargetGroup", "CreateLoadBalancer", "CreateListener", "CreateRule")
    taggable = scope.elb(_TARGETS, *_BALANCERS, *_LISTENERS, *_RULES)
    return (
        allow(
            "AllowNewLoadBalancers",
            _verbs(elb, "CreateLoadBalancer CreateTargetGroup"),
            scope.elb(*_BALANCERS, _TARGETS),
            _requested(scope),
        ),
        allow(
            "AllowNewListenersOfOwnLoadBalancers",
            _verbs(elb, "CreateListener"),
            scope.elb(*_BALANCERS),
            _owned(scope),
        ),
        allow(
            "AllowNewRulesOfOwnListeners",
            _verbs(elb, "CreateRule"),
            scope.elb(*_LISTENERS),
            _owned(scope),
        ),
        allow(
            "AllowTagsOfNewParts",
            _verbs(elb, "AddTags"),
            taggable,
            _requested(scope, **{f"{elb}:CreateAction": makes}),
        ),
        allow("AllowTagsOfOwnParts", _verbs(elb, "AddTags RemoveTags"), taggable, _retagged(scope)),
    )


def _changes(scope: ControllerScope) -> tuple[Statement, ...]:
    elb, own = "elasticloadbalancing", _owned(scope)
    balancer = (
        "ModifyLoadBalancerAttributes SetIpAddressType SetSecurityGroups SetSubnets "
        "DeleteLoadBalancer ModifyCapacityReservation ModifyIpPools"
    )
    listener = (
        "DeleteListener ModifyListener ModifyListenerAttributes AddListenerCertificates "
        "RemoveListenerCertificates"
    )
    target = (
        "ModifyTargetGroup ModifyTargetGroupAttributes DeleteTargetGroup RegisterTargets "
        "DeregisterTargets"
    )
    rule = "DeleteRule ModifyRule SetRulePriorities"
    parts = {
        "LoadBalancers": (balancer, scope.elb(*_BALANCERS)),
        "Listeners": (listener, scope.elb(*_LISTENERS)),
        "TargetGroups": (target, scope.elb(_TARGETS)),
        "Rules": (rule, scope.elb(*_RULES)),
    }
    return tuple(
        allow(f"AllowChangesOfOwn{name}", _verbs(elb, verbs), resources, own)
        for name, (verbs, resources) in parts.items()
    )
