"""The cleaner: the state machine that deletes what one execution of an ephemeral job created.

Its input is ``{"execution": ARN, "virtualCluster": {"Id": ...}}``; the virtual cluster is ``{}`` if
it is unknown. It may run twice for one execution: the second run finds nothing to delete.
"""

from __future__ import annotations

from typing import Final

from cdk_emr_eks.model.ephemeral.states import (
    DISCARDED,
    State,
    call,
    choice,
    integration,
    namespace_of,
    wait,
    with_catch,
    with_next,
)
from cdk_emr_eks.values import value

# Time until API calls that were in progress when an execution ended have taken effect.
SETTLE_SECONDS: Final = 60

# Time-out of the cleaner. EMR and Kubernetes wait for pods that terminate slowly.
LIMIT_SECONDS: Final = 2 * 60 * 60

_ACTIVE: Final = ("PENDING", "SUBMITTED", "RUNNING", "CANCEL_PENDING")


@value
class EphemeralCleaner:
    """The cleaner of one ephemeral job.

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
        """List virtual clusters created since the execution began: EMR cannot search by name."""
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
            "Find beginning": with_next(
                with_catch(find, "$.left", "Delete namespace"), "List virtual clusters"
            ),
            "List virtual clusters": with_next(
                with_catch(first, "$.left", "Delete namespace"), "Remove virtual clusters"
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
            "List further": with_next(
                with_catch(further, "$.left", "Delete namespace"), "Remove virtual clusters"
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
            "ResultPath": DISCARDED,
        }
        # Jobs must end even if their virtual cluster cannot be deleted.
        return with_next(with_catch(each, "$.left", "Delete namespace"), "More of them")

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
            "Find jobs": with_next(find, "Jobs left"),
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
                    # The job may have ended, or be about to end: the next listing shows it.
                    "Cancel job": {
                        **with_catch(cancel, "$.ended", "Cancelled"),
                        "Next": "Cancelled",
                    },
                    "Cancelled": {"Type": "Pass", "End": True},
                },
            },
            "ResultPath": DISCARDED,
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
        # A deleted stack is an error here, and only its message distinguishes it from other errors.
        # So there is no retry: the state machine looks again after the next wait.
        del look["Retry"]
        look["ResultSelector"] = {"first.$": "$.Stacks[0]"}
        status = "$.stack.first.StackStatus"
        return {
            "Delete namespace": with_next(delete, "Look at namespace"),
            "Look at namespace": with_next(
                with_catch(look, "$.unseen", "Namespace gone"), "Deletion"
            ),
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
                "Cause": "The stack's events show why it was not deleted",
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
