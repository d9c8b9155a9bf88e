"""Node pools and node classes pass Karpenter's schemas and rules, as in the API server."""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from dataclasses import replace
from datetime import timedelta
from typing import Any, cast

import pytest

from cdk_emr_eks.errors import ConfigError
from cdk_emr_eks.labels import Architecture
from cdk_emr_eks.model.instances.instances import Instances
from cdk_emr_eks.model.networks.zones import Zone
from cdk_emr_eks.model.nodes.crds import validate_manifest
from cdk_emr_eks.model.nodes.node_class import NVME, node_classes
from cdk_emr_eks.model.nodes.node_pool import node_pools
from cdk_emr_eks.model.workloads.catalog import DEFAULT_WORKLOADS, NOTEBOOK, SHARED
from cdk_emr_eks.model.workloads.disruption import Disruption, DriftFreeze
from cdk_emr_eks.model.workloads.storage import PersistentVolumes, RootVolume
from cdk_emr_eks.units import Memory

ZONES = (Zone.named("us-east-1a"), Zone(key="zone-2", name="${Token[AZ.2]}"))
ODD = (
    replace(NOTEBOOK, name="volumes", storage=PersistentVolumes(), per_zone=False),
    replace(
        NOTEBOOK,
        name="fast-root",
        storage=RootVolume(size=Memory.from_gib(500), iops=12_000, throughput_mib=1_000),
    ),
    replace(
        SHARED,
        name="both",
        architectures=(Architecture.AMD64, Architecture.ARM64),
        driver_instances=Instances(families=("m7g", "m7i"), sizes=("2xlarge",)),
        executor_instances=Instances(families=("m7gd", "m6id"), sizes=("2xlarge",)),
        disruption=Disruption(
            executor_consolidate_after=timedelta(seconds=61),
            drift_nodes="1",
            drift_freeze=DriftFreeze(schedule="@daily", duration=timedelta(minutes=90)),
        ),
    ),
)


@pytest.mark.parametrize("workload", [*DEFAULT_WORKLOADS, *ODD], ids=lambda each: each.name)
def test_karpenter_accepts_each_pool(workload: Any) -> None:
    for pool in node_pools(workload, ZONES):
        validate_manifest(pool.manifest())


def test_karpenter_accepts_each_node_class() -> None:
    for node_class in node_classes((*DEFAULT_WORKLOADS, *ODD)):
        validate_manifest(
            node_class.manifest(
                cluster_name="data",
                role="${Token[Role.1]}",
                volume_key="${Token[Key.1]}",
                tags={"team": "data"},
            )
        )


def test_the_schema_refuses_unknown_fields() -> None:
    pool = cast(dict[str, Any], deepcopy(dict(node_pools(SHARED, ZONES)[0].manifest())))
    pool["spec"]["template"]["spec"]["kubelet"] = {"maxPods": 110}
    with pytest.raises(ConfigError, match="kubelet"):
        validate_manifest(pool)
    made = cast(Mapping[str, Any], NVME.manifest(cluster_name="data", role="r"))
    wrong = {**made, "spec": {**made["spec"], "instanceStorePolicy": "RAID10"}}
    with pytest.raises(ConfigError, match="instanceStorePolicy"):
        validate_manifest(wrong)
