"""The state machine of one ephemeral job: namespace, virtual cluster, job, and then away with them.

Whatever fails on the way leads to the cleaner, and so does success. The cleaner is a state machine
of its own, since an execution that is stopped or dies does nothing more: then an event starts it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from cdk_emr_eks.model.ephemeral.states import (
    State,
    call,
    caught,
    choice,
    integration,
    namespace_of,
    then,
    wait,
)

_CLEAN = "Clean up"


@dataclass(frozen=True, kw_only=True, slots=True)
class EphemeralRun:
    """What the state machine is told at synth.

    Args:
        name: The job's name.
        partition: AWS partition; may be a token.
        cluster_name: Name of the EKS cluster.
        template: CloudFormation template of the namespace, as JSON text, with the parameter
            ``Namespace``.
        stack: Further parameters of CreateStack: role, types, tags.
        job: Parameters of StartJobRun, but for the virtual cluster and the arguments.
        arguments: Arguments of the job where an execution gives none.
        timeout_minutes: After how long the job is given up.
        cleaner: ARN of the state machine that cleans up.
        tags: AWS tags of the virtual cluster.
    """

    name: str
    partition: str
    cluster_name: str
    template: str
    stack: Mapping[str, object]
    job: Mapping[str, object]
    arguments: tuple[str, ...]
    timeout_minutes: int
    cleaner: str
    tags: Mapping[str, str]

    def definition(self) -> dict[str, object]:
        """Return the state machine in Amazon States Language."""
        return {
            "Comment": f"Runs {self.name} in a namespace of its own",
            "StartAt": "Name namespace",
            "States": {
                **self._begin(),
                **self._namespace(),
                **self._virtual_cluster(),
                **self._job(),
                **self._end(),
            },
        }

    def _begin(self) -> dict[str, State]:
        named = {"namespace.$": "$.namespace", "virtualCluster.$": "$.virtualCluster"}
        return {
            "Name namespace": {
                "Type": "Pass",
                "Parameters": {
                    "namespace.$": namespace_of(self.name, "$$.Execution.Id"),
                    "virtualCluster": {},
                    "input.$": "$$.Execution.Input",
                },
                "Next": "Arguments given",
            },
            "Arguments given": choice(
                {"Variable": "$.input.arguments", "IsPresent": True, "Next": "Take arguments"},
                default="Take defaults",
            ),
            "Take arguments": {
                "Type": "Pass",
                "Parameters": {**named, "arguments.$": "$.input.arguments"},
                "Next": "Make namespace",
            },
            "Take defaults": {
                "Type": "Pass",
                "Parameters": {**named, "arguments": list(self.arguments)},
                "Next": "Make namespace",
            },
        }

    def _namespace(self) -> dict[str, State]:
        make = call(
            integration(self.partition, "aws-sdk:cloudformation:createStack"),
            {
                **self.stack,
                "StackName.$": "$.namespace",
                "TemplateBody": self.template,
                "Parameters": [
                    {"ParameterKey": "Namespace", "ParameterValue.$": "$.namespace"},
                ],
                "ClientRequestToken.$": "$.namespace",
                "TimeoutInMinutes": 20,
            },
        )
        look = call(
            integration(self.partition, "aws-sdk:cloudformation:describeStacks"),
            {"StackName.$": "$.namespace"},
            result="$.stack",
        )
        look["ResultSelector"] = {"first.$": "$.Stacks[0]"}
        status = "$.stack.first.StackStatus"
        return {
            "Make namespace": then(caught(make, "$.error", _CLEAN), "Await namespace"),
            "Await namespace": wait(5, "Look at namespace"),
            "Look at namespace": then(caught(look, "$.error", _CLEAN), "Namespace made"),
            "Namespace made": choice(
                {
                    "Variable": status,
                    "StringEquals": "CREATE_COMPLETE",
                    "Next": "Make virtual cluster",
                },
                {
                    "Variable": status,
                    "StringEquals": "CREATE_IN_PROGRESS",
                    "Next": "Await namespace",
                },
                default="No namespace",
            ),
            "No namespace": _failure("NoNamespace", "The stack's events tell why it was not made"),
        }

    def _virtual_cluster(self) -> dict[str, State]:
        info = {"EksInfo": {"Namespace.$": "$.namespace"}}
        make = call(
            integration(self.partition, "emr-containers:createVirtualCluster"),
            {
                "Name.$": "$.namespace",
                "ContainerProvider": {"Id": self.cluster_name, "Type": "EKS", "Info": info},
                "ClientToken.$": "$.namespace",
                "Tags": dict(self.tags),
            },
            result="$.virtualCluster",
        )
        make["ResultSelector"] = {"Id.$": "$.Id"}
        look = call(
            integration(self.partition, "aws-sdk:emrcontainers:describeVirtualCluster"),
            {"Id.$": "$.virtualCluster.Id"},
            result="$.made",
        )
        look["ResultSelector"] = {"state.$": "$.VirtualCluster.State"}
        return {
            "Make virtual cluster": then(
                caught(make, "$.error", _CLEAN), "Look at virtual cluster"
            ),
            "Look at virtual cluster": then(
                caught(look, "$.error", _CLEAN), "Virtual cluster made"
            ),
            "Virtual cluster made": choice(
                {"Variable": "$.made.state", "StringEquals": "RUNNING", "Next": "Run job"},
                default="No virtual cluster",
            ),
            "No virtual cluster": _failure("NoVirtualCluster", "EMR has made none that is running"),
        }

    def _job(self) -> dict[str, State]:
        driver = self.job["JobDriver"]
        spark = driver["SparkSubmitJobDriver"] if isinstance(driver, Mapping) else {}
        run: State = {
            "Type": "Task",
            "Resource": integration(self.partition, "emr-containers:startJobRun.sync"),
            "Parameters": {
                **self.job,
                "VirtualClusterId.$": "$.virtualCluster.Id",
                "ClientToken.$": "$.namespace",
                "JobDriver": {
                    "SparkSubmitJobDriver": {**spark, "EntryPointArguments.$": "$.arguments"}
                },
            },
            "TimeoutSeconds": self.timeout_minutes * 60,
            "ResultPath": "$.job",
        }
        # No second attempt: the job may have written something.
        return {"Run job": then(caught(run, "$.error", _CLEAN), _CLEAN)}

    def _end(self) -> dict[str, State]:
        clean = call(
            integration(self.partition, "states:startExecution.sync:2"),
            {
                "StateMachineArn": self.cleaner,
                "Input": {
                    "execution.$": "$$.Execution.Id",
                    "virtualCluster.$": "$.virtualCluster",
                    # By it the console links the two.
                    "AWS_STEP_FUNCTIONS_STARTED_BY_EXECUTION_ID.$": "$$.Execution.Id",
                },
            },
        )
        return {
            _CLEAN: then(caught(clean, "$.left", "Outcome"), "Outcome"),
            "Outcome": choice(
                {"Variable": "$.left", "IsPresent": True, "Next": "Not cleaned up"},
                {"Variable": "$.error", "IsPresent": True, "Next": "Failed"},
                default="Done",
            ),
            # A failed execution starts the cleaner once more.
            "Not cleaned up": {
                "Type": "Fail",
                "Error": "NotCleanedUp",
                "CausePath": "States.JsonToString($)",
            },
            # The language keeps names such as States.Timeout for itself: the cause has them.
            "Failed": {
                "Type": "Fail",
                "Error": "EphemeralJobFailed",
                "CausePath": "States.JsonToString($.error)",
            },
            "Done": {"Type": "Succeed", "OutputPath": "$.job"},
        }


def _failure(error: str, cause: str) -> State:
    return {
        "Type": "Pass",
        "Result": {"Error": error, "Cause": cause},
        "ResultPath": "$.error",
        "Next": _CLEAN,
    }
