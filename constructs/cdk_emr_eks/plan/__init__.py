"""What a cloud assembly would deploy, read from its files alone."""

from cdk_emr_eks.plan.model import (
    CapacityBufferPlan,
    ClusterPlan,
    ComponentPlan,
    EndpointPlan,
    PackingPlan,
    Plan,
    PoolPlan,
    RolePlan,
    StackPlan,
    StudioPlan,
    TenantPlan,
    ZonePlan,
)
from cdk_emr_eks.plan.reader import read_plan

__all__ = [
    "CapacityBufferPlan",
    "ClusterPlan",
    "ComponentPlan",
    "EndpointPlan",
    "PackingPlan",
    "Plan",
    "PoolPlan",
    "RolePlan",
    "StackPlan",
    "StudioPlan",
    "TenantPlan",
    "ZonePlan",
    "read_plan",
]
