"""What the default workloads become, as files that a reviewer reads."""

from __future__ import annotations

from dataclasses import replace

import pytest
from syrupy.assertion import SnapshotAssertion

from cdk_emr_eks.labels import Architecture
from cdk_emr_eks.model.instances.instances import Instances
from cdk_emr_eks.model.jobs.job_config import job_configuration
from cdk_emr_eks.model.networks.zones import Zone
from cdk_emr_eks.model.nodes.node_class import node_classes
from cdk_emr_eks.model.nodes.node_pool import node_pools
from cdk_emr_eks.model.nodes.storage_class import storage_class
from cdk_emr_eks.model.pods.pod_template import driver_template, executor_template
from cdk_emr_eks.model.workloads.catalog import DEFAULT_WORKLOADS, NOTEBOOK, SHARED
from cdk_emr_eks.model.workloads.storage import PersistentVolumes
from cdk_emr_eks.model.workloads.workload import Workload

ZONE = (Zone.named("us-east-1a"),)
VARIANTS = (
    replace(NOTEBOOK, name="volumes", storage=PersistentVolumes(count=2)),
    replace(
        SHARED,
        name="both",
        architectures=(Architecture.ARM64, Architecture.AMD64),
        driver_instances=Instances(families=("m7g", "m7i"), sizes=("2xlarge", "4xlarge")),
        executor_instances=Instances(families=("m7gd", "m6id"), sizes=("2xlarge", "4xlarge")),
    ),
)

each = pytest.mark.parametrize(
    "workload", [*DEFAULT_WORKLOADS, *VARIANTS], ids=lambda workload: workload.name
)


@each
def test_node_pools(workload: Workload, golden: SnapshotAssertion) -> None:
    manifests = [pool.manifest() for pool in node_pools(workload, ZONE)]
    assert manifests == golden(name=f"{workload.name}-node-pools")


@each
def test_pod_templates(workload: Workload, golden: SnapshotAssertion) -> None:
    templates = [driver_template(workload), executor_template(workload)]
    assert templates == golden(name=f"{workload.name}-pod-templates")


@each
def test_job_configurations(workload: Workload, golden: SnapshotAssertion) -> None:
    configuration = job_configuration(
        workload,
        driver_template_uri="s3://assets/driver.yaml",
        executor_template_uri="s3://assets/executor.yaml",
        log_group="/emr-eks/analytics",
        log_stream_prefix=workload.name,
    )
    assert [configuration] == golden(name=f"{workload.name}-job-configuration")


@each
def test_priority_classes(workload: Workload, golden: SnapshotAssertion) -> None:
    assert workload.priority_classes() == golden(name=f"{workload.name}-priority-classes")


def test_node_classes(golden: SnapshotAssertion) -> None:
    classes = [
        node_class.manifest(cluster_name="data-platform", role="data-platform-node")
        for node_class in node_classes((*DEFAULT_WORKLOADS, *VARIANTS))
    ]
    assert classes == golden(name="node-classes")


def test_storage_class(golden: SnapshotAssertion) -> None:
    assert [storage_class(cluster_name="data-platform")] == golden(name="storage-class")
