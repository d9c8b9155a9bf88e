"""Job configurations: pod sizes, storage and decommissioning follow the workload."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, cast

import pytest

from cdk_emr_eks.errors import ConfigError
from cdk_emr_eks.model.jobs.job_config import job_configuration, spark_defaults
from cdk_emr_eks.model.networks.zones import Zone
from cdk_emr_eks.model.nodes.node_pool import node_pools
from cdk_emr_eks.model.nodes.storage_class import needs_storage_class, storage_class
from cdk_emr_eks.model.pods.pod_template import executor_template
from cdk_emr_eks.model.workloads.catalog import CRITICAL, DEFAULT_WORKLOADS, NOTEBOOK, SHARED
from cdk_emr_eks.model.workloads.executor_size import driver_size, executor_size
from cdk_emr_eks.model.workloads.shapes import ExecutorShape
from cdk_emr_eks.model.workloads.storage import PersistentVolumes
from cdk_emr_eks.model.workloads.workload import Workload
from cdk_emr_eks.units import Memory

by_name = pytest.mark.parametrize("workload", DEFAULT_WORKLOADS, ids=lambda each: each.name)
VOLUMES = replace(NOTEBOOK, storage=PersistentVolumes(count=2, size=Memory.from_gib(50)))


def render(workload: Workload, **changes: Any) -> dict[str, Any]:
    values: dict[str, Any] = {
        "driver_template_uri": "s3://assets/driver.yaml",
        "executor_template_uri": "s3://assets/executor.yaml",
        "log_group": "/emr-eks/analytics",
        "log_stream_prefix": "shared",
    }
    return cast(dict[str, Any], job_configuration(workload, **(values | changes)))


def properties(workload: Workload, classification: str) -> Mapping[str, str]:
    found = render(workload)["applicationConfiguration"]
    return next(
        cast(Mapping[str, str], each["properties"])
        for each in found
        if each["classification"] == classification
    )


@by_name
def test_pod_sizes_are_those_of_the_workload(workload: Workload) -> None:
    spark = properties(workload, "spark-defaults")
    for role, shape in (("driver", driver_size(workload)), ("executor", executor_size(workload))):
        assert spark[f"spark.{role}.cores"] == str(shape.cores)
        request = spark[f"spark.kubernetes.{role}.request.cores"]
        assert request == shape.request_cores.kubernetes
        assert spark[f"spark.{role}.memory"] == shape.heap.spark
        assert spark[f"spark.{role}.memoryOverhead"] == shape.overhead.spark
    assert "spark.memory.offHeap.enabled" not in spark


def test_off_heap_is_switched_on_with_its_size() -> None:
    shape = ExecutorShape(cores=4, off_heap=Memory.from_gib(2))
    spark = spark_defaults(replace(SHARED, executor=shape))
    assert spark["spark.memory.offHeap.enabled"] == "true"
    assert spark["spark.memory.offHeap.size"] == "2g"


@by_name
def test_the_submitter_runs_on_the_drivers_nodes_only(workload: Workload) -> None:
    submitter = properties(workload, "emr-job-submitter")
    prefix = "jobsubmitter.node.selector."
    selector = {k.removeprefix(prefix): v for k, v in submitter.items() if k.startswith(prefix)}
    pools = node_pools(workload, (Zone.named("us-east-1a"),))
    spec = cast(Any, pools[0].manifest()["spec"])["template"]
    assert selector == {
        **spec["metadata"]["labels"],
        "karpenter.sh/capacity-type": "on-demand",
    }
    for taint in spec["spec"]["taints"]:
        key = f"jobsubmitter.node.toleration.{taint['key']}"
        assert submitter[key] == taint["value"]
        assert submitter[f"{key}.effect"] == taint["effect"]


@by_name
def test_jobs_outlast_the_start_of_a_node(workload: Workload) -> None:
    defaults = properties(workload, "emr-containers-defaults")
    assert defaults == {"job-start-timeout": "1800"}


def test_executors_on_spot_move_their_blocks_before_the_pod_ends() -> None:
    spark = spark_defaults(SHARED)
    assert spark["spark.decommission.enabled"] == "true"
    assert spark["spark.storage.decommission.shuffleBlocks.enabled"] == "true"
    grace = cast(Any, executor_template(SHARED))["spec"]["terminationGracePeriodSeconds"]
    assert int(spark["spark.executor.decommission.forceKillTimeout"][:-1]) < grace
    assert not any("decommission" in key for key in spark_defaults(CRITICAL))


def test_volumes_are_claimed_on_demand_and_reused() -> None:
    spark = spark_defaults(VOLUMES)
    prefix = "spark.kubernetes.executor.volumes.persistentVolumeClaim.spark-local-dir-2"
    assert {k: v for k, v in spark.items() if k.startswith(prefix)} == {
        f"{prefix}.options.claimName": "OnDemand",
        f"{prefix}.options.storageClass": "emr-eks-executor",
        f"{prefix}.options.sizeLimit": "50Gi",
        f"{prefix}.mount.path": "/data2",
        f"{prefix}.mount.readOnly": "false",
    }
    for key in ("own", "reuse", "waitToReuse"):
        assert spark[f"spark.kubernetes.driver.{key}PersistentVolumeClaim"] == "true"
    assert spark["spark.storage.decommission.shuffleBlocks.enabled"] == "false"


def test_volumes_without_reuse_are_deleted_with_their_executor() -> None:
    spark = spark_defaults(replace(VOLUMES, storage=PersistentVolumes(reuse=False)))
    assert not any("PersistentVolumeClaim" in key for key in spark)
    assert spark["spark.storage.decommission.shuffleBlocks.enabled"] == "true"


def test_the_storage_class_is_encrypted_and_waits_for_the_executor() -> None:
    made = storage_class(cluster_name="data", volume_key="${Token[Key.1]}")
    assert made["volumeBindingMode"] == "WaitForFirstConsumer"
    parameters = cast(Mapping[str, str], made["parameters"])
    assert parameters["encrypted"] == "true"
    assert parameters["kmsKeyId"] == "${Token[Key.1]}"
    assert "kmsKeyId" not in cast(Any, storage_class(cluster_name="data"))["parameters"]
    assert needs_storage_class((SHARED, VOLUMES))
    assert not needs_storage_class(DEFAULT_WORKLOADS)


def test_properties_of_users_override_defaults() -> None:
    key = "spark.hadoop.hive.metastore.client.factory.class"
    assert spark_defaults(replace(SHARED, spark_conf={key: "mine"}))[key] == "mine"


def test_logs_go_to_cloudwatch_and_to_s3_on_request() -> None:
    assert render(SHARED)["monitoringConfiguration"] == {
        "persistentAppUI": "ENABLED",
        "cloudWatchMonitoringConfiguration": {
            "logGroupName": "/emr-eks/analytics",
            "logStreamNamePrefix": "shared",
        },
    }
    with_s3 = render(SHARED, log_uri="${Token[Bucket.1]}")["monitoringConfiguration"]
    assert with_s3["s3MonitoringConfiguration"] == {"logUri": "${Token[Bucket.1]}"}


@pytest.mark.parametrize("label", ["emr-7.3.0-latest", "emr-spark-8.1.0-latest", None])
def test_releases_with_all_features_pass(label: str | None) -> None:
    assert render(VOLUMES, release_label=label)["applicationConfiguration"]


WHERE = "Job configuration of workload 'notebook'"


@pytest.mark.parametrize(
    ("workload", "label", "message"),
    [
        (
            VOLUMES,
            "emr-7.3.0",
            f"{WHERE}: release_label must be an EMR release label such as 'emr-7.14.0-latest' or "
            "'emr-spark-8.1.0-latest', got 'emr-7.3.0'; try 'emr-7.3.0-latest'.",
        ),
        (
            NOTEBOOK,
            "emr-6.8.0-latest",
            f"{WHERE}: release_label must be at least emr-6.11.0 for placing the job submitter, "
            "got 'emr-6.8.0-latest'.",
        ),
        (
            VOLUMES,
            "emr-6.11.0-latest",
            f"{WHERE}: release_label must be at least emr-6.12.0 for reuse of PersistentVolumes, "
            "got 'emr-6.11.0-latest'.",
        ),
    ],
)
def test_releases_without_a_feature_are_refused(
    workload: Workload, label: str, message: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        render(workload, release_label=label)
    assert str(caught.value) == message


def test_more_properties_than_the_api_allows_are_refused() -> None:
    conf = {f"spark.custom.{number}": "x" for number in range(80)}
    with pytest.raises(ConfigError) as caught:
        render(replace(NOTEBOOK, spark_conf=conf))
    assert str(caught.value) == (
        f"{WHERE}: spark-defaults must have at most 100 properties, including derived ones, "
        "got 104; set fewer in spark_conf."
    )


def test_text_longer_than_the_api_allows_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"at most 1024 characters, got 'spark.kubernetes.driver"):
        render(SHARED, driver_template_uri="s3://" + "x" * 1024)
