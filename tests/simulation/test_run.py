"""Scenarios on a real control plane with the reference platform deployed on it.

Each run takes two minutes, mostly waiting for Karpenter and for the end of jobs.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from threading import Event

import pytest
from click.testing import CliRunner

from cdk_emr_eks.assembly import AssemblyError, open_assembly
from cdk_emr_eks.cli import main
from cdk_emr_eks.cli import simulate as cli
from cdk_emr_eks.labels import CapacityType
from cdk_emr_eks.simulation.errors import SimulationUnavailable
from cdk_emr_eks.simulation.jobs.record import JobOutcome
from cdk_emr_eks.simulation.report.findings import Level, findings
from cdk_emr_eks.simulation.report.gates import Gates
from cdk_emr_eks.simulation.report.results import Results
from cdk_emr_eks.simulation.run import ProgressHooks, simulate
from cdk_emr_eks.simulation.scenario import (
    ControlPlaneProcess,
    Crash,
    JobGroup,
    Scenario,
    SparkStage,
    SpotInterruption,
    read_scenario,
)
from cdk_emr_eks.simulation.scenario_run import SimulationEnvironment
from tests.conftest import Assemblies
from tests.simulation.assembly_builder import write_assembly
from tests.simulation.results_builder import job, results

PLACEMENT = ("jobs-across-zones", "drivers-on-spot", "drivers-disrupted", "drivers-lost")


SECOND = timedelta(seconds=1)
DISTURBED = Scenario(
    name="disturbed",
    jobs=(
        JobGroup(
            workload="shared",
            count=3,
            stages=(SparkStage(executors=4, run_time=45 * SECOND),),
        ),
    ),
    faults=(
        Crash(component=ControlPlaneProcess.KARPENTER, at=3 * SECOND, down=3 * SECOND),
        # Karpenter has its lease back after 15 seconds, and executors run 10 seconds later.
        SpotInterruption(at=46 * SECOND, share=1.0, duplicates=2, garbage=5),
        Crash(component=ControlPlaneProcess.API_SERVER, at=56 * SECOND, down=3 * SECOND),
        Crash(component=ControlPlaneProcess.SCHEDULER, at=60 * SECOND, down=2 * SECOND),
    ),
    boot_time=3 * SECOND,
    time_limit=timedelta(minutes=6),
    spot_share=0.25,
)


def spot_is_cheaper(stage: SimulationEnvironment) -> SimulationEnvironment:
    assert stage.aws.prices.spot_share == DISTURBED.spot_share
    return stage


@pytest.fixture(scope="module")
def simulated(assemblies: Assemblies) -> Mapping[str, Results]:
    """Both scenarios at the same time, since they mostly wait."""
    assembly = open_assembly(assemblies("reference").folder)
    up = Event()

    def phase(name: str) -> None:
        if name == "scenario":
            up.set()

    with ThreadPoolExecutor(2) as threads:
        hooks = ProgressHooks(phase=phase)
        disturbed = threads.submit(
            simulate, assembly, DISTURBED, hooks=hooks, arrange=spot_is_cheaper
        )
        disturbed.add_done_callback(lambda _: up.set())
        # Then the ports of the first are bound, and the deployment of the second has both cores.
        up.wait()
        default = threads.submit(simulate, assembly, read_scenario("default"))
    try:
        return {"disturbed": disturbed.result(), "default": default.result()}
    except SimulationUnavailable as error:
        pytest.skip(f"no simulation: {error.reason}")


# ---- the default scenario


@pytest.fixture(scope="module")
def default(simulated: Mapping[str, Results]) -> Results:
    return simulated["default"]


def test_every_job_of_every_workload_succeeds(default: Results) -> None:
    assert [each.outcome for each in default.jobs] == [JobOutcome.SUCCEEDED] * 5
    assert {each.workload for each in default.jobs} == {"critical", "shared", "notebook"}


def test_jobs_are_placed_by_the_rules_of_the_platform(default: Results) -> None:
    gates = Gates(fail_if=(*PLACEMENT, "pending", "executors-refused"))
    assert gates.failures(default) == ()
    by_workload = {each.workload: each.capacity_types for each in default.jobs}
    assert by_workload["critical"] == (CapacityType.ON_DEMAND,)
    assert by_workload["shared"] == (CapacityType.SPOT,)


def test_executors_fill_their_nodes(default: Results) -> None:
    assert set(default.packing) == {"critical", "shared", "notebook"}
    # Sometimes Karpenter schedules while a job's four executors are being created, and launches
    # nodes for three and for one. Over all workloads, one such node does not matter;
    # test_scenarios.py checks single workloads with many jobs.
    most = max(default.samples, key=lambda each: sum(each.requested.values()))
    assert sum(most.requested.values()) >= 0.9 * sum(most.allocatable.values()), most


def test_deletion_of_the_platform_leaves_nothing(default: Results) -> None:
    assert default.problems == ()


def test_there_is_no_bad_finding(default: Results) -> None:
    assert [each.text for each in findings(default) if each.level is Level.BAD] == []
    assert default.cost > 0


# ---- faults


@pytest.fixture(scope="module")
def disturbed(simulated: Mapping[str, Results]) -> Results:
    return simulated["disturbed"]


def test_jobs_survive_spot_interruptions_and_crashes(disturbed: Results) -> None:
    assert [each.outcome for each in disturbed.jobs] == [JobOutcome.SUCCEEDED] * 3
    assert Gates(fail_if=PLACEMENT).failures(disturbed) == ()


def test_interrupted_executors_are_replaced_in_the_zone_of_their_driver(
    disturbed: Results,
) -> None:
    assert sum(each.lost_executors for each in disturbed.jobs) > 0
    assert all(len(each.zones) == 1 for each in disturbed.jobs)
    texts = [what for _, what in disturbed.faults]
    assert "karpenter killed" in texts
    assert "kube-apiserver is back" in texts
    assert any("with 5 garbage messages" in what for what in texts)


# ---- environments


def test_an_app_for_two_environments_is_refused(tmp_path: Path) -> None:
    for name, region in (("dev", "us-east-1"), ("prod", "eu-west-1")):
        (tmp_path / name).mkdir()
        environment = f"aws://111122223333/{region}"
        write_assembly(tmp_path / name, {"Platform": {}}, environment=environment)
    stages = {
        name: {"type": "cdk:cloud-assembly", "properties": {"directoryName": name}}
        for name in ("dev", "prod")
    }
    (tmp_path / "manifest.json").write_text(json.dumps({"version": "1", "artifacts": stages}))
    with pytest.raises(AssemblyError, match=r"several environments.*eu-west-1.*us-east-1"):
        simulate(open_assembly(tmp_path), read_scenario("default"))


# ---- the command


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch) -> CliRunner:
    """The command, with results of a job in two zones."""
    found = results(jobs=(job(0), job(1, zones=("a", "b"))))
    monkeypatch.setattr(cli, "_run", lambda *_: found)
    return CliRunner()


def test_the_command_fails_if_a_gate_fails(command: CliRunner) -> None:
    assert command.invoke(main, ["simulate"]).exit_code == 0
    answer = command.invoke(main, ["simulate", "--fail-if", "jobs-across-zones"])
    assert answer.exit_code == cli.FAILED
    assert "failed: jobs-across-zones: 1 jobs in more than one zone" in answer.output
    assert command.invoke(main, ["simulate", "--max-hourly-cost", "1"]).exit_code == cli.FAILED


def test_the_command_writes_its_reports(command: CliRunner, tmp_path: Path) -> None:
    html, text = tmp_path / "r.html", tmp_path / "r.json"
    arguments = ["simulate", "--html", str(html), "--json", str(text), "--fail-if", "pending"]
    assert command.invoke(main, arguments).exit_code == 0
    assert json.loads(text.read_text())["summary"]["jobs_across_zones"] == 1
    assert html.read_text().startswith("<!doctype html>")


def test_wrong_usage_has_its_exit_code(command: CliRunner, tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.yaml"
    wrong.write_text("jobs: [{count: 0}]")
    for arguments in (["--scenario", str(wrong)], ["--fail-if", "x"], ["--max-hourly-cost", "0"]):
        answer = command.invoke(main, ["simulate", *arguments])
        assert answer.exit_code == 2, answer.output
    assert "jobs[0].count" in command.invoke(main, ["simulate", "--scenario", str(wrong)]).output


def test_a_machine_that_cannot_simulate_has_its_exit_code(monkeypatch: pytest.MonkeyPatch) -> None:
    def unavailable(*_: object) -> Results:
        raise SimulationUnavailable("no Go")

    monkeypatch.setattr(cli, "_run", unavailable)
    answer = CliRunner().invoke(main, ["simulate"])
    assert answer.exit_code == cli.UNAVAILABLE
    assert "no Go" in answer.output
