"""Spread things over a fixed number of stacks, so that none of them ever changes its stack."""

from __future__ import annotations

from collections.abc import Sequence
from zlib import crc32

from cdk_emr_eks.errors import ConfigError, ConfigProblem

__all__ = ["positions_by_stack", "stack_id"]


def positions_by_stack(
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


def stack_id(id: str, number: int, stacks: int) -> str:
    """Return the construct id of a stack: ``id`` if there is one stack, else with its number."""
    return id if stacks == 1 else f"{id}{number + 1:02}"
