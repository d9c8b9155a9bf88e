"""What CloudFormation calls for managed endpoints."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from cdk_emr_eks.deploy_policy.right import Right, ec2, regional, right

_VIRTUAL_CLUSTERS: Final = regional("emr-containers", "/virtualclusters/*")
_ENDPOINTS: Final = regional("emr-containers", "/virtualclusters/*/endpoints/*")

ENDPOINT_RIGHTS: Final[Mapping[str, tuple[Right, ...]]] = {
    "AWS::EMRContainers::Endpoint": (
        right("emr-containers", "CreateManagedEndpoint", _VIRTUAL_CLUSTERS),
        right(
            "emr-containers",
            "DescribeManagedEndpoint DeleteManagedEndpoint ListTagsForResource TagResource "
            "UntagResource",
            _ENDPOINTS,
        ),
        # EMR makes a security group for the endpoint's load balancer, and opens that of the nodes
        # to it, in the name of who makes the endpoint; and takes both back on deletion.
        *ec2(
            "CreateSecurityGroup DeleteSecurityGroup DescribeSecurityGroups "
            "AuthorizeSecurityGroupEgress AuthorizeSecurityGroupIngress "
            "RevokeSecurityGroupEgress RevokeSecurityGroupIngress "
            "DescribeNetworkInterfaces DeleteNetworkInterface"
        ),
    ),
}
"""Rights by type of resource; see ``rights.RIGHTS``.

Source: https://docs.aws.amazon.com/emr/latest/EMR-on-EKS-DevelopmentGuide/prereqs-for-studio.html
"""

ENDPOINT_PASSED_TO: Final = {
    # The guide of Spark Connect names the first, the Service Authorization Reference the second.
    "AWS::EMRContainers::Endpoint": (
        ("ExecutionRoleArn", "emr-containers.amazonaws.com"),
        ("ExecutionRoleArn", "pods.eks.amazonaws.com"),
    ),
}
"""Property that passes a role, and the services that get it; see ``rights.PASSED_TO``."""
