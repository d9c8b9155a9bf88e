"""Notebook users and endpoints spread over stacks, so that no stack reaches a limit."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from aws_cdk import Environment, Stack
from constructs import Construct

from cdk_emr_eks.model.notebooks.notebook_endpoint import NotebookEndpoint
from cdk_emr_eks.model.notebooks.notebook_user import NotebookUser
from cdk_emr_eks.platforms.notebook_platform import NotebookPlatform
from cdk_emr_eks.stacks.spread import positions_by_stack, stack_id

__all__ = ["MAX_ENDPOINTS", "MAX_USERS", "notebook_stacks"]

# Endpoints in one stack. A stack can have 200 outputs; an endpoint with its own namespace, used by
# a user in another stack, has 9.
# Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html
MAX_ENDPOINTS: Final = 20
# Users in one stack, each with one output and usually at most two resources.
MAX_USERS: Final = 150


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
    spread_endpoints = positions_by_stack(
        f"Notebook stacks {id!r}",
        "endpoint_stacks",
        endpoint_stacks,
        keys=[endpoint.namespace or "" for endpoint in every],
        most=MAX_ENDPOINTS,
        what="endpoints",
    )
    spread_users = positions_by_stack(
        f"Notebook stacks {id!r}",
        "user_stacks",
        user_stacks,
        keys=[f"{user.identity_type or ''}/{user.identity_name}" for user in users],
        most=MAX_USERS,
        what="users",
    )
    created: list[Stack] = []
    for number, members in spread_endpoints.items():
        stack = Stack(scope, stack_id(f"{id}Endpoints", number, endpoint_stacks), env=env)
        platform.add_endpoints([every[member] for member in members], scope=stack)
        created.append(stack)
    for number, members in spread_users.items():
        stack = Stack(scope, stack_id(f"{id}Users", number, user_stacks), env=env)
        platform.add_users([users[member] for member in members], scope=stack)
        created.append(stack)
    return tuple(created)
