"""A stack of a cloud assembly: its template and what the manifest says about it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Final, Self

from cdk_emr_eks.assembly.expressions import GetAtt, Literal, Ref
from cdk_emr_eks.assembly.paths import at, mapping, text
from cdk_emr_eks.assembly.text_view import TextView

NESTED: Final = "AWS::CloudFormation::Stack"
PRODUCT: Final = "AWS::ServiceCatalog::CloudFormationProduct"

_OUTPUTS: Final = "Outputs."
_NO_ACCOUNT: Final = "unknown-account"
_NO_REGION: Final = "unknown-region"


class StackKind(StrEnum):
    """How a template is deployed."""

    # By the CDK's command line.
    STACK = "stack"
    # By CloudFormation, as a resource of a parent stack.
    NESTED = "nested"
    # By AWS Service Catalog, each time that a user launches the product.
    PRODUCT = "product"


@dataclass(frozen=True, kw_only=True, slots=True)
class Message:
    """A warning or an error that a construct left in the assembly.

    Args:
        level: ``warning`` or ``error``.
        where: Path of the construct, or name of the stack.
        text: What it says.
    """

    level: str
    where: str
    text: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Environment:
    """Account and Region of a stack; each is empty if synth does not know it.

    Args:
        account: Account number.
        region: Region.
    """

    account: str = ""
    region: str = ""

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return the environment that a manifest writes as ``aws://account/region``."""
        account, _, region = text.removeprefix("aws://").partition("/")
        return cls(
            account="" if account == _NO_ACCOUNT else account,
            region="" if region == _NO_REGION else region,
        )

    def __str__(self) -> str:
        """Return ``aws://account/region`` as the manifest has it."""
        return f"aws://{self.account or _NO_ACCOUNT}/{self.region or _NO_REGION}"


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class ParentResource:
    """The resource that deploys a nested stack or offers a product.

    Args:
        stack: Stack of the resource.
        logical_id: Logical id of the resource.
    """

    stack: Stack
    logical_id: str

    @property
    def parameters(self) -> Mapping[str, object]:
        """Values for the parameters of the nested stack; they are values of the parent."""
        return mapping(self.stack.bodies().get(self.logical_id), "Properties", "Parameters")


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Stack:
    """A stack, a nested stack or a Service Catalog product, with its template.

    Two stacks are equal only if they are the same object, so a stack can be the key of a mapping.

    Args:
        name: Name for ``cdk deploy``; for a nested stack, the parent's name and the file's.
        template: The CloudFormation template.
        size: Bytes of the template.
        directory: Folder of the template and of the assets that it uses.
        environment: Account and Region.
        kind: How the template is deployed.
        stage: Path of the stage that the stack is in, empty for none.
        messages: What constructs of the stack reported.
        stack_name: Name in CloudFormation; empty for a nested stack, which CloudFormation names.
        dependencies: CloudFormation names of the stacks that must be deployed before.
        parent: Resource that deploys this template; None for kind ``stack``.
        nested: Nested stacks and products that this template deploys, by logical id of the
            resource. A product with several templates has the key ``id/number`` for later ones.
    """

    name: str
    template: Mapping[str, object]
    size: int
    directory: Path
    environment: Environment
    kind: StackKind = StackKind.STACK
    stage: str = ""
    messages: tuple[Message, ...] = ()
    stack_name: str = ""
    dependencies: tuple[str, ...] = ()
    parent: ParentResource | None = None
    nested: Mapping[str, Stack] = field(default_factory=dict, repr=False)

    def bodies(self) -> Mapping[str, Mapping[str, object]]:
        """Return the resources as the template has them, by logical id."""
        found = mapping(self.template, "Resources")
        return {logical_id: mapping(body) for logical_id, body in found.items()}

    def resources(self, *types: str) -> Iterator[tuple[str, Mapping[str, object]]]:
        """Yield logical id and properties of the resources of these types, or of all of them."""
        for logical_id, body in self.bodies().items():
            if not types or text(body, "Type") in types:
                yield logical_id, mapping(body, "Properties")

    def types(self) -> list[str]:
        """Return the type of each resource, in the template's order."""
        return [text(body, "Type") for body in self.bodies().values()]

    def outputs(self) -> Mapping[str, object]:
        """Return the values of the outputs, by logical id."""
        found = mapping(self.template, "Outputs")
        return {logical_id: at(output, "Value") for logical_id, output in found.items()}

    def root(self) -> Stack:
        """Return the outermost parent, or the stack itself if it has no parent."""
        return self.parent.stack.root() if self.parent else self

    def view(self) -> TextView:
        """Return texts for the template; names of the parent and of nested stacks are followed."""
        return TextView(self.template, self._text_elsewhere)

    def text(self, value: object) -> str:
        """Return a value of the template as one line of text for a person."""
        return self.view().text(value)

    def elsewhere(self, name: Ref | GetAtt) -> tuple[Stack, object] | None:
        """Return stack and value that a name stands for in the parent or in a nested stack.

        None if the name stands for something of the template itself.
        """
        match name:
            case Ref(parameter) if self.parent and parameter in self.parent.parameters:
                return self.parent.stack, self.parent.parameters[parameter]
            case GetAtt(resource, Literal(str(attribute))) if attribute.startswith(_OUTPUTS):
                child = self.nested.get(resource)
                output = attribute.removeprefix(_OUTPUTS)
                if child is not None and output in child.outputs():
                    return child, child.outputs()[output]
        return None

    def _text_elsewhere(self, name: Ref | GetAtt) -> object:
        found = self.elsewhere(name)
        return None if found is None else found[0].view().value(found[1])
