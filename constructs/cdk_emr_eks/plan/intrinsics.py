"""CloudFormation's intrinsic functions as text that a person can read.

What is known at synth is worked out; what only a deployment knows becomes a placeholder in the
notation of ``Fn::Sub``: ``${Logical}``, ``${Logical.Attribute}``, ``${AWS::Region}``.
"""

from __future__ import annotations

import json
from collections.abc import Mapping


class Intrinsics:
    """Resolves values of one template.

    Args:
        template: The template the values stand in: attributes of subnets and defaults of
            parameters are looked up there.
    """

    def __init__(self, template: Mapping[str, object]) -> None:
        self._resources = mapping(template.get("Resources"))

    def value(self, value: object) -> object:
        """Return the same value with each intrinsic function replaced by its text."""
        if isinstance(value, Mapping):
            function = intrinsic(value)
            if function is None:
                return {str(key): self.value(item) for key, item in value.items()}
            return self._call(*function)
        if isinstance(value, list):
            return [self.value(item) for item in value]
        return value

    def text(self, value: object) -> str:
        """Return a value as one line of text, the empty string for an absent one."""
        resolved = self.value(value)
        if resolved is None:
            return ""
        return resolved if isinstance(resolved, str) else json.dumps(resolved)

    def parsed(self, value: object) -> object:
        """Return the value that a JSON text holds, with placeholders in place of tokens.

        Raises:
            ValueError: If the text is no JSON, as when a token stands where JSON has a number.
        """
        return json.loads(self.text(value))

    def _call(self, name: str, argument: object) -> object:
        match name, argument:
            case "Ref", str(target):
                return f"${{{target}}}"
            case "Fn::GetAtt", _:
                return self._attribute(argument)
            case "Fn::Join", [str(delimiter), list(parts)]:
                return delimiter.join(self.text(part) for part in parts)
            case "Fn::Sub", str(text):
                return text
            case "Fn::Sub", [str(text), Mapping() as variables]:
                for key, item in variables.items():
                    text = text.replace(f"${{{key}}}", self.text(item))
                return text
            case "Fn::FindInMap", [str(table), _, str(entry)]:
                # Its key is the region, as a rule, which only the deployment knows.
                return f"${{{table}.{entry}}}"
            case "Fn::Select", [index, {"Fn::GetAZs": _}]:
                # The zones of an account have no names at synth; their positions are what counts.
                return f"zone-{int(str(index)) + 1}"
            case "Fn::Select", [index, list(items)] if int(str(index)) < len(items):
                return self.value(items[int(str(index))])
        return f"${{{name.removeprefix('Fn::')} {self.text(argument)}}}"

    def _attribute(self, argument: object) -> str:
        parts = argument.split(".") if isinstance(argument, str) else argument
        if not isinstance(parts, list):
            return "${GetAtt}"
        target, attribute = (
            str(parts[0]),
            ".".join(self.text(part) for part in parts[1:]),
        )
        resource = mapping(self._resources.get(target))
        if resource.get("Type") == "AWS::EC2::Subnet" and attribute == "AvailabilityZone":
            return self.text(mapping(resource.get("Properties")).get(attribute))
        return f"${{{target}.{attribute}}}"


def intrinsic(value: object) -> tuple[str, object] | None:
    """Return name and argument when the value is a call of an intrinsic function."""
    if not isinstance(value, Mapping) or len(value) != 1:
        return None
    name, argument = next(iter(value.items()))
    if name == "Ref" or str(name).startswith("Fn::"):
        return str(name), argument
    return None


def mapping(value: object) -> Mapping[str, object]:
    """Return the value if it is a mapping, else an empty one: absent parts read as empty."""
    return value if isinstance(value, Mapping) else {}


def sequence(value: object) -> list[object]:
    """Return the value if it is a list, else an empty one."""
    return value if isinstance(value, list) else []
