"""The rights that CloudFormation needs to deploy a resource of a type."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.resources import files
from typing import Final, cast

from cdk_emr_eks.assembly.paths import at
from cdk_emr_eks.deploy_policy.grants import Grant, Narrowing, default_grant, matches
from cdk_emr_eks.deploy_policy.narrowing import NARROWINGS, WITHOUT_RIGHTS

PASS_ROLE: Final = "iam:PassRole"


@cache
def handler_actions(kind: str) -> frozenset[str]:
    """Return the published actions of a type's handlers; none for a type without a schema."""
    services = _handlers().get(kind, {})
    return frozenset(f"{name}:{verb}" for name, verbs in services.items() for verb in verbs.split())


def is_known(kind: str) -> bool:
    """Return whether the rights for a type are known."""
    return kind in WITHOUT_RIGHTS or kind in NARROWINGS or bool(handler_actions(kind))


def grants_for(kind: str, properties: Mapping[str, object]) -> tuple[Grant, ...]:
    """Return the grants for a resource with these properties; none for a type that is not known.

    ``iam:PassRole`` is left to ``passed_to``.
    """
    narrowing = NARROWINGS.get(kind, Narrowing())
    actions: dict[str, list[str]] = {}
    found: dict[str, Grant] = {}
    for action in sorted(actions_for(kind, properties)):
        for grant in _grants(action, narrowing):
            key = json.dumps([grant.resource, grant.condition])
            found[key] = grant
            actions.setdefault(key, []).append(action)
    return tuple(
        Grant(resource=grant.resource, actions=" ".join(actions[key]), condition=grant.condition)
        for key, grant in found.items()
    )


def actions_for(kind: str, properties: Mapping[str, object]) -> frozenset[str]:
    """Return the actions for a resource, without those of features that it does not use."""
    narrowing = NARROWINGS.get(kind, Narrowing())
    used: list[str] = []
    unused: list[str] = []
    for names, patterns in narrowing.only_with.items():
        found = any(has_property(properties, name) for name in names.split())
        (used if found else unused).append(patterns)
    omitted = " ".join(narrowing.omitted.values())
    idle, needed = " ".join(unused), " ".join(used)
    added = " ".join(narrowing.added.values()).split()
    return frozenset(
        action
        for action in {*handler_actions(kind), *added}
        if not matches(action, omitted)
        and (not matches(action, idle) or matches(action, needed))
        and (action != PASS_ROLE or _names(narrowing, PASS_ROLE))
    )


def has_property(properties: Mapping[str, object], name: str) -> bool:
    """Return whether a resource has a property; dots stand between the parts of its path."""
    return at(properties, *name.split(".")) is not None


def passed_to(kind: str) -> Mapping[str, tuple[str, ...]] | None:
    """Return the services that get a role, by the property that holds the role.

    None if handlers of the type pass a role, and nothing says which property holds it.
    """
    narrowing = NARROWINGS.get(kind, Narrowing())
    found = {name: tuple(services.split()) for name, services in narrowing.passed_to.items()}
    unsaid = PASS_ROLE in handler_actions(kind) and not _names(narrowing, PASS_ROLE)
    return None if unsaid and not found else found


def _grants(action: str, narrowing: Narrowing) -> Iterator[Grant]:
    found = [grant for grant in narrowing.grants if matches(action, grant.actions)]
    if found:
        yield from found
    elif narrowing.rest and action.partition(":")[0] == _service(narrowing.rest):
        yield Grant(resource=narrowing.rest, actions=action)
    else:
        yield default_grant(action)


def _names(narrowing: Narrowing, action: str) -> bool:
    return any(action in grant.actions.split() for grant in narrowing.grants)


def _service(arn: str) -> str:
    return arn.removeprefix("arn:${AWS::Partition}:").partition(":")[0]


@cache
def _handlers() -> Mapping[str, Mapping[str, str]]:
    data = (files("cdk_emr_eks.deploy_policy") / "handlers.json").read_text(encoding="utf-8")
    return cast(Mapping[str, Mapping[str, str]], json.loads(data)["types"])
