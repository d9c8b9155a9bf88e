"""What the comparison of placements counts, and the pools of peers that it makes; no times."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from benchmarks.placement.__main__ import HERE, figures, table
from benchmarks.placement.peers import peer_blueprint, pool_manifests
from benchmarks.placement.variants import VARIANTS
from cdk_emr_eks import labels
from cdk_emr_eks.assembly import open_assembly
from cdk_emr_eks.model.nodes.crds import validate_manifest
from cdk_emr_eks.simulation.jobs.blueprint import read_blueprints
from cdk_emr_eks.simulation.jobs.pods import DriverReference, JobRun, driver_pod, executor_pod
from cdk_emr_eks.simulation.scenario import read_scenario
from tests.conftest import Assemblies
from tests.simulation.results_builder import job, results

ZONES = ("us-east-1a", "us-east-1b", "us-east-1c")
CLASSES = {"critical": "critical-class", "": "other-class"}


@pytest.fixture(scope="module")
def pools() -> list[Any]:
    return list(pool_manifests(ZONES, CLASSES, "WhenEmpty", "60s"))


def test_pools_of_peers_are_taken_by_karpenter(pools: list[Any]) -> None:
    assert len({pool["metadata"]["name"] for pool in pools}) == len(pools) == 4 * len(ZONES)
    for pool in pools:
        validate_manifest(pool)


@pytest.mark.parametrize("workload", ["critical", "shared"])
def test_pods_of_peers_fit_their_pools(
    assemblies: Assemblies, pools: list[Any], workload: str
) -> None:
    kinds = read_blueprints(open_assembly(assemblies("reference").folder))
    blueprint = peer_blueprint(next(each for each in kinds if each.workload == workload))
    run = JobRun(id="j1", blueprint=blueprint, spark=blueprint.spark, account="123456789012")
    reference = DriverReference(name="d", uid="u", application=run.application(1))
    pods: list[Any] = [driver_pod(run, 1), executor_pod(run, reference, 1)]
    for pod in pods:
        fitting = [pool for pool in pools if fits(pod, pool)]
        assert len(fitting) == len(ZONES), pod["spec"]
        assert all(each.get("name") for each in pod["spec"]["containers"])


def fits(pod: Any, pool: Any) -> bool:
    template = pool["spec"]["template"]
    nodes = {
        **template["metadata"]["labels"],
        **{
            each["key"]: each["values"][0]
            for each in template["spec"]["requirements"]
            if each["operator"] == "In" and len(each["values"]) == 1
        },
    }
    selected = all(nodes.get(key) == value for key, value in pod["spec"]["nodeSelector"].items())
    tolerated = {(each["key"], each["value"]) for each in pod["spec"]["tolerations"]}
    taints = {(each["key"], each["value"]) for each in template["spec"]["taints"]}
    return selected and taints <= tolerated


def test_their_pods_have_no_rule_for_zones(assemblies: Assemblies) -> None:
    blueprint = peer_blueprint(read_blueprints(open_assembly(assemblies("reference").folder))[0])
    for template in (blueprint.driver_template, blueprint.executor_template):
        assert labels.ZONE not in str(template)
        assert "ffinity" not in str(template)


def test_the_table_counts_what_was_played() -> None:
    across = job(0, zones=("us-east-1a", "us-east-1b"))
    found = figures(results(jobs=(across, job(1)), driver_zones={"us-east-1a": 2, "us-east-1b": 0}))
    assert found["jobs over several zones"] == "1"
    assert found["share of the fullest zone"] == "100%"
    assert found["packing over time"] == "shared 93%"
    rows = table({"ours": found, "ara": figures(results())}).splitlines()
    assert len(rows) == 4
    assert {row.count("|") for row in rows} == {len(found) + 2}
    assert rows[2].startswith(f"| {VARIANTS['ours'].what} | 2 of 2 | 1 | 100% |")


def test_the_scenario_is_one() -> None:
    scenario = read_scenario(Path(HERE / "scenario.yaml"))
    assert scenario.total_jobs == 12
