"""Reads the stacks of a cloud assembly, as far as names of resources can be known from them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, cast

_READS_OUTPUT: Final = re.compile(r'"Fn::GetStackOutput": \{"StackName": "([^"]+)"')
_GENERATED_PREFIX: Final = 24
# CloudFormation cuts the stack's name to this length where a generated name would be too long.
_PSEUDO: Final = {
    "AWS::AccountId": "{account}",
    "AWS::Region": "{region}",
    "AWS::Partition": "{partition}",
    "AWS::URLSuffix": "*",
}
_NAMED_BY_ID: Final = {"AWS::Lambda::LayerVersion": "", "AWS::SSM::Parameter": "CFN-"}
# Types whose generated names are of the logical id, and not of the stack's name. AWS documents this
# nowhere; deployed stacks show it: layer:AwsCliLayerF44AAF94:34 in the outputs of a CDK app, and
# parameter/CFN-ListAutogenC5DA1CAE-QmGaUkqhh6Au in an integration test of the CDK itself.
_NAMED_BY_REF: Final = {
    "AWS::EKS::Cluster": "Name",
    "AWS::Lambda::Function": "FunctionName",
    "AWS::S3::Bucket": "BucketName",
}
# Types whose name others' ARNs hold, and that `Ref` gives.
_LOWER_CASE: Final = frozenset({"AWS::ECR::Repository", "AWS::S3::Bucket"})
# Types whose names have no capital letters; CloudFormation makes them up without.
_STARS: Final = re.compile(r"\*{2,}")
_SUB: Final = re.compile(r"\$\{([^}]+)\}")


@dataclass(frozen=True, kw_only=True, slots=True)
class AssemblyStack:
    """A stack of the assembly, with ``*`` for an account or region that is not known."""

    name: str
    account: str
    region: str
    resources: Mapping[str, Mapping[str, object]]
    outputs: Mapping[str, object]

    @property
    def generated(self) -> str:
        """What most names begin with that CloudFormation makes up."""
        return f"{self.name[:_GENERATED_PREFIX]}*"

    @property
    def reads_zones(self) -> bool:
        """Whether CloudFormation lists the region's zones for this stack."""
        return "Fn::GetAZs" in json.dumps(self.resources)


def stacks_read(stack: AssemblyStack) -> tuple[str, ...]:
    """Return ARNs of the stacks whose outputs CloudFormation reads for a stack.

    Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/intrinsic-function-reference-getstackoutput.html
    """
    names = _READS_OUTPUT.findall(json.dumps([stack.resources, stack.outputs]))
    base = "arn:{partition}:cloudformation:{region}:{account}:stack/"
    return tuple(
        place(f"{base}{name}/*", stack.account, stack.region) for name in sorted(set(names))
    )


def place(text: str, account: str, region: str) -> str:
    """Fill account, region and the region's partition into the template of an ARN."""
    partition = "aws"
    for prefix, name in (
        ("cn-", "aws-cn"),
        ("us-gov-", "aws-us-gov"),
        ("us-iso-", "aws-iso"),
    ):
        if region.startswith(prefix):
            partition = name
    filled = (
        text.replace("{partition}", partition)
        .replace("{account}", account)
        .replace("{region}", region)
    )
    # Of two unknown parts side by side, IAM's pattern says as much with one star.
    return _STARS.sub("*", filled)


def resource_name(stack: AssemblyStack, resource: Mapping[str, object], path: str) -> str:
    """Return a resource's name: as given, ``*`` where it is computed, or CloudFormation's own."""
    value: object = properties(resource)
    for part in path.split("."):
        value = value.get(part) if isinstance(value, Mapping) else None
    return _made_up(stack, resource) if value is None else render(value, stack)


def policy_members(stack: AssemblyStack, noun: str) -> tuple[str, ...]:
    """Return ARNs of who is there already and gets managed policies of a stack.

    Policies tell them by name, and their ARNs hold paths that nobody knows here.

    Args:
        stack: The stack.
        noun: ``User``, ``Group`` or ``Role``.
    """
    base = f"arn:{{partition}}:iam::{{account}}:{noun.lower()}/"
    return tuple(
        place(f"{base}{path}{name}", stack.account, stack.region)
        for item in stack.resources.values()
        if item["Type"] == "AWS::IAM::ManagedPolicy"
        for name in cast(Sequence[object], properties(item).get(f"{noun}s", ()))
        if isinstance(name, str)
        for path in ("", "*/")
    )


def _made_up(stack: AssemblyStack, resource: Mapping[str, object]) -> str:
    kind = str(resource.get("Type"))
    prefix = _NAMED_BY_ID.get(kind)
    if prefix is None:
        return stack.generated.lower() if kind in _LOWER_CASE else stack.generated
    id = next(id for id, item in stack.resources.items() if item is resource)
    return f"{prefix}{id[:_GENERATED_PREFIX]}*"


def render(value: object, stack: AssemblyStack) -> str:
    """Write an intrinsic function as text, with ``*`` for what is not known before deployment."""
    if isinstance(value, str):
        return value
    if isinstance(value, Mapping) and len(value) == 1:
        function, argument = next(iter(value.items()))
        if function == "Ref":
            known = _PSEUDO.get(str(argument))
            if known:
                return place(known, stack.account, stack.region)
            return _referred(str(argument), stack)
        if function == "Fn::Sub" and isinstance(argument, str):
            return _SUB.sub(lambda match: render({"Ref": match[1]}, stack), argument)
        if function == "Fn::Join" and isinstance(argument, list):
            return str(argument[0]).join(render(part, stack) for part in argument[1])
    return "*"


def _referred(id: str, stack: AssemblyStack) -> str:
    resource = stack.resources.get(id, {})
    name = _NAMED_BY_REF.get(str(resource.get("Type")))
    return resource_name(stack, resource, name) if name else "*"


def properties(resource: Mapping[str, object]) -> Mapping[str, object]:
    """Return the properties of a resource, empty where it has none."""
    return cast(Mapping[str, object], resource.get("Properties", {}))


def read_stacks(folder: Path) -> Iterator[AssemblyStack]:
    """Read the stacks of a cloud assembly, and of the assemblies of its stages."""
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    for id, artifact in manifest.get("artifacts", {}).items():
        properties = artifact.get("properties", {})
        if artifact["type"] == "cdk:cloud-assembly":
            yield from read_stacks(folder / properties["directoryName"])
        elif artifact["type"] == "aws:cloudformation:stack":
            template = json.loads((folder / properties["templateFile"]).read_text(encoding="utf-8"))
            account, region = artifact["environment"].removeprefix("aws://").split("/")
            yield AssemblyStack(
                name=properties.get("stackName", id),
                account="*" if account == "unknown-account" else account,
                region="*" if region == "unknown-region" else region,
                resources=template.get("Resources", {}),
                outputs=template.get("Outputs", {}),
            )
