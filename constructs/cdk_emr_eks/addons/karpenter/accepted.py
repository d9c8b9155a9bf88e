"""Why each wildcard of the controller's policies is there, for those who run static checkers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from cdk_emr_eks.addons.controllers import wildcard_resources

_BY_SID: Final = {
    "AllowScopedEC2InstanceAccessActions": "What an instance is made from need not be ours: images "
    "are Amazon's, subnets may be shared; what is made from it must carry the cluster's tags",
    "AllowSSMReadActions": "The parameters that AWS publishes for all, such as ids of images",
    "AllowInstanceProfileReadActions": "Reading only; Karpenter makes up the names of profiles",
}
_TAGGED: Final = "Ids are not known beforehand; conditions on the cluster's tags narrow it"
_NO_RESOURCE: Final = "The actions support no resource, or their own condition key narrows them"

NODE_POLICY: Final = "AWS keeps it in step with what a node must do"
QUEUE: Final = "News of a spot instance is of no use after the two minutes it has left"
QUEUE_KEY: Final = "Encrypted with SQS's own key, which the check does not know"


def wildcard_reasons(document: Mapping[str, object]) -> Mapping[str, str]:
    """Return the reason for each resource with a wildcard in a policy document."""
    found: dict[str, list[str]] = {}
    for statement, resource in wildcard_resources(document):
        reasons = found.setdefault(resource, [])
        reason = _reason(statement, resource)
        if reason not in reasons:
            reasons.append(reason)
    return {resource: "; ".join(reasons) for resource, reasons in found.items()}


def _reason(statement: Mapping[str, object], resource: str) -> str:
    if resource == "*":
        return _NO_RESOURCE
    return _BY_SID.get(str(statement["Sid"]), _TAGGED)
