"""The policy that CloudFormation needs to deploy an app, and nothing beyond it.

``cdk bootstrap --cloudformation-execution-policies`` takes managed policies. What is written here,
from the templates of a cloud assembly, takes the place of ``AdministratorAccess``.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from fnmatch import fnmatchcase
from os.path import commonpath
from pathlib import Path
from typing import Final, cast

from cdk_emr_eks.deploy_policy.assembly import (
    AssemblyStack,
    place,
    policy_members,
    properties,
    read_stacks,
    render,
    resource_name,
    stacks_read,
)
from cdk_emr_eks.deploy_policy.right import Right
from cdk_emr_eks.deploy_policy.rights import PASSED_TO, RIGHTS
from cdk_emr_eks.deploy_policy.rights_network import ZONE_RIGHTS
from cdk_emr_eks.errors import Problems, refuse

MAX_POLICY_CHARACTERS: Final = 6_144
"""Size of a managed policy, white space not counted.

Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
"""
FILE_NAME: Final = "cloudformation-execution-policy"

_MANY: Final = 12
# With more names than this, what they begin with stands for all of them.
Statement = dict[str, object]


def write_deploy_policy(
    outdir: str | Path, *, extra: Mapping[str, tuple[Right, ...]] | None = None
) -> tuple[Path, ...]:
    """Write the policy beside the templates: one file, or several numbered ones if it is large.

    Args:
        outdir: Directory of a cloud assembly, such as ``cdk.out``.
        extra: Rights for types of resources that the app has beyond the platform's.

    Returns:
        The files written, each at most 6,144 characters when white space is left out.

    Raises:
        ConfigError: If a template has a type of resource that nobody gave rights for.
    """
    folder = Path(outdir)
    for old in folder.glob(f"{FILE_NAME}*.json"):
        old.unlink()
    documents = deploy_policies(folder, extra=extra)
    paths = []
    for number, document in enumerate(documents, start=1):
        suffix = f"-{number}" if len(documents) > 1 else ""
        path = folder / f"{FILE_NAME}{suffix}.json"
        path.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
        paths.append(path)
    return tuple(paths)


def deploy_policies(
    outdir: Path, *, extra: Mapping[str, tuple[Right, ...]] | None = None
) -> tuple[Statement, ...]:
    """Return the policy documents for all stacks of a cloud assembly.

    Raises:
        ConfigError: If a template has a type of resource that nobody gave rights for.
    """
    stacks = tuple(read_stacks(outdir))
    rights = {**RIGHTS, **(extra or {})}
    types = {str(item["Type"]) for stack in stacks for item in stack.resources.values()}
    problems = Problems(f"Deploy policy of {outdir}")
    for kind in sorted(types):
        known = kind in rights or _is_custom(kind)
        problems.require(known, "type", "must have rights", kind, "give them in extra")
    problems.raise_if_any()
    patterns = _Patterns(stacks)
    found = [
        (stack, right, resource)
        for stack in stacks
        for resource in stack.resources.values()
        for right in rights.get(str(resource["Type"]), ())
        if right.when is None or right.when in properties(resource)
    ]
    found += [(stack, right, {}) for stack in stacks if stack.reads_zones for right in ZONE_RIGHTS]
    needed = [*_merge(found, patterns), *patterns.for_all(types)]
    return _split(_join(needed))


class _Patterns:
    """ARNs that several rights share: the app's roles, functions, layers, queues and assets."""

    def __init__(self, stacks: tuple[AssemblyStack, ...]) -> None:
        self._stacks = stacks
        self.places = sorted({(stack.account, stack.region) for stack in stacks})
        iam = "arn:{partition}:iam::{account}:"
        self.roles = self._named("AWS::IAM::Role", "RoleName", iam + "role/")
        code = "arn:{partition}:lambda:{region}:{account}:"
        self.functions = self._named("AWS::Lambda::Function", "FunctionName", code + "function:")
        layers = self._named("AWS::Lambda::LayerVersion", "LayerName", code + "layer:")
        self.groups: Mapping[str, tuple[str, ...]] = {
            "{roles}": self.roles,
            "{functions}": self.functions or ("*",),
            "{layers}": layers or self._everywhere(code + "layer:*"),
            "{assets}": self._everywhere("arn:{partition}:s3:::cdk-*-assets-{account}-{region}/*"),
        }

    def of(
        self, stack: AssemblyStack, right: Right, resource: Mapping[str, object]
    ) -> tuple[str, ...]:
        """Return the ARNs that a right of one resource is for."""
        if right.resource in self.groups:
            return self.groups[right.resource]
        name = stack.generated
        if right.name is not None:
            name = resource_name(stack, resource, right.name)
        text = right.resource.replace("{name}", name)
        # A parameter's name may begin with the slash that its ARN has anyway.
        text = text.replace("{queues}", stack.generated).replace(":parameter//", ":parameter/")
        return (place(text, stack.account, stack.region),)

    def for_all(self, types: set[str]) -> Iterator[tuple[tuple[str, ...], Statement]]:
        """Yield what the app needs as a whole: roles passed and attached, functions, bootstrap."""
        services = self._services()
        if services:
            condition = {"StringEquals": {"iam:PassedToService": list(services)}}
            yield self.roles or ("*",), _allow(("iam:PassRole",), condition)
        attached = self._attached()
        if attached:
            condition = {"ArnLike": {"iam:PolicyARN": list(attached)}}
            actions = ("iam:AttachRolePolicy", "iam:DetachRolePolicy")
            yield self.roles or ("*",), _allow(actions, condition)
            for noun in ("User", "Group", "Role"):
                members = [each for stack in self._stacks for each in policy_members(stack, noun)]
                actions = (f"iam:Attach{noun}Policy", f"iam:Detach{noun}Policy")
                if members:
                    yield _narrow(members), _allow(actions, condition)
        read = [arn for stack in self._stacks for arn in stacks_read(stack)]
        if read:
            yield _narrow(read), _allow(("cloudformation:DescribeStacks",))
        if any(_is_custom(kind) for kind in types):
            yield self._handlers(), _allow(("lambda:InvokeFunction",))
        parameter = "arn:{partition}:ssm:{region}:{account}:parameter/cdk-bootstrap/*"
        yield self._everywhere(parameter), _allow(("ssm:GetParameters",))

    def _handlers(self) -> tuple[str, ...]:
        """Functions behind custom resources: the app's own, and those of an imported cluster."""
        tokens = {
            render(properties(item).get("ServiceToken"), stack)
            for stack in self._stacks
            for item in stack.resources.values()
            if _is_custom(str(item["Type"]))
        }
        literal = {token for token in tokens if token.startswith("arn:")}
        own = self.functions if tokens - literal else ()
        return tuple(sorted({*literal, *own})) or ("*",)

    def _services(self) -> tuple[str, ...]:
        return tuple(
            sorted(
                {
                    service
                    for stack in self._stacks
                    for item in stack.resources.values()
                    for name, service in PASSED_TO.get(str(item["Type"]), ())
                    if name in properties(item)
                }
            )
        )

    def _attached(self) -> tuple[str, ...]:
        own = "arn:{partition}:iam::{account}:policy/"
        arns = set(self._named("AWS::IAM::ManagedPolicy", "ManagedPolicyName", own))
        for stack in self._stacks:
            for item in stack.resources.values():
                if item["Type"] == "AWS::IAM::Role":
                    given = properties(item).get("ManagedPolicyArns", [])
                    for arn in given if isinstance(given, list) else []:
                        choices = arn.get("Fn::If", [arn])[-2:] if isinstance(arn, dict) else [arn]
                        arns |= {render(choice, stack) for choice in choices}
        return tuple(sorted(arn for arn in arns if arn.startswith("arn:")))

    def _named(self, kind: str, field: str, prefix: str) -> tuple[str, ...]:
        return _narrow(
            place(prefix + resource_name(stack, item, field), stack.account, stack.region)
            for stack in self._stacks
            for item in stack.resources.values()
            if item["Type"] == kind
        )

    def _everywhere(self, text: str) -> tuple[str, ...]:
        return tuple(sorted({place(text, account, region) for account, region in self.places}))


