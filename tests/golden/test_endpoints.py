"""What a managed endpoint and its gateway's nodes become, as files that a reviewer reads."""

from __future__ import annotations

from datetime import timedelta

from syrupy.assertion import SnapshotAssertion

from cdk_emr_eks.model.jobs.job_config import job_configuration
from cdk_emr_eks.model.networks.zones import Zone
from cdk_emr_eks.model.nodes.gateway_pool import GatewayPool
from cdk_emr_eks.model.notebooks.managed_endpoint import KernelImages, ManagedEndpointSpec
from cdk_emr_eks.model.workloads.catalog import NOTEBOOK

ZONES = (Zone.named("us-east-1a"), Zone.named("us-east-1b"))
IMAGE = "111122223333.dkr.ecr.us-east-1.amazonaws.com/kernel@sha256:" + "0123456789abcdef" * 4


def test_endpoint_configuration(golden: SnapshotAssertion) -> None:
    job = job_configuration(
        NOTEBOOK,
        driver_template_uri="s3://assets/driver.yaml",
        executor_template_uri="s3://assets/executor.yaml",
        log_group="/emr-eks/analytics",
        log_stream_prefix="notebook",
    )
    plain = ManagedEndpointSpec(name="analysts")
    full = ManagedEndpointSpec(
        name="scientists",
        kernel_idle_timeout=timedelta(minutes=30),
        spark_conf={"spark.sql.ansi.enabled": "true"},
        kernel_images=KernelImages(python=IMAGE, spark=IMAGE),
        notebook_security_group_id="sg-0123456789abcdef0",
        configurations={"spark-log4j2": {"logger.level": "warn"}},
    )
    documents = [spec.configuration(job) for spec in (plain, full)]
    assert documents == golden(name="endpoint-configuration")


def test_gateway_pool(golden: SnapshotAssertion) -> None:
    gateway = GatewayPool()
    node_class = gateway.node_class.manifest(cluster_name="data-platform", role="nodes")
    documents = [gateway.node_pool(ZONES).manifest(), node_class]
    assert documents == golden(name="gateway-node-pool")
