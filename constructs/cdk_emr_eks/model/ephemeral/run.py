"""The state machine of one ephemeral job: create its namespace, run it, clean up.

Every failure leads to the cleaner, and so does success. The cleaner is a separate state machine,
since a stopped or failed execution runs no further state: an event then starts the cleaner.
"""

from __future__ import annotations

from collections.abc import Mapping

from cdk_emr_eks.model.ephemeral.states import (
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

_CLEAN = "Clean up"


@value
class EphemeralRun:
    """The state machine that runs one ephemeral job.

    Args:
        name: The job's name.
        partition: AWS partition; may be a token.
        cluster_name: Name of the EKS cluster.
        template: CloudFormation template of the namespace, as JSON text, with the parameter
            ``Namespace``.
        stack: Further parameters of CreateStack: role, types, tags.
        job: Parameters of StartJobRun, without the virtual cluster and the arguments.
        arguments: Arguments of the job if an execution gives none.
        timeout_minutes: Time-out of the job.
        cleaner: ARN of the cleaner.
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
            "Comment": f"Runs {self.name} in a separate namespace",
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
            "Make namespace": with_next(with_catch(make, "$.error", _CLEAN), "Await namespace"),
            "Await namespace": wait(5, "Look at namespace"),
            "Look at namespace": with_next(with_catch(look, "$.error", _CLEAN), "Namespace made"),
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
            "No namespace": _failure(
                "NoNamespace", "The stack's events show why it was not created"
            ),
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
            "Make virtual cluster": with_next(
                with_catch(make, "$.error", _CLEAN), "Look at virtual cluster"
            ),
            "Look at virtual cluster": with_next(
                with_catch(look, "$.error", _CLEAN), "Virtual cluster made"
            ),
            "Virtual cluster made": choice(
                {"Variable": "$.made.state", "StringEquals": "RUNNING", "Next": "Run job"},
                default="No virtual cluster",
            ),
            "No virtual cluster": _failure(
                "NoVirtualCluster", "EMR created no running virtual cluster"
            ),
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
        # No retry: the job may have written data.
        return {"Run job": with_next(with_catch(run, "$.error", _CLEAN), _CLEAN)}

    def _end(self) -> dict[str, State]:
        clean = call(
            integration(self.partition, "states:startExecution.sync:2"),
            {
                "StateMachineArn": self.cleaner,
                "Input": {
                    "execution.$": "$$.Execution.Id",
                    "virtualCluster.$": "$.virtualCluster",
                    # The console uses it to link the two executions.
                    "AWS_STEP_FUNCTIONS_STARTED_BY_EXECUTION_ID.$": "$$.Execution.Id",
                },
            },
        )
        return {
            _CLEAN: with_next(with_catch(clean, "$.left", "Outcome"), "Outcome"),
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
            # Names such as States.Timeout are reserved, so only the cause contains them.
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
