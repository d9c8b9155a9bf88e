"""Users of notebooks in stacks of their own, so that no stack nears CloudFormation's limits."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final
from zlib import crc32

from aws_cdk import Environment, Stack
from constructs import Construct

from cdk_emr_eks import ConfigError, ConfigProblem, NotebookEndpoint, NotebookPlatform, NotebookUser

MAX_ENDPOINTS: Final = 20
"""Endpoints in one stack. CloudFormation takes 200 outputs, and an endpoint with a namespace of its
own and a user in another stack has 9.

Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html
"""
MAX_USERS: Final = 150
"""Users in one stack, each with one output and at most two resources as a rule."""


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
    """Spread endpoints and users over a fixed number of stacks; none ever moves to another one.

    The stack of an endpoint follows from its namespace, that of a user from the user's name alone.
    Adding or removing one leaves all others where they are: moving an endpoint would delete it and
    end its notebooks. Users come after all endpoints, since they may share them.

    Args:
        platform: The Studio and its cluster, in a stack of its own.
        users: All users of the platform, with their endpoints.
        endpoint_stacks: How many stacks to spread endpoints over. Choose it for the number to come
            (about one for each 10): changing it later moves endpoints.
        user_stacks: How many stacks to spread users over, likewise (about one for each 75).
        env: Account and region of the cluster.

    Returns:
        The stacks made: those of endpoints, then those of users. Empty ones are not made.

    Raises:
        ConfigError: If a stack would hold more than 20 endpoints or 150 users, or the platform
            refuses a user.
    """
    platform.check_users(users)
    endpoints = {e.name: e for u in users for e in u.endpoints if isinstance(e, NotebookEndpoint)}
    homes = [endpoint.namespace or "" for endpoint in endpoints.values()]
    names = [f"{user.identity_type or ''}/{user.identity_name}" for user in users]
    where = f"Notebook stacks {id!r}"
    of_endpoints = _spread(where, "endpoint_stacks", homes, endpoint_stacks, MAX_ENDPOINTS)
    of_users = _spread(where, "user_stacks", names, user_stacks, MAX_USERS)
    made: list[Stack] = []
    every = list(endpoints.values())
    for number, members in of_endpoints.items():
        stack = Stack(scope, _name(f"{id}Endpoints", number, endpoint_stacks), env=env)
        platform.add_endpoints([every[member] for member in members], scope=stack)
        made.append(stack)
    for number, members in of_users.items():
        stack = Stack(scope, _name(f"{id}Users", number, user_stacks), env=env)
        platform.add_users([users[member] for member in members], scope=stack)
        made.append(stack)
    return tuple(made)


def _spread(
    where: str, field: str, keys: Sequence[str], stacks: int, most: int
) -> dict[int, list[int]]:
    """Return the positions of keys by stack; equal keys are together."""
    groups: dict[int, list[int]] = {}
    if type(stacks) is not int or stacks < 1:
        rule = "must be a whole number, at least 1"
        raise ConfigError(where, (ConfigProblem(field=field, rule=rule, got=stacks),))
    for position, key in enumerate(keys):
        groups.setdefault(crc32(key.encode()) % stacks, []).append(position)
    fullest = max((len(group) for group in groups.values()), default=0)
    if fullest > most:
        rule = f"must be large enough for at most {most} in a stack"
        fix = f"one of {stacks} would hold {fullest}; try {-(-2 * len(keys) // most)}"
        raise ConfigError(where, (ConfigProblem(field=field, rule=rule, got=stacks, fix=fix),))
    return dict(sorted(groups.items()))


def _name(id: str, number: int, stacks: int) -> str:
    return id if stacks == 1 else f"{id}{number + 1:02}"
