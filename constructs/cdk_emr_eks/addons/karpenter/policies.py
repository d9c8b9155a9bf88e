"""What Karpenter's controller may do: the upstream project's own scoped policies, as functions.

The split is upstream's, too, so that a change there can be read line for line against this file,
and so that no policy nears IAM's limit. A contract test compares both texts.

Source: https://karpenter.sh/v1.14/reference/cloudformation/ (cloudformation.yaml), 2026-11.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Final

from cdk_emr_eks.addons.karpenter.scope import PolicyScope, longest_scope
from cdk_emr_eks.errors import Problems
from cdk_emr_eks.security.iam_statements import Statement, allow

MAX_POLICY_CHARACTERS: Final = 6_144
"""Characters of a managed policy, white space not counted.

Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
"""


def controller_policies(
    scope: PolicyScope, *, zonal_shift: bool
) -> Mapping[str, Mapping[str, object]]:
    """Return the controller's policy documents by name.

    Args:
        scope: What to narrow the statements to.
        zonal_shift: Whether Karpenter heeds zonal shifts, and so must read them.
    """
    statements: dict[str, tuple[Statement, ...]] = {
        "NodeLifecycle": (*_launch(scope), *_tag_and_delete(scope)),
        "IamIntegration": _instance_profiles(scope),
        "EksIntegration": (
            allow("AllowAPIServerEndpointDiscovery", "eks:DescribeCluster", scope.cluster_arn),
        ),
        "Interruption": (
            allow(
                "AllowInterruptionQueueActions",
                ("sqs:DeleteMessage", "sqs:GetQueueUrl", "sqs:ReceiveMessage"),
                scope.queue_arn,
            ),
        ),
        "ResourceDiscovery": _discovery(scope),
    }
    if zonal_shift:
        statements["ZonalShift"] = (_zonal_shift(scope),)
    return {
        name: {"Version": "2012-10-17", "Statement": content}
        for name, content in statements.items()
    }


def check_sizes(cluster_name: str, *, zonal_shift: bool) -> None:
    """Check that no policy is over IAM's limit, whatever Region and names tokens stand for.

    Raises:
        ConfigError: If one is, with its size.
    """
    problems = Problems(f"Karpenter of cluster {cluster_name!r}")
    for name, document in controller_policies(
        longest_scope(cluster_name), zonal_shift=zonal_shift
    ).items():
        size = policy_size(document)
        rule = (
            f"makes the controller's policy {name} {size} characters long; "
            f"IAM takes {MAX_POLICY_CHARACTERS}"
        )
        fits = size <= MAX_POLICY_CHARACTERS
        problems.require(fits, "cluster_name", rule, cluster_name, "use a shorter name")
    problems.raise_if_any()


def policy_size(document: Mapping[str, object]) -> int:
    """Return the size of a policy document as IAM counts it: without white space."""
    return sum(not character.isspace() for character in json.dumps(document))


def _requested(scope: PolicyScope) -> Mapping[str, object]:
    return {
        f"aws:RequestTag/{scope.owned}": "owned",
        "aws:RequestTag/eks:eks-cluster-name": scope.cluster_name,
    }


def _owned_node(scope: PolicyScope) -> dict[str, Mapping[str, object]]:
    return {
        "StringEquals": {f"aws:ResourceTag/{scope.owned}": "owned"},
        "StringLike": {"aws:ResourceTag/karpenter.sh/nodepool": "*"},
    }


def _created(scope: PolicyScope) -> tuple[str, ...]:
    kinds = ("fleet", "instance", "volume", "network-interface", "launch-template")
    return (*(scope.ec2(kind) for kind in kinds), scope.ec2("spot-instances-request"))


def _launch(scope: PolicyScope) -> tuple[Statement, ...]:
    run = ("ec2:RunInstances", "ec2:CreateFleet")
    # What an instance is made from need not be ours: images and snapshots are Amazon's, subnets
    # may be shared by another account. What is made must carry the cluster's tags.
    sources = ("security-group", "subnet", "capacity-reservation", "placement-group")
    from_these = (
        scope.public_ec2("image"),
        scope.public_ec2("snapshot"),
        *(scope.ec2(kind) for kind in sources),
    )
    return (
        allow("AllowScopedEC2InstanceAccessActions", run, from_these),
        allow(
            "AllowScopedEC2LaunchTemplateAccessActions",
            run,
            scope.ec2("launch-template"),
            _owned_node(scope),
        ),
        allow(
            "AllowScopedEC2InstanceActionsWithTags",
            (*run, "ec2:CreateLaunchTemplate"),
            _created(scope),
            {
                "StringEquals": _requested(scope),
                "StringLike": {"aws:RequestTag/karpenter.sh/nodepool": "*"},
            },
        ),
    )


def _tag_and_delete(scope: PolicyScope) -> tuple[Statement, ...]:
    creating = ("RunInstances", "CreateFleet", "CreateLaunchTemplate")
    tags = ("eks:eks-cluster-name", "karpenter.sh/nodeclaim", "Name")
    return (
        allow(
            "AllowScopedResourceCreationTagging",
            "ec2:CreateTags",
            _created(scope),
            {
                "StringEquals": {**_requested(scope), "ec2:CreateAction": creating},
                "StringLike": {"aws:RequestTag/karpenter.sh/nodepool": "*"},
            },
        ),
        allow(
            "AllowScopedResourceTagging",
            "ec2:CreateTags",
            scope.ec2("instance"),
            {
                **_owned_node(scope),
                "StringEqualsIfExists": {"aws:RequestTag/eks:eks-cluster-name": scope.cluster_name},
                "ForAllValues:StringEquals": {"aws:TagKeys": tags},
            },
        ),
        allow(
            "AllowScopedDeletion",
            ("ec2:TerminateInstances", "ec2:DeleteLaunchTemplate"),
            (scope.ec2("instance"), scope.ec2("launch-template")),
            _owned_node(scope),
        ),
    )


def _instance_profiles(scope: PolicyScope) -> tuple[Statement, ...]:
    region = "topology.kubernetes.io/region"
    profiles = scope.instance_profiles
    requested = {**_requested(scope), f"aws:RequestTag/{region}": scope.region}
    existing = {
        f"aws:ResourceTag/{scope.owned}": "owned",
        f"aws:ResourceTag/{region}": scope.region,
    }
    request_class = {"aws:RequestTag/karpenter.k8s.aws/ec2nodeclass": "*"}
    resource_class = {"aws:ResourceTag/karpenter.k8s.aws/ec2nodeclass": "*"}
    services = ("ec2.amazonaws.com", "ec2.amazonaws.com.cn")
    return (
        allow(
            "AllowPassingInstanceRole",
            "iam:PassRole",
            scope.node_role_arn,
            {"StringEquals": {"iam:PassedToService": services}},
        ),
        allow(
            "AllowScopedInstanceProfileCreationActions",
            "iam:CreateInstanceProfile",
            profiles,
            {"StringEquals": requested, "StringLike": request_class},
        ),
        allow(
            "AllowScopedInstanceProfileTagActions",
            "iam:TagInstanceProfile",
            profiles,
            {
                "StringEquals": {**existing, **requested},
                "StringLike": {**resource_class, **request_class},
            },
        ),
        allow(
            "AllowScopedInstanceProfileActions",
            (
                "iam:AddRoleToInstanceProfile",
                "iam:RemoveRoleFromInstanceProfile",
                "iam:DeleteInstanceProfile",
            ),
            profiles,
            {"StringEquals": existing, "StringLike": resource_class},
        ),
    )


def _discovery(scope: PolicyScope) -> tuple[Statement, ...]:
    subjects = (
        "CapacityReservations",
        "Images",
        "Instances",
        "InstanceStatus",
        "InstanceTypeOfferings",
        "InstanceTypes",
        "LaunchTemplates",
        "PlacementGroups",
        "SecurityGroups",
        "SpotPriceHistory",
        "Subnets",
    )
    parameters = f"arn:{scope.partition}:ssm:{scope.region}::parameter/aws/service/*"
    return (
        # '*' three times, since these actions support no resource: EC2's Describe calls (narrowed
        # to the Region), the public price list, and the list of instance profiles.
        allow(
            "AllowRegionalReadActions",
            tuple(f"ec2:Describe{subject}" for subject in subjects),
            "*",
            {"StringEquals": {"aws:RequestedRegion": scope.region}},
        ),
        allow("AllowSSMReadActions", "ssm:GetParameter", parameters),
        allow("AllowPricingReadActions", "pricing:GetProducts", "*"),
        allow("AllowUnscopedInstanceProfileListAction", "iam:ListInstanceProfiles", "*"),
        allow("AllowInstanceProfileReadActions", "iam:GetInstanceProfile", scope.instance_profiles),
    )


def _zonal_shift(scope: PolicyScope) -> Statement:
    return allow(
        "AllowZonalShiftStatusReadOnly",
        "arc-zonal-shift:GetManagedResource",
        # The action is narrowed by its own condition key, as upstream does.
        "*",
        {"StringEquals": {"arc-zonal-shift:ResourceIdentifier": scope.cluster_arn}},
    )
