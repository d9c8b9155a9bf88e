"""The account that state machines of ephemeral jobs act on: stacks, virtual clusters, job runs.

botocore's model of the service validates each call: its parameters and their types. A fault is
selected by the number of the call, or by its action.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Final

import botocore.session
from botocore.model import ListShape, MapShape, Shape, StructureShape
from botocore.validate import ParamValidator

from cdk_emr_eks.model.ephemeral.clean import EphemeralCleaner
from tests.unit.ephemeral.asl_interpreter import AwsError, Execution, run

STARTED: Final = "2026-11-21T09:00:00.000Z"
CLEANER: Final = "arn:aws:states:eu-west-1:111122223333:stateMachine:emr-etl-clean"
_SERVICES: Final = {
    "emr-containers": "emr-containers",
    "emrcontainers": "emr-containers",
    "cloudformation": "cloudformation",
    "sfn": "stepfunctions",
    "states": "stepfunctions",
}
_ACTIVE: Final = ("PENDING", "SUBMITTED", "RUNNING", "CANCEL_PENDING")

Fault = Callable[[Execution], None]


class EndlessError(BaseException):
    """Calls without an end; no state machine can catch it."""


@dataclass
class JobRun:
    """A job run: its state now, and how it ends; None: never by itself."""

    cluster: str
    state: str
    ends: str | None


@dataclass
class Account:
    """The services and their resources.

    Attributes:
        job_ends: Final state of a job run. None: it runs until it is cancelled.
        clusters: Virtual clusters by id: name, state.
        stacks: Stacks by name: status.
        jobs: Job runs by id.
        before: Faults by number of the call, starting at 1: they happen before its effect.
        after: The same, after its effect: the answer is lost.
        always: Faults by action, every time.
        calls: Actions that were called, in order.
        slow: Number of describe calls until a stack is created.
        parameters: Parameters of the last call of each action.
    """

    cleaner: EphemeralCleaner
    job_ends: str | None = "COMPLETED"
    clusters: dict[str, list[str]] = field(default_factory=dict)
    stacks: dict[str, str] = field(default_factory=dict)
    jobs: dict[str, JobRun] = field(default_factory=dict)
    before: Mapping[int, Fault] = field(default_factory=dict)
    after: Mapping[int, Fault] = field(default_factory=dict)
    always: dict[str, Fault] = field(default_factory=dict)
    calls: list[str] = field(default_factory=list)
    seconds: int = 0
    slow: int = 2
    stack_ends: str = "CREATE_COMPLETE"
    cluster_state: str = "RUNNING"
    parameters: dict[str, dict[str, Any]] = field(default_factory=dict)
    _looks: dict[str, int] = field(default_factory=dict)
    _tokens: dict[str, str] = field(default_factory=dict)

    @property
    def left(self) -> list[str]:
        """What an execution has left behind."""
        found = [name for name, state in self.stacks.items() if state != "DELETE_COMPLETE"]
        found += [id for id, (_, state) in self.clusters.items() if state != "TERMINATED"]
        return found + [id for id, job in self.jobs.items() if job.state in _ACTIVE]

    def waited(self, seconds: int) -> None:
        """Let time pass."""
        self.seconds += seconds

    def call(self, resource: str, parameters: dict[str, Any], execution: Execution) -> object:
        """Answer one call; see ``Services``."""
        service, _, verb = resource.removeprefix("aws-sdk:").partition(":")
        check(_SERVICES[service], verb.partition(".")[0], parameters)
        self.calls.append(verb)
        if len(self.calls) > 500:
            raise EndlessError(verb)
        self.parameters[verb] = parameters
        number = len(self.calls)
        for fault in (self.before.get(number), self.always.get(verb)):
            if fault:
                fault(execution)
        answer = self._answer(verb.partition(":")[0], parameters)
        if lost := self.after.get(number):
            lost(execution)
        return answer

    def clean(self, execution: str, cluster: object = None) -> Execution:
        """Run the cleaner, as the event does where nothing is known of the virtual cluster."""
        given = {"execution": execution, "virtualCluster": cluster or {}}
        return run(self.cleaner.definition(), given, self, arn=f"{CLEANER}:1")

    def _answer(self, verb: str, given: dict[str, Any]) -> object:
        match verb:
            case "startExecution.sync":
                made = given["Input"]
                ended = self.clean(made["execution"], made["virtualCluster"])
                if ended.status != "SUCCEEDED":
                    raise AwsError("States.TaskFailed", f"cleaner {ended.status} {ended.error}")
                return {"Status": ended.status}
            case "describeExecution":
                return {"StartDate": STARTED}
            case "createStack" | "describeStacks" | "deleteStack":
                return self._stack(verb, given["StackName"])
            case "createVirtualCluster":
                return self._create_cluster(given["Name"], given["ClientToken"])
            case "describeVirtualCluster":
                return {"VirtualCluster": {"State": self.clusters[given["Id"]][1]}}
            case "listVirtualClusters":
                return self._list(given)
            case "deleteVirtualCluster.sync":
                return self._delete_cluster(given["Id"])
        return self._job(verb, given)

    def _stack(self, verb: str, name: str) -> object:
        state = self.stacks.get(name)
        if verb == "createStack":
            if state is not None:
                raise AwsError("CloudFormation.AlreadyExistsException", f"{name} is there")
            self.stacks[name] = "CREATE_IN_PROGRESS"
            return {"StackId": f"arn:stack/{name}"}
        if verb == "deleteStack":
            if state is not None:
                self.stacks[name], self._looks[name] = "DELETE_IN_PROGRESS", 0
            return {}
        if state is None:
            cause = f"Stack with id {name} does not exist (Service: CloudFormation)"
            raise AwsError("CloudFormation.CloudFormationException", cause)
        self._looks[name] = self._looks.get(name, 0) + 1
        if self._looks[name] > self.slow:
            if state == "DELETE_IN_PROGRESS":
                del self.stacks[name]
                return self._stack(verb, name)
            self.stacks[name] = self.stack_ends
        return {"Stacks": [{"StackStatus": self.stacks[name]}]}

    def _create_cluster(self, name: str, token: str) -> object:
        assert self.stacks.get(name) == "CREATE_COMPLETE"
        id = self._tokens.setdefault(token, f"vc{len(self._tokens)}")
        self.clusters.setdefault(id, [name, self.cluster_state])
        return {"Id": id, "Name": name, "Arn": f"arn:{id}"}

    def _list(self, given: Mapping[str, Any]) -> object:
        """Two to a page, with those of others among them."""
        assert given["CreatedAfter"] == STARTED
        found = [{"Id": f"other{number}", "Name": "tenant"} for number in range(3)]
        found += [
            {"Id": id, "Name": name}
            for id, (name, state) in self.clusters.items()
            if state in given["States"]
        ]
        first = int(given.get("NextToken", "0"))
        page: dict[str, object] = {"VirtualClusters": found[first : first + 2]}
        return {**page, "NextToken": str(first + 2)} if first + 2 < len(found) else page

    def _delete_cluster(self, id: str) -> object:
        busy = [job for job in self.jobs.values() if job.cluster == id and job.state in _ACTIVE]
        if busy:
            raise AwsError("EmrContainers.ValidationException", "it has active job runs")
        self.clusters[id][1] = "TERMINATED"
        return {"Id": id}

    def _job(self, verb: str, given: dict[str, Any]) -> object:
        if verb == "startJobRun.sync":
            id = f"job{len(self.jobs)}"
            self.jobs[id] = JobRun(given["VirtualClusterId"], "RUNNING", self.job_ends)
            if self.job_ends is None:
                raise AwsError("States.Timeout", "")
            self.jobs[id].state = self.job_ends
            if self.job_ends != "COMPLETED":
                raise AwsError("States.TaskFailed", f"job run {self.job_ends}")
            return {"Id": id, "State": "COMPLETED"}
        if verb == "listJobRuns":
            cluster, states = given["VirtualClusterId"], given["States"]
            found = [
                {"Id": id, "State": job.state}
                for id, job in self.jobs.items()
                if job.cluster == cluster and job.state in states
            ]
            for job in self.jobs.values():
                if job.state == "CANCEL_PENDING":
                    job.state = "CANCELLED"
            return {"JobRuns": found}
        assert verb == "cancelJobRun"
        job = self.jobs[given["Id"]]
        if job.state not in _ACTIVE[:3]:
            raise AwsError("EmrContainers.ValidationException", f"it is {job.state}")
        job.state = "CANCEL_PENDING"
        return {"Id": given["Id"]}


def fails(name: str = "EmrContainers.InternalServerException") -> Fault:
    """Let a call fail."""

    def fault(_: Execution) -> None:
        raise AwsError(name, "something went wrong")

    return fault


def stops(execution: Execution) -> None:
    """Stop the execution that calls."""
    execution.stop()


@cache
def _model(service: str) -> Any:
    return botocore.session.get_session().get_service_model(service)


def check(service: str, verb: str, parameters: Mapping[str, Any]) -> None:
    """Fail if AWS's model of an operation does not know the parameters as Step Functions has them.

    Raises:
        AssertionError: If one is unknown, absent, or of another type.
    """
    given = dict(parameters)
    if service == "stepfunctions" and verb == "startExecution":
        given["Input"] = str(given["Input"])
    shape = _model(service).operation_model(verb[0].upper() + verb[1:]).input_shape
    report = ParamValidator().validate(_as_the_api(given, shape, verb), shape)
    assert not report.has_errors(), f"{verb}: {report.generate_report()}"


def _as_the_api(value: Any, shape: Shape, where: str) -> Any:
    if isinstance(shape, StructureShape):
        # Step Functions takes members in PascalCase, whatever the API does.
        known = {name[0].upper() + name[1:]: name for name in shape.members}
        unknown = set(value) - set(known)
        assert not unknown, f"{where}: unknown {sorted(unknown)}"
        return {
            known[name]: _as_the_api(item, shape.members[known[name]], f"{where}.{name}")
            for name, item in value.items()
        }
    if isinstance(shape, ListShape):
        return [_as_the_api(item, shape.member, where) for item in value]
    if isinstance(shape, MapShape):
        return {key: _as_the_api(item, shape.value, where) for key, item in value.items()}
    return value
