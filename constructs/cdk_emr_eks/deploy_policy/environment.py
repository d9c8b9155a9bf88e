"""The rights for the stacks of one account and Region."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from cdk_emr_eks.assembly import Assembly, Stack
from cdk_emr_eks.assembly.arn_patterns import ArnPatterns
from cdk_emr_eks.assembly.expressions import function_call
from cdk_emr_eks.assembly.paths import at, mapping, sequence, text
from cdk_emr_eks.assembly.references import reads_zones, stacks_read
from cdk_emr_eks.deploy_policy.documents import ArnGrant, narrow
from cdk_emr_eks.deploy_policy.grants import (
    FUNCTIONS,
    IAM,
    LAYERS,
    ROLES,
    USED_ROLES,
    USER_GROUPS,
    USERS,
    Grant,
    regional,
)
from cdk_emr_eks.deploy_policy.narrowing import ZONES
from cdk_emr_eks.deploy_policy.rights import has_property, passed_to

_PSEUDO: Final = re.compile(r"\$\{(AWS::\w+)\}")
_PROPERTY: Final = re.compile(r"\$\{([A-Z][\w.]*)\}")
_STARS: Final = re.compile(r"\*{2,}")
_ROLE_ARN: Final = re.compile(r"arn:[\w-]+:iam::\d*:role/.+")
# Dynamic references.
# Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/dynamic-references.html
_REFERENCE: Final = re.compile(
    r"\{\{resolve:(?P<service>ssm|ssm-secure|secretsmanager):"
    r"(?P<name>arn:(?:[^:}]*:){5}[^:}]*|[^:}]*)"
)
_SSM_TYPE: Final = "AWS::SSM::Parameter::"
# Parameters that AWS publishes have no account in their ARNs.
_PUBLIC: Final = "/aws/service/"
_READ_PARAMETERS: Final = "ssm:GetParameters"
_READ_SECRET: Final = "secretsmanager:GetSecretValue"
_MEMBERS: Final = {"User": "AWS::IAM::User", "Group": "AWS::IAM::Group", "Role": "AWS::IAM::Role"}


@dataclass(frozen=True, kw_only=True, slots=True)
class Resource:
    """A resource of a template.

    Args:
        stack: Its stack.
        logical_id: Its logical id.
        kind: Its type.
        properties: Its properties, with the template's functions.
    """

    stack: Stack
    logical_id: str
    kind: str
    properties: Mapping[str, object]

    @property
    def patterns(self) -> ArnPatterns:
        """Patterns of its stack's values."""
        return ArnPatterns(self.stack)

    @property
    def is_custom(self) -> bool:
        """Whether a Lambda function of the app deploys it."""
        return (
            self.kind.startswith("Custom::") or self.kind == "AWS::CloudFormation::CustomResource"
        )

    def fill(self, arn: str) -> str:
        """Fill pseudo parameters and properties into the text of an ARN."""
        filled = _PROPERTY.sub(lambda match: self._name(match[1]), _fill(self.patterns, arn))
        # A parameter's name may begin with the slash that its ARN has anyway.
        return _STARS.sub("*", filled).replace(":parameter//", ":parameter/")

    def _name(self, name: str) -> str:
        path = self.properties.get("Path") if self.kind.startswith("AWS::IAM::") else None
        folder = self.patterns.pattern(path).strip("/") if path else ""
        found = self.patterns.name(self.logical_id, name)
        return f"{folder}/{found}" if folder else found