def _merge(
    found: Iterable[tuple[AssemblyStack, Right, Mapping[str, object]]],
    patterns: _Patterns,
) -> Iterator[tuple[tuple[str, ...], Statement]]:
    """Bring equal rights of many resources together."""
    resources: dict[str, set[str]] = {}
    rights: dict[str, Statement] = {}
    for stack, right, resource in found:
        condition = _condition(right, stack.region)
        statement = _allow(right.actions, condition)
        key = json.dumps(statement)
        rights[key] = statement
        resources.setdefault(key, set()).update(patterns.of(stack, right, resource))
    for key, statement in rights.items():
        yield _narrow(resources[key]), statement


def _join(needed: Iterable[tuple[tuple[str, ...], Statement]]) -> list[Statement]:
    """Join statements with the same resources and conditions, and sort them."""
    joined: dict[str, Statement] = {}
    for resources, statement in needed:
        key = json.dumps([resources, statement.get("Condition")])
        actions = set(cast(list[str], statement["Action"]))
        actions |= set(cast(list[str], joined.get(key, {}).get("Action", [])))
        condition = {"Condition": statement["Condition"]} if "Condition" in statement else {}
        joined[key] = {
            "Effect": "Allow",
            "Action": sorted(actions),
            "Resource": list(resources),
            **condition,
        }
    return sorted(joined.values(), key=json.dumps)


