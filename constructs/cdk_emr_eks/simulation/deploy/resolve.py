"""CloudFormation's function_call functions, worked out with what has been deployed so far.

``plan.view()`` makes of a function text for a person; here its value is needed, or an error. No
kept library does that for identifiers that are known only while deploying: moto's and cfn-lint's
resolvers are bound to their own resource models (moto's has no ``Fn::Cidr`` besides), and the
functions are a page. A test holds the pure ones against moto's.

Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/function_call-function-reference.html
"""

from __future__ import annotations

import base64
import ipaddress
import itertools
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from cdk_emr_eks.assembly.expressions import function_call
from cdk_emr_eks.assembly.paths import mapping, sequence

VARIABLE: Final = re.compile(r"\$\{(!?)([^}]+)\}")
"""A variable of ``Fn::Sub``; with ``!`` it is literal text."""
_NOTHING: Final = object()
# What AWS::NoValue stands for: the property is as if it were not there.


class UnresolvableError(ValueError):
    """A value of a template that cannot be worked out; the message says why."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Made:
    """What a template may know of a resource that was deployed.

    Args:
        ref: What ``Ref`` gives.
        attributes: What ``Fn::GetAtt`` gives, by name.
        invented: Make up an attribute that is not in ``attributes``: for resources that are only
            recorded.
    """

    ref: str
    attributes: Mapping[str, object]
    invented: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Surroundings:
    """What a template's functions refer to beside its own resources.

    Args:
        pseudo: Pseudo parameters by name, ``AWS::Region`` and so on.
        zones: Availability Zones of the Region.
        parameters: Values of the template's parameters.
        exports: Exported values of stacks deployed before, by name.
    """

    pseudo: Mapping[str, object]
    zones: tuple[str, ...]
    parameters: Mapping[str, object]
    exports: Mapping[str, object]


class Resolver:
    """Works out the values of one template.

    Args:
        template: The template: its mappings and conditions are used.
        surroundings: What lies around it.
        made: Its resources that are deployed, by logical id; the caller adds to it.
    """

    def __init__(
        self,
        template: Mapping[str, object],
        surroundings: Surroundings,
        made: Mapping[str, Made],
    ) -> None:
        self._mappings = mapping(template.get("Mappings"))
        self._conditions = mapping(template.get("Conditions"))
        self._around = surroundings
        self._made = made
        self._functions: Mapping[str, Callable[[object], object]] = {
            "Ref": self._ref,
            "Fn::Base64": lambda text: base64.b64encode(self._text(text).encode()).decode(),
            "Fn::Cidr": self._cidr,
            "Fn::FindInMap": self._find_in_map,
            "Fn::GetAtt": self._attribute,
            "Fn::GetAZs": self._zones,
            "Fn::If": self._if,
            "Fn::ImportValue": self._import,
            "Fn::Join": self._join,
            "Fn::Select": self._select,
            "Fn::Split": self._split,
            "Fn::Sub": self._sub,
            "Fn::And": lambda items: all(self.holds(item) for item in sequence(items)),
            "Fn::Or": lambda items: any(self.holds(item) for item in sequence(items)),
            "Fn::Not": lambda items: not self.holds(sequence(items)[0]),
            "Fn::Equals": self._equals,
            "Fn::Contains": self._contains,
        }

    def value(self, value: object) -> object:
        """Return the value with every function in it worked out.

        Raises:
            UnresolvableError: If a function is unknown, its arguments are wrong, or what it refers
                to is not there.
        """
        resolved = self._value(value)
        if resolved is _NOTHING:
            raise UnresolvableError("AWS::NoValue stands where a value is needed")
        return resolved

    def condition(self, name: str) -> bool:
        """Return whether a condition of the template holds.

        Raises:
            UnresolvableError: If the template has no such condition.
        """
        if name not in self._conditions:
            raise UnresolvableError(f"the template has no condition {name!r}")
        return self.holds(self._conditions[name])

    def holds(self, condition: object) -> bool:
        """Return whether an expression of conditions is true.

        Raises:
            UnresolvableError: If it is none.
        """
        # {"Condition": name} is a function inside conditions only; elsewhere a plain key.
        if isinstance(condition, Mapping) and set(condition) == {"Condition"}:
            return self.condition(str(condition["Condition"]))
        resolved = self.value(condition)
        if resolved in (True, "true"):
            return True
        if resolved in (False, "false"):
            return False
        raise UnresolvableError(f"a condition is needed, got {resolved!r}")

    def _value(self, value: object) -> object:
        if isinstance(value, Mapping):
            function = function_call(value)
            if function is not None:
                return self._call(*function)
            items = ((str(key), self._value(item)) for key, item in value.items())
            return {key: item for key, item in items if item is not _NOTHING}
        if isinstance(value, list):
            return [item for item in map(self._value, value) if item is not _NOTHING]
        return value

    def _call(self, name: str, argument: object) -> object:
        if name not in self._functions:
            raise UnresolvableError(f"the function {name} is not simulated")
        return self._functions[name](argument)

    def _text(self, value: object) -> str:
        resolved = self.value(value)
        if isinstance(resolved, bool):
            return "true" if resolved else "false"
        if isinstance(resolved, str | int | float):
            return str(resolved)
        raise UnresolvableError(f"text is needed, got {resolved!r}")

    def _list(self, value: object) -> list[object]:
        resolved = self.value(value)
        if not isinstance(resolved, list):
            raise UnresolvableError(f"a list is needed, got {resolved!r}")
        return resolved

    def _ref(self, argument: object) -> object:
        name = str(argument)
        if name == "AWS::NoValue":
            return _NOTHING
        for known in (self._around.pseudo, self._around.parameters):
            if name in known:
                return known[name]
        return self._of(name).ref

    def _of(self, name: str) -> Made:
        if name not in self._made:
            raise UnresolvableError(f"{name!r} is referred to, but was not deployed before")
        return self._made[name]

    def _attribute(self, argument: object) -> object:
        parts = argument.split(".", 1) if isinstance(argument, str) else sequence(argument)
        if len(parts) != 2:
            raise UnresolvableError(f"Fn::GetAtt takes a resource and an attribute: {argument!r}")
        name, attribute = str(parts[0]), self._text(parts[1])
        made = self._of(name)
        if attribute in made.attributes:
            return made.attributes[attribute]
        if made.invented:
            return f"{made.ref}/{attribute}"
        raise UnresolvableError(f"the attribute {attribute} of {name!r} is not simulated")

    def _join(self, argument: object) -> str:
        delimiter, parts = _pair("Fn::Join", argument)
        return self._text(delimiter).join(self._text(part) for part in self._list(parts))

    def _split(self, argument: object) -> list[str]:
        delimiter, text = _pair("Fn::Split", argument)
        return self._text(text).split(self._text(delimiter))

    def _select(self, argument: object) -> object:
        index, items = _pair("Fn::Select", argument)
        position, values = int(self._text(index)), self._list(items)
        if not 0 <= position < len(values):
            raise UnresolvableError(f"Fn::Select: there is no item {position} in {values!r}")
        return values[position]

    def _sub(self, argument: object) -> str:
        text, extra = (argument, {}) if isinstance(argument, str) else _pair("Fn::Sub", argument)
        own = mapping(extra)

        def put(match: re.Match[str]) -> str:
            literal, name = match.group(1), match.group(2).strip()
            if literal:
                return f"${{{name}}}"
            if name in own:
                return self._text(own[name])
            function = self._attribute if "." in name else self._ref
            return self._text(function(name))

        return VARIABLE.sub(put, str(text))

    def _if(self, argument: object) -> object:
        parts = sequence(argument)
        if len(parts) != 3:
            raise UnresolvableError(f"Fn::If takes a condition and two values: {argument!r}")
        return self._value(parts[1] if self.condition(str(parts[0])) else parts[2])

    def _find_in_map(self, argument: object) -> object:
        parts = [self._text(part) for part in sequence(argument)]
        found: object = self._mappings
        for part in parts:
            found = mapping(found).get(part)
        if len(parts) != 3 or found is None:
            raise UnresolvableError(f"Fn::FindInMap finds nothing at {' / '.join(parts)}")
        return found

    def _zones(self, argument: object) -> list[str]:
        region = self._text(argument)
        here = self._around.pseudo.get("AWS::Region")
        if region and region != here:
            raise UnresolvableError(f"zones of {region} are asked for; the stack is in {here}")
        return list(self._around.zones)

    def _cidr(self, argument: object) -> list[str]:
        parts = [self._text(part) for part in sequence(argument)]
        if len(parts) not in (2, 3):
            raise UnresolvableError(f"Fn::Cidr takes a block, a count and bits: {argument!r}")
        block = ipaddress.ip_network(parts[0])
        # AWS's default is 8 host bits, a /24 of IPv4.
        prefix = block.max_prefixlen - int(parts[2] if len(parts) == 3 else 8)
        count = int(parts[1])
        blocks = [str(each) for each in itertools.islice(block.subnets(new_prefix=prefix), count)]
        if len(blocks) < count:
            raise UnresolvableError(f"Fn::Cidr: {block} has no {count} blocks of /{prefix}")
        return blocks

    def _import(self, argument: object) -> object:
        name = self._text(argument)
        if name not in self._around.exports:
            raise UnresolvableError(f"no stack deployed before exports {name!r}")
        return self._around.exports[name]

    def _equals(self, argument: object) -> bool:
        one, other = _pair("Fn::Equals", argument)
        return self._text(one) == self._text(other)

    def _contains(self, argument: object) -> bool:
        items, item = _pair("Fn::Contains", argument)
        return self._text(item) in [self._text(each) for each in self._list(items)]


def _pair(name: str, argument: object) -> tuple[object, object]:
    parts = sequence(argument)
    if len(parts) != 2:
        raise UnresolvableError(f"{name} takes two arguments: {argument!r}")
    return parts[0], parts[1]
