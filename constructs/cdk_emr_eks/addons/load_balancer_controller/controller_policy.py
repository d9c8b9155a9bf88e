"""The IAM policies of the controller: its project's published policy, narrowed to one cluster.

``iam_policy.json`` is the published policy; a refresh script writes it. For most
resources it requires the tag ``elbv2.k8s.aws/cluster`` with any value. Here the value must be the
cluster's name, so that controllers of two clusters cannot change each other's load balancers.
Listeners and their rules must have the tag, too: the chart's values keep the feature
``ListenerRulesTagging`` on, which tags them when they are created. ``OMITTED`` are the published
actions that are not granted. Contract tests compare both policies.

Source: https://github.com/kubernetes-sigs/aws-load-balancer-controller/blob/v3.5.0/docs/install/iam_policy.json
"""

from __future__ import annotations

from collections.abc import Mapping
from fnmatch import fnmatchcase
from typing import Final, cast

from cdk_emr_eks.addons.controllers import wildcard_resources
from cdk_emr_eks.security.iam_statements import Document, Statement, allow
from cdk_emr_eks.security.published_policies import published_documents, statements
from cdk_emr_eks.values import value

# Tag by which the controller finds its resources; the value is the cluster's name.
OWNER: Final = "elbv2.k8s.aws/cluster"

_PROTECTION: Final = "web firewalls, Shield and sign-in by Cognito are turned off"
# Published actions that are not granted, with the reason.
OMITTED: Final[Mapping[str, str]] = {
    "ec2:DescribeCoipPools": "customer-owned addresses are for Outposts",
    "ec2:GetCoipPoolUsage": "customer-owned addresses are for Outposts",
    "iam:*ServerCertificate*": "the controller's code does not call it",
    "cognito-idp:*": _PROTECTION,
    "waf-regional:*": _PROTECTION,
    "wafv2:*": _PROTECTION,
    "shield:*": _PROTECTION,
    "elasticloadbalancing:SetWebAcl": _PROTECTION,
}

# Why resources have a wildcard, by the name of the statement.
_REASONS: Final[Mapping[str, str]] = {
    "AllowServiceLinkedRole": "The role's name is ELB's own; only ELB's role can be created",
    "AllowRegionalReading": "The actions support no resource; they are narrowed to the Region",
    "AllowNewGroupsInTheVpc": "The VPC is named; another account may share it",
    "AllowReadingGroupsOfTheVpc": "The VPC is named; another account may share it",
    "AllowReadingCertificates": "Ingresses name certificates; it is reading only",
}
_TAGGED: Final = "Ids are not known at synth; conditions on the cluster's tags narrow them"


@value
class ControllerScope:
    """The names that the statements are narrowed to; all but the cluster's may be tokens.

    Args:
        partition: AWS partition.
        region: AWS Region.
        account: Account id.
        cluster_name: Literal name of the cluster, since condition keys contain it.
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
        """Return the ARNs of parts of load balancers."""
        return tuple(self.arn("elasticloadbalancing", kind) for kind in kinds)


_BALANCERS: Final = ("loadbalancer/app/*/*", "loadbalancer/net/*/*")
_TARGETS: Final = "targetgroup/*/*"
_LISTENERS: Final = ("listener/app/*/*/*", "listener/net/*/*/*")
_RULES: Final = ("listener-rule/app/*/*/*/*", "listener-rule/net/*/*/*/*")


def controller_policies(scope: ControllerScope) -> Mapping[str, Document]:
    """Return the controller's policy documents by name: together they are over IAM's limit."""
    content = {
        "SecurityGroups": (*_discovery(scope), *_security_groups(scope)),
        "LoadBalancers": (*_creation(scope), *_changes(scope)),
    }
    return {
        name: {"Version": "2012-10-17", "Statement": list(statements)}
        for name, statements in content.items()
    }


def published_actions() -> tuple[str, ...]:
    """Return the actions of the published policy, in its order."""
    document = published_documents("cdk_emr_eks.addons.load_balancer_controller", "iam_policy.json")
    found = (
        action
        for statement in statements(document["controller"])
        for action in cast(list[str], statement["Action"])
    )
    return tuple(dict.fromkeys(found))


def wildcard_reasons(document: Document) -> Mapping[str, str]:
    """Return the reason for each resource with a wildcard in a policy document."""
    found: dict[str, str] = {}
    for statement, resource in wildcard_resources(document):
        found.setdefault(resource, _REASONS.get(str(statement["Sid"]), _TAGGED))
    return found


def _allow(
    sid: str,
    patterns: str,
    resource: str | tuple[str, ...],
    condition: Mapping[str, object] | None = None,
) -> Statement:
    """Allow published actions, named by patterns with blanks between them, on resources."""
    selected = [
        action
        for pattern in patterns.split()
        for action in published_actions()
        if fnmatchcase(action, pattern)
        and not any(fnmatchcase(action, omitted) for omitted in OMITTED)
    ]
    return allow(sid, selected, resource, condition)


def _owned(scope: ControllerScope) -> Mapping[str, object]:
    return {"StringEquals": {f"aws:ResourceTag/{OWNER}": scope.cluster_name}}


def _requested(scope: ControllerScope, **more: object) -> Mapping[str, object]:
    """Return the condition on new resources: they have the cluster's tag from the start."""
    return {"StringEquals": {f"aws:RequestTag/{OWNER}": scope.cluster_name, **more}}


