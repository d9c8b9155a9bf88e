"""Builders of small stacks with a network or a cluster, synthesized without an account."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, cast

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk.assertions import Template

from cdk_emr_eks.clusters.cluster import ClusterSpec, EksCluster
from cdk_emr_eks.networks.network import ExistingNetwork, Network, NetworkSpec
from cdk_emr_eks.security.encryption import PlatformKey

Resources = Mapping[str, Mapping[str, object]]


def new_stack(region: str | None = None) -> cdk.Stack:
    env = cdk.Environment(account="123456789012", region=region) if region else None
    return cdk.Stack(cdk.App(), "Platform", env=env)


def add_network(
    stack: cdk.Stack, spec: NetworkSpec | ExistingNetwork | None = None, name: str = "demo"
) -> Network:
    key = PlatformKey(stack, f"{name}-key", cluster_name=name).key
    wanted = spec or NetworkSpec()
    return Network(stack, f"{name}-network", spec=wanted, cluster_name=name, key=key)


def add_cluster(
    stack: cdk.Stack,
    network: Network,
    spec: ClusterSpec | None = None,
    admins: Callable[[cdk.Stack], Sequence[iam.IRole]] = lambda _: (),
) -> EksCluster:
    wanted = spec or ClusterSpec(name="demo")
    key = PlatformKey(stack, f"{wanted.name}-cluster-key", cluster_name=wanted.name).key
    return EksCluster(
        stack,
        f"{wanted.name}-cluster",
        spec=wanted,
        network=network,
        key=key,
        admins=admins(stack),
    )


def resources(stack: cdk.Stack) -> Resources:
    return cast("Resources", Template.from_stack(stack).to_json()["Resources"])


def of_type(found: Resources, kind: str) -> dict[str, Mapping[str, object]]:
    """Properties of all resources of a type, by logical id."""
    return {
        logical: cast("Mapping[str, object]", each.get("Properties", {}))
        for logical, each in found.items()
        if each["Type"] == kind
    }


def needs(found: Resources, logical: str) -> set[str]:
    """Logical ids that a resource waits for: DependsOn, Ref and Fn::GetAtt, followed to the end."""
    seen: set[str] = set()
    todo = [logical]
    while todo:
        for other in _direct(found[todo.pop()]) & set(found):
            if other not in seen:
                seen.add(other)
                todo.append(other)
    return seen


def _direct(value: object) -> set[str]:
    if isinstance(value, Mapping):
        direct: set[str] = set()
        for key, item in value.items():
            if key == "Ref":
                direct.add(str(item))
            elif key == "Fn::GetAtt":
                direct.add(str(item[0]))
            elif key == "DependsOn":
                direct |= {item} if isinstance(item, str) else set(item)
            else:
                direct |= _direct(item)
        return direct
    if isinstance(value, list):
        return {each for item in value for each in _direct(item)}
    return set()


def only(value: object) -> dict[str, Any]:
    """The one item of a list in a template."""
    (item,) = cast("list[dict[str, Any]]", value)
    return item


def tags(properties: Mapping[str, object]) -> dict[str, str]:
    listed = cast("list[dict[str, str]]", properties.get("Tags", []))
    return {tag["Key"]: tag["Value"] for tag in listed}
