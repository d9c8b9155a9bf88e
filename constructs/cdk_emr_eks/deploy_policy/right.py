"""The words that rights of a deployment are written in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

Condition = Mapping[str, Mapping[str, str | tuple[str, ...]]]


@dataclass(frozen=True, kw_only=True, slots=True)
class Right:
    """Some actions on some resources.

    Args:
        actions: IAM actions.
        resource: ARN with ``{partition}``, ``{region}``, ``{account}`` and ``{name}``, or ``*``.
        name: Property that holds the resource's name. None: ids that are not known beforehand.
        condition: IAM condition; values may hold ``{region}``.
        when: Property without which a resource needs no such right. None: all need it.
    """

    actions: tuple[str, ...]
    resource: str = "*"
    name: str | None = None
    condition: Condition = field(default_factory=dict)
    when: str | None = None


def right(
    service: str,
    verbs: str,
    resource: str = "*",
    name: str | None = None,
    condition: Condition | None = None,
    *,
    when: str | None = None,
) -> Right:
    """Make a right from verbs of one service, separated by blanks."""
    return Right(
        actions=tuple(f"{service}:{verb}" for verb in verbs.split()),
        resource=resource,
        name=name,
        condition=condition or {},
        when=when,
    )


def ec2(verbs: str) -> tuple[Right, ...]:
    """Make a right on EC2, narrowed to the region."""
    # EC2 gives ids, not names, so that nothing narrower than the region is known beforehand.
    return (
        right(
            "ec2",
            verbs,
            condition={"StringEquals": {"aws:RequestedRegion": "{region}"}},
        ),
    )


def linked(service: str) -> Right:
    """Make the right to create a service-linked role."""
    role = "arn:{partition}:iam::{account}:role/aws-service-role/" + service + "/*"
    condition = {"StringEquals": {"iam:AWSServiceName": service}}
    return right("iam", "CreateServiceLinkedRole", role, condition=condition)


def regional(service: str, rest: str) -> str:
    """Return the template of an ARN in the app's account and region."""
    return f"arn:{{partition}}:{service}:{{region}}:{{account}}:{rest}"
