"""Runs state machines in moto's interpreter of the Amazon States Language, on services of a test.

moto implements states, paths, intrinsic functions, retries, catches and time-outs. The test
implements the services that tasks call. Waits and pauses between attempts take no time.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import Any, Final, Protocol, cast
from unittest.mock import patch

from moto.stepfunctions.parser.api import HistoryEventType, StateMachineType
from moto.stepfunctions.parser.asl.component.common.error_name.custom_error_name import (
    CustomErrorName,
)
from moto.stepfunctions.parser.asl.component.common.error_name.failure_event import (
    FailureEvent,
    FailureEventException,
)
from moto.stepfunctions.parser.asl.component.common.error_name.states_error_name import (
    StatesErrorName,
)
from moto.stepfunctions.parser.asl.component.common.error_name.states_error_name_type import (
    StatesErrorNameType,
)
from moto.stepfunctions.parser.asl.component.eval_component import EvalComponent
from moto.stepfunctions.parser.asl.component.state.exec.state_task.service import (
    state_task_service,
)
from moto.stepfunctions.parser.asl.eval.environment import Environment
from moto.stepfunctions.parser.asl.eval.evaluation_details import (
    AWSExecutionDetails,
    EvaluationDetails,
    ExecutionDetails,
    StateMachineDetails,
)
from moto.stepfunctions.parser.asl.eval.event.event_detail import EventDetails
from moto.stepfunctions.parser.asl.eval.program_state import (
    ProgramEnded,
    ProgramError,
    ProgramStopped,
)
from moto.stepfunctions.parser.asl.parse.asl_parser import AmazonStateLanguageParser
from moto.stepfunctions.parser.backend.execution_worker import SyncExecutionWorker
from moto.stepfunctions.parser.backend.execution_worker_comm import ExecutionWorkerCommunication

REGION: Final = "eu-west-1"
ACCOUNT: Final = "111122223333"
_PARSER: Final = "moto.stepfunctions.parser.asl.component"
_FACTORY: Final = f"{_PARSER}.state.exec.state_task.state_task_factory.state_task_service_for"
_WAIT: Final = f"{_PARSER}.state.wait.wait_function.wait_function.WaitFunction._wait_interval"
_PAUSE: Final = f"{_PARSER}.common.retry.retrier_decl.time.sleep"


class AwsError(Exception):
    """A call failed: the error's name as Step Functions has it, and its cause."""

    def __init__(self, name: str, cause: str) -> None:
        super().__init__(f"{name}: {cause}")
        self.name = name
        self.cause = cause


class Services(Protocol):
    """What the tasks of a state machine call."""

    def call(self, resource: str, parameters: dict[str, Any], execution: Execution) -> object:
        """Answer a task; ``resource`` is what follows ``:states:::`` in its ARN."""

    def waited(self, seconds: int) -> None:
        """Some time has passed."""


@dataclass
class Execution:
    """One execution: its ARN and, once it is over, how it ended.

    Attributes:
        status: ``SUCCEEDED``, ``FAILED`` or ``ABORTED``; as Step Functions has it.
        output: What it returned.
        error: Its error, then its cause.
    """

    arn: str
    status: str = "RUNNING"
    output: Any = None
    error: tuple[str, str] = ("", "")
    environment: Environment | None = None

    def stop(self) -> None:
        """Stop it, as StopExecution does: no state follows, nothing is caught."""
        assert self.environment is not None
        self.environment.set_stop(stop_date=datetime.now(UTC), cause="stopped", error="Stopped")


class _NoListener(ExecutionWorkerCommunication):
    def terminated(self) -> None:
        """Ignore the end of the execution."""


class _Worker(SyncExecutionWorker):
    def __init__(self, details: EvaluationDetails, execution: Execution) -> None:
        super().__init__(details, _NoListener(), None, {})
        self._execution = execution

    def _get_evaluation_entrypoint(self) -> EvalComponent:
        return _program(self._evaluation_details.state_machine_details.definition)

    def _get_evaluation_environment(self) -> Environment:
        self._execution.environment = super()._get_evaluation_environment()
        return self._execution.environment


def run(
    definition: Mapping[str, object], given: object, services: Services, *, arn: str
) -> Execution:
    """Execute a state machine to its end and return how it ended."""
    execution = Execution(arn=arn)
    details = EvaluationDetails(
        AWSExecutionDetails(account=ACCOUNT, region=REGION, role_arn=""),
        ExecutionDetails(
            arn=arn, name=arn.rpartition(":")[2], role_arn="", inpt=given, start_time="2026-11-21"
        ),
        StateMachineDetails(
            arn=arn, name="", typ=StateMachineType.STANDARD, definition=json.dumps(definition)
        ),
    )
    with _interpreter(services, execution):
        worker = _Worker(details, execution)
        worker.start()  # type: ignore[no-untyped-call]
    environment = worker.env
    assert environment is not None
    match environment.program_state():
        case ProgramEnded():
            execution.status = "SUCCEEDED"
            execution.output = environment.states.get_input()
        case ProgramStopped():
            execution.status = "ABORTED"
        case ProgramError() as failed:
            execution.status = "FAILED"
            error = failed.error or {}
            execution.error = (error.get("error") or "", error.get("cause") or "")
        case other:
            execution.status = type(other).__name__
    return execution


@cache
def _program(definition: str) -> EvalComponent:
    """Parse once for all executions: the parser needs most of a test's time."""

    def task(service_name: str) -> _Task:
        return _Task()  # type: ignore[no-untyped-call]

    with patch(_FACTORY, task):
        return AmazonStateLanguageParser.parse(definition)[0]


@contextmanager
def _interpreter(services: Services, execution: Execution) -> Iterator[None]:
    def wait(_: object, env: Environment, wait_seconds: int) -> None:
        services.waited(wait_seconds)

    _RUNNING.append((services, execution))
    try:
        with patch(_WAIT, wait), patch(_PAUSE, lambda _: None):
            yield
    finally:
        _RUNNING.pop()


# The innermost execution is the last: a task may run another state machine.
_RUNNING: Final[list[tuple[Services, Execution]]] = []


class _Task(state_task_service.StateTaskService):
    def _get_supported_parameters(self) -> set[str]:
        return set()

    def _eval_parameters(self, env: Environment) -> dict[str, Any]:
        # The base class would drop what it does not know.
        if self.parargs is None:
            return {}
        self.parargs.eval(env=env)
        return dict(env.stack.pop())

    def _eval_service_task(
        self,
        env: Environment,
        resource_runtime_part: object,
        normalised_parameters: dict[str, Any],
        state_credentials: object,
    ) -> None:
        resource = self.resource.resource_arn.partition(":states:::")[2]
        services, execution = _RUNNING[-1]
        try:
            answer = services.call(resource, normalised_parameters, execution)
        except AwsError as error:
            raise FailureEventException(_failed(env, error.name, error.cause)) from error
        env.stack.append(answer)


def _failed(env: Environment, error: str, cause: str) -> FailureEvent:
    own = StatesErrorNameType.from_name(error) if error.startswith("States.") else None
    return FailureEvent(
        env=env,
        error_name=StatesErrorName(own) if own else CustomErrorName(error),
        event_type=HistoryEventType.TaskFailed,
        event_details=cast(
            EventDetails, {"taskFailedEventDetails": {"error": error, "cause": cause}}
        ),
    )
