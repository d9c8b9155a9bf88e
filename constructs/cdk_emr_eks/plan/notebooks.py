"""Studios and managed endpoints of an assembly, and who may open which endpoint."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Final

from cdk_emr_eks.plan.assembly import StackFile
from cdk_emr_eks.plan.intrinsics import mapping, sequence
from cdk_emr_eks.plan.model import EndpointPlan, StudioPlan
from cdk_emr_eks.plan.references import References, Target

_OPENS: Final = "emr-containers:getmanagedendpointsessioncredentials"
_MAPPING: Final = "AWS::EMR::StudioSessionMapping"
_TYPES: Final = {"JUPYTER_ENTERPRISE_GATEWAY": "notebooks", "SPARK_CONNECT": "Spark Connect"}

_Opened = Mapping[tuple[str, str], Sequence[str]]


def studio_plans(stacks: Sequence[StackFile], references: References) -> tuple[StudioPlan, ...]:
    """Read the EMR Studios of all stacks."""
    members: dict[tuple[str, str], list[str]] = defaultdict(list)
    for stack in stacks:
        for _, properties in stack.resources(_MAPPING):
            for studio in references.targets(stack, properties.get("StudioId")):
                members[studio.key].append(_member(stack, properties))
    return tuple(
        StudioPlan(
            stack=stack.name,
            name=stack.intrinsics.text(properties.get("Name")),
            sign_in=_sign_in(properties),
            members=tuple(members[(stack.name, logical_id)]),
        )
        for stack in stacks
        for logical_id, properties in stack.resources("AWS::EMR::Studio")
    )


def endpoint_plans(stacks: Sequence[StackFile], references: References) -> tuple[EndpointPlan, ...]:
    """Read the managed endpoints of all stacks."""
    opened = _opened(stacks, references)
    return tuple(
        _endpoint(stack, properties, references, opened.get((stack.name, logical_id), ()))
        for stack in stacks
        for logical_id, properties in stack.resources("AWS::EMRContainers::Endpoint")
    )


def _endpoint(
    stack: StackFile,
    properties: Mapping[str, object],
    references: References,
    opened_by: Sequence[str],
) -> EndpointPlan:
    text = stack.intrinsics.text
    kind = text(properties.get("Type"))
    clusters = [*references.targets(stack, properties.get("VirtualClusterId"))]
    roles = [*references.targets(stack, properties.get("ExecutionRoleArn"))]
    return EndpointPlan(
        stack=stack.name,
        name=text(properties.get("Name")),
        type=_TYPES.get(kind, kind),
        release=text(properties.get("ReleaseLabel")),
        virtual_cluster=clusters[0].text("Name") if clusters else "",
        role=_name(roles[0]) if roles else text(properties.get("ExecutionRoleArn")),
        opened_by=tuple(sorted(set(opened_by))),
    )


def _sign_in(properties: Mapping[str, object]) -> str:
    if properties.get("AuthMode") == "SSO":
        return "IAM Identity Center"
    return "SAML" if properties.get("IdpAuthUrl") else "IAM"


def _member(stack: StackFile, properties: Mapping[str, object]) -> str:
    name = stack.intrinsics.text(properties.get("IdentityName"))
    return f"{stack.intrinsics.text(properties.get('IdentityType')).lower()} {name}"


def _opened(stacks: Sequence[StackFile], references: References) -> _Opened:
    """Return, for each endpoint, the principals whose policies let them open it."""
    found: dict[tuple[str, str], list[str]] = defaultdict(list)
    for stack in stacks:
        for logical_id, resource in mapping(stack.template.get("Resources")).items():
            policy = Target(stack=stack, logical_id=logical_id)
            if policy.kind not in ("AWS::IAM::ManagedPolicy", "AWS::IAM::Policy", "AWS::IAM::Role"):
                continue
            endpoints = [
                target.key
                for arn in _opening(mapping(mapping(resource).get("Properties")))
                for target in references.targets(stack, arn)
                if target.kind == "AWS::EMRContainers::Endpoint"
            ]
            if endpoints:
                principals = [*_principals(policy, stacks, references)]
                for key in endpoints:
                    found[key] += principals
    return found


def _opening(properties: Mapping[str, object]) -> Iterator[object]:
    """Yield the resources of the statements that let somebody open an endpoint."""
    documents = [properties.get("PolicyDocument")]
    documents += [
        mapping(item).get("PolicyDocument") for item in sequence(properties.get("Policies"))
    ]
    for document in documents:
        for statement in map(mapping, sequence(mapping(document).get("Statement"))):
            actions = statement.get("Action")
            names = actions if isinstance(actions, list) else [actions]
            matches = any(fnmatchcase(_OPENS, str(name).lower()) for name in names)
            if statement.get("Effect") == "Allow" and matches:
                yield statement.get("Resource")


def _principals(
    policy: Target, stacks: Sequence[StackFile], references: References
) -> Iterator[str]:
    if policy.kind == "AWS::IAM::Role":
        yield f"role {_name(policy)}"
        return
    properties = mapping(policy.resource.get("Properties"))
    for field, kind in (("Users", "user"), ("Groups", "group"), ("Roles", "role")):
        for value in sequence(properties.get(field)):
            targets = [*references.targets(policy.stack, value)]
            text = policy.stack.intrinsics.text(value)
            yield f"{kind} {_name(targets[0]) if targets else text}"
    for stack in stacks:
        # A policy is attached from the other side, too: by sessions of a studio, and by roles.
        for _, session in stack.resources(_MAPPING):
            if _refers(references, stack, session.get("SessionPolicyArn"), policy):
                yield _member(stack, session)
        for logical_id, role in stack.resources("AWS::IAM::Role"):
            if _refers(references, stack, role.get("ManagedPolicyArns"), policy):
                yield f"role {_name(Target(stack=stack, logical_id=logical_id))}"


def _refers(references: References, stack: StackFile, value: object, policy: Target) -> bool:
    return any(target.key == policy.key for target in references.targets(stack, value))


def _name(target: Target) -> str:
    fields = {
        "AWS::IAM::Role": "RoleName",
        "AWS::IAM::User": "UserName",
        "AWS::IAM::Group": "GroupName",
    }
    return target.text(fields.get(target.kind, "Name")) or target.logical_id
