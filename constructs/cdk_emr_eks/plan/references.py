"""Which resource a value of a template stands for, in its own stack or in another one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from cdk_emr_eks.plan.assembly import StackFile
from cdk_emr_eks.plan.intrinsics import intrinsic, mapping, sequence


@dataclass(frozen=True, kw_only=True, slots=True)
class Target:
    """A resource that a value refers to.

    Args:
        stack: Stack that declares it.
        logical_id: Its logical id.
    """

    stack: StackFile
    logical_id: str

    @property
    def resource(self) -> Mapping[str, object]:
        """The resource as the template has it."""
        return mapping(mapping(self.stack.template.get("Resources")).get(self.logical_id))

    @property
    def kind(self) -> str:
        """Its type."""
        return str(self.resource.get("Type"))

    def text(self, field: str) -> str:
        """Return one of its properties as text; empty for an absent one."""
        return self.stack.intrinsics.text(mapping(self.resource.get("Properties")).get(field))

    @property
    def key(self) -> tuple[str, str]:
        """What tells it apart in the assembly."""
        return self.stack.name, self.logical_id


class References:
    """Follows references over the stacks of an assembly, exports included.

    Args:
        stacks: All stacks.
    """

    def __init__(self, stacks: Iterable[StackFile]) -> None:
        self._exports: dict[str, tuple[StackFile, object]] = {}
        self._outputs: dict[tuple[str, str], tuple[StackFile, object]] = {}
        for stack in stacks:
            for id, output in mapping(stack.template.get("Outputs")).items():
                found = (stack, mapping(output).get("Value"))
                self._outputs[stack.name, id] = found
                name = mapping(mapping(output).get("Export")).get("Name")
                if name is not None:
                    self._exports[stack.intrinsics.text(name)] = found

    def targets(self, stack: StackFile, value: object) -> Iterator[Target]:
        """Yield the resources that a value refers to, however deep in it."""
        function = intrinsic(value)
        if function is not None:
            yield from self._call(stack, *function)
        elif isinstance(value, Mapping):
            for item in value.values():
                yield from self.targets(stack, item)
        elif isinstance(value, list):
            for item in value:
                yield from self.targets(stack, item)

    def _call(self, stack: StackFile, name: str, argument: object) -> Iterator[Target]:
        if name == "Fn::ImportValue":
            exported = self._exports.get(stack.intrinsics.text(argument))
            if exported is not None:
                yield from self.targets(*exported)
        elif name == "Fn::GetStackOutput":
            where = mapping(argument)
            output = self._outputs.get((str(where.get("StackName")), str(where.get("OutputName"))))
            if output is not None:
                yield from self.targets(*output)
        elif name in ("Ref", "Fn::GetAtt"):
            parts = argument.split(".") if isinstance(argument, str) else sequence(argument)
            target = Target(stack=stack, logical_id=str(parts[0]) if parts else "")
            if target.resource:
                yield target
        else:
            yield from self.targets(stack, argument)
