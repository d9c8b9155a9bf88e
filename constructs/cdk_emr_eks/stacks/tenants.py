"""Tenants spread over stacks, so that no stack reaches CloudFormation's limits."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from aws_cdk import Environment, Stack
from constructs import Construct

from cdk_emr_eks.errors import ConfigError, ConfigProblem
from cdk_emr_eks.model.tenants.tenant import Tenant
from cdk_emr_eks.platforms.tenant_host import TenantHost
from cdk_emr_eks.stacks.spread import positions_by_stack, stack_id

__all__ = ["MAX_TENANTS", "tenant_stacks"]

# Tenants in one stack. A stack can have 200 outputs, and a tenant of three workloads has 6.
# Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html
MAX_TENANTS: Final = 30


def tenant_stacks(
    scope: Construct,
    id: str,
    *,
    cluster: TenantHost,
    tenants: Sequence[Tenant],
    stacks: int = 1,
    env: Environment | None = None,
) -> tuple[Stack, ...]:
    """Create tenants, spread over a fixed number of stacks.

    The stack of a tenant follows from the tenant's name alone. Adding or removing a tenant leaves
    all others in their stacks: changing the stack would delete the virtual cluster and create it
    again.

    Args:
        scope: The app, or a stage of it.
        id: Construct id of the stack; with several stacks, what their ids begin with.
        cluster: The cluster of the tenants.
        tenants: All tenants of the platform.
        stacks: How many stacks to spread the tenants over. Choose it for the tenants that you
            expect (about one stack for 15 tenants): changing it later moves tenants.
        env: Account and region of the cluster.

    Returns:
        The stacks, in order. A stack without a tenant is not created.

    Raises:
        ConfigError: If a stack would hold more than 30 tenants, or an argument has another type.
    """
    where = f"Tenant stacks {id!r}"
    for tenant in tenants:
        if not isinstance(tenant, Tenant):
            problem = ConfigProblem(field="tenants", rule="must be Tenant", got=tenant)
            raise ConfigError(where, (problem,))
    names = [tenant.name for tenant in tenants]
    spread = positions_by_stack(
        where, "stacks", stacks, keys=names, most=MAX_TENANTS, what="tenants"
    )
    created = []
    for number, members in spread.items():
        stack = Stack(scope, stack_id(id, number, stacks), env=env)
        for member in members:
            cluster.add_tenant(tenants[member], scope=stack)
        created.append(stack)
    return tuple(created)
