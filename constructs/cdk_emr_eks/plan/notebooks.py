"""Read EMR Studios and managed endpoints, and the principals that may open each endpoint."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Final

from cdk_emr_eks.assembly.paths import at, mapping, sequence
from cdk_emr_eks.assembly.reader import Assembly
from cdk_emr_eks.assembly.references import Target
from cdk_emr_eks.assembly.stack import Stack
from cdk_emr_eks.plan.model import EndpointPlan, StudioPlan

_OPENS: Final = "emr-containers:getmanagedendpointsessioncredentials"
_MAPPING: Final = "AWS::EMR::StudioSessionMapping"
_TYPES: Final = {"JUPYTER_ENTERPRISE_GATEWAY": "notebooks", "SPARK_CONNECT": "Spark Connect"}

_Opened = Mapping[tuple[str, str], Sequence[str]]


def studio_plans(assembly: Assembly) -> tuple[StudioPlan, ...]:
    """Read the EMR Studios of all stacks."""
    members: dict[tuple[str, str], list[str]] = defaultdict(list)
    for stack in assembly.stacks:
        for _, properties in stack.resources(_MAPPING):
            for studio in assembly.targets(stack, properties.get("StudioId")):
                members[studio.key].append(_member(stack, properties))
    return tuple(
        StudioPlan(
            stack=stack.name,
            name=stack.text(properties.get("Name")),
            sign_in=_sign_in(properties),
            members=tuple(members[(stack.name, logical_id)]),
        )
        for stack in assembly.stacks
        for logical_id, properties in stack.resources("AWS::EMR::Studio")
    )


def endpoint_plans(assembly: Assembly) -> tuple[EndpointPlan, ...]:
    """Read the managed endpoints of all stacks."""
    opened = _opened(assembly)
    return tuple(
        _endpoint(stack, properties, assembly, opened.get((stack.name, logical_id), ()))
        for stack in assembly.stacks
        for logical_id, properties in stack.resources("AWS::EMRContainers::Endpoint")
    )


def _endpoint(
    stack: Stack,
    properties: Mapping[str, object],
    assembly: Assembly,
    opened_by: Sequence[str],
) -> EndpointPlan:
    text = stack.text
    kind = text(properties.get("Type"))
    clusters = [*assembly.targets(stack, properties.get("VirtualClusterId"))]
    roles = [*assembly.targets(stack, properties.get("ExecutionRoleArn"))]
    return EndpointPlan(
        stack=stack.name,
        cluster=_cluster(clusters[0], assembly) if clusters else "",
        name=text(properties.get("Name")),
        type=_TYPES.get(kind, kind),
        release=text(properties.get("ReleaseLabel")),
        virtual_cluster=clusters[0].text("Name") if clusters else "",
        role=_name(roles[0]) if roles else text(properties.get("ExecutionRoleArn")),
        opened_by=tuple(sorted(set(opened_by))),
    )


def _cluster(virtual_cluster: Target, assembly: Assembly) -> str:
    name = at(virtual_cluster.resource, "Properties", "ContainerProvider", "Id")
    return assembly.clusters.key(virtual_cluster.stack, name)


def _sign_in(properties: Mapping[str, object]) -> str:
    if properties.get("AuthMode") == "SSO":
        return "IAM Identity Center"
    return "SAML" if properties.get("IdpAuthUrl") else "IAM"


def _member(stack: Stack, properties: Mapping[str, object]) -> str:
    name = stack.text(properties.get("IdentityName"))
    return f"{stack.text(properties.get('IdentityType')).lower()} {name}"


def _opened(assembly: Assembly) -> _Opened:
    """Return, for each endpoint, the principals whose policies let them open it."""
    found: dict[tuple[str, str], list[str]] = defaultdict(list)
    for stack in assembly.stacks:
        for logical_id, resource in stack.bodies().items():
            policy = Target(stack=stack, logical_id=logical_id)
            if policy.kind not in ("AWS::IAM::ManagedPolicy", "AWS::IAM::Policy", "AWS::IAM::Role"):
                continue
            endpoints = [
                target.key
                for arn in _opening(mapping(resource, "Properties"))
                for target in assembly.targets(stack, arn)
                if target.kind == "AWS::EMRContainers::Endpoint"
            ]
            if endpoints:
                principals = [*_principals(policy, assembly)]
                for key in endpoints:
                    found[key] += principals
    return found


def _opening(properties: Mapping[str, object]) -> Iterator[object]:
    """Yield the resources of the statements that allow to open an endpoint."""
    documents = [properties.get("PolicyDocument")]
    documents += [at(item, "PolicyDocument") for item in sequence(properties, "Policies")]
    for document in documents:
        for statement in map(mapping, sequence(document, "Statement")):
            actions = statement.get("Action")
            names = actions if isinstance(actions, list) else [actions]
            matches = any(fnmatchcase(_OPENS, str(name).lower()) for name in names)
            if statement.get("Effect") == "Allow" and matches:
                yield statement.get("Resource")


def _principals(policy: Target, assembly: Assembly) -> Iterator[str]:
    if policy.kind == "AWS::IAM::Role":
        yield f"role {_name(policy)}"
        return
    properties = mapping(policy.resource, "Properties")
    for field, kind in (("Users", "user"), ("Groups", "group"), ("Roles", "role")):
        for value in sequence(properties, field):
            targets = [*assembly.targets(policy.stack, value)]
            text = policy.stack.text(value)
            yield f"{kind} {_name(targets[0]) if targets else text}"
    for stack in assembly.stacks:
        # Sessions of a studio and roles attach a policy, too.
        for _, session in stack.resources(_MAPPING):
            if _refers(assembly, stack, session.get("SessionPolicyArn"), policy):
                yield _member(stack, session)
        for logical_id, role in stack.resources("AWS::IAM::Role"):
            if _refers(assembly, stack, role.get("ManagedPolicyArns"), policy):
                yield f"role {_name(Target(stack=stack, logical_id=logical_id))}"


def _refers(assembly: Assembly, stack: Stack, value: object, policy: Target) -> bool:
    return any(target.key == policy.key for target in assembly.targets(stack, value))


def _name(target: Target) -> str:
    fields = {
        "AWS::IAM::Role": "RoleName",
        "AWS::IAM::User": "UserName",
        "AWS::IAM::Group": "GroupName",
    }
    return target.text(fields.get(target.kind, "Name")) or target.logical_id
