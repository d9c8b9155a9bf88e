"""Whether an ARN pattern of a statement can name a resource of some type."""

from __future__ import annotations

import re
from functools import cache

_ANY = "\0"  # any text
_NO_SLASH = "\1"  # any text without '/'
_SEGMENT = "\2"  # any text without ':'


def overlaps(pattern: str, type_arn: str) -> bool:
    """Say whether some ARN fits both a statement's pattern and a resource type's.

    Args:
        pattern: ``arn:aws:ec2:us-east-1:*:instance/*``; ``<?...>`` and a variable of IAM in it are
            any text.
        type_arn: ``arn:${Partition}:ec2:${Region}:${Account}:instance/${InstanceId}``.
    """
    given = re.sub(r"<\?[^>]*>|\$\{aws:[^}]*\}", "*", pattern)
    # In the middle, a wildcard of a statement stays within its part of the ARN.
    # Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_resource.html
    given = re.sub(r"(?<!^)\*(?!$)", _SEGMENT, given).replace("*", _ANY)
    return _intersect(given, _type_pattern(type_arn))


@cache
def _type_pattern(arn: str) -> str:
    """Write a type's placeholders as what they may hold.

    A bucket's name has no slash, or else each object would pass for a bucket; the last placeholder
    of other types may hold anything (role paths, log group names); the ones before end at a colon.
    """
    head, mark, _ = arn.rpartition("${")
    if not mark:
        return arn.replace("*", _ANY)
    last = _NO_SLASH if ":s3:::" in arn and "/" not in head else _ANY
    tail = arn[len(head) :]
    return re.sub(r"\$\{[^}]*\}", _SEGMENT, head) + re.sub(r"^\$\{[^}]*\}", last, tail)


def _fits(symbol: str, character: str) -> bool:
    if symbol == _NO_SLASH:
        return character != "/"
    if symbol == _SEGMENT:
        return character != ":"
    return symbol == _ANY


def _intersect(one: str, other: str) -> bool:
    """Say whether two patterns have a text in common, over the pairs of their positions."""
    wild = (_ANY, _NO_SLASH, _SEGMENT)
    reached = {(0, 0)}
    todo = [(0, 0)]
    while todo:
        i, j = todo.pop()
        if (i, j) == (len(one), len(other)):
            return True
        a = one[i] if i < len(one) else ""
        b = other[j] if j < len(other) else ""
        steps: list[tuple[int, int]] = []
        if a in wild and a:
            steps.append((i + 1, j))
            if b and b not in wild and _fits(a, b):
                steps.append((i, j + 1))
        if b in wild and b:
            steps.append((i, j + 1))
            if a and a not in wild and _fits(b, a):
                steps.append((i + 1, j))
        if a and a == b and a not in wild:
            steps.append((i + 1, j + 1))
        for step in steps:
            if step not in reached:
                reached.add(step)
                todo.append(step)
    return False
