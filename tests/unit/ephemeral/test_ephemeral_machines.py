"""Ephemeral jobs in an interpreter: wherever an execution breaks, nothing is left behind."""

from __future__ import annotations

import hashlib
import json
from typing import Any, Final

import pytest

from cdk_emr_eks.model.ephemeral.clean import SETTLE_SECONDS, EphemeralCleaner
from cdk_emr_eks.model.ephemeral.run import EphemeralRun
from tests.unit.ephemeral.asl_interpreter import Execution, run
from tests.unit.ephemeral.ephemeral_account import CLEANER, Account, fails, stops

ARN: Final = "arn:aws:states:eu-west-1:111122223333:execution:emr-etl:first"
NAMESPACE: Final = f"etl-{hashlib.sha1(ARN.encode()).hexdigest()}"
CALLS: Final = (
    *("createStack", "describeStacks", "describeStacks", "describeStacks"),
    *("createVirtualCluster", "describeVirtualCluster", "startJobRun.sync"),
)
RUN: Final = EphemeralRun(
    name="etl",
    partition="aws",
    cluster_name="data-platform",
    template=json.dumps({"Resources": {}}),
    stack={"RoleARN": "arn:aws:iam::111122223333:role/stacks-of-jobs"},
    job={
        "ExecutionRoleArn": "arn:aws:iam::111122223333:role/emr-etl",
        "ReleaseLabel": "emr-7.14.0-latest",
        "JobDriver": {"SparkSubmitJobDriver": {"EntryPoint": "s3://code/job.py"}},
    },
    arguments=("--day", "today"),
    timeout_minutes=60,
    cleaner=CLEANER,
    tags={"emr-eks/ephemeral-job": "etl"},
)


def account(**faults: Any) -> Account:
    cleaner = EphemeralCleaner(name="etl", partition="aws", cluster_name="data-platform")
    return Account(cleaner=cleaner, **faults)


def execute(services: Account, given: object = None) -> Execution:
    """Run the job; whatever is not a success has its event, as EventBridge's rule sends it."""
    ended = run(RUN.definition(), given or {}, services, arn=ARN)
    if ended.status != "SUCCEEDED":
        services.before, services.after = {}, {}
        assert services.clean(ARN).status == "SUCCEEDED"
    return ended


def why(ended: Execution) -> tuple[str, str]:
    """Error and cause of what failed in an execution."""
    assert (ended.status, ended.error[0]) == ("FAILED", "EphemeralJobFailed")
    found = json.loads(ended.error[1])
    return found["Error"], found["Cause"]


def test_a_job_runs_in_a_separate_namespace() -> None:
    services = account()
    ended = execute(services)
    assert (ended.status, ended.output) == ("SUCCEEDED", {"Id": "job0", "State": "COMPLETED"})
    assert tuple(services.calls[: len(CALLS)]) == CALLS
    assert services.calls[len(CALLS) :] == [
        "startExecution.sync:2",
        *("listJobRuns", "deleteVirtualCluster.sync"),
        *("deleteStack", "describeStacks", "describeStacks", "describeStacks"),
    ]
    assert services.clusters == {"vc0": [NAMESPACE, "TERMINATED"]}
    assert services.left == []


def test_arguments_are_those_of_the_execution_or_the_defaults() -> None:
    for given, wanted in (({"arguments": ["x"]}, ["x"]), ({}, ["--day", "today"])):
        services = account()
        execute(services, given)
        driver = services.parameters["startJobRun.sync"]["JobDriver"]["SparkSubmitJobDriver"]
        assert driver == {"EntryPoint": "s3://code/job.py", "EntryPointArguments": wanted}


def test_other_input_of_an_execution_is_ignored() -> None:
    plain, services = account(), account()
    execute(plain)
    execute(services, {"namespace": "kube-system", "virtualCluster": {"Id": "others"}})
    assert services.parameters == plain.parameters


@pytest.mark.parametrize("number", range(1, len(CALLS) + 1))
def test_a_failed_call_is_retried(number: int) -> None:
    services = account(before={number: fails()})
    ended = execute(services)
    # Calls of the API are repeated, but not the job.
    wanted = "FAILED" if CALLS[number - 1] == "startJobRun.sync" else "SUCCEEDED"
    assert ended.status == wanted
    assert services.left == []


