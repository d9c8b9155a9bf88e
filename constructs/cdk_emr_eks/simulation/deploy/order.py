"""The order in which CloudFormation would create the resources of a template."""

from __future__ import annotations

import graphlib
from collections.abc import Iterator, Mapping

from cdk_emr_eks.assembly.expressions import function_call
from cdk_emr_eks.assembly.paths import mapping, sequence
from cdk_emr_eks.simulation.deploy.resolve import VARIABLE, UnresolvableError


def creation_order(resources: Mapping[str, object]) -> tuple[str, ...]:
    """Return logical ids so that each comes after what it depends on or refers to.

    Deletion is in the opposite order.

    Raises:
        UnresolvableError: If resources depend on each other in a circle.
    """
    graph = {
        name: set(_needs(mapping(body))) & resources.keys() for name, body in resources.items()
    }
    try:
        return tuple(graphlib.TopologicalSorter(graph).static_order())
    except graphlib.CycleError as error:
        circle = " -> ".join(str(name) for name in error.args[1])
        raise UnresolvableError(f"resources depend on each other: {circle}") from error


def _needs(body: Mapping[str, object]) -> Iterator[str]:
    needed = body.get("DependsOn")
    yield from [needed] if isinstance(needed, str) else map(str, sequence(needed))
    yield from references(body.get("Properties"))


def references(value: object) -> Iterator[str]:
    """Yield every name that a value's functions refer to: resources, parameters, pseudo ones."""
    if isinstance(value, list):
        for item in value:
            yield from references(item)
    elif isinstance(value, Mapping):
        function = function_call(value)
        yield from _of_function(*function) if function else references(list(value.values()))


def _of_function(name: str, argument: object) -> Iterator[str]:
    match name, argument:
        case "Ref", str(target):
            yield target
        case "Fn::GetAtt", str(text):
            yield text.split(".", 1)[0]
        case "Fn::GetAtt", [str(target), *_]:
            yield target
        case "Fn::Sub", str(text):
            yield from _of_text(text, {})
        case "Fn::Sub", [str(text), Mapping() as own]:
            yield from _of_text(text, own)
            yield from references(list(own.values()))
        case _:
            yield from references(argument)


def _of_text(text: str, own: Mapping[str, object]) -> Iterator[str]:
    for literal, variable in VARIABLE.findall(text):
        name = variable.strip()
        if not literal and name not in own:
            yield name.split(".", 1)[0]