def _split(statements: list[Statement]) -> tuple[Statement, ...]:
    """Fill documents up to the size of a managed policy."""
    documents: list[list[Statement]] = [[]]
    for statement in statements:
        if _size([statement]) > MAX_POLICY_CHARACTERS:
            action = cast(list[str], statement["Action"])[0]
            rule = f"must fit {MAX_POLICY_CHARACTERS} characters in one statement"
            raise refuse("Deploy policy", "statement", rule, action)
        if _size([*documents[-1], statement]) > MAX_POLICY_CHARACTERS:
            documents.append([])
        documents[-1].append(statement)
    return tuple(_document(item) for item in documents)


def _document(statements: list[Statement]) -> Statement:
    return {"Version": "2012-10-17", "Statement": statements}


def _size(statements: list[Statement]) -> int:
    return len(json.dumps(_document(statements), separators=(",", ":")))


def _allow(actions: Iterable[str], condition: Mapping[str, object] | None = None) -> Statement:
    statement: Statement = {"Effect": "Allow", "Action": sorted(actions)}
    return statement | ({"Condition": dict(condition)} if condition else {})


def _condition(right: Right, region: str) -> dict[str, object]:
    if not right.condition or ("{region}" in json.dumps(right.condition) and region == "*"):
        # An environment-agnostic stack may go to any region.
        return {}
    text = json.dumps({key: dict(value) for key, value in right.condition.items()})
    return cast(dict[str, object], json.loads(text.replace("{region}", region)))


def _narrow(names: Iterable[str]) -> tuple[str, ...]:
    """Keep few names, less those that another's pattern covers; of many, what they begin with."""
    unique = sorted(set(names))
    kept = [
        name
        for name in unique
        if not any(_covers(other, name) for other in unique if other != name)
    ]
    if len(kept) <= _MANY:
        return tuple(kept)
    return (commonpath(kept) + "*",)


def _covers(pattern: str, arn: str) -> bool:
    # IAM compares part by part: a wildcard does not reach over a colon before the resource's name.
    parts = zip(pattern.split(":", 5), arn.split(":", 5), strict=False)
    return all(fnmatchcase(one, other) for other, one in parts)


def _is_custom(kind: str) -> bool:
    return kind.startswith("Custom::") or kind == "AWS::CloudFormation::CustomResource"
