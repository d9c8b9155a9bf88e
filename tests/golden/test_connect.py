"""What Spark Connect and Livy become, as files that a reviewer reads."""

from __future__ import annotations

from syrupy.assertion import SnapshotAssertion

from cdk_emr_eks.model.jobs.job_config import job_configuration
from cdk_emr_eks.model.notebooks.livy import with_security_settings
from cdk_emr_eks.model.notebooks.spark_connect import SparkConnectSpec
from cdk_emr_eks.model.pods.pod_template import driver_template, executor_template
from cdk_emr_eks.model.workloads.catalog import NOTEBOOK


def test_configuration_of_a_spark_connect_endpoint(golden: SnapshotAssertion) -> None:
    job = job_configuration(
        NOTEBOOK,
        driver_template_uri="s3://assets/driver.yaml",
        executor_template_uri="s3://assets/executor.yaml",
        log_group="/emr-on-eks/platform/team",
        log_stream_prefix="notebook",
        pod_labels={"emr-eks/tenant": "team"},
    )
    endpoint = SparkConnectSpec(name="laptops", spark_conf={"spark.sql.ansi.enabled": "true"})
    assert [endpoint.configuration(job)] == golden(name="spark-connect-configuration")


def test_pod_templates_of_livy(golden: SnapshotAssertion) -> None:
    templates = [
        with_security_settings(driver_template(NOTEBOOK)),
        with_security_settings(executor_template(NOTEBOOK)),
    ]
    assert templates == golden(name="livy-pod-templates")
