"""What IAM would decide: the identity policies of a template, evaluated for one request.

Only what this library writes: Allow statements, and the condition operators below. Anything else is
an error here, so that a statement that is not understood never passes for one that denies. moto's
evaluator has a second opinion (``agreed``); it knows few conditions, so it gets the statements
whose conditions hold.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any, Final

from moto.iam.access_control import IAMPolicy, PermissionResult

from cdk_emr_eks.assembly.evaluation import Resolver, ResolverContext, ResourceValues

_PSEUDO: Final = {
    "AWS::Partition": "aws",
    "AWS::Region": "eu-west-1",
    "AWS::AccountId": "111122223333",
    "AWS::URLSuffix": "amazonaws.com",
}
_CONTAINERS: Final = "arn:aws:emr-containers:eu-west-1:111122223333:/virtualclusters/"
_VARIABLE: Final = re.compile(r"\$\{([^}]+)\}")


@dataclass(frozen=True, kw_only=True)
class Request:
    """A request of a principal to AWS.

    Attributes:
        action: Such as ``s3:GetObject``.
        resource: ARN, or ``*`` for an action without resources.
        keys: Condition keys that the request carries, in any case.
    """

    action: str
    resource: str = "*"
    keys: Mapping[str, str] = field(default_factory=dict)

    def key(self, name: str) -> str | None:
        """Value of a condition key; None if the request does not carry it."""
        return {key.lower(): value for key, value in self.keys.items()}.get(name.lower())


class Account:
    """The templates of an app as deployed, with made-up ids."""

    def __init__(self, templates: Mapping[str, Mapping[str, Any]]) -> None:
        self._templates = templates
        self._exports: dict[str, object] = {}
        for stack, template in templates.items():
            for output in template.get("Outputs", {}).values():
                if "Export" in output:
                    name = self.text(stack, output["Export"]["Name"])
                    self._exports[name] = self.value(stack, output["Value"])

    def of_type(self, kind: str) -> list[tuple[str, str, Mapping[str, Any]]]:
        """Stack, logical id and properties of all resources of a type."""
        return [
            (stack, id, resource.get("Properties", {}))
            for stack, template in self._templates.items()
            for id, resource in template.get("Resources", {}).items()
            if resource["Type"] == kind
        ]

    def endpoint(self, name: str) -> tuple[str, str]:
        """ARN of an endpoint by its name, and that of its execution role."""
        ((stack, id, properties),) = [
            each for each in self.of_type("AWS::EMRContainers::Endpoint") if each[2]["Name"] == name
        ]
        return self.arn(stack, id), self.text(stack, properties["ExecutionRoleArn"])

    def arn(self, stack: str, id: str) -> str:
        """ARN of a resource."""
        return self.attribute(stack, id, "Arn")

    def policies(self, description: str) -> list[list[Mapping[str, Any]]]:
        """The statements of each managed policy whose description ends so."""
        return [
            [self.value(stack, each) for each in properties["PolicyDocument"]["Statement"]]
            for stack, _, properties in self.of_type("AWS::IAM::ManagedPolicy")
            if properties["Description"].endswith(description)
        ]

    def identity(self, stack: str, id: str) -> list[Mapping[str, Any]]:
        """The statements of a role, group or user: inline ones and those attached by reference."""
        found = list(
            self._templates[stack]["Resources"][id].get("Properties", {}).get("Policies", [])
        )
        for kind in ("AWS::IAM::Policy", "AWS::IAM::ManagedPolicy"):
            for _, _, properties in (each for each in self.of_type(kind) if each[0] == stack):
                owners = [properties.get(key, []) for key in ("Roles", "Users", "Groups")]
                if {"Ref": id} in [owner for listed in owners for owner in listed]:
                    found.append(properties)
        return [
            self.value(stack, each)
            for policy in found
            for each in _list(policy["PolicyDocument"]["Statement"])
        ]

    def may(self, description: str, request: Request) -> bool:
        """Whether the policies with that description allow a request."""
        found = self.policies(description)
        assert found, description
        return allows([statement for policy in found for statement in policy], request)

    def text(self, stack: str, value: object) -> str:
        """A value of a template as text."""
        found = self.value(stack, value)
        assert isinstance(found, str), found
        return found

    def value(self, stack: str, value: Any) -> Any:
        """A value of a template, evaluated with made-up ids."""
        context = ResolverContext(
            pseudo=_PSEUDO,
            zones=(),
            parameters={},
            exports=self._exports,
            outputs=_Outputs(self, self._templates),
        )
        template = self._templates[stack]
        return Resolver(template, context, _Values(self, stack, template)).value(value)

    def attribute(self, stack: str, id: str, attribute: str) -> str:
        """An attribute of a resource, or its id."""
        resource = self._templates[stack]["Resources"][id]
        properties = resource.get("Properties", {})
        # Two stacks may have the same logical id.
        unique = f"{stack}-{id}"
        match resource["Type"], attribute:
            case "AWS::IAM::Role", "Arn":
                name = properties.get("RoleName", unique)
                return f"arn:aws:iam::111122223333:role/{name}"
            case "AWS::EMRContainers::VirtualCluster", "Arn":
                return f"{_CONTAINERS}{unique}"
            case "AWS::EMRContainers::Endpoint", "Arn":
                cluster = self.value(stack, properties["VirtualClusterId"])
                return f"{_CONTAINERS}{cluster}/endpoints/{unique}"
            case "AWS::EMR::Studio", "Arn":
                return f"arn:aws:elasticmapreduce:eu-west-1:111122223333:studio/{unique}"
            case _, "Arn":
                return f"arn:aws:test:::{unique}"
        return unique


class _Values(Mapping[str, ResourceValues]):
    """The resources of a template as deployed, each when it is asked for."""

    def __init__(self, account: Account, stack: str, template: Mapping[str, Any]) -> None:
        self._account, self._stack = account, stack
        self._resources: Mapping[str, Any] = template.get("Resources", {})

    def __getitem__(self, id: str) -> ResourceValues:
        resource = self._resources[id]
        assert resource
        return ResourceValues(
            ref=self._account.attribute(self._stack, id, "Ref"),
            attributes=_Attributes(self._account, self._stack, id),
        )

    def __iter__(self) -> Iterator[str]:
        return iter(self._resources)

    def __len__(self) -> int:
        return len(self._resources)


class _Attributes(Mapping[str, object]):
    """The attributes of a resource; it has every one."""

    def __init__(self, account: Account, stack: str, id: str) -> None:
        self._account, self._stack, self._id = account, stack, id

    def __getitem__(self, name: str) -> object:
        return self._account.attribute(self._stack, self._id, name)

    def __contains__(self, name: object) -> bool:
        return True

    def __iter__(self) -> Iterator[str]:
        return iter(())

    def __len__(self) -> int:
        return 0


class _Outputs(Mapping[tuple[str, str], object]):
    """The outputs of all stacks, each when it is asked for."""

    def __init__(self, account: Account, templates: Mapping[str, Mapping[str, Any]]) -> None:
        self._account, self._templates = account, templates

    def __getitem__(self, key: tuple[str, str]) -> object:
        stack, output = key
        return self._account.value(stack, self._templates[stack]["Outputs"][output]["Value"])

    def __iter__(self) -> Iterator[tuple[str, str]]:
        return iter(())

    def __len__(self) -> int:
        return 1


def allows(statements: Iterable[Mapping[str, Any]], request: Request) -> bool:
    """Whether one of some Allow statements matches a request."""
    return any(_matches(statement, request) for statement in statements)


def agreed(statements: Sequence[Mapping[str, Any]], request: Request) -> bool:
    """Whether a request is allowed, which moto's evaluator must have found, too."""
    ours = allows(statements, request)
    unconditional = [
        {
            **{key: each[key] for key in ("Effect", "Action")},
            "Resource": [_escaped(_filled(arn, request)) for arn in _list(each["Resource"])],
        }
        for each in statements
        if _conditions_hold(each, request)
    ]
    document = json.dumps({"Statement": unconditional})
    found = IAMPolicy(document).is_action_permitted(request.action, request.resource)
    assert (found is PermissionResult.PERMITTED) is ours, (request, found)
    return ours


