"""What a cloud assembly would deploy, read from its files alone."""

from cdk_emr_eks.plan.model import (
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
    WarmPlan,
    ZonePlan,
)
from cdk_emr_eks.plan.reader import read_plan

__all__ = [
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
    "WarmPlan",
    "ZonePlan",
    "read_plan",
]
