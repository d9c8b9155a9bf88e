"""Every shipped scenario, run to its end on a platform with sufficient quotas.

They take more than an hour on two cores, so they are ``long``: ``make simulate-all`` runs them. The
default scenario, spot interruptions and crashes are in ``test_run.py``, for every run of the tests.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Final

import pytest

from cdk_emr_eks.assembly import open_assembly
from cdk_emr_eks.labels import CapacityType
from cdk_emr_eks.simulation.errors import SimulationUnavailable
from cdk_emr_eks.simulation.jobs.record import JobOutcome
from cdk_emr_eks.simulation.report.document import document
from cdk_emr_eks.simulation.report.gates import Gates
from cdk_emr_eks.simulation.report.page import page
from cdk_emr_eks.simulation.report.results import Results
from cdk_emr_eks.simulation.run import simulate
from cdk_emr_eks.simulation.scenario import Scenario, parse_scenario, read_scenario
from tests.simulation.large_platform import SMALL, large_platform, platform_of_many

pytestmark = pytest.mark.long

ALWAYS: Final = ("jobs-across-zones", "drivers-on-spot", "drivers-disrupted")
# Share of all jobs by which the jobs of a zone may differ from an even distribution.
BALANCED: Final = 0.05

# Share of allocatable cores that executors request at the peak, if jobs arrive together.
PACKED: Final = 0.9

# Seconds of ``no-capacity`` without capacity; instances launched before boot in ten seconds.
SOLD_OUT: Final = (60, 180)

Platforms = Callable[[bool], Path]


@pytest.fixture(autouse=True)
def asked_for(request: pytest.FixtureRequest) -> None:
    """Skip with the reason, unless ``-m`` selects the tests."""
    if not request.config.getoption("markexpr"):
        pytest.skip("takes minutes: make simulate-all")


@pytest.fixture(scope="module")
def platforms(tmp_path_factory: pytest.TempPathFactory) -> Platforms:
    @cache
    def platform(with_small: bool) -> Path:
        folder = tmp_path_factory.mktemp("large") / "cdk.out"
        return large_platform(folder, with_small=with_small)

    return platform


@pytest.fixture
def simulated(platforms: Platforms, tmp_path: Path) -> Callable[[str], Results]:
    def simulated_by_name(name: str) -> Results:
        return simulated_on(platforms(name == "over-quota"), read_scenario(name), tmp_path)

    return simulated_by_name


def simulated_on(assembly: Path, scenario: Scenario, folder: Path) -> Results:
    try:
        found = simulate(
            open_assembly(assembly), scenario, directory=folder / "plane", destroy=False
        )
    except SimulationUnavailable as error:
        pytest.skip(f"no simulation: {error.reason}")
    # The report has everything that tests assert, for the search for a cause.
    (folder / f"{scenario.name}.html").write_text(page(found, ()), encoding="utf-8")
    assert document(found, ())["summary"]
    return found


def held(results: Results, *more: str) -> None:
    """Fail if a gate fails: those of every scenario, and additional ones."""
    assert Gates(fail_if=(*ALWAYS, *more)).failures(results) == ()


def balanced(results: Results) -> None:
    """Fail if zones have more or fewer jobs than their share."""
    total = sum(results.driver_zones.values())
    shares = {zone: count / total for zone, count in results.driver_zones.items()}
    assert len(shares) == 3
    assert all(abs(share - 1 / 3) <= BALANCED for share in shares.values()), shares


def packed(results: Results) -> None:
    """Fail if executors of a workload left more than a tenth of their nodes' cores free."""
    peaks = {workload: each.peak for workload, each in results.packing.items()}
    assert peaks
    assert min(peaks.values()) >= PACKED, peaks


def succeeded(results: Results, workload: str = "") -> list[bool]:
    return [
        each.outcome is JobOutcome.SUCCEEDED
        for each in results.jobs
        if workload in ("", each.workload)
    ]


