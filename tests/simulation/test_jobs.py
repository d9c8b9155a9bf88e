"""Pods of jobs from an assembly, and the requests of a driver for executors."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from cdk_emr_eks import labels
from cdk_emr_eks.assembly import AssemblyError, open_assembly
from cdk_emr_eks.errors import ConfigError
from cdk_emr_eks.labels import SparkRole
from cdk_emr_eks.model.jobs.job_config import spark_defaults
from cdk_emr_eks.model.workloads.catalog import DEFAULT_WORKLOADS
from cdk_emr_eks.model.workloads.executor_size import driver_size, executor_size
from cdk_emr_eks.simulation.jobs.allocation import AllocationPolicy, Ramp
from cdk_emr_eks.simulation.jobs.blueprint import Blueprint, choose_blueprints, read_blueprints
from cdk_emr_eks.simulation.jobs.pods import (
    DriverReference,
    JobRun,
    driver_pod,
    executor_pod,
    memory_mib,
    submitter_job,
)
from cdk_emr_eks.simulation.jobs.runner import job_submissions
from cdk_emr_eks.simulation.scenario import Every, JobGroup, Scenario, SparkStage
from tests.conftest import Assemblies

ACCOUNT = "123456789012"


@pytest.fixture(scope="module")
def blueprints(assemblies: Assemblies) -> tuple[Blueprint, ...]:
    return read_blueprints(open_assembly(assemblies("reference").folder))


def run_of(blueprint: Blueprint, **spark: str) -> JobRun:
    return JobRun(id="j1", blueprint=blueprint, spark={**blueprint.spark, **spark}, account=ACCOUNT)


def driver_of(run: JobRun, attempt: int) -> DriverReference:
    return DriverReference(
        name=run.driver_name(attempt), uid="uid", application=run.application(attempt)
    )


def plain(value: object) -> Any:
    return json.loads(json.dumps(value, default=dict))


def test_each_tenant_has_a_blueprint_for_each_workload(blueprints: tuple[Blueprint, ...]) -> None:
    assert {(each.tenant, each.workload, each.namespace) for each in blueprints} == {
        ("analytics", workload.name, "analytics") for workload in DEFAULT_WORKLOADS
    }


@pytest.mark.parametrize("workload", DEFAULT_WORKLOADS, ids=lambda each: each.name)
def test_pods_have_the_requests_of_their_workload(
    blueprints: tuple[Blueprint, ...], workload: Any
) -> None:
    (blueprint,) = choose_blueprints(blueprints, tenant="*", workload=workload.name)
    run = run_of(blueprint)
    for pod, shape in (
        (driver_pod(run, 1), driver_size(workload)),
        (executor_pod(run, driver_of(run, 1), 1), executor_size(workload)),
    ):
        main, logging = plain(pod)["spec"]["containers"]
        assert main["resources"]["requests"]["cpu"] == shape.request_cores.kubernetes
        mib = sum(
            int(each["resources"]["requests"]["memory"].removesuffix("Mi"))
            for each in (main, logging)
        )
        assert mib == shape.pod_memory.mib
        assert "cpu" not in logging["resources"]["requests"]


def test_pods_carry_the_template_and_the_labels_of_spark_and_emr(
    blueprints: tuple[Blueprint, ...],
) -> None:
    run = run_of(blueprints[1])
    executor = plain(executor_pod(run, driver_of(run, 2), 7))
    template = plain(run.blueprint.executor_template)
    for key, value in template["spec"].items():
        if key != "containers":
            assert executor["spec"][key] == value
    assert (
        executor["metadata"]["labels"].items()
        >= {
            **template["metadata"]["labels"],
            labels.TENANT: "analytics",
            labels.SPARK_APP_SELECTOR: "spark-j1-2",
            labels.SPARK_ROLE: "executor",
            "spark-exec-id": "7",
            "emr-containers.amazonaws.com/component": "executor",
        }.items()
    )
    (owner,) = executor["metadata"]["ownerReferences"]
    assert (owner["name"], owner["uid"]) == ("spark-j1-2-driver", "uid")
    # Executors find their driver by the application id.
    driver = plain(driver_pod(run, 2))
    assert driver["metadata"]["labels"][labels.SPARK_APP_SELECTOR] == "spark-j1-2"
    assert driver["spec"]["serviceAccountName"].startswith("emr-containers-sa-spark-driver-")


def test_the_submitter_has_the_node_selector_of_the_configuration(
    blueprints: tuple[Blueprint, ...],
) -> None:
    job = plain(submitter_job(run_of(blueprints[0])))
    pod = job["spec"]["template"]
    assert pod["spec"]["nodeSelector"][labels.ROLE] == "driver"
    assert pod["spec"]["nodeSelector"][labels.CAPACITY_TYPE] == "on-demand"
    assert {each["key"] for each in pod["spec"]["tolerations"]} == {labels.WORKLOAD, labels.ROLE}
    assert {each["effect"] for each in pod["spec"]["tolerations"]} == {"NoSchedule"}
    assert pod["metadata"]["annotations"][labels.DO_NOT_DISRUPT] == "true"


def test_pods_do_not_change_their_templates(
    blueprints: tuple[Blueprint, ...],
) -> None:
    before = json.dumps(plain(blueprints[0].driver_template))
    driver_pod(run_of(blueprints[0]), 1)
    assert json.dumps(plain(blueprints[0].driver_template)) == before


@pytest.mark.parametrize(
    ("spark", "mib"),
    [
        ({"spark.executor.memory": "4g"}, 4096 + 409),
        ({"spark.executor.memory": "1g"}, 1024 + 384),
        ({"spark.executor.memory": "10240m", "spark.executor.memoryOverhead": "2g"}, 12288),
        (
            {
                "spark.executor.memory": "2g",
                "spark.executor.memoryOverhead": "512",
                "spark.memory.offHeap.enabled": "true",
                "spark.memory.offHeap.size": "1g",
            },
            3584,
        ),
    ],
)
def test_memory_is_that_of_spark(spark: dict[str, str], mib: int) -> None:
    assert memory_mib(spark, SparkRole.EXECUTOR) == mib


def test_unknown_tenants_and_workloads_are_refused(
    blueprints: tuple[Blueprint, ...],
) -> None:
    with pytest.raises(ConfigError, match="analytics/critical"):
        choose_blueprints(blueprints, tenant="unknown", workload="*")


def test_an_assembly_without_jobs_is_refused(tmp_path: Path) -> None:
    (tmp_path / "manifest.json").write_text(
        '{"artifacts": {"S": {"type": "aws:cloudformation:stack", '
        '"properties": {"templateFile": "s.json"}}}}'
    )
    (tmp_path / "s.json").write_text("{}")
    with pytest.raises(AssemblyError, match="no stack output with a job configuration"):
        read_blueprints(open_assembly(tmp_path))


def test_jobs_rotate_over_the_workloads_by_arrival(
    blueprints: tuple[Blueprint, ...],
) -> None:
    second = timedelta(seconds=1)
    groups = (
        JobGroup(count=4, arrival=Every(gap=2 * second)),
        JobGroup(workload="shared", arrival=Every(gap=second, start=3 * second)),
    )
    found = job_submissions(Scenario(name="s", jobs=groups), blueprints, ACCOUNT, prefix="x")
    assert [each.moment for each in found] == [0.0, 2.0, 3.0, 4.0, 6.0]
    names = [each.run.blueprint.workload for each in found]
    assert names == ["critical", "shared", "shared", "notebook", "critical"]
    assert len({each.run.id for each in found}) == len(found)


# ---- number of executors


def test_requests_grow_like_those_of_spark() -> None:
    policy = AllocationPolicy.of({"spark.dynamicAllocation.enabled": "true"})
    ramp = Ramp(policy)
    assert [ramp.grow(20) for _ in range(6)] == [1, 3, 7, 15, 20, 20]


def test_the_policy_is_that_of_the_workload() -> None:
    policy = AllocationPolicy.of(spark_defaults(DEFAULT_WORKLOADS[0]))
    assert policy == AllocationPolicy(
        dynamic=True, least=0, most=80, initial=0, batch=20, idle_seconds=300
    )
    minute = timedelta(minutes=1)
    assert policy.wanted(SparkStage(executors=100, run_time=minute)) == 80


def test_without_dynamic_allocation_the_number_is_fixed() -> None:
    policy = AllocationPolicy.of({"spark.executor.instances": "7"})
    assert policy.wanted(SparkStage(executors=3, run_time=timedelta(minutes=1))) == 7


def test_executors_with_shuffle_data_are_kept_without_a_timeout() -> None:
    prefix = "spark.dynamicAllocation"
    policy = AllocationPolicy.of(
        {f"{prefix}.enabled": "true", f"{prefix}.shuffleTracking.enabled": "true"}
    )
    assert policy.idle_seconds == float("inf")
