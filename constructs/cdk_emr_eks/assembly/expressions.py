"""Parse CloudFormation's intrinsic functions into a typed tree.

This is the only parser of intrinsic functions. `parse` never fails: a function that is unknown, or
whose arguments have the wrong shape, becomes `Unknown`. The visitors of this package read the tree:
`text_view` (for a person), `arn_patterns`, `references` and `evaluation`.

Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/intrinsic-function-reference.html
(2026-11)
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, fields
from typing import Final, TypeAlias, get_args

_VARIABLE: Final = re.compile(r"\$\{(!?)([^}]+)\}")


@dataclass(frozen=True, slots=True)
class Literal:
    """Text, a number, a boolean or null."""

    value: object


@dataclass(frozen=True, slots=True)
class ListOf:
    """A list."""

    items: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class MappingOf:
    """A mapping that is not a function call."""

    items: Mapping[str, Expression]


@dataclass(frozen=True, slots=True)
class Ref:
    """``Ref``: a resource, a parameter or a pseudo parameter."""

    name: str


@dataclass(frozen=True, slots=True)
class GetAtt:
    """``Fn::GetAtt``: an attribute of a resource. The attribute may be a function."""

    resource: str
    attribute: Expression


@dataclass(frozen=True, slots=True)
class Join:
    """``Fn::Join``. The items are a ``ListOf`` or a function that returns a list."""

    delimiter: Expression
    items: Expression


@dataclass(frozen=True, slots=True)
class Sub:
    """``Fn::Sub``, with ``${!Name}`` unescaped to ``${Name}`` once.

    Args:
        parts: Literal text and the expressions between it, in order. A variable of the function's
            own mapping is replaced by its value; others are ``Ref`` and ``GetAtt``.
        source: Text as the template has it.
        variables: The function's own mapping.
    """

    parts: tuple[Expression, ...]
    source: str
    variables: Mapping[str, Expression]


@dataclass(frozen=True, slots=True)
class Select:
    """``Fn::Select``. Both the index and the list may be functions."""

    index: Expression
    items: Expression


@dataclass(frozen=True, slots=True)
class Split:
    """``Fn::Split``."""

    delimiter: Expression
    source: Expression


@dataclass(frozen=True, slots=True)
class If:
    """``Fn::If`` with the name of a condition."""

    condition: str
    then: Expression
    otherwise: Expression


@dataclass(frozen=True, slots=True)
class FindInMap:
    """``Fn::FindInMap``. The default is an option of ``AWS::LanguageExtensions``."""

    table: Expression
    first: Expression
    second: Expression
    default: Expression | None = None


@dataclass(frozen=True, slots=True)
class GetAZs:
    """``Fn::GetAZs``. The empty text is the Region of the stack."""

    region: Expression


@dataclass(frozen=True, slots=True)
class ImportValue:
    """``Fn::ImportValue``: an export of another stack."""

    name: Expression


@dataclass(frozen=True, slots=True)
class GetStackOutput:
    """``Fn::GetStackOutput``: an output of another stack, which needs no export."""

    stack_name: Expression
    output_name: Expression
    region: Expression | None = None
    role_arn: Expression | None = None


@dataclass(frozen=True, slots=True)
class Base64:
    """``Fn::Base64``."""

    source: Expression


@dataclass(frozen=True, slots=True)
class Cidr:
    """``Fn::Cidr``. Without host bits, each block has 8."""

    block: Expression
    count: Expression
    host_bits: Expression | None = None


@dataclass(frozen=True, slots=True)
class And:
    """``Fn::And``."""

    conditions: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class Or:
    """``Fn::Or``."""

    conditions: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class Not:
    """``Fn::Not``."""

    condition: Expression


@dataclass(frozen=True, slots=True)
class Equals:
    """``Fn::Equals``."""

    left: Expression
    right: Expression


@dataclass(frozen=True, slots=True)
class Contains:
    """``Fn::Contains``, a function of rules."""

    items: Expression
    item: Expression


@dataclass(frozen=True, slots=True)
class Condition:
    """``{"Condition": name}``, a function inside conditions only."""

    name: str


@dataclass(frozen=True, slots=True)
class Unknown:
    """A function that is not known, or whose arguments have the wrong shape.

    Args:
        function: Name as in the template.
        argument: Its argument.
        problem: Shape that the function needs; empty if the function is not known.
    """

    function: str
    argument: Expression
    problem: str = ""


Expression: TypeAlias = (
    Literal
    | ListOf
    | MappingOf
    | Ref
    | GetAtt
    | Join
    | Sub
    | Select
    | Split
    | If
    | FindInMap
    | GetAZs
    | ImportValue
    | GetStackOutput
    | Base64
    | Cidr
    | And
    | Or
    | Not
    | Equals
    | Contains
    | Condition
    | Unknown
)


def parse(value: object) -> Expression:
    """Return the tree of a value of a template, for example of a property.

    ``{"Condition": name}`` is a plain mapping here; see `parse_condition`.
    """
    if isinstance(value, Mapping):
        call = function_call(value)
        if call is not None:
            return _parse_call(*call)
        return MappingOf({str(key): parse(item) for key, item in value.items()})
    if isinstance(value, list | tuple):
        return ListOf(tuple(parse(item) for item in value))
    return Literal(value)


def parse_condition(value: object) -> Expression:
    """Return the tree of a condition, where ``{"Condition": name}`` is a function."""
    if isinstance(value, Mapping) and set(value) == {"Condition"}:
        return Condition(str(value["Condition"]))
    return parse(value)


def function_call(value: object) -> tuple[str, object] | None:
    """Return name and argument if the value calls an intrinsic function, else None."""
    if not isinstance(value, Mapping) or len(value) != 1:
        return None
    name, argument = next(iter(value.items()))
    if name == "Ref" or str(name).startswith("Fn::"):
        return str(name), argument
    return None


def children(expression: Expression) -> Iterator[Expression]:
    """Yield the expressions directly inside an expression."""
    for field in fields(expression):
        value = getattr(expression, field.name)
        if isinstance(expression, Sub) and field.name == "variables":
            continue  # the parts hold those that are used
        if isinstance(value, tuple):
            yield from value
        elif isinstance(value, Mapping) and isinstance(expression, MappingOf):
            yield from value.values()
        elif isinstance(value, _NODES):
            yield value


def walk(expression: Expression) -> Iterator[Expression]:
    """Yield an expression and every expression inside it, outer ones first."""
    yield expression
    for child in children(expression):
        yield from walk(child)


def _parse_call(name: str, argument: object) -> Expression:
    reader = _PARSERS.get(name)
    parsed = reader(argument) if reader else ""
    if isinstance(parsed, str):
        return Unknown(name, parse(argument), parsed)
    return parsed


# Each parser returns an expression, or the shape that its function needs.


def _ref(argument: object) -> Expression | str:
    return Ref(argument) if isinstance(argument, str) else "takes a name"


def _get_att(argument: object) -> Expression | str:
    # As text, the first dot ends the logical id; attributes have dots themselves.
    match argument.split(".", 1) if isinstance(argument, str) else argument:
        case [str(resource), *attribute] if attribute:
            if all(isinstance(part, str) for part in attribute):
                return GetAtt(resource, Literal(".".join(map(str, attribute))))
            if len(attribute) == 1:
                return GetAtt(resource, parse(attribute[0]))
    return "takes a resource and an attribute"


def _join(argument: object) -> Expression | str:
    match argument:
        case [delimiter, items]:
            return Join(parse(delimiter), parse(items))
    return "takes two arguments: a delimiter and a list"


def _sub(argument: object) -> Expression | str:
    match argument:
        case str(source):
            return _sub_of(source, {})
        case [str(source), Mapping() as own]:
            return _sub_of(source, {str(key): parse(item) for key, item in own.items()})
    return "takes a text, or a text and a mapping of variables"


def _sub_of(source: str, variables: Mapping[str, Expression]) -> Sub:
    parts: list[Expression] = []
    end = 0
    literal = ""
    for match in _VARIABLE.finditer(source):
        literal += source[end : match.start()]
        end = match.end()
        name = match[2].strip()
        if match[1]:
            literal += f"${{{name}}}"
            continue
        if literal:
            parts.append(Literal(literal))
        literal = ""
        parts.append(variables[name] if name in variables else _variable(name))
    literal += source[end:]
    if literal or not parts:
        parts.append(Literal(literal))
    return Sub(tuple(parts), source, variables)


def _variable(name: str) -> Expression:
    resource, dot, attribute = name.partition(".")
    return GetAtt(resource, Literal(attribute)) if dot else Ref(name)


def _select(argument: object) -> Expression | str:
    match argument:
        case [index, items]:
            return Select(parse(index), parse(items))
    return "takes two arguments: an index and a list"


def _split(argument: object) -> Expression | str:
    match argument:
        case [delimiter, source]:
            return Split(parse(delimiter), parse(source))
    return "takes two arguments: a delimiter and a text"


def _if(argument: object) -> Expression | str:
    match argument:
        case [str(condition), then, otherwise]:
            return If(condition, parse(then), parse(otherwise))
    return "takes a condition and two values"


def _find_in_map(argument: object) -> Expression | str:
    match argument:
        case [table, first, second]:
            return FindInMap(parse(table), parse(first), parse(second))
        case [table, first, second, {"DefaultValue": default}]:
            return FindInMap(parse(table), parse(first), parse(second), parse(default))
    return "takes the name of a mapping and two keys"


def _get_stack_output(argument: object) -> Expression | str:
    match argument:
        case {"StackName": stack_name, "OutputName": output_name, **rest}:
            region, role_arn = rest.get("Region"), rest.get("RoleArn")
            return GetStackOutput(
                parse(stack_name),
                parse(output_name),
                None if region is None else parse(region),
                None if role_arn is None else parse(role_arn),
            )
    return "takes StackName and OutputName"


def _cidr(argument: object) -> Expression | str:
    match argument:
        case [block, count]:
            return Cidr(parse(block), parse(count))
        case [block, count, host_bits]:
            return Cidr(parse(block), parse(count), parse(host_bits))
    return "takes a block, a count and the number of host bits"


def _and(argument: object) -> Expression | str:
    match argument:
        case [*conditions]:
            return And(tuple(parse_condition(item) for item in conditions))
    return "takes a list of conditions"


def _or(argument: object) -> Expression | str:
    match argument:
        case [*conditions]:
            return Or(tuple(parse_condition(item) for item in conditions))
    return "takes a list of conditions"


def _not(argument: object) -> Expression | str:
    match argument:
        case [condition]:
            return Not(parse_condition(condition))
    return "takes a list of one condition"


def _equals(argument: object) -> Expression | str:
    match argument:
        case [left, right]:
            return Equals(parse(left), parse(right))
    return "takes two arguments to compare"


def _contains(argument: object) -> Expression | str:
    match argument:
        case [items, item]:
            return Contains(parse(items), parse(item))
    return "takes two arguments: a list and a text"


_PARSERS: Final[Mapping[str, Callable[[object], Expression | str]]] = {
    "Ref": _ref,
    "Fn::GetAtt": _get_att,
    "Fn::Join": _join,
    "Fn::Sub": _sub,
    "Fn::Select": _select,
    "Fn::Split": _split,
    "Fn::If": _if,
    "Fn::FindInMap": _find_in_map,
    "Fn::GetAZs": lambda region: GetAZs(parse(region)),
    "Fn::ImportValue": lambda name: ImportValue(parse(name)),
    "Fn::GetStackOutput": _get_stack_output,
    "Fn::Base64": lambda source: Base64(parse(source)),
    "Fn::Cidr": _cidr,
    "Fn::And": _and,
    "Fn::Or": _or,
    "Fn::Not": _not,
    "Fn::Equals": _equals,
    "Fn::Contains": _contains,
}

_NODES: Final = get_args(Expression)