def test_25_200_cores(simulated: Callable[[str], Results]) -> None:
    results = simulated("full-cluster")
    held(results, "jobs-failed", "pending", "drivers-lost", "executors-refused")
    balanced(results)
    packed(results)
    assert max(sample.executors for sample in results.samples) == 210 * 15


def test_one_job_of_each_of_many_tenants(tmp_path: Path) -> None:
    scenario = parse_scenario(
        """
        jobs: [{workload: shared, count: 40, executors: 3, run_time: 60s}]
        boot_time: 10s
        time_limit: 12m
        """,
        name="many-tenants",
        source="many-tenants.yaml",
    )
    results = simulated_on(platform_of_many(tmp_path / "cdk.out", 40), scenario, tmp_path)
    assert len({each.tenant for each in results.jobs}) == 40
    held(results, "jobs-failed", "pending", "drivers-lost")
    packed(results)
    # Zones are random, one for each job: 3.6 standard deviations are allowed.
    assert len(results.driver_zones) == 3
    assert max(results.driver_zones.values()) <= 24, results.driver_zones


def test_a_day_of_3_000_jobs(simulated: Callable[[str], Results]) -> None:
    results = simulated("day")
    assert len(results.jobs) == 3_000
    held(results, "jobs-failed", "drivers-lost", "nodes-left")
    balanced(results)
    assert results.packing["shared"].peak >= PACKED


def test_a_storm_on_spot(simulated: Callable[[str], Results]) -> None:
    results = simulated("spot-storm")
    held(results, "jobs-failed", "drivers-lost", "pending")
    packed(results)
    assert sum(each.lost_executors for each in results.jobs) > 0


def test_a_zone_is_lost(simulated: Callable[[str], Results]) -> None:
    results = simulated("zone-loss")
    held(results, "jobs-failed")
    again = [each for each in results.jobs if each.attempts > 1]
    assert again
    assert all(each.lost_drivers for each in again)


def test_no_spot_in_a_zone(simulated: Callable[[str], Results]) -> None:
    results = simulated("no-spot")
    held(results, "drivers-lost")
    for workload in ("critical", "shared", "notebook"):
        assert all(succeeded(results, workload)), workload
    assert any(
        CapacityType.ON_DEMAND in each.capacity_types
        for each in results.jobs
        if each.workload == "shared"
    )


def test_no_capacity(simulated: Callable[[str], Results]) -> None:
    results = simulated("no-capacity")
    # A job can end with fewer executors than it needs: those that it has do all the work.
    held(results, "jobs-failed", "drivers-lost")
    out = [each for each in results.samples if SOLD_OUT[0] + 15 < each.at < SOLD_OUT[1]]
    assert max(sum(each.nodes.values()) for each in out) <= sum(out[0].nodes.values())
    assert any(each.start_seconds is None or each.start_seconds > 60 for each in results.jobs)


def test_instances_that_never_become_nodes(simulated: Callable[[str], Results]) -> None:
    held(simulated("lost-instance"), "jobs-failed", "drivers-lost", "pending")


def test_pools_at_their_limit(simulated: Callable[[str], Results]) -> None:
    held(simulated("pool-limit"), "jobs-failed", "drivers-lost")


def test_a_tenant_over_its_quota(simulated: Callable[[str], Results]) -> None:
    results = simulated("over-quota")
    held(results, "drivers-lost")
    refused = {each.tenant for each in results.jobs if each.refused}
    assert refused == {SMALL}
    assert all(
        each.outcome is JobOutcome.SUCCEEDED for each in results.jobs if each.tenant != SMALL
    )


def test_drift_under_load(simulated: Callable[[str], Results]) -> None:
    results = simulated("drift")
    held(results, "jobs-failed", "drivers-lost")


def test_controllers_that_crash(simulated: Callable[[str], Results]) -> None:
    results = simulated("controller-crash")
    held(results, "jobs-failed", "drivers-lost")
    packed(results)
