"""From a cloud assembly to a plan."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from cdk_emr_eks.plan.assembly import AssemblyError, Message, StackFile
from cdk_emr_eks.plan.components import component_plans
from cdk_emr_eks.plan.model import Plan, StackPlan
from cdk_emr_eks.plan.notebooks import endpoint_plans, studio_plans
from cdk_emr_eks.plan.objects import KUBERNETES_PREFIX, open_assembly
from cdk_emr_eks.plan.packing import packing_plans
from cdk_emr_eks.plan.pools import pool_messages, pool_plans
from cdk_emr_eks.plan.references import References
from cdk_emr_eks.plan.tenants import tenant_plans
from cdk_emr_eks.plan.warm import warm_plans
from cdk_emr_eks.plan.zones import zone_plans

MAX_RESOURCES: Final = 500
MAX_TEMPLATE_BYTES: Final = 1_000_000
"""What CloudFormation takes.

Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html
"""
NEAR_RESOURCES: Final = 450
NEAR_TEMPLATE_BYTES: Final = 900_000
"""From here on a stack should be split: what it has next may be one tenant too many."""


def read_plan(folder: Path) -> Plan:
    """Read what a cloud assembly would deploy.

    Raises:
        AssemblyError: If the folder is no cloud assembly, or has nothing of EMR on EKS in it.
    """
    assembly = open_assembly(folder)
    stacks, applied = assembly.stacks, assembly.applied
    references = References(stacks)
    pools = pool_plans(applied)
    components = component_plans(stacks, applied)
    tenants = tenant_plans(stacks, applied)
    if not (pools or components or tenants):
        raise AssemblyError(
            f"The cloud assembly '{folder}' has no EKS cluster, node pool or virtual cluster: "
            "it is another app's."
        )
    sizes = tuple(_stack_plan(stack) for stack in stacks)
    return Plan(
        stacks=sizes,
        components=components,
        zones=zone_plans(stacks),
        pools=pools,
        packing=packing_plans(stacks, pools),
        warm=warm_plans(applied, pools),
        tenants=tenants,
        studios=studio_plans(stacks, references),
        endpoints=endpoint_plans(stacks, references),
        messages=(
            *(message for stack in stacks for message in stack.messages),
            *applied.unread,
            *_limits(sizes),
            *pool_messages(pools),
        ),
    )


def _stack_plan(stack: StackFile) -> StackPlan:
    types = stack.types
    return StackPlan(
        name=stack.name,
        resources=len(types),
        template_bytes=stack.size,
        lambdas=types.count("AWS::Lambda::Function"),
        kubernetes_resources=sum(kind.startswith(KUBERNETES_PREFIX) for kind in types),
        iam_roles=types.count("AWS::IAM::Role"),
    )


def _limits(stacks: tuple[StackPlan, ...]) -> Iterator[Message]:
    for stack in stacks:
        for what, amount, near, limit in (
            ("resources", stack.resources, NEAR_RESOURCES, MAX_RESOURCES),
            (
                "bytes of template",
                stack.template_bytes,
                NEAR_TEMPLATE_BYTES,
                MAX_TEMPLATE_BYTES,
            ),
        ):
            if amount > near:
                text = f"{amount:,} {what}; CloudFormation takes {limit:,}: split the stack"
                level = "error" if amount > limit else "warning"
                yield Message(level=level, where=stack.name, text=text)
