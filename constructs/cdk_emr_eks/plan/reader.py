"""Read the plan of a cloud assembly."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from cdk_emr_eks.assembly.objects import KUBERNETES_PREFIX
from cdk_emr_eks.assembly.reader import Assembly
from cdk_emr_eks.assembly.stack import Message, Stack, StackKind
from cdk_emr_eks.plan.model import ClusterPlan, ComponentPlan, Plan, StackPlan
from cdk_emr_eks.plan.notebooks import endpoint_plans, studio_plans
from cdk_emr_eks.plan.packing import capacity_buffer_plans, packing_plans
from cdk_emr_eks.plan.pools import pool_messages, pool_plans
from cdk_emr_eks.plan.tenants import tenant_plans
from cdk_emr_eks.plan.zones import zone_plans

# Limits of CloudFormation.
# Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html
MAX_RESOURCES: Final = 500
MAX_TEMPLATE_BYTES: Final = 1_000_000
# A stack of this size should be split, since the next tenant may not fit.
NEAR_RESOURCES: Final = 450
NEAR_TEMPLATE_BYTES: Final = 900_000

_CLUSTER: Final = "AWS::EKS::Cluster"
_UNPINNED: Final = "not pinned"
_NO_PLATFORM: Final = (
    "the assembly has no network, EKS cluster, node pool or virtual cluster: is it another app's?"
)


def read_plan(assembly: Assembly) -> Plan:
    """Return what a cloud assembly would deploy.

    Nested stacks are stacks of the plan, and so are products of Service Catalog. An assembly
    without a cluster has a plan of its stacks, network and tenants.
    """
    stacks = assembly.stacks
    pools = pool_plans(assembly.applied)
    sizes = tuple(_stack_plan(stack) for stack in stacks)
    plan = Plan(
        stacks=sizes,
        clusters=(),
        components=tuple(_components(assembly)),
        zones=zone_plans(assembly),
        pools=pools,
        packing=packing_plans(assembly, pools),
        capacity_buffers=capacity_buffer_plans(assembly.applied, pools),
        tenants=tenant_plans(assembly),
        studios=studio_plans(assembly),
        endpoints=endpoint_plans(assembly),
        messages=(
            *(message for stack in stacks for message in stack.messages),
            *assembly.applied.unread,
            *_limits(sizes),
            *pool_messages(pools),
        ),
    )
    parts = (plan.zones, plan.components, plan.pools, plan.tenants, plan.studios)
    if not any(parts):
        warning = Message(level="warning", where=str(assembly.folder), text=_NO_PLATFORM)
        plan = replace(plan, messages=(*plan.messages, warning))
    return replace(plan, clusters=_clusters(assembly, plan))


def _stack_plan(stack: Stack) -> StackPlan:
    types = stack.types()
    return StackPlan(
        name=f"{stack.name} (product)" if stack.kind is StackKind.PRODUCT else stack.name,
        resources=len(types),
        template_bytes=stack.size,
        lambdas=types.count("AWS::Lambda::Function"),
        kubernetes_resources=sum(kind.startswith(KUBERNETES_PREFIX) for kind in types),
        iam_roles=types.count("AWS::IAM::Role"),
    )


def _clusters(assembly: Assembly, plan: Plan) -> tuple[ClusterPlan, ...]:
    """Return the clusters of the assembly, then existing clusters that it deploys to."""
    found = {
        cluster.key: ClusterPlan(
            key=cluster.key,
            name=cluster.name or cluster.logical_id,
            stack=cluster.stack.name,
            environment=str(cluster.stack.environment),
        )
        for cluster in assembly.clusters.declared
    }
    keys = dict.fromkeys(
        part.cluster
        for each in (plan.components, plan.pools, plan.packing, plan.tenants, plan.endpoints)
        for part in each
    )
    existing = (key for key in keys if key and key not in found)
    return (
        *found.values(),
        *(ClusterPlan(key=key, name=key, stack="", environment="") for key in existing),
    )


def _components(assembly: Assembly) -> Iterator[ComponentPlan]:
    """Yield clusters, add-ons and charts with their versions."""
    for stack in assembly.stacks:
        for logical_id, properties in stack.resources(_CLUSTER):
            yield ComponentPlan(
                stack=stack.name,
                cluster=f"{stack.name}/{logical_id}",
                kind="Kubernetes",
                name=stack.text(properties.get("Name")) or logical_id,
                version=stack.text(properties.get("Version")) or _UNPINNED,
            )
        for _, properties in stack.resources("AWS::EKS::Addon"):
            yield ComponentPlan(
                stack=stack.name,
                cluster=assembly.clusters.key(stack, properties.get("ClusterName")),
                kind="EKS add-on",
                name=stack.text(properties.get("AddonName")),
                version=stack.text(properties.get("AddonVersion")) or _UNPINNED,
            )
    for chart in assembly.applied.charts:
        yield ComponentPlan(
            stack=chart.stack,
            cluster=chart.cluster,
            kind="Helm chart",
            name=chart.name,
            version=chart.version or _UNPINNED,
        )


def _limits(stacks: tuple[StackPlan, ...]) -> Iterator[Message]:
    for stack in stacks:
        for unit, amount, near, limit in (
            ("resources", stack.resources, NEAR_RESOURCES, MAX_RESOURCES),
            (
                "bytes of template",
                stack.template_bytes,
                NEAR_TEMPLATE_BYTES,
                MAX_TEMPLATE_BYTES,
            ),
        ):
            if amount > near:
                text = f"{amount:,} {unit}; CloudFormation takes {limit:,}: split the stack"
                level = "error" if amount > limit else "warning"
                yield Message(level=level, where=stack.name, text=text)
