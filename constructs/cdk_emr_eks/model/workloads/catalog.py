"""The default workloads: the table that a contributor edits."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from cdk_emr_eks.labels import Architecture, CapacityType
from cdk_emr_eks.model.instances.instances import Instances
from cdk_emr_eks.model.workloads.disruption import Disruption
from cdk_emr_eks.model.workloads.shapes import (
    DriverShape,
    DynamicAllocation,
    ExecutorShape,
    NodePoolLimits,
)
from cdk_emr_eks.model.workloads.storage import InstanceStore, RootVolume
from cdk_emr_eks.model.workloads.workload import Workload
from cdk_emr_eks.units import Cpu, Memory

# Jobs that must end in time: all pods on on-demand nodes, large executors on local NVMe.
CRITICAL: Final = Workload(
    name="critical",
    driver_instances=Instances(families=("m6g", "m7g", "m8g"), sizes=("2xlarge", "4xlarge")),
    executor_instances=Instances(
        families=("m6gd", "m7gd", "m8gd", "m9gd"), sizes=("4xlarge", "8xlarge", "16xlarge")
    ),
    storage=InstanceStore(),
    driver=DriverShape(cores=4),
    executor=ExecutorShape(cores=8),
    dynamic_allocation=DynamicAllocation(max_executors=80),
    priority=3_000,
)

# Most jobs: executors on spot nodes with NVMe, and on on-demand nodes in the driver's zone where
# spot is sold out.
SHARED: Final = Workload(
    name="shared",
    driver_instances=Instances(families=("m6g", "m7g", "m8g"), sizes=("2xlarge", "4xlarge")),
    executor_instances=Instances(
        families=("m6gd", "m7gd", "m8gd", "r6gd", "r7gd", "r8gd"),
        sizes=("2xlarge", "4xlarge", "8xlarge", "16xlarge"),
    ),
    executor_capacity=CapacityType.SPOT,
    on_demand_fallback=True,
    storage=InstanceStore(),
    priority=2_000,
)

# Notebook sessions: small executors, removed soon after a computation ends. On spot nodes, and on
# on-demand nodes in the driver's zone where spot is sold out.
NOTEBOOK: Final = Workload(
    name="notebook",
    # EMR's managed endpoints do not run on arm64.
    architectures=(Architecture.AMD64,),
    driver_instances=Instances(families=("m6i", "m6a", "m7i", "m7a"), sizes=("2xlarge", "4xlarge")),
    executor_instances=Instances(
        families=("m5", "m5a", "m6i", "m6a", "m7i", "m7a", "r5", "r5a", "r6i", "r6a"),
        sizes=("2xlarge", "4xlarge"),
    ),
    executor_capacity=CapacityType.SPOT,
    # A session stays in the zone of its driver: without a fallback it could wait for spot forever.
    on_demand_fallback=True,
    storage=RootVolume(),
    driver=DriverShape(cores=2),
    executor=ExecutorShape(cores=2),
    dynamic_allocation=DynamicAllocation(max_executors=20, batch_size=5),
    executor_limits=NodePoolLimits(cpu=Cpu.cores(800), memory=Memory.from_gib(6_400)),
    disruption=Disruption(executor_consolidate_after=timedelta(seconds=90)),
    priority=1_000,
)

# The workloads of a platform without `workloads`.
DEFAULT_WORKLOADS: Final = (CRITICAL, SHARED, NOTEBOOK)