class EnvironmentRights:
    """The rights for the stacks of one account and Region.

    Args:
        stacks: Stacks of one account and Region.
        assembly: Their assembly.
    """

    def __init__(self, stacks: Iterable[Stack], assembly: Assembly) -> None:
        self.stacks = tuple(stacks)
        self._assembly = assembly
        self.resources = tuple(
            Resource(
                stack=stack,
                logical_id=logical_id,
                kind=text(body, "Type"),
                properties=mapping(body, "Properties"),
            )
            for stack in self.stacks
            for logical_id, body in stack.bodies().items()
        )

    def of_kind(self, kind: str) -> Iterator[Resource]:
        """Yield the resources of a type."""
        return (each for each in self.resources if each.kind == kind)

    def fill_in(self, resource: Resource, grant: Grant) -> ArnGrant:
        """Return a grant for a resource, with everything filled in."""
        arns = self._groups.get(grant.resource)
        return ArnGrant(
            actions=tuple(sorted(grant.actions.split())),
            arns=(resource.fill(grant.resource),) if arns is None else arns,
            condition=_condition(resource.patterns, grant),
        )

    def shared(self) -> Iterator[ArnGrant]:
        """Yield what the stacks need as a whole: roles passed, policies attached, functions."""
        yield from self._passing()
        yield from self._attaching()
        read = [
            _fill(ArnPatterns(stack), regional("cloudformation", f"stack/{name}/*"))
            for stack in self.stacks
            for name in stacks_read(stack)
        ]
        if read:
            yield ArnGrant(actions=("cloudformation:DescribeStacks",), arns=narrow(read))
        if any(resource.is_custom for resource in self.resources):
            yield ArnGrant(actions=("lambda:InvokeFunction",), arns=self._handlers())
        bootstrap = self._everywhere(regional("ssm", "parameter/cdk-bootstrap/*"))
        read_arns = {_READ_PARAMETERS: [*bootstrap], _READ_SECRET: []}
        for stack in self.stacks:
            for action, arn in _values_read(stack):
                read_arns[action].append(arn)
        for action, arns in read_arns.items():
            if arns:
                yield ArnGrant(actions=(action,), arns=narrow(arns))
        for stack in self.stacks:
            if reads_zones(stack):
                condition = _condition(ArnPatterns(stack), ZONES)
                actions = tuple(ZONES.actions.split())
                yield ArnGrant(actions=actions, arns=("*",), condition=condition)

    @cached_property
    def _groups(self) -> Mapping[str, tuple[str, ...]]:
        return {
            ROLES: narrow([*self._roles, *self._existing("Role", "AWS::IAM::Policy")]),
            USED_ROLES: self._used_roles,
            USERS: self._members("User"),
            USER_GROUPS: self._members("Group"),
            FUNCTIONS: self._functions or ("*",),
            LAYERS: self._named(
                "AWS::Lambda::LayerVersion", regional("lambda", "layer:${LayerName}")
            )
            or self._everywhere(regional("lambda", "layer:*")),
        }

    @cached_property
    def _roles(self) -> tuple[str, ...]:
        return self._named("AWS::IAM::Role", IAM + "role/${RoleName}")

    @cached_property
    def _functions(self) -> tuple[str, ...]:
        return self._named("AWS::Lambda::Function", regional("lambda", "function:${FunctionName}"))

    @cached_property
    def _used_roles(self) -> tuple[str, ...]:
        given = [arn for resource in self.resources for arn in self._given_roles(resource)]
        return narrow([*self._roles, *given])

    def _named(self, kind: str, arn: str) -> tuple[str, ...]:
        return narrow(each.fill(arn) for each in self.of_kind(kind))

    def _everywhere(self, arn: str) -> tuple[str, ...]:
        return tuple(
            sorted({_STARS.sub("*", _fill(ArnPatterns(stack), arn)) for stack in self.stacks})
        )

    def _passing(self) -> Iterator[ArnGrant]:
        services = {name for each in self.resources for name in self._services(each)}
        if services:
            operator = "StringLike" if any("*" in name for name in services) else "StringEquals"
            yield ArnGrant(
                actions=("iam:PassRole",),
                arns=self._used_roles or ("*",),
                condition={operator: {"iam:PassedToService": sorted(services)}},
            )

    def _services(self, resource: Resource) -> Iterator[str]:
        """Yield the services to which a resource passes roles."""
        known = passed_to(resource.kind)
        if known is not None:
            for name, services in known.items():
                if has_property(resource.properties, name):
                    yield from services
            return
        for target in self._assembly.targets(resource.stack, resource.properties):
            if target.kind == "AWS::IAM::Role":
                trust = mapping(target.resource, "Properties", "AssumeRolePolicyDocument")
                for statement in sequence(trust, "Statement"):
                    found = at(statement, "Principal", "Service")
                    for service in found if isinstance(found, list) else [found]:
                        if service is not None:
                            yield ArnPatterns(target.stack).pattern(service)

    def _given_roles(self, resource: Resource) -> Iterator[str]:
        """Yield ARNs of existing roles that a resource passes."""
        known = passed_to(resource.kind)
        names = resource.properties if known is None else known
        for name in names:
            for value in resource.patterns.patterns(at(resource.properties, *name.split("."))):
                if _ROLE_ARN.fullmatch(value):
                    yield value

    def _attaching(self) -> Iterator[ArnGrant]:
        attached = self._attached()
        if not attached:
            return
        condition = {"ArnLike": {"iam:PolicyARN": list(attached)}}
        if self._roles:
            actions: tuple[str, ...] = ("iam:AttachRolePolicy", "iam:DetachRolePolicy")
            yield ArnGrant(actions=actions, arns=self._roles, condition=condition)
        for noun in _MEMBERS:
            members = self._attached_to(noun)
            if members:
                actions = (f"iam:Attach{noun}Policy", f"iam:Detach{noun}Policy")
                yield ArnGrant(actions=actions, arns=members, condition=condition)

    def _attached(self) -> tuple[str, ...]:
        """Return the ARNs of the policies that the stacks attach."""
        own = self._named("AWS::IAM::ManagedPolicy", IAM + "policy/${ManagedPolicyName}")
        given = {
            arn
            for kind in _MEMBERS.values()
            for resource in self.of_kind(kind)
            for value in sequence(resource.properties, "ManagedPolicyArns")
            for arn in resource.patterns.patterns(value)
        }
        return tuple(sorted(arn for arn in {*own, *given} if arn.startswith("arn:")))

    def _attached_to(self, noun: str) -> tuple[str, ...]:
        """Return existing users, groups or roles that get policies, and the app's own users."""
        existing = self._existing(noun, "AWS::IAM::ManagedPolicy")
        if noun == "Role":
            return narrow(existing)
        kind = _MEMBERS[noun]
        own = [
            resource.fill(f"{IAM}{noun.lower()}/${{{noun}Name}}") for resource in self.of_kind(kind)
        ]
        return narrow([*existing, *own])

    def _members(self, noun: str) -> tuple[str, ...]:
        existing = self._existing(noun, "AWS::IAM::Policy", "AWS::IAM::User")
        return narrow([*existing, *self._attached_to(noun)])

    def _existing(self, noun: str, *kinds: str) -> Iterator[str]:
        """Yield ARNs of existing users, groups or roles that a policy names.

        A policy has their names only, and their ARNs may hold a path.
        """
        for kind in kinds:
            for resource in self.of_kind(kind):
                for name in sequence(resource.properties, f"{noun}s"):
                    if isinstance(name, str):
                        for path in ("", "*/"):
                            yield resource.fill(f"{IAM}{noun.lower()}/{path}{name}")

    def _handlers(self) -> tuple[str, ...]:
        """Return the functions of custom resources: the app's, and those of imported clusters."""
        tokens = {
            each.patterns.pattern(each.properties.get("ServiceToken"))
            for each in self.resources
            if each.is_custom
        }
        given = {token for token in tokens if token.startswith("arn:")}
        own = self._functions if tokens - given else ()
        return tuple(sorted({*given, *own})) or ("*",)


