"""Suppressed findings of static checkers that no resource can hold, with the reasons.

The reasons for cdk-nag and checkov are in the library (``cdk_emr_eks.security.suppressions``). The
other two tools, and stacks that are not ours, have no place for a reason in a template.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

# A stack that an example takes as existing. The library does not create it, so its findings are not
# reported.
FOREIGN: Final = frozenset({"Foundation"})

# Reason by cfn-lint rule that is not applied.
LINT: Final[Mapping[str, str]] = {
    "W3005": (
        "CDK writes `DependsOn` for each construct of a dependency, also where a reference says"
        " the same; twice is harmless, and CDK offers no way to leave one out"
    ),
}

# Reason by Sid or action for ``*`` as the resource of an action that could be narrowed.
IAM_STARS: Final[Mapping[str, str]] = {
    "AllowZonalShiftStatusReadOnly": (
        "the cluster is named by the condition arc-zonal-shift:ResourceIdentifier; the action's"
        " only resource types are load balancers"
    ),
    "CreateWorkspaces": (
        "elasticmapreduce:CreateEditor has no resource type but a cluster on EC2, and a workspace"
        " for EMR on EKS has none; EMR's own policies for users of a Studio write it so"
    ),
}