def trusts(document: Mapping[str, Any], principal: Mapping[str, Any], request: Request) -> bool:
    """Whether a role's trust policy lets a principal take the role on."""
    return any(
        each["Principal"] == principal
        and _matches({**each, "Resource": "*", "Principal": None}, request)
        for each in _list(document["Statement"])
    )


def _escaped(pattern: str) -> str:
    # moto puts a pattern into a regular expression as it is, but for the asterisk.
    return re.escape(pattern).replace(re.escape("*"), "*").replace(re.escape("?"), ".")


def _matches(statement: Mapping[str, Any], request: Request) -> bool:
    known = {"Sid", "Effect", "Action", "Resource", "Condition"}
    assert {key for key, value in statement.items() if value is not None} <= known, statement
    assert statement["Effect"] == "Allow"
    return (
        any(
            fnmatchcase(request.action.lower(), each.lower()) for each in _list(statement["Action"])
        )
        and any(_like(request.resource, each, request) for each in _list(statement["Resource"]))
        and _conditions_hold(statement, request)
    )


def _conditions_hold(statement: Mapping[str, Any], request: Request) -> bool:
    return all(
        _holds(operator, key, _list(wanted), request)
        for operator, keys in statement.get("Condition", {}).items()
        for key, wanted in keys.items()
    )


def _holds(operator: str, key: str, wanted: Sequence[str], request: Request) -> bool:
    got = request.key(key)
    if operator == "Null":
        return [str(got is None).lower()] == list(wanted)
    if got is None:
        return operator.endswith("IfExists")
    match operator.removesuffix("IfExists"):
        case "StringEquals":
            return got in [_filled(each, request) for each in wanted]
        case "ArnEquals" | "StringLike" | "ArnLike":
            return any(_like(got, each, request) for each in wanted)
    raise AssertionError(f"unknown operator {operator}")


def _like(text: str, pattern: str, request: Request) -> bool:
    # Brackets are plain letters in IAM.
    return fnmatchcase(text, _filled(pattern, request).replace("[", "[[]"))


def _filled(text: str, request: Request) -> str:
    # A variable that the request does not have matches nothing.
    return _VARIABLE.sub(lambda found: request.key(found[1]) or "\0", text)


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else [value]
