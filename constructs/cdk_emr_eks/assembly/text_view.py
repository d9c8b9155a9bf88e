"""Write the values of a template as text for a person.

What is known at synth is worked out. What only a deployment knows becomes a placeholder in the
notation of ``Fn::Sub``: ``${LogicalId}``, ``${LogicalId.Attribute}``, ``${AWS::Region}``.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import fields

from cdk_emr_eks.assembly.expressions import (
    And,
    Base64,
    Expression,
    FindInMap,
    GetAtt,
    GetAZs,
    GetStackOutput,
    ImportValue,
    Join,
    ListOf,
    Literal,
    MappingOf,
    Or,
    Ref,
    Select,
    Sub,
    Unknown,
    parse,
)
from cdk_emr_eks.assembly.paths import at, mapping, text

# Returns the value of a name that another template declares, None if it declares none.
Lookup = Callable[[Ref | GetAtt], object]


class TextView:
    """Texts for the values of one template.

    Args:
        template: Template that the values stand in. The zone of a subnet is looked up there.
        lookup: Finds names outside of the template: parameters that a parent stack passes, outputs
            of nested stacks.
    """

    def __init__(self, template: Mapping[str, object], lookup: Lookup | None = None) -> None:
        self._resources = mapping(template, "Resources")
        self._lookup = lookup

    def value(self, value: object) -> object:
        """Return a value of the template with each intrinsic function replaced by its text."""
        return self.of(parse(value))

    def text(self, value: object) -> str:
        """Return a value of the template as one line of text, the empty text for None."""
        return _line(self.value(value))

    def text_of(self, expression: Expression) -> str:
        """Return an expression as one line of text."""
        return _line(self.of(expression))

    def json(self, value: object) -> object:
        """Return the content of a JSON text, with placeholders in place of tokens.

        Raises:
            ValueError: If the text is not JSON, for example if a token stands for a number.
        """
        return json.loads(self.text(value))

    def of(self, expression: Expression) -> object:
        """Return an expression with each function in it replaced by its text."""
        match expression:
            case Literal(value):
                return value
            case ListOf(items):
                return [self.of(item) for item in items]
            case MappingOf(entries):
                return {key: self.of(item) for key, item in entries.items()}
            case Ref() | GetAtt():
                return self._name(expression)
            case Join(Literal(str(delimiter)), ListOf(items)):
                return delimiter.join(_line(self.of(item)) for item in items)
            case Sub(parts):
                return "".join(_line(self.of(part)) for part in parts)
            case Select():
                return self._select(expression)
            case FindInMap(Literal(str(table)), _, Literal(str(entry))):
                # The first key is usually the Region, which is known at deployment.
                return f"${{{table}.{entry}}}"
        return self._placeholder(expression)

    def _name(self, expression: Ref | GetAtt) -> object:
        found = self._lookup(expression) if self._lookup else None
        if found is not None:
            return found
        if isinstance(expression, Ref):
            return f"${{{expression.name}}}"
        attribute = _line(self.of(expression.attribute))
        resource = at(self._resources, expression.resource)
        if attribute == "AvailabilityZone" and at(resource, "Type") == "AWS::EC2::Subnet":
            return self.text(at(resource, "Properties", attribute))
        return f"${{{expression.resource}.{attribute}}}"

    def _select(self, expression: Select) -> object:
        match expression.index, expression.items:
            case Literal(value), GetAZs() if _index(value) is not None:
                # The names of an account's zones are known at deployment; positions are known now.
                return f"zone-{int(str(value)) + 1}"
            case Literal(value), ListOf(items) if _index(value, len(items)) is not None:
                return self.of(items[int(str(value))])
        return self._placeholder(expression)

    def _placeholder(self, expression: Expression) -> str:
        """Return a function with its arguments, as the template has them, as a placeholder."""
        name = type(expression).__name__
        argument: object = None
        match expression:
            case Unknown(function, given):
                name, argument = function.removeprefix("Fn::"), self.of(given)
            case GetAZs(given) | ImportValue(given) | Base64(given):
                argument = self.of(given)
            case And(conditions) | Or(conditions):
                argument = [self.of(item) for item in conditions]
            case GetStackOutput(stack, output):
                argument = {"StackName": self.of(stack), "OutputName": self.of(output)}
            case _:
                values = (getattr(expression, field.name) for field in fields(expression))
                argument = [
                    item if isinstance(item, str) else self.of(item)
                    for item in values
                    if item is not None
                ]
        return f"${{{name} {_line(argument)}}}"


def _index(value: object, length: int | None = None) -> int | None:
    """Return a literal index of ``Fn::Select``, None if it is no index of the list."""
    digits = text(value)
    if not digits.isdecimal() or (length is not None and int(digits) >= length):
        return None
    return int(digits)


def _line(value: object) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value)
