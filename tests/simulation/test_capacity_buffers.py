"""Warm capacity with the real Karpenter: jobs take it at once, it comes back, nothing fights it.

One platform with one warm zone is deployed and one job is run on it: about two minutes, most of it
waiting for Karpenter, which looks for empty nodes every ten seconds and at each of them twice.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

import aws_cdk as cdk
import pytest
from kubernetes import client

from cdk_emr_eks import (
    CapacityBuffers,
    Disruption,
    DynamicAllocation,
    EmrEksCluster,
    Instances,
    Platform,
    Tenant,
    Workload,
)
from cdk_emr_eks import labels as keys
from cdk_emr_eks.assembly import open_assembly
from cdk_emr_eks.model.nodes.capacity_buffers import API_VERSION, NAMESPACE
from cdk_emr_eks.simulation.aws import EmulatedAws
from cdk_emr_eks.simulation.control_plane.plane import Plane
from cdk_emr_eks.simulation.deploy import deploy
from cdk_emr_eks.simulation.jobs.blueprint import read_blueprints
from cdk_emr_eks.simulation.jobs.record import JobOutcome
from cdk_emr_eks.simulation.run import wait_for_buffers
from cdk_emr_eks.simulation.scenario import JobGroup, Scenario, SparkStage
from cdk_emr_eks.simulation.scenario_run import (
    SimulationEnvironment,
    SimulationRecord,
    run_scenario,
)
from tests.simulation.waiting import until

ROOMS: Final = 2
TENANT: Final = "warm"
QUICK: Final = timedelta(seconds=2)
ETL: Final = Workload(
    name="etl",
    driver_instances=Instances(families=("m7g",), sizes=("2xlarge",)),
    # One executor fills a node: whoever runs on a node that was there has taken a room.
    executor_instances=Instances(families=("m7g",), sizes=("xlarge",)),
    dynamic_allocation=DynamicAllocation(executor_idle_timeout=timedelta(seconds=1)),
    disruption=Disruption(driver_consolidate_after=QUICK, executor_consolidate_after=QUICK),
    capacity_buffers=CapacityBuffers(jobs=1, executors=ROOMS, zones=("zone-2",)),
)


@dataclass(frozen=True)
class DeployTarget:
    """A platform with warm capacity, its rooms ready, and what a scenario needs."""

    plane: Plane
    stage: SimulationEnvironment
    core: Any
    custom: Any

    def nodes(self) -> dict[str, tuple[str, str]]:
        """Role and zone of each of Karpenter's nodes, by name."""
        found = {}
        for node in self.core.list_node().items:
            role = (node.metadata.labels or {}).get(keys.ROLE)
            if role:
                found[node.metadata.name] = (role, node.metadata.labels[keys.ZONE])
        return found

    def buffers(self) -> dict[str, int]:
        """Replicas of each buffer that has some."""
        group, _, version = API_VERSION.partition("/")
        arguments = (group, version, NAMESPACE, "capacitybuffers")
        found = self.custom.list_namespaced_custom_object(*arguments)["items"]
        counts = {each["metadata"]["name"]: each["spec"]["replicas"] for each in found}
        return {name: count for name, count in counts.items() if count}

    def pods(self) -> dict[str, str]:
        """Nodes of the tenant's pods, by the pods' names."""
        found = self.core.list_namespaced_pod(TENANT).items
        return {each.metadata.name: each.spec.node_name for each in found if each.spec.node_name}

    def kept(self) -> set[str]:
        """Nodes that Karpenter says it keeps for the rooms on them."""
        events = self.core.list_event_for_all_namespaces(field_selector="reason=Unconsolidatable")
        return {
            each.involved_object.name for each in events.items if "has buffer pods" in each.message
        }


@pytest.fixture(scope="module")
def site(plane: Plane, tmp_path_factory: pytest.TempPathFactory) -> Iterator[DeployTarget]:
    folder = tmp_path_factory.mktemp("warm")
    app = cdk.App(outdir=str(folder), analytics_reporting=False)
    cluster = EmrEksCluster(
        cdk.Stack(app, "Platform"), "Cluster", platform=Platform(workloads=(ETL,))
    )
    cluster.add_tenant(Tenant(name=TENANT))
    app.synth()
    with EmulatedAws(plane.binaries.prices) as aws, plane.client() as api:
        made = deploy(open_assembly(folder), plane=plane, aws=aws)
        assert made.karpenter is not None
        assert made.not_simulated == ()
        plane.fleet.boot(0)
        plane.start_karpenter(made.karpenter)
        rooms = wait_for_buffers(plane)
        assert rooms.missing == ()
        blueprints = read_blueprints(open_assembly(folder))
        stage = SimulationEnvironment(
            plane=plane, aws=aws, blueprints=blueprints, warm_nodes=rooms.nodes
        )
        core, custom = client.CoreV1Api(api), client.CustomObjectsApi(api)
        yield DeployTarget(plane=plane, stage=stage, core=core, custom=custom)
        assert made.destroy() == ()


