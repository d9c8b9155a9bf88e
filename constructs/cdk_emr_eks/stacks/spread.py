"""Spread tenants and notebook users over a fixed number of stacks.

No stack reaches CloudFormation's limits, and no tenant, endpoint or user changes its stack.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final
from zlib import crc32

from aws_cdk import Environment, Stack
from constructs import Construct

from cdk_emr_eks.errors import ConfigError, ConfigProblem
from cdk_emr_eks.model.notebooks.notebook_endpoint import NotebookEndpoint
from cdk_emr_eks.model.notebooks.notebook_user import NotebookUser
from cdk_emr_eks.model.tenants.tenant import Tenant
from cdk_emr_eks.platforms.notebook_platform import NotebookPlatform
from cdk_emr_eks.platforms.tenant_host import TenantHost

__all__ = ["MAX_ENDPOINTS", "MAX_TENANTS", "MAX_USERS", "notebook_stacks", "tenant_stacks"]

# Tenants in one stack. A stack can have 200 outputs, and a tenant of three workloads has 6.
# Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html
MAX_TENANTS: Final = 30
# Endpoints in one stack. An endpoint with its own namespace, used by a user in another stack, has 9
# outputs.
MAX_ENDPOINTS: Final = 20
# Users in one stack, each with one output and usually at most two resources.
MAX_USERS: Final = 150


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
    spread = _positions_by_stack(
        where, "stacks", stacks, keys=names, most=MAX_TENANTS, what="tenants"
    )
    created = []
    for number, members in spread.items():
        stack = Stack(scope, _stack_id(id, number, stacks), env=env)
        for member in members:
            cluster.add_tenant(tenants[member], scope=stack)
        created.append(stack)
    return tuple(created)


def notebook_stacks(
    scope: Construct,
    id: str,
    *,
    platform: NotebookPlatform,
    users: Sequence[NotebookUser],
    endpoint_stacks: int = 1,
    user_stacks: int = 1,
    env: Environment | None = None,
) -> tuple[Stack, ...]:
    """Create endpoints and notebook users, spread over a fixed number of stacks.

    The stack of an endpoint follows from its namespace, the stack of a user from the user's name.
    Adding or removing one leaves all others in their stacks: changing the stack would delete an
    endpoint and end its notebooks. All endpoints are created before the users, who can share them.

    Args:
        scope: The app, or a stage of it.
        id: What the construct ids of the stacks begin with.
        platform: The Studio and its cluster, in another stack.
        users: All users of the platform, with their endpoints.
        endpoint_stacks: How many stacks to spread endpoints over. Choose it for the endpoints that
            you expect (about one stack for 10 endpoints): changing it later moves endpoints.
        user_stacks: How many stacks to spread users over (about one stack for 75 users).
        env: Account and region of the cluster.

    Returns:
        The stacks of endpoints, then those of users. A stack without members is not created.

    Raises:
        ConfigError: If a stack would hold more than 20 endpoints or 150 users, or the platform
            refuses a user.
    """
    platform.check_users(users)
    endpoints = {e.name: e for u in users for e in u.endpoints if isinstance(e, NotebookEndpoint)}
    every = list(endpoints.values())
    spread_endpoints = _positions_by_stack(
        f"Notebook stacks {id!r}",
        "endpoint_stacks",
        endpoint_stacks,
        keys=[endpoint.namespace or "" for endpoint in every],
        most=MAX_ENDPOINTS,
        what="endpoints",
    )
    spread_users = _positions_by_stack(
        f"Notebook stacks {id!r}",
        "user_stacks",
        user_stacks,
        keys=[f"{user.identity_type or ''}/{user.identity_name}" for user in users],
        most=MAX_USERS,
        what="users",
    )
    created: list[Stack] = []
    for number, members in spread_endpoints.items():
        stack = Stack(scope, _stack_id(f"{id}Endpoints", number, endpoint_stacks), env=env)
        platform.add_endpoints([every[member] for member in members], scope=stack)
        created.append(stack)
    for number, members in spread_users.items():
        stack = Stack(scope, _stack_id(f"{id}Users", number, user_stacks), env=env)
        platform.add_users([users[member] for member in members], scope=stack)
        created.append(stack)
    return tuple(created)


def _positions_by_stack(
    where: str, field: str, stacks: int, *, keys: Sequence[str], most: int, what: str
) -> dict[int, list[int]]:
    """Return the positions of keys by the number of their stack, in the order of the stacks.

    The stack follows from the key alone, so another key never changes it. Equal keys have one
    stack.

    Args:
        where: What is being configured, for errors.
        field: The argument that gives the number of stacks, for errors.
        stacks: How many stacks there are.
        keys: A key for each thing that needs a stack.
        most: How many things one stack can hold.
        what: What the things are, for errors.

    Raises:
        ConfigError: If the number of stacks is not a whole number from 1 on, or a stack would hold
            too many things.
    """
    if type(stacks) is not int or stacks < 1:
        rule = "must be a whole number, at least 1"
        raise ConfigError(where, (ConfigProblem(field=field, rule=rule, got=stacks),))
    groups: dict[int, list[int]] = {}
    for position, key in enumerate(keys):
        # A checksum that is the same in every process, unlike hash().
        groups.setdefault(crc32(key.encode()) % stacks, []).append(position)
    fullest = max((len(group) for group in groups.values()), default=0)
    if fullest > most:
        rule = f"must be large enough for at most {most} {what} in a stack"
        # Checksums do not spread evenly: half full on average leaves room.
        fix = f"one of {stacks} would hold {fullest}; try {-(-2 * len(keys) // most)}"
        raise ConfigError(where, (ConfigProblem(field=field, rule=rule, got=stacks, fix=fix),))
    return dict(sorted(groups.items()))


def _stack_id(id: str, number: int, stacks: int) -> str:
    """Return the construct id of a stack: ``id`` if there is one stack, else with its number."""
    return id if stacks == 1 else f"{id}{number + 1:02}"