@pytest.mark.parametrize("number", range(1, len(CALLS) + 1))
def test_nothing_remains_when_the_answer_of_a_call_is_lost(number: int) -> None:
    services = account(after={number: fails()})
    execute(services)
    assert services.left == []


@pytest.mark.parametrize("action", sorted(set(CALLS) - {"describeStacks"}))
def test_a_call_that_always_fails_fails_the_execution(action: str) -> None:
    services = account(always={action: fails("EmrContainers.ValidationException")})
    ended = execute(services)
    assert ended.status == "FAILED"
    assert why(ended) == ("EmrContainers.ValidationException", "something went wrong")
    assert services.left == []


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("number", range(1, len(CALLS) + 8))
def test_nothing_remains_of_a_stopped_execution(number: int, when: str) -> None:
    """At each call, those of the cleaner that it waits for among them."""
    services = account(**{when: {number: stops}})
    ended = execute(services)
    assert (ended.status in ("ABORTED", "FAILED")) or number > len(CALLS) + 1
    assert services.left == []


@pytest.mark.parametrize("state", ["FAILED", "CANCELLED"])
def test_a_failed_job_fails_the_execution(state: str) -> None:
    services = account(job_ends=state)
    ended = execute(services)
    assert why(ended) == ("States.TaskFailed", f"job run {state}")
    assert services.left == []


def test_a_job_is_cancelled_after_its_timeout() -> None:
    services = account(job_ends=None)
    ended = execute(services)
    assert why(ended)[0] == "States.Timeout"
    assert services.jobs["job0"].state == "CANCELLED"
    assert services.left == []
    states = RUN.definition()["States"]
    assert isinstance(states, dict)
    assert states["Run job"]["TimeoutSeconds"] == 3600


def test_a_namespace_is_deleted_when_its_creation_fails() -> None:
    services = account(stack_ends="ROLLBACK_COMPLETE")
    ended = execute(services)
    assert why(ended)[0] == "NoNamespace"
    assert "createVirtualCluster" not in services.calls
    assert services.left == []


def test_a_virtual_cluster_is_deleted_when_it_is_not_running() -> None:
    services = account(cluster_state="ARRESTED")
    ended = execute(services)
    assert why(ended)[0] == "NoVirtualCluster"
    assert services.left == []


def test_the_cleaner_finds_a_virtual_cluster_of_unknown_id() -> None:
    """Its making was on its way when the execution was stopped; others' are left alone."""
    services = account(after={CALLS.index("createVirtualCluster") + 1: stops})
    execute(services)
    assert services.calls.count("listVirtualClusters") == 2
    assert services.seconds >= SETTLE_SECONDS
    assert services.parameters["deleteVirtualCluster.sync"] == {"Id": "vc0"}


def test_a_namespace_is_deleted_although_its_virtual_cluster_remains() -> None:
    services = account(always={"deleteVirtualCluster.sync": fails()})
    ended = run(RUN.definition(), {}, services, arn=ARN)
    assert (ended.status, ended.error[0]) == ("FAILED", "NotCleanedUp")
    assert services.left == ["vc0"]
    services.always.clear()
    assert services.clean(ARN).status == "SUCCEEDED"
    assert services.left == []


def test_a_failed_deletion_fails_the_execution() -> None:
    services = account()
    services.always["deleteStack"] = fails("CloudFormation.AccessDenied")
    ended = run(RUN.definition(), {}, services, arn=ARN)
    assert (ended.status, ended.error[0]) == ("FAILED", "NotCleanedUp")
    assert "COMPLETED" in ended.error[1]
    assert services.left == [NAMESPACE]
    services.always.clear()
    assert services.clean(ARN).status == "SUCCEEDED"
    assert services.left == []


def test_two_executions_share_nothing() -> None:
    services = account(job_ends=None, always={"startExecution.sync:2": fails()})
    other = ARN.replace("first", "second")
    run(RUN.definition(), {}, services, arn=ARN)
    run(RUN.definition(), {}, services, arn=other)
    services.always.clear()
    assert services.clean(ARN).status == "SUCCEEDED"
    assert sorted(state for _, state in services.clusters.values()) == ["RUNNING", "TERMINATED"]
    assert len(services.stacks) == 1
    assert services.clean(other).status == "SUCCEEDED"
    assert services.left == []
