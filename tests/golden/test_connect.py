"""What Spark Connect and Livy become, as files that a reviewer reads."""

from __future__ import annotations

from syrupy.assertion import SnapshotAssertion

from cdk_emr_eks.model.jobs.job_config import job_configuration
from cdk_emr_eks.model.namespaces.network_policies import livy_policies
from cdk_emr_eks.model.namespaces.tenant_network import ClusterNetwork, TenantNetwork
from cdk_emr_eks.model.notebooks.livy_objects import hardened, livy_objects
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


def test_objects_of_livy(golden: SnapshotAssertion) -> None:
    policies = livy_policies(
        server_namespace="team-livy",
        namespace="team",
        clients=("10.200.0.0/16",),
        port=8998,
        network=TenantNetwork(),
        cluster=ClusterNetwork(),
    )
    objects = livy_objects(
        server_namespace="team-livy",
        namespace="team",
        tenant="team",
        session_account="emr-container-sa-spark-livy",
        session_role_arn=None,
        client_cidrs=("10.200.0.0/16",),
        certificate_arn="arn:aws:acm:eu-west-1:111122223333:certificate/1234",
        policies=policies,
    )
    assert objects == golden(name="livy-objects")


def test_pod_templates_of_livy(golden: SnapshotAssertion) -> None:
    templates = [hardened(driver_template(NOTEBOOK)), hardened(executor_template(NOTEBOOK))]
    assert templates == golden(name="livy-pod-templates")
