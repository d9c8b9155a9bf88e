"""Evaluate CloudFormation's intrinsic functions with the values of a deployment.

`TextView` writes a function as text for a person; here its value is needed, or an error. No library
evaluates identifiers that are known only during a deployment: the resolvers of moto and cfn-lint
are bound to their own resource models, and moto's has no ``Fn::Cidr``. A test compares the
functions that need no deployment with moto's.

Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/intrinsic-function-reference.html
"""

from __future__ import annotations

import base64
import ipaddress
import itertools
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from cdk_emr_eks.assembly.expressions import (
    And,
    Base64,
    Cidr,
    Condition,
    Contains,
    Equals,
    Expression,
    FindInMap,
    GetAtt,
    GetAZs,
    GetStackOutput,
    If,
    ImportValue,
    Join,
    ListOf,
    Literal,
    MappingOf,
    Not,
    Or,
    Ref,
    Select,
    Split,
    Sub,
    Unknown,
    parse,
    parse_condition,
)
from cdk_emr_eks.assembly.paths import at, mapping

# Value of AWS::NoValue: the property is omitted.
_OMITTED: Final = object()


class UnresolvableError(ValueError):
    """A value of a template that cannot be evaluated; the message says why."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ResourceValues:
    """Values that a deployed resource has for its template.

    Args:
        ref: Value of ``Ref``.
        attributes: Values of ``Fn::GetAtt``, by attribute.
        invented: Invent a value for an attribute that is not in ``attributes``, for resources that
            the simulation only records.
    """

    ref: str
    attributes: Mapping[str, object]
    invented: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class ResolverContext:
    """Values from outside of a template.

    Args:
        pseudo: Pseudo parameters by name, for example ``AWS::Region``.
        zones: Availability Zones of the Region.
        parameters: Values of the template's parameters.
        exports: Values that other stacks export, by name.
        outputs: Outputs of other stacks, by name of the stack and of the output.
    """

    pseudo: Mapping[str, object]
    zones: tuple[str, ...]
    parameters: Mapping[str, object]
    exports: Mapping[str, object]
    outputs: Mapping[tuple[str, str], object] | None = None


class Resolver:
    """Evaluates the values of one template.

    Args:
        template: Template with the mappings and conditions.
        context: Values from outside of the template.
        values: Values of the deployed resources, by logical id. The caller adds to it during the
            deployment.
    """

    def __init__(
        self,
        template: Mapping[str, object],
        context: ResolverContext,
        values: Mapping[str, ResourceValues],
    ) -> None:
        self._mappings = mapping(template, "Mappings")
        self._conditions = mapping(template, "Conditions")
        self._context = context
        self._values = values
        self._functions: Mapping[type[Any], Callable[[Any], object]] = {
            Literal: lambda it: it.value,
            ListOf: self._list_of,
            MappingOf: self._mapping_of,
            Ref: lambda it: self._ref(it.name),
            GetAtt: self._attribute,
            Join: self._join,
            Sub: lambda it: "".join(self._text(part) for part in it.parts),
            Select: self._select,
            Split: lambda it: self._text(it.source).split(self._text(it.delimiter)),
            If: lambda it: self._of(it.then if self.condition(it.condition) else it.otherwise),
            FindInMap: self._find_in_map,
            GetAZs: self._zones,
            ImportValue: self._import,
            GetStackOutput: self._stack_output,
            Base64: lambda it: base64.b64encode(self._text(it.source).encode()).decode(),
            Cidr: self._cidr,
            And: lambda it: all(self._holds(item) for item in it.conditions),
            Or: lambda it: any(self._holds(item) for item in it.conditions),
            Not: lambda it: not self._holds(it.condition),
            Equals: lambda it: self._text(it.left) == self._text(it.right),
            Contains: self._contains,
            Condition: lambda it: self.condition(it.name),
            Unknown: self._unknown,
        }

    def value(self, value: object) -> object:
        """Return a value of the template with every function evaluated.

        Raises:
            UnresolvableError: If a function is unknown, has wrong arguments, or refers to something
                that does not exist.
        """
        return self._needed(parse(value))

    def condition(self, name: str) -> bool:
        """Return whether a condition of the template is true.

        Raises:
            UnresolvableError: If the template has no such condition.
        """
        if name not in self._conditions:
            raise UnresolvableError(f"the template has no condition {name!r}")
        return self.holds(self._conditions[name])

    def holds(self, condition: object) -> bool:
        """Return whether an expression of conditions or rules is true.

        Raises:
            UnresolvableError: If it is not a condition.
        """
        return self._holds(parse_condition(condition))

    def _holds(self, condition: Expression) -> bool:
        found = self._needed(condition)
        if found in (True, "true"):
            return True
        if found in (False, "false"):
            return False
        raise UnresolvableError(f"a condition is needed, got {found!r}")

    def _needed(self, expression: Expression) -> object:
        found = self._of(expression)
        if found is _OMITTED:
            raise UnresolvableError("AWS::NoValue stands where a value is needed")
        return found

    def _of(self, expression: Expression) -> object:
        return self._functions[type(expression)](expression)

    def _list_of(self, expression: ListOf) -> list[object]:
        return [item for item in map(self._of, expression.items) if item is not _OMITTED]

    def _mapping_of(self, expression: MappingOf) -> dict[str, object]:
        items = ((key, self._of(item)) for key, item in expression.items.items())
        return {key: item for key, item in items if item is not _OMITTED}

    def _text(self, expression: Expression) -> str:
        found = self._needed(expression)
        if isinstance(found, bool):
            return "true" if found else "false"
        if isinstance(found, str | int | float):
            return str(found)
        raise UnresolvableError(f"text is needed, got {found!r}")

    def _number(self, expression: Expression) -> int:
        found = self._text(expression)
        try:
            return int(found)
        except ValueError:
            raise UnresolvableError(f"a whole number is needed, got {found!r}") from None

    def _items(self, expression: Expression) -> list[object]:
        found = self._needed(expression)
        if not isinstance(found, list):
            raise UnresolvableError(f"a list is needed, got {found!r}")
        return found

    def _ref(self, name: str) -> object:
        if name == "AWS::NoValue":
            return _OMITTED
        for known in (self._context.pseudo, self._context.parameters):
            if name in known:
                return known[name]
        return self._resource(name).ref

    def _resource(self, name: str) -> ResourceValues:
        if name not in self._values:
            raise UnresolvableError(f"{name!r} is referred to, but was not deployed before")
        return self._values[name]

    def _attribute(self, expression: GetAtt) -> object:
        name, attribute = expression.resource, self._text(expression.attribute)
        resource = self._resource(name)
        if attribute in resource.attributes:
            return resource.attributes[attribute]
        if resource.invented:
            return f"{resource.ref}/{attribute}"
        raise UnresolvableError(f"the attribute {attribute} of {name!r} is not simulated")

    def _join(self, expression: Join) -> str:
        items = self._items(expression.items)
        return self._text(expression.delimiter).join(self._text(Literal(item)) for item in items)

    def _select(self, expression: Select) -> object:
        index, items = self._number(expression.index), self._items(expression.items)
        if not 0 <= index < len(items):
            raise UnresolvableError(f"Fn::Select: there is no item {index} in {items!r}")
        return items[index]

    def _find_in_map(self, expression: FindInMap) -> object:
        keys = (expression.table, expression.first, expression.second)
        path = [self._text(key) for key in keys]
        found = at(self._mappings, *path)
        if found is not None:
            return found
        if expression.default is not None:
            return self._of(expression.default)
        raise UnresolvableError(f"Fn::FindInMap finds nothing at {' / '.join(path)}")

    def _zones(self, expression: GetAZs) -> list[str]:
        region = self._text(expression.region)
        own = self._context.pseudo.get("AWS::Region")
        if region and region != own:
            raise UnresolvableError(f"Fn::GetAZs asks for zones of {region}; the stack is in {own}")
        return list(self._context.zones)

    def _import(self, expression: ImportValue) -> object:
        name = self._text(expression.name)
        if name not in self._context.exports:
            raise UnresolvableError(f"no stack deployed before exports {name!r}")
        return self._context.exports[name]

    def _stack_output(self, expression: GetStackOutput) -> object:
        stack, output = self._text(expression.stack_name), self._text(expression.output_name)
        outputs = self._context.outputs or {}
        if (stack, output) not in outputs:
            raise UnresolvableError(f"no stack {stack!r} deployed before has the output {output!r}")
        return outputs[stack, output]

    def _cidr(self, expression: Cidr) -> list[str]:
        block = ipaddress.ip_network(self._text(expression.block))
        count = self._number(expression.count)
        # The default of CloudFormation is 8 host bits, a /24 of IPv4.
        bits = self._number(expression.host_bits) if expression.host_bits else 8
        prefix = block.max_prefixlen - bits
        blocks = [str(each) for each in itertools.islice(block.subnets(new_prefix=prefix), count)]
        if len(blocks) < count:
            raise UnresolvableError(f"Fn::Cidr: {block} has no {count} blocks of /{prefix}")
        return blocks

    def _contains(self, expression: Contains) -> bool:
        items = [self._text(Literal(item)) for item in self._items(expression.items)]
        return self._text(expression.item) in items

    def _unknown(self, expression: Unknown) -> object:
        if expression.problem:
            raise UnresolvableError(f"{expression.function} {expression.problem}")
        raise UnresolvableError(f"the function {expression.function} is not simulated")