def _retagged(scope: ControllerScope) -> Mapping[str, object]:
    """Return the condition on new tags of resources: they are the cluster's, and stay so."""
    return {**_owned(scope), "Null": {f"aws:RequestTag/{OWNER}": "true"}}


def _discovery(scope: ControllerScope) -> tuple[Statement, ...]:
    service = "elasticloadbalancing.amazonaws.com"
    return (
        _allow(
            "AllowServiceLinkedRole",
            "iam:CreateServiceLinkedRole",
            f"arn:{scope.partition}:iam::{scope.account}:role/aws-service-role/{service}/*",
            {"StringEquals": {"iam:AWSServiceName": service}},
        ),
        # '*' since Describe calls support no resource; they are narrowed to the Region.
        _allow(
            "AllowRegionalReading",
            "ec2:Describe* elasticloadbalancing:Describe* acm:List*",
            "*",
            {"StringEquals": {"aws:RequestedRegion": scope.region}},
        ),
        _allow("AllowReadingCertificates", "acm:Describe*", scope.arn("acm", "certificate/*")),
    )


def _security_groups(scope: ControllerScope) -> tuple[Statement, ...]:
    groups = scope.arn("ec2", "security-group/*")
    nodes = f"aws:ResourceTag/kubernetes.io/cluster/{scope.cluster_name}"
    create = "ec2:CreateSecurityGroup"
    ingress = "ec2:AuthorizeSecurityGroupIngress ec2:RevokeSecurityGroupIngress"
    return (
        _allow("AllowReadingGroupsOfTheVpc", "ec2:GetSecurityGroupsForVpc", scope.vpc_arn),
        # From load balancers to nodes: EKS gives the cluster's own security group this tag.
        _allow("AllowRulesOfNodes", ingress, groups, {"StringEquals": {nodes: "owned"}}),
        _allow(
            "AllowRulesAndDeletionOfOwnGroups",
            f"{ingress} ec2:DeleteSecurityGroup",
            groups,
            _owned(scope),
        ),
        _allow("AllowNewGroups", create, groups, _requested(scope)),
        _allow("AllowNewGroupsInTheVpc", create, scope.vpc_arn),
        _allow(
            "AllowTagsOfNewGroups",
            "ec2:CreateTags",
            groups,
            _requested(scope, **{"ec2:CreateAction": "CreateSecurityGroup"}),
        ),
        _allow("AllowTagsOfOwnGroups", "ec2:CreateTags ec2:DeleteTags", groups, _retagged(scope)),
    )


def _creation(scope: ControllerScope) -> tuple[Statement, ...]:
    elb = "elasticloadbalancing"
    creating = ["CreateTargetGroup", "CreateLoadBalancer", "CreateListener", "CreateRule"]
    taggable = scope.elb(_TARGETS, *_BALANCERS, *_LISTENERS, *_RULES)
    return (
        _allow(
            "AllowNewLoadBalancers",
            f"{elb}:CreateLoadBalancer {elb}:CreateTargetGroup",
            scope.elb(*_BALANCERS, _TARGETS),
            _requested(scope),
        ),
        _allow(
            "AllowNewListenersOfOwnLoadBalancers",
            f"{elb}:CreateListener",
            scope.elb(*_BALANCERS),
            _owned(scope),
        ),
        _allow(
            "AllowNewRulesOfOwnListeners",
            f"{elb}:CreateRule",
            scope.elb(*_LISTENERS),
            _owned(scope),
        ),
        _allow(
            "AllowTagsOfNewParts",
            f"{elb}:AddTags",
            taggable,
            _requested(scope, **{f"{elb}:CreateAction": creating}),
        ),
        _allow(
            "AllowTagsOfOwnParts", f"{elb}:AddTags {elb}:RemoveTags", taggable, _retagged(scope)
        ),
    )


def _changes(scope: ControllerScope) -> tuple[Statement, ...]:
    # Published actions on parts of load balancers by kind of part, and the kind's ARNs.
    parts = {
        "LoadBalancers": (
            "ModifyLoadBalancerAttributes SetIpAddressType SetSecurityGroups SetSubnets "
            "DeleteLoadBalancer ModifyCapacityReservation ModifyIpPools",
            _BALANCERS,
        ),
        "Listeners": (
            "DeleteListener ModifyListener ModifyListenerAttributes AddListenerCertificates "
            "RemoveListenerCertificates",
            _LISTENERS,
        ),
        "TargetGroups": (
            "ModifyTargetGroup ModifyTargetGroupAttributes DeleteTargetGroup RegisterTargets "
            "DeregisterTargets",
            (_TARGETS,),
        ),
        "Rules": ("DeleteRule ModifyRule SetRulePriorities", _RULES),
    }
    return tuple(
        _allow(
            f"AllowChangesOfOwn{name}",
            " ".join(f"elasticloadbalancing:{verb}" for verb in verbs.split()),
            scope.elb(*arns),
            _owned(scope),
        )
        for name, (verbs, arns) in parts.items()
    )
