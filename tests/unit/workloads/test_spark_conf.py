"""Spark properties that a workload refuses, one by one, and the field to use instead."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cdk_emr_eks.model.workloads.catalog import SHARED
from cdk_emr_eks.model.workloads.spark_conf import spark_conf_problems
from tests.refusals import refused

EMR = "EMR on EKS sets it and refuses another value"
TEMPLATE = "upload a pod template and name it on the job"
DRIVER = "use Workload.driver"
EXECUTOR = "use Workload.executor"
NO_LIMIT = "a CPU limit throttles; use Workload."
ALLOCATION = "use Workload.dynamic_allocation"
STORAGE = "use Workload.storage"
CAPACITY = "it follows Workload.executor_capacity"
ENCRYPTION = "use Tenant.spark_encryption"
WORKLOAD = "use another Workload"

REFUSED = {
    "spark.kubernetes.authenticate.driver.serviceAccountName": EMR,
    "spark.kubernetes.authenticate.executor.serviceAccountName": EMR,
    "spark.kubernetes.authenticate.serviceAccountName": EMR,
    "spark.kubernetes.namespace": EMR,
    "spark.kubernetes.driver.pod.name": EMR,
    "spark.kubernetes.container.image.pullPolicy": EMR,
    "spark.kubernetes.driver.podTemplateFile": TEMPLATE,
    "spark.kubernetes.executor.podTemplateFile": TEMPLATE,
    "spark.kubernetes.driver.request.cores": DRIVER,
    "spark.kubernetes.driver.limit.cores": f"{NO_LIMIT}driver",
    "spark.driver.cores": DRIVER,
    "spark.driver.memory": DRIVER,
    "spark.driver.memoryOverhead": DRIVER,
    "spark.driver.memoryOverheadFactor": DRIVER,
    "spark.kubernetes.memoryOverheadFactor": "use overhead_share of Workload.driver and executor",
    "spark.kubernetes.executor.request.cores": EXECUTOR,
    "spark.kubernetes.executor.limit.cores": f"{NO_LIMIT}executor",
    "spark.executor.cores": EXECUTOR,
    "spark.executor.memory": EXECUTOR,
    "spark.executor.memoryOverhead": EXECUTOR,
    "spark.executor.memoryOverheadFactor": EXECUTOR,
    "spark.executor.pyspark.memory": "raise overhead_share of Workload.executor",
    "spark.executor.instances": ALLOCATION,
    "spark.memory.offHeap.enabled": "use off_heap of Workload.executor",
    "spark.memory.offHeap.size": "use off_heap of Workload.executor",
    "spark.kubernetes.allocation.batch.size": ALLOCATION,
    "spark.decommission.enabled": CAPACITY,
    "spark.kubernetes.driver.ownPersistentVolumeClaim": STORAGE,
    "spark.kubernetes.driver.reusePersistentVolumeClaim": STORAGE,
    "spark.kubernetes.driver.waitToReusePersistentVolumeClaim": STORAGE,
    "spark.local.dir": STORAGE,
    "spark.authenticate": ENCRYPTION,
    # Beginnings of properties.
    "spark.dynamicAllocation.maxExecutors": ALLOCATION,
    "spark.storage.decommission.enabled": CAPACITY,
    "spark.authenticate.secret": "Spark creates a secret for each job; use Tenant.spark_encryption",
    "spark.network.crypto.enabled": ENCRYPTION,
    "spark.io.encryption.enabled": ENCRYPTION,
    "spark.kubernetes.node.selector.zone": WORKLOAD,
    "spark.kubernetes.driver.node.selector.zone": WORKLOAD,
    "spark.kubernetes.executor.node.selector.zone": WORKLOAD,
    "spark.kubernetes.executor.volumes.persistentVolumeClaim.spark-local-dir-1.mount.path": STORAGE,
}
PLACE = "Workload 'shared': spark_conf"


@pytest.mark.parametrize("key", REFUSED)
def test_a_property_of_the_workload_or_of_emr_is_refused(key: str) -> None:
    assert refused(lambda: replace(SHARED, spark_conf={key: "x"})) == (
        f"{PLACE} must not set, got {key!r}; {REFUSED[key]}."
    )


def test_a_property_starts_with_spark() -> None:
    assert refused(lambda: replace(SHARED, spark_conf={"sparky": "x"})) == (
        f"{PLACE} must have keys that start 'spark.', got 'sparky'."
    )


@pytest.mark.parametrize("length", [(1024, 1), (6, 1024)])
def test_a_key_and_a_value_have_up_to_1024_characters(length: tuple[int, int]) -> None:
    key, value = length
    assert spark_conf_problems({"spark.".ljust(key, "a"): "b" * value}) == ()
    long = {"spark.".ljust(key + (key > 6), "a"): "b" * (value + (value > 1))}
    (problem,) = spark_conf_problems(long)
    assert problem.rule == "must have keys and values of at most 1024 characters"


def test_the_error_of_a_long_property_shows_its_beginning_and_length() -> None:
    (problem,) = spark_conf_problems({"spark.".ljust(70, "a"): "b" * 2_000}, "conf")
    assert (problem.field, problem.got) == ("conf", f"{'spark.'.ljust(60, 'a')} (2000)")


def test_a_secret_is_refused_without_its_value() -> None:
    text = refused(lambda: replace(SHARED, spark_conf={"spark.my.password": "hunter2"}))
    assert "must not hold a secret, which templates and outputs show to every reader" in text
    assert "hunter2" not in text
