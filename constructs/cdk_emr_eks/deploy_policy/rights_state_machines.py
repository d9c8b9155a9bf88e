"""What CloudFormation calls for state machines."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from cdk_emr_eks.deploy_policy.right import Right, regional, right

STATE_MACHINE_RIGHTS: Final[Mapping[str, tuple[Right, ...]]] = {
    "AWS::StepFunctions::StateMachine": (
        right(
            "states",
            "CreateStateMachine DeleteStateMachine DescribeStateMachine ListTagsForResource "
            "TagResource UntagResource UpdateStateMachine",
            regional("states", "stateMachine:{name}"),
            "StateMachineName",
        ),
    ),
}
"""Rights by type of resource; see ``rights.RIGHTS``."""

STATE_MACHINE_PASSED_TO: Final = {
    "AWS::StepFunctions::StateMachine": (("RoleArn", "states.amazonaws.com"),),
}
"""Property that passes a role, and the service that gets it; see ``rights.PASSED_TO``."""
