"""Write names and ARNs of resources as IAM patterns, with ``*`` for what synth does not know."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Final

from cdk_emr_eks.assembly.expressions import (
    Expression,
    GetAtt,
    If,
    Join,
    ListOf,
    Literal,
    Ref,
    Sub,
    parse,
)
from cdk_emr_eks.assembly.paths import at, mapping, text
from cdk_emr_eks.assembly.stack import Stack, StackKind

# CloudFormation cuts the name of the stack to this length if a generated name is too long.
_GENERATED_PREFIX: Final = 24
# Service Catalog names the stack of a provisioned product SC-<account>-pp-<id>.
_PRODUCT_PREFIX: Final = "SC-"
_PSEUDO: Final = {
    "AWS::AccountId": "{account}",
    "AWS::Region": "{region}",
    "AWS::Partition": "{partition}",
    "AWS::URLSuffix": "*",
}
# Types whose generated names begin with the logical id, not with the name of the stack. AWS does
# not document this; deployed stacks show it: layer:AwsCliLayerF44AAF94:34 in the outputs of a CDK
# app, and parameter/CFN-ListAutogenC5DA1CAE-QmGaUkqhh6Au in an integration test of the CDK itself.
_NAMED_BY_ID: Final = {
    "AWS::Lambda::LayerVersion": "",
    "AWS::SSM::Parameter": "CFN-",
    "AWS::SecretsManager::Secret": "",
}
# Types whose name is the value of `Ref` and is part of other resources' ARNs.
_NAMED_BY_REF: Final = {
    "AWS::EKS::Cluster": "Name",
    "AWS::Lambda::Function": "FunctionName",
    "AWS::S3::Bucket": "BucketName",
}
# Types whose generated names are in lower case.
_LOWER_CASE: Final = frozenset({"AWS::ECR::Repository", "AWS::S3::Bucket"})
_PARTITIONS: Final = (("cn-", "aws-cn"), ("us-gov-", "aws-us-gov"), ("us-iso-", "aws-iso"))
_STARS: Final = re.compile(r"\*{2,}")


class ArnPatterns:
    """Patterns for the values of one stack.

    Args:
        stack: Stack whose values are written.
    """

    def __init__(self, stack: Stack) -> None:
        self._stack = stack

    @property
    def generated(self) -> str:
        """Pattern of most names that CloudFormation generates for the stack's resources."""
        root = self._stack
        while root.parent is not None and root.kind is not StackKind.PRODUCT:
            # The name of a nested stack begins with its parent's.
            root = root.parent.stack
        if root.kind is StackKind.PRODUCT:
            return f"{_PRODUCT_PREFIX}*"
        return f"{(root.stack_name or root.name)[:_GENERATED_PREFIX]}*"

    def name(self, logical_id: str, path: str) -> str:
        """Return the name of a resource as a pattern.

        Args:
            logical_id: Logical id of the resource.
            path: Property that holds the name, with dots between the parts.

        Returns:
            The name as far as it is given, or the pattern of the name that CloudFormation
            generates if none is given.
        """
        body = mapping(self._stack.bodies().get(logical_id))
        value = at(body, "Properties", *path.split("."))
        return self._generated_name(logical_id, body) if value is None else self.pattern(value)

    def pattern(self, value: object) -> str:
        """Return a value of the template as text, with ``*`` for what is not known at synth."""
        return self._of(parse(value))

    def patterns(self, value: object) -> tuple[str, ...]:
        """Return the patterns of each value that ``Fn::If`` can choose, at any depth of it."""
        return tuple(dict.fromkeys(self._of(choice) for choice in _choices(parse(value))))

    def fill(self, arn: str) -> str:
        """Fill the stack's partition, Region and account into the template of an ARN."""
        environment = self._stack.environment
        return fill(arn, environment.account or "*", environment.region or "*")

    def _generated_name(self, logical_id: str, body: Mapping[str, object]) -> str:
        kind = text(body, "Type")
        prefix = _NAMED_BY_ID.get(kind)
        if prefix is not None:
            return f"{prefix}{logical_id[:_GENERATED_PREFIX]}*"
        return self.generated.lower() if kind in _LOWER_CASE else self.generated

    def _of(self, expression: Expression) -> str:
        match expression:
            case Literal(str(value)):
                return value
            case Ref() | GetAtt():
                return self._name(expression)
            case Sub(parts):
                return "".join(self._of(part) for part in parts)
            case Join(delimiter, ListOf(items)):
                return self._of(delimiter).join(self._of(item) for item in items)
        return "*"

    def _name(self, expression: Ref | GetAtt) -> str:
        found = self._stack.elsewhere(expression)
        if found is not None:
            return ArnPatterns(found[0]).pattern(found[1])
        if not isinstance(expression, Ref):
            return "*"
        if expression.name in _PSEUDO:
            return self.fill(_PSEUDO[expression.name])
        kind = text(self._stack.bodies().get(expression.name), "Type")
        named = _NAMED_BY_REF.get(kind)
        return self.name(expression.name, named) if named else "*"


def fill(arn: str, account: str, region: str) -> str:
    """Fill account, Region and the Region's partition into the template of an ARN.

    Args:
        arn: Text with ``{partition}``, ``{region}`` and ``{account}``.
        account: Account, or ``*``.
        region: Region, or ``*``.
    """
    partition = next((name for prefix, name in _PARTITIONS if region.startswith(prefix)), "aws")
    filled = (
        arn.replace("{partition}", partition)
        .replace("{account}", account)
        .replace("{region}", region)
    )
    # Two unknown parts in a row are one star.
    return _STARS.sub("*", filled)


def _choices(expression: Expression) -> Iterator[Expression]:
    if isinstance(expression, If):
        yield from _choices(expression.then)
        yield from _choices(expression.otherwise)
    else:
        yield expression
