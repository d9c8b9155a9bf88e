"""Tenants in stacks of their own, so that no stack nears CloudFormation's 500 resources."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final
from zlib import crc32

from aws_cdk import Environment, Stack
from constructs import Construct

from cdk_emr_eks import ConfigError, ConfigProblem, Tenant, TenantHost

MAX_TENANTS: Final = 30
"""Tenants in one stack. CloudFormation takes 200 outputs, and a tenant of three workloads has 6.

Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html
"""


def tenant_stacks(
    scope: Construct,
    id: str,
    *,
    cluster: TenantHost,
    tenants: Sequence[Tenant],
    stacks: int = 1,
    env: Environment | None = None,
) -> tuple[Stack, ...]:
    """Spread tenants over a fixed number of stacks; a tenant never moves to another one.

    A tenant's stack follows from its name alone, so that adding or removing one leaves all others
    where they are: moving a tenant would delete its virtual cluster and make it again.

    Args:
        cluster: Where the tenants live.
        tenants: All tenants of the platform.
        stacks: How many stacks to spread over. Choose it for the number of tenants to come (about
            one for each 15): changing it later moves tenants. Stacks without a tenant are not made.
        env: Account and region of the cluster.

    Returns:
        The stacks made, in order.

    Raises:
        ConfigError: If a stack would hold more than 30 tenants, or an argument is of another type.
    """
    where = f"Tenant stacks {id!r}"
    if type(stacks) is not int or stacks < 1:
        rule = "must be a whole number, at least 1"
        raise ConfigError(where, (ConfigProblem(field="stacks", rule=rule, got=stacks),))
    for tenant in tenants:
        if not isinstance(tenant, Tenant):
            raise ConfigError(
                where, (ConfigProblem(field="tenants", rule="must be Tenant", got=tenant),)
            )
    groups: dict[int, list[Tenant]] = {}
    for tenant in tenants:
        groups.setdefault(crc32(tenant.name.encode()) % stacks, []).append(tenant)
    fullest = max((len(group) for group in groups.values()), default=0)
    if fullest > MAX_TENANTS:
        rule = f"must be large enough for at most {MAX_TENANTS} tenants in a stack"
        fix = f"one of {stacks} would hold {fullest}; try {-(-len(tenants) // 15)}"
        problem = ConfigProblem(field="stacks", rule=rule, got=stacks, fix=fix)
        raise ConfigError(where, (problem,))
    made = []
    for number, group in sorted(groups.items()):
        stack = Stack(scope, id if stacks == 1 else f"{id}{number + 1:02}", env=env)
        for tenant in group:
            cluster.add_tenant(tenant, scope=stack)
        made.append(stack)
    return tuple(made)
