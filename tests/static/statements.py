"""Find every IAM statement of a synthesized template, wherever and in whatever form it stands.

A policy document is found by its shape (an object with ``Statement``), not by the resource's type,
so that a new resource type is checked, too. Documents that are text (plain,
``Fn::Sub`` or ``Fn::Join``) are rendered first.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from cdk_emr_eks.assembly.expressions import (
    Expression,
    FindInMap,
    GetAtt,
    If,
    ImportValue,
    Join,
    ListOf,
    Literal,
    Ref,
    Select,
    Sub,
    function_call,
    parse,
)
from cdk_emr_eks.assembly.paths import sequence

PSEUDO: Final = {
    "AWS::Partition": "aws",
    "AWS::Region": "us-east-1",
    "AWS::AccountId": "111122223333",
    "AWS::URLSuffix": "amazonaws.com",
    "AWS::StackName": "stack",
}

# What `Fn::GetAtt` of Arn (or `Ref`, where that is the ARN) stands for, by resource type.
ARNS: Final = {
    "AWS::EC2::VPC": "arn:<AWS::Partition>:ec2:us-east-1:111122223333:vpc/{id}",
    "AWS::EKS::Cluster": "arn:<AWS::Partition>:eks:us-east-1:111122223333:cluster/{id}",
    "AWS::EMRContainers::VirtualCluster": (
        "arn:<AWS::Partition>:emr-containers:us-east-1:111122223333:/virtualclusters/{id}"
    ),
    "AWS::IAM::ManagedPolicy": "arn:<AWS::Partition>:iam::111122223333:policy/{id}",
    "AWS::IAM::Role": "arn:<AWS::Partition>:iam::111122223333:role/{id}",
    "AWS::KMS::Key": "arn:<AWS::Partition>:kms:us-east-1:111122223333:key/{id}",
    "AWS::Lambda::Function": "arn:<AWS::Partition>:lambda:us-east-1:111122223333:function:{id}",
    "AWS::Logs::LogGroup": "arn:<AWS::Partition>:logs:us-east-1:111122223333:log-group:{id}:*",
    "AWS::S3::Bucket": "arn:<AWS::Partition>:s3:::{id}",
    "AWS::SNS::Topic": "arn:<AWS::Partition>:sns:us-east-1:111122223333:{id}",
    "AWS::SQS::Queue": "arn:<AWS::Partition>:sqs:us-east-1:111122223333:{id}",
    "AWS::StepFunctions::StateMachine": (
        "arn:<AWS::Partition>:states:us-east-1:111122223333:stateMachine:{id}"
    ),
}
_REF_IS_ARN: Final = ("AWS::IAM::ManagedPolicy", "AWS::SNS::Topic")

# Start of a value that only the deployment knows.
OPAQUE: Final = "<?"


@dataclass(frozen=True, kw_only=True, slots=True)
class Statement:
    """One statement and where it stands.

    Attributes:
        where: Logical id, resource type and path of the document, for messages.
        resource_type: CloudFormation type of the resource that has it.
        sid: The statement's Sid, or "".
        effect: Allow or Deny.
        has_principal: Whether it is of a trust or resource policy.
        actions: ``service:Action`` patterns.
        resources: ARN patterns with pseudo parameters filled in; opaque ones start with ``OPAQUE``.
        written: The same, with pseudo parameters as they are written in the template.
        conditions: (operator, key) pairs.
        other: Keys that this project does not use: NotAction, NotResource, ...
    """

    where: str
    resource_type: str
    sid: str
    effect: str
    has_principal: bool
    actions: tuple[str, ...]
    resources: tuple[str, ...]
    written: tuple[str, ...]
    conditions: tuple[tuple[str, str], ...]
    other: tuple[str, ...]


def statements(template: Mapping[str, object]) -> list[Statement]:
    """Return every statement of a template."""
    resources = template.get("Resources", {})
    assert isinstance(resources, dict)
    types = {logical: str(resource["Type"]) for logical, resource in resources.items()}
    found: list[Statement] = []
    for logical, resource in resources.items():
        properties = resource.get("Properties", {})
        for path, document in _documents(properties, types, "Properties"):
            where = f"{logical} ({resource['Type']}) {path}"
            items = document["Statement"]
            for item in items if isinstance(items, list) else [items]:
                found += _conditional(item, types, where, str(resource["Type"]))
    return found


def _documents(
    value: object, types: Mapping[str, str], path: str
) -> Iterator[tuple[str, dict[str, object]]]:
    if isinstance(value, dict):
        text = render(value, types) if len(value) == 1 else None
        if text is not None and text.lstrip().startswith("{") and '"Statement"' in text:
            yield from _parsed(text, path)
        elif "Statement" in value:
            yield path, value
        else:
            for key, item in value.items():
                yield from _documents(item, types, f"{path}.{key}")
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _documents(item, types, f"{path}[{index}]")
    elif isinstance(value, str) and value.lstrip().startswith("{") and '"Statement"' in value:
        yield from _parsed(value, path)


def _parsed(text: str, path: str) -> Iterator[tuple[str, dict[str, object]]]:
    document = json.loads(text)
    if isinstance(document, dict) and "Statement" in document:
        yield path, document


def _conditional(
    item: object, types: Mapping[str, str], where: str, kind: str
) -> Iterator[Statement]:
    call = function_call(item)
    if call is not None and call[0] == "Fn::If":
        for branch in sequence(call[1])[1:]:
            if branch != {"Ref": "AWS::NoValue"}:
                yield from _conditional(branch, types, where, kind)
        return
    assert isinstance(item, dict), f"{where}: a statement must be an object, got {item!r}"
    written = tuple(_texts(item.get("Resource", []), types))
    known = {"Sid", "Effect", "Action", "Resource", "Principal", "Condition"}
    yield Statement(
        where=where,
        resource_type=kind,
        sid=str(item.get("Sid", "")),
        effect=str(item["Effect"]),
        has_principal="Principal" in item,
        actions=tuple(_texts(item.get("Action", []), types)),
        resources=tuple(_filled(text) for text in written),
        written=written,
        conditions=tuple(
            (operator, key) for operator, keys in item.get("Condition", {}).items() for key in keys
        ),
        other=tuple(sorted(item.keys() - known)),
    )


def _texts(value: object, types: Mapping[str, str]) -> Iterator[str]:
    for item in value if isinstance(value, list) else [value]:
        text = render(item, types)
        yield text if text is not None else f"{OPAQUE}{json.dumps(item)}>"


def _filled(text: str) -> str:
    for name, value in PSEUDO.items():
        text = text.replace(f"<{name}>", value)
    return text


def render(value: object, types: Mapping[str, str]) -> str | None:
    """Write a value of a template as text, or return None where it is no text.

    Pseudo parameters become ``<AWS::Region>``, the ARN of a resource of the template becomes an
    ARN of its type, and everything else that only the deployment knows becomes ``<?name>``.
    """
    return _render(parse(value), types)


def _render(expression: Expression, types: Mapping[str, str]) -> str | None:
    match expression:
        case Literal(str(text)):
            return text
        case Ref(name):
            return _referenced(name, types)
        case GetAtt(name, Literal("Arn")) if types.get(name) in ARNS:
            return ARNS[types[name]].format(id=name)
        case GetAtt(name, Literal(attribute)):
            return f"{OPAQUE}{name}.{attribute}>"
        case Join(Literal(str(delimiter)), ListOf(items)):
            parts = [_render(item, types) for item in items]
            return None if None in parts else delimiter.join(part or "" for part in parts)
        case Sub(items):
            return "".join(_render(item, types) or f"{OPAQUE}value>" for item in items)
        case ImportValue() | Select() | FindInMap() | If():
            return f"{OPAQUE}value>"
    return None


def _referenced(name: str, types: Mapping[str, str]) -> str:
    if name in PSEUDO:
        return f"<{name}>"
    if types.get(name) in _REF_IS_ARN:
        return ARNS[types[name]].format(id=name)
    return f"{OPAQUE}{name}>"
