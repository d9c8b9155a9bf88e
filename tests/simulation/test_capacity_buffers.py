"""Capacity buffers with the real Karpenter: jobs use them, and they are filled again.

The test deploys a platform with buffers in one zone and runs one job: about two minutes, mostly
waiting for Karpenter, which checks for empty nodes every ten seconds, and each of them twice.
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

BUFFERS: Final = 2
TENANT: Final = "warm"
QUICK: Final = timedelta(seconds=2)
ETL: Final = Workload(
    name="etl",
    driver_instances=Instances(families=("m7g",), sizes=("2xlarge",)),
    # One executor fills a node, so an executor on an existing node has used a buffer.
    executor_instances=Instances(families=("m7g",), sizes=("xlarge",)),
    dynamic_allocation=DynamicAllocation(executor_idle_timeout=timedelta(seconds=1)),
    disruption=Disruption(driver_consolidate_after=QUICK, executor_consolidate_after=QUICK),
    capacity_buffers=CapacityBuffers(jobs=1, executors=BUFFERS, zones=("zone-2",)),
)


@dataclass(frozen=True)
class BufferedPlatform:
    """A platform with filled capacity buffers, and the environment of a scenario."""

    plane: Plane
    environment: SimulationEnvironment
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
        """Replicas of each buffer with replicas."""
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
        """Nodes that Karpenter keeps for their buffer pods."""
        events = self.core.list_event_for_all_namespaces(field_selector="reason=Unconsolidatable")
        return {
            each.involved_object.name for each in events.items if "has buffer pods" in each.message
        }


@pytest.fixture(scope="module")
def platform(plane: Plane, tmp_path_factory: pytest.TempPathFactory) -> Iterator[BufferedPlatform]:
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
        filled = wait_for_buffers(plane)
        assert filled.missing == ()
        blueprints = read_blueprints(open_assembly(folder))
        environment = SimulationEnvironment(
            plane=plane, aws=aws, blueprints=blueprints, buffer_nodes=filled.nodes
        )
        core, custom = client.CoreV1Api(api), client.CustomObjectsApi(api)
        yield BufferedPlatform(plane=plane, environment=environment, core=core, custom=custom)
        assert made.destroy() == ()


@pytest.fixture(scope="module")
def warm(platform: BufferedPlatform) -> Mapping[str, tuple[str, str]]:
    """The nodes before the first job."""
    return platform.nodes()


@dataclass(frozen=True)
class Run:
    """A job that needs one executor more than the buffers hold, and its pods and nodes."""

    record: SimulationRecord
    places: Mapping[str, str]
    nodes: Mapping[str, tuple[str, str]]


@pytest.fixture(scope="module")
def run(platform: BufferedPlatform, warm: Mapping[str, tuple[str, str]]) -> Run:
    places: dict[str, str] = {}
    nodes = dict(warm)

    def look(*_: object) -> None:
        places.update(platform.pods())
        nodes.update(platform.nodes())

    stage = SparkStage(executors=BUFFERS + 1, run_time=timedelta(seconds=15))
    group = JobGroup(tenant=TENANT, workload="etl", stages=(stage,))
    settle = timedelta(minutes=2)
    scenario = Scenario(name="warm", jobs=(group,), boot_time=timedelta(), settle=settle)
    return Run(asyncio.run(run_scenario(scenario, platform.environment, look)), places, nodes)


def test_nodes_hold_buffers_before_any_job_in_their_zone_only(
    warm: Mapping[str, tuple[str, str]], platform: BufferedPlatform
) -> None:
    zones = {zone for _, zone in warm.values()}
    assert len(zones) == 1
    assert sorted(role for role, _ in warm.values()) == ["driver"] + ["executor"] * BUFFERS
    assert platform.environment.buffer_nodes == len(warm)
    assert platform.buffers() == {
        "warm-etl-submitter-zone-2": 1,
        "warm-etl-driver-zone-2": 1,
        "warm-etl-executor-zone-2": BUFFERS,
    }


def test_a_job_starts_on_the_nodes_of_buffers(
    run: Run, warm: Mapping[str, tuple[str, str]]
) -> None:
    (record,) = run.record.jobs
    assert (record.outcome, record.reason) == (JobOutcome.SUCCEEDED, "")
    kinds: dict[str, list[bool]] = {"driver": [], "exec": [], "submitter": []}
    for pod, node in run.places.items():
        kind = next((each for each in kinds if f"-{each}" in pod), "submitter")
        kinds[kind].append(node in warm)
    assert kinds["submitter"] == kinds["driver"] == [True]
    # The executor without a buffer had to wait for a node.
    assert sorted(kinds["exec"]) == [False] + [True] * BUFFERS
    # New nodes are deleted, and the nodes of the buffers do not count.
    assert run.record.gone_after is not None


def test_buffers_are_filled_again_while_the_job_runs(
    run: Run, warm: Mapping[str, tuple[str, str]], platform: BufferedPlatform
) -> None:
    new = [role for name, (role, _) in run.nodes.items() if name not in warm]
    # One for the executor without a buffer, and one for each used buffer.
    assert new.count("executor") >= 1 + BUFFERS
    assert wait_for_buffers(platform.plane).missing == ()


def test_after_the_job_only_nodes_of_buffers_remain(
    run: Run, warm: Mapping[str, tuple[str, str]], platform: BufferedPlatform
) -> None:
    group, _, version = API_VERSION.partition("/")
    # As a deployment with executors=0 does.
    arguments = (group, version, NAMESPACE, "capacitybuffers", "warm-etl-executor-zone-2")
    platform.custom.patch_namespaced_custom_object(*arguments, {"spec": {"replicas": 0}})
    wanted = {name: found for name, found in warm.items() if found[0] == "driver"}
    until(platform.nodes, lambda found: found == wanted)
    # They are empty for longer than an empty node is kept; an event of Karpenter gives the reason.
    until(platform.kept, lambda found: found >= set(wanted))
    platform.plane.restart("karpenter")
    assert wait_for_buffers(platform.plane).missing == ()
    assert platform.nodes() == wanted
