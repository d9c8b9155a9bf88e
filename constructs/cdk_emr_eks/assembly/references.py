"""Find the resources that a value of a template refers to, in its own stack and in others."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from cdk_emr_eks.assembly.expressions import (
    Expression,
    GetAtt,
    GetAZs,
    GetStackOutput,
    ImportValue,
    Literal,
    Ref,
    children,
    parse,
    walk,
)
from cdk_emr_eks.assembly.paths import at, mapping, text
from cdk_emr_eks.assembly.stack import Stack

_WRITER = "Custom::CrossRegionExportWriter"
_READER = "Custom::CrossRegionExportReader"


def names(value: object) -> Iterator[str]:
    """Yield every name that a value refers to: resources, parameters and pseudo parameters."""
    for expression in walk(parse(value)):
        if isinstance(expression, Ref):
            yield expression.name
        elif isinstance(expression, GetAtt):
            yield expression.resource


def reads_zones(stack: Stack) -> bool:
    """Return whether CloudFormation lists the Availability Zones of the Region for a stack."""
    return any(isinstance(item, GetAZs) for item in walk(parse(stack.template.get("Resources"))))


def stacks_read(stack: Stack) -> tuple[str, ...]:
    """Return the names of the stacks whose outputs a template reads, sorted.

    Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/intrinsic-function-reference-getstackoutput.html
    """
    tree = parse([stack.template.get("Resources"), list(stack.outputs().values())])
    read = (item.stack_name for item in walk(tree) if isinstance(item, GetStackOutput))
    return tuple(sorted({str(name.value) for name in read if isinstance(name, Literal)}))


@dataclass(frozen=True, kw_only=True, slots=True)
class Target:
    """A resource that a value refers to.

    Args:
        stack: Stack that declares it.
        logical_id: Its logical id.
    """

    stack: Stack
    logical_id: str

    @property
    def resource(self) -> Mapping[str, object]:
        """The resource as the template has it."""
        return mapping(self.stack.bodies().get(self.logical_id))

    @property
    def kind(self) -> str:
        """Type of the resource."""
        return text(self.resource, "Type")

    def text(self, field: str) -> str:
        """Return a property as text, the empty text if it is missing."""
        return self.stack.text(at(self.resource, "Properties", field))

    @property
    def key(self) -> tuple[str, str]:
        """Name of the stack and logical id, which identify the resource in the assembly."""
        return self.stack.name, self.logical_id


class References:
    """Follows references over the stacks of an assembly.

    Followed are exports, outputs of other stacks, parameters and outputs of nested stacks, and the
    custom resources that the CDK writes for references to another Region.

    Args:
        stacks: All stacks of the assembly.
    """

    def __init__(self, stacks: Iterable[Stack]) -> None:
        self._exports: dict[str, tuple[Stack, object]] = {}
        self._outputs: dict[tuple[str, str], tuple[Stack, object]] = {}
        self._parameters: dict[str, tuple[Stack, object]] = {}
        for stack in stacks:
            for logical_id, value in stack.outputs().items():
                self._outputs[stack.stack_name or stack.name, logical_id] = stack, value
                export = at(stack.template, "Outputs", logical_id, "Export", "Name")
                if export is not None:
                    self._exports[stack.text(export)] = stack, value
            for _, properties in stack.resources(_WRITER):
                for name, value in mapping(properties, "WriterProps", "exports").items():
                    self._parameters[name] = stack, value

    def targets(self, stack: Stack, value: object) -> Iterator[Target]:
        """Yield the resources that a value refers to, however deep in it."""
        yield from self._of(stack, parse(value))

    def _of(self, stack: Stack, expression: Expression) -> Iterator[Target]:
        found = self._elsewhere(stack, expression)
        if found is not None:
            yield from self.targets(*found)
            return
        match expression:
            case Ref(logical_id) | GetAtt(logical_id):
                if logical_id in stack.bodies():
                    yield Target(stack=stack, logical_id=logical_id)
            case ImportValue() | GetStackOutput():
                pass
            case _:
                for child in children(expression):
                    yield from self._of(stack, child)

    def _elsewhere(self, stack: Stack, expression: Expression) -> tuple[Stack, object] | None:
        match expression:
            case ImportValue(name):
                return self._exports.get(_text(stack, name))
            case GetStackOutput(stack_name, output_name):
                return self._outputs.get((_text(stack, stack_name), _text(stack, output_name)))
            case GetAtt(reader, Literal(str(parameter))) if parameter in self._parameters:
                is_reader = text(stack.bodies().get(reader), "Type") == _READER
                return self._parameters[parameter] if is_reader else None
            case Ref() | GetAtt():
                return stack.elsewhere(expression)
        return None


def _text(stack: Stack, expression: Expression) -> str:
    return text(stack.view().of(expression))