@pytest.fixture(scope="module")
def warm(site: DeployTarget) -> Mapping[str, tuple[str, str]]:
    """The nodes before there was any job."""
    return site.nodes()


@dataclass(frozen=True)
class Run:
    """A job that wants one executor more than there is room for, and what was seen of it."""

    played: SimulationRecord
    places: Mapping[str, str]
    nodes: Mapping[str, tuple[str, str]]


@pytest.fixture(scope="module")
def run(site: DeployTarget, warm: Mapping[str, tuple[str, str]]) -> Run:
    places: dict[str, str] = {}
    nodes = dict(warm)

    def look(*_: object) -> None:
        places.update(site.pods())
        nodes.update(site.nodes())

    work = SparkStage(executors=ROOMS + 1, run_time=timedelta(seconds=15))
    group = JobGroup(tenant=TENANT, workload="etl", stages=(work,))
    settle = timedelta(minutes=2)
    scenario = Scenario(name="warm", jobs=(group,), boot_time=timedelta(), settle=settle)
    return Run(asyncio.run(run_scenario(scenario, site.stage, look)), places, nodes)


def test_rooms_are_there_before_any_job_and_in_their_zone_only(
    warm: Mapping[str, tuple[str, str]], site: DeployTarget
) -> None:
    zones = {zone for _, zone in warm.values()}
    assert len(zones) == 1
    assert sorted(role for role, _ in warm.values()) == ["driver"] + ["executor"] * ROOMS
    assert site.stage.warm_nodes == len(warm)
    assert site.buffers() == {
        "warm-etl-submitter-zone-2": 1,
        "warm-etl-driver-zone-2": 1,
        "warm-etl-executor-zone-2": ROOMS,
    }


def test_a_job_starts_on_nodes_that_were_there(
    run: Run, warm: Mapping[str, tuple[str, str]]
) -> None:
    (record,) = run.played.jobs
    assert (record.outcome, record.reason) == (JobOutcome.SUCCEEDED, "")
    kinds: dict[str, list[bool]] = {"driver": [], "exec": [], "submitter": []}
    for pod, node in run.places.items():
        kind = next((each for each in kinds if f"-{each}" in pod), "submitter")
        kinds[kind].append(node in warm)
    assert kinds["submitter"] == kinds["driver"] == [True]
    # The one that there was no room for had to wait for a node.
    assert sorted(kinds["exec"]) == [False] + [True] * ROOMS
    # What came for it is gone, and what was there before is not waited for.
    assert run.played.gone_after is not None


def test_room_is_made_anew_beside_the_job(
    run: Run, warm: Mapping[str, tuple[str, str]], site: DeployTarget
) -> None:
    new = [role for name, (role, _) in run.nodes.items() if name not in warm]
    # For the executor without room, and for as many rooms as were taken.
    assert new.count("executor") >= 1 + ROOMS
    assert wait_for_buffers(site.plane).missing == ()


def test_when_the_job_is_over_only_nodes_with_room_asked_for_are_kept(
    run: Run, warm: Mapping[str, tuple[str, str]], site: DeployTarget
) -> None:
    group, _, version = API_VERSION.partition("/")
    # As a deployment with executors=0 writes it.
    arguments = (group, version, NAMESPACE, "capacitybuffers", "warm-etl-executor-zone-2")
    site.custom.patch_namespaced_custom_object(*arguments, {"spec": {"replicas": 0}})
    wanted = {name: found for name, found in warm.items() if found[0] == "driver"}
    until(site.nodes, lambda found: found == wanted)
    # Empty for longer than an empty node is kept: Karpenter itself says why it stays.
    until(site.kept, lambda found: found >= set(wanted))
    site.plane.restart("karpenter")
    assert wait_for_buffers(site.plane).missing == ()
    assert site.nodes() == wanted
