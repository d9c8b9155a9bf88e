"""The state machine that removes what one execution of an ephemeral job made, however far it came.

It takes ``{"execution": ARN, "virtualCluster": {"Id": ...}}``; the virtual cluster is ``{}`` where
nobody knows it. It may run twice for one execution: the second time it finds nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from cdk_emr_eks.model.ephemeral.states import (
    UNREAD,
    State,
    call,
    caught,
    choice,
    integration,
    namespace_of,
    then,
    wait,
)

SETTLE_SECONDS: Final = 60
"""How long calls that were on their way when an execution ended are given to have their effect."""

LIMIT_SECONDS: Final = 2 * 60 * 60
"""When cleaning up is given up; EMR and Kubernetes wait for pods that end slowly."""

_ACTIVE: Final = ("PENDING", "SUBMITTED", "RUNNING", "CANCEL_PENDING")


@dataclass(frozen=True, kw_only=True, slots=True)
class EphemeralCleaner:
    """What the state machine is told at synth.

    Args:
        name: The job's name.
        partition: AWS partition; may be a token.
        cluster_name: Name of the EKS cluster.
    """

    name: str
    partition: str
    cluster_name: str

    def definition(self) -> dict[str, object]:
        """Return the state machine in Amazon States Language."""
        return {
            "Comment": f"Removes what an execution of {self.name} made",
            "StartAt": "Name namespace",
            "TimeoutSeconds": LIMIT_SECONDS,
            "States": {
                **self._begin(),
                **self._search(),
                "Remove virtual clusters": self._remove(),
                **self._namespace(),
            },
        }

    def _begin(self) -> dict[str, State]:
        known = {"Id.$": "$.virtualCluster.Id", "Name.$": "$.namespace"}
        return {
            "Name namespace": {
                "Type": "Pass",
                "Parameters": {
                    "namespace.$": namespace_of(self.name, "$.execution"),
                    "execution.$": "$.execution",
                    "virtualCluster.$": "$.virtualCluster",
                },
                "Next": "Virtual cluster known",
            },
            "Virtual cluster known": choice(
                {"Variable": "$.virtualCluster.Id", "IsPresent": True, "Next": "Take it"},
                default="Settle",
            ),
            "Take it": {
                "Type": "Pass",
                "Parameters": {"VirtualClusters": [known]},
                "ResultPath": "$.found",
                "Next": "Remove virtual clusters",
            },
            "Settle": wait(SETTLE_SECONDS, "Find beginning"),
        }

    def _search(self) -> dict[str, State]:
        """Look through the virtual clusters made since the execution began: EMR finds no names."""
        find = call(
            integration(self.partition, "aws-sdk:sfn:describeExecution"),
            {"ExecutionArn.$": "$.execution"},
            result="$.began",
        )
        find["ResultSelector"] = {"at.$": "$.StartDate"}
        wanted = {
            "ContainerProviderId": self.cluster_name,
            "ContainerProviderType": "EKS",
            "CreatedAfter.$": "$.began.at",
            "States": ["RUNNING", "ARRESTED"],
        }
        resource = integration(self.partition, "aws-sdk:emrcontainers:listVirtualClusters")
        first = call(resource, wanted, result="$.found")
        further = call(resource, {**wanted, "NextToken.$": "$.found.NextToken"}, result="$.found")
        token = "$.found.NextToken"
        return {
            "Find beginning": then(
                caught(find, "$.left", "Delete namespace"), "List virtual clusters"
            ),
            "List virtual clusters": then(
                caught(first, "$.left", "Delete namespace"), "Remove virtual clusters"
            ),
            "More of them": choice(
                {
                    "And": [
                        {"Variable": token, "IsPresent": True},
                        {"Variable": token, "IsString": True},
                    ],
                    "Next": "List further",
                },
                default="Delete namespace",
            ),
            "List further": then(
                caught(further, "$.left", "Delete namespace"), "Remove virtual clusters"
            ),
        }

    def _remove(self) -> State:
        each: State = {
            "Type": "Map",
            "ItemsPath": "$.found.VirtualClusters",
            "ItemSelector": {
                "id.$": "$$.Map.Item.Value.Id",
                "name.$": "$$.Map.Item.Value.Name",
                "namespace.$": "$.namespace",
            },
            "MaxConcurrency": 1,
            "ItemProcessor": {
                "ProcessorConfig": {"Mode": "INLINE"},
                "StartAt": "Of this execution",
                "States": self._one(),
            },
            "ResultPath": UNREAD,
        }
        # A namespace without its virtual cluster is better than jobs that go on.
        return then(caught(each, "$.left", "Delete namespace"), "More of them")

    def _one(self) -> dict[str, State]:
        find = call(
            integration(self.partition, "aws-sdk:emrcontainers:listJobRuns"),
            {"VirtualClusterId.$": "$.id", "States": list(_ACTIVE)},
            result="$.active",
        )
        find["ResultSelector"] = {"jobs.$": "$.JobRuns"}
        delete = call(
            integration(self.partition, "emr-containers:deleteVirtualCluster.sync"),
            {"Id.$": "$.id"},
        )
        return {
            "Of this execution": choice(
                {"Variable": "$.name", "StringEqualsPath": "$.namespace", "Next": "Find jobs"},
                default="Of another",
            ),
            "Of another": {"Type": "Pass", "End": True},
            "Find jobs": then(find, "Jobs left"),
            "Jobs left": choice(
                {"Variable": "$.active.jobs[0]", "IsPresent": True, "Next": "Cancel jobs"},
                default="Delete virtual cluster",
            ),
            "Cancel jobs": self._cancel(),
            "Await jobs": wait(15, "Find jobs"),
            "Delete virtual cluster": {**delete, "End": True},
        }

    def _cancel(self) -> State:
        cancel = call(
            integration(self.partition, "aws-sdk:emrcontainers:cancelJobRun"),
            {"VirtualClusterId.$": "$.id", "Id.$": "$.job"},
        )
        return {
            "Type": "Map",
            "ItemsPath": "$.active.jobs",
            "ItemSelector": {"id.$": "$.id", "job.$": "$$.Map.Item.Value.Id"},
            "MaxConcurrency": 1,
            "ItemProcessor": {
                "ProcessorConfig": {"Mode": "INLINE"},
                "StartAt": "Cancel job",
                "States": {
                    # It may have ended meanwhile, or be on its way to it: the next look tells.
                    "Cancel job": {**caught(cancel, "$.ended", "Cancelled"), "Next": "Cancelled"},
                    "Cancelled": {"Type": "Pass", "End": True},
                },
            },
            "ResultPath": UNREAD,
            "Next": "Await jobs",
        }

    def _namespace(self) -> dict[str, State]:
        delete = call(
            integration(self.partition, "aws-sdk:cloudformation:deleteStack"),
            {"StackName.$": "$.namespace"},
        )
        look = call(
            integration(self.partition, "aws-sdk:cloudformation:describeStacks"),
            {"StackName.$": "$.namespace"},
            result="$.stack",
        )
        # A stack that is gone is an error here, and what CloudFormation says is all that tells it
        # from others: so errors are not tried again at once, but after the next wait.
        del look["Retry"]
        look["ResultSelector"] = {"first.$": "$.Stacks[0]"}
        status = "$.stack.first.StackStatus"
        return {
            "Delete namespace": then(delete, "Look at namespace"),
            "Look at namespace": then(caught(look, "$.unseen", "Namespace gone"), "Deletion"),
            "Namespace gone": choice(
                {
                    "Variable": "$.unseen.Cause",
                    "StringMatches": "*does not exist*",
                    "Next": "All gone",
                },
                default="Await deletion",
            ),
            "Deletion": choice(
                {"Variable": status, "StringEquals": "DELETE_COMPLETE", "Next": "All gone"},
                {"Variable": status, "StringEquals": "DELETE_FAILED", "Next": "Namespace left"},
                default="Await deletion",
            ),
            "Await deletion": wait(10, "Look at namespace"),
            "Namespace left": {
                "Type": "Fail",
                "Error": "NamespaceLeft",
                "Cause": "The stack's events tell why it was not deleted",
            },
            "All gone": choice(
                {"Variable": "$.left", "IsPresent": True, "Next": "Virtual cluster left"},
                default="Clean",
            ),
            "Virtual cluster left": {
                "Type": "Fail",
                "Error": "VirtualClusterLeft",
                "CausePath": "States.JsonToString($.left)",
            },
            "Clean": {"Type": "Succeed"},
        }
