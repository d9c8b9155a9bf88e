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


def test_a_job_runs_in_a_namespace_of_its_own() -> None:
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


def test_arguments_are_the_executions_or_else_the_jobs() -> None:
    for given, wanted in (({"arguments": ["x"]}, ["x"]), ({}, ["--day", "today"])):
        services = account()
        execute(services, given)
        driver = services.parameters["startJobRun.sync"]["JobDriver"]["SparkSubmitJobDriver"]
        assert driver == {"EntryPoint": "s3://code/job.py", "EntryPointArguments": wanted}


def test_nothing_else_of_an_executions_input_has_effect() -> None:
    plain, services = account(), account()
    execute(plain)
    execute(services, {"namespace": "kube-system", "virtualCluster": {"Id": "others"}})
    assert services.parameters == plain.parameters


@pytest.mark.parametrize("number", range(1, len(CALLS) + 1))
def test_a_call_that_fails_once_is_made_again(number: int) -> None:
    services = account(before={number: fails()})
    ended = execute(services)
    # Calls of the API are repeated, but not the job.
    wanted = "FAILED" if CALLS[number - 1] == "startJobRun.sync" else "SUCCEEDED"
    assert ended.status == wanted
    assert services.left == []


@pytest.mark.parametrize("number", range(1, len(CALLS) + 1))
def test_a_call_whose_answer_is_lost_leaves_nothing(number: int) -> None:
    services = account(after={number: fails()})
    execute(services)
    assert services.left == []


@pytest.mark.parametrize("action", sorted(set(CALLS) - {"describeStacks"}))
def test_a_call_that_never_works_fails_the_execution(action: str) -> None:
    services = account(always={action: fails("EmrContainers.ValidationException")})
    ended = execute(services)
    assert ended.status == "FAILED"
    assert why(ended) == ("EmrContainers.ValidationException", "something went wrong")
    assert services.left == []


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("number", range(1, len(CALLS) + 8))
def test_an_execution_that_is_stopped_leaves_nothing(number: int, when: str) -> None:
    """At each call, those of the cleaner that it waits for among them."""
    services = account(**{when: {number: stops}})
    ended = execute(services)
    assert (ended.status in ("ABORTED", "FAILED")) or number > len(CALLS) + 1
    assert services.left == []


@pytest.mark.parametrize("state", ["FAILED", "CANCELLED"])
def test_a_job_that_fails_fails_the_execution(state: str) -> None:
    services = account(job_ends=state)
    ended = execute(services)
    assert why(ended) == ("States.TaskFailed", f"job run {state}")
    assert services.left == []


def test_a_job_that_takes_too_long_is_cancelled() -> None:
    services = account(job_ends=None)
    ended = execute(services)
    assert why(ended)[0] == "States.Timeout"
    assert services.jobs["job0"].state == "CANCELLED"
    assert services.left == []
    states = RUN.definition()["States"]
    assert isinstance(states, dict)
    assert states["Run job"]["TimeoutSeconds"] == 3600


def test_a_namespace_that_cannot_be_made_is_removed() -> None:
    services = account(stack_ends="ROLLBACK_COMPLETE")
    ended = execute(services)
    assert why(ended)[0] == "NoNamespace"
    assert "createVirtualCluster" not in services.calls
    assert services.left == []


def test_a_virtual_cluster_that_is_half_made_is_removed() -> None:
    services = account(cluster_state="ARRESTED")
    ended = execute(services)
    assert why(ended)[0] == "NoVirtualCluster"
    assert services.left == []


def test_the_cleaner_finds_a_virtual_cluster_that_nobody_knows() -> None:
    """Its making was on its way when the execution was stopped; others' are left alone."""
    services = account(after={CALLS.index("createVirtualCluster") + 1: stops})
    execute(services)
    assert services.calls.count("listVirtualClusters") == 2
    assert services.seconds >= SETTLE_SECONDS
    assert services.parameters["deleteVirtualCluster.sync"] == {"Id": "vc0"}


def test_a_namespace_goes_although_its_virtual_cluster_stays() -> None:
    services = account(always={"deleteVirtualCluster.sync": fails()})
    ended = run(RUN.definition(), {}, services, arn=ARN)
    assert (ended.status, ended.error[0]) == ("FAILED", "NotCleanedUp")
    assert services.left == ["vc0"]
    services.always.clear()
    assert services.clean(ARN).status == "SUCCEEDED"
    assert services.left == []


def test_what_cannot_be_removed_fails_the_execution() -> None:
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