def _fill(patterns: ArnPatterns, text: str) -> str:
    """Fill pseudo parameters into a text; variables of IAM, such as ``${aws:username}``, stay."""
    return _PSEUDO.sub(lambda match: patterns.pattern({"Ref": match[1]}), text)


def _condition(patterns: ArnPatterns, grant: Grant) -> Mapping[str, object]:
    """Return the condition of a grant; none if it names a Region that is not known."""
    found: dict[str, object] = {}
    for operator, keys in grant.condition.items():
        filled = {
            key: _fill(patterns, value) if isinstance(value, str) else value
            for key, value in keys.items()
        }
        if "*" in filled.values() and operator == "StringEquals":
            return {}
        found[operator] = filled
    return found


def _values_read(stack: Stack) -> Iterator[tuple[str, str]]:
    """Yield action and ARN for each parameter and secret that CloudFormation reads.

    A template names them as the values of its parameters and in dynamic references.
    """
    patterns = ArnPatterns(stack)
    for parameter in mapping(stack.template, "Parameters").values():
        if text(parameter, "Type").startswith(_SSM_TYPE):
            yield _READ_PARAMETERS, _parameter_arn(patterns, text(parameter, "Default") or "*")
    for found in {each for value in _texts(stack, patterns) for each in _REFERENCE.findall(value)}:
        service, name = found
        if service == "secretsmanager":
            # A star is the ARN of a secret of the template, or of another stack.
            for each in (_own_secrets(stack) if name == "*" else ()) or (name,):
                yield _READ_SECRET, _secret_arn(patterns, each)
        else:
            yield _READ_PARAMETERS, _parameter_arn(patterns, name)


def _texts(stack: Stack, patterns: ArnPatterns) -> Iterator[str]:
    """Yield the texts of the resources, with intrinsic functions written as patterns."""
    values: list[object] = [stack.template.get("Resources")]
    while values:
        value = values.pop()
        if isinstance(value, str):
            yield value
        elif function_call(value):
            yield patterns.pattern(value)
        elif isinstance(value, Mapping):
            values.extend(value.values())
        elif isinstance(value, list):
            values.extend(value)


def _parameter_arn(patterns: ArnPatterns, name: str) -> str:
    """Return the pattern of a parameter's ARN."""
    account = "" if name.startswith(_PUBLIC) else "{account}"
    return patterns.fill(
        f"arn:{{partition}}:ssm:{{region}}:{account}:parameter/{name.removeprefix('/')}"
    )


def _own_secrets(stack: Stack) -> tuple[str, ...]:
    patterns = ArnPatterns(stack)
    secrets = stack.resources("AWS::SecretsManager::Secret")
    return tuple(patterns.name(logical_id, "Name") for logical_id, _ in secrets)


def _secret_arn(patterns: ArnPatterns, name: str) -> str:
    """Return the pattern of a secret's ARN."""
    if name.startswith("arn:"):
        return f"{name}*"
    # Secrets Manager adds a hyphen and six characters to the name.
    return patterns.fill(f"arn:{{partition}}:secretsmanager:{{region}}:{{account}}:secret:{name}-*")
