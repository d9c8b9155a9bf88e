"""Read CloudFormation YAML: the short forms (``!Sub``, ``!GetAtt``) become their long forms."""

from __future__ import annotations

from collections.abc import Callable

import yaml


class _Loader(yaml.SafeLoader):
    """A safe loader that knows CloudFormation's tags."""


def _intrinsic(name: str) -> Callable[[yaml.SafeLoader, yaml.Node], object]:
    def construct(loader: yaml.SafeLoader, node: yaml.Node) -> object:
        value: object
        if isinstance(node, yaml.ScalarNode):
            value = loader.construct_scalar(node)
        elif isinstance(node, yaml.SequenceNode):
            value = loader.construct_sequence(node, deep=True)
        else:
            assert isinstance(node, yaml.MappingNode)
            value = loader.construct_mapping(node, deep=True)
        if name == "Fn::GetAtt" and isinstance(value, str):
            value = value.split(".", 1)
        return {name: value}

    return construct


for _tag in ("Sub", "GetAtt", "Join", "Select", "Split", "If", "Equals", "Not", "FindInMap"):
    _Loader.add_constructor(f"!{_tag}", _intrinsic(f"Fn::{_tag}"))
for _tag in ("Ref", "Condition"):
    _Loader.add_constructor(f"!{_tag}", _intrinsic(_tag))


def load_template(text: str) -> dict[str, dict[str, object]]:
    """Parse a template into plain values."""
    # _Loader derives from SafeLoader: no Python object is ever made from the text.
    template = yaml.load(text, Loader=_Loader)
    assert isinstance(template, dict)
    return template
