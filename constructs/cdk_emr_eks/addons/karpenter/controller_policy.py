"""The IAM policies of Karpenter's controller: those that the project publishes, unchanged.

``controller_policies.json`` has the published documents; a refresh script writes it, and a contract
test compares the result with the published text. The only deviation: without zonal shift, its
policy is left out.

Source: https://karpenter.sh/v1.14/reference/cloudformation/ (cloudformation.yaml), 2026-11.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from cdk_emr_eks.addons.controllers import wildcard_resources
from cdk_emr_eks.checks import Check
from cdk_emr_eks.security.iam_statements import MAX_POLICY_CHARACTERS, Document, Statement
from cdk_emr_eks.security.published_policies import (
    fill_document,
    policy_size,
    published_documents,
)
from cdk_emr_eks.values import value

_ZONAL_SHIFT: Final = "ZonalShift"

# The longest of each: no Region's name has more than 15 characters, no partition's more than 10.
_LONGEST_REGION: Final = "us-isof-south-1"
_LONGEST_PARTITION: Final = "aws-us-gov"
_LONGEST_ROLE_NAME: Final = 64
_LONGEST_QUEUE_NAME: Final = 80

# Why resources have a wildcard, by the name of the statement.
_REASONS: Final = {
    "AllowScopedEC2InstanceAccessActions": "An instance is made from resources of other accounts: "
    "images are Amazon's, subnets may be shared. What is made from them must carry the cluster's "
    "tags",
    "AllowSSMReadActions": "The public parameters of AWS, such as ids of images",
    "AllowInstanceProfileReadActions": "Reading only; Karpenter generates the names of profiles",
}
_TAGGED: Final = "Ids are not known at synth; conditions on the cluster's tags narrow them"
_NO_RESOURCE: Final = "The actions support no resource, or their own condition key narrows them"


@value
class PolicyScope:
    """The names that the published documents have placeholders for.

    Args:
        partition: AWS partition, may be a token.
        region: AWS Region, may be a token.
        account: Account id, may be a token.
        cluster_name: Literal name of the cluster, since condition keys contain it.
        node_role_arn: ARN of the role of Karpenter's nodes, may be a token.
        queue_arn: ARN of the interruption queue, may be a token.
    """

    partition: str
    region: str
    account: str
    cluster_name: str
    node_role_arn: str
    queue_arn: str

    def placeholders(self) -> Mapping[str, str]:
        """Return the names by placeholder of the published documents."""
        return {
            "AWS::Partition": self.partition,
            "AWS::Region": self.region,
            "AWS::AccountId": self.account,
            "ClusterName": self.cluster_name,
            "KarpenterNodeRole.Arn": self.node_role_arn,
            "KarpenterInterruptionQueue.Arn": self.queue_arn,
        }


def longest_scope(cluster_name: str) -> PolicyScope:
    """Return a scope with each name as long as AWS allows, to measure policies with tokens."""
    account = "0" * 12
    role = f"arn:{_LONGEST_PARTITION}:iam::{account}:role/"
    queue = f"arn:{_LONGEST_PARTITION}:sqs:{_LONGEST_REGION}:{account}:"
    return PolicyScope(
        partition=_LONGEST_PARTITION,
        region=_LONGEST_REGION,
        account=account,
        cluster_name=cluster_name,
        node_role_arn=role + "r" * _LONGEST_ROLE_NAME,
        queue_arn=queue + "q" * _LONGEST_QUEUE_NAME,
    )


def controller_policies(scope: PolicyScope, *, zonal_shift: bool) -> Mapping[str, Document]:
    """Return the controller's policy documents by name.

    Args:
        scope: The names to fill in.
        zonal_shift: Whether Karpenter follows zonal shifts, for which it reads them.
    """
    published = published_documents("cdk_emr_eks.addons.karpenter", "controller_policies.json")
    return {
        name: fill_document(document, scope.placeholders())
        for name, document in published.items()
        if zonal_shift or name != _ZONAL_SHIFT
    }


def check_sizes(cluster_name: str, *, zonal_shift: bool) -> None:
    """Check that every policy is within IAM's limit, for any Region and any names of tokens.

    Raises:
        ConfigError: If a policy is too large.
    """
    check = Check(f"Karpenter of cluster {cluster_name!r}")
    documents = controller_policies(longest_scope(cluster_name), zonal_shift=zonal_shift)
    for name, document in documents.items():
        size = policy_size(document)
        rule = (
            f"makes the controller's policy {name} {size} characters long; "
            f"IAM takes {MAX_POLICY_CHARACTERS}"
        )
        fits = size <= MAX_POLICY_CHARACTERS
        check.require(fits, "cluster_name", rule, cluster_name, "use a shorter name")
    check.raise_if_any()


def wildcard_reasons(document: Document) -> Mapping[str, str]:
    """Return the reason for each resource with a wildcard in a policy document."""
    found: dict[str, list[str]] = {}
    for statement, resource in wildcard_resources(document):
        reasons = found.setdefault(resource, [])
        reason = _reason(statement, resource)
        if reason not in reasons:
            reasons.append(reason)
    return {resource: "; ".join(reasons) for resource, reasons in found.items()}


def _reason(statement: Mapping[str, object] | Statement, resource: str) -> str:
    if resource == "*":
        return _NO_RESOURCE
    return _REASONS.get(str(statement["Sid"]), _TAGGED)
