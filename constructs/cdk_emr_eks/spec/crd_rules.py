"""The CEL rules (``x-kubernetes-validations``) of a custom resource's schema, evaluated here.

The API server evaluates them after it has filled in defaults, each with ``self`` bound to the
value at its place in the schema; a rule whose evaluation fails refuses the object as one that is
false does. A rule that reads ``oldSelf`` compares with the object before an update: there is none
before a first deployment, and the API server skips it at creation, so it is skipped here, too.
Source: https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/#validation-rules
"""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator, Mapping
from typing import Final, cast

from cdk_emr_eks.errors import Problem

Schema = Mapping[str, object]
Path = tuple[str | int, ...]

_MAX_SHOWN: Final = 120
_TRANSITION: Final = re.compile(r"\boldSelf\b")


def dotted(path: Path) -> str:
    """Write a path as users do: ``spec.template.spec.requirements[0].key``."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}"
    return text.lstrip(".") or "the manifest"


def child_schemas(schema: Schema, value: object) -> Iterator[tuple[str | int, Schema, object]]:
    """Yield the part of ``value`` below this place that the schema describes, with its schema."""
    if isinstance(value, dict):
        properties = cast(Mapping[str, Schema], schema.get("properties", {}))
        rest = schema.get("additionalProperties")
        for key, item in value.items():
            below = properties.get(key, rest)
            if isinstance(below, Mapping):
                yield key, below, item
    elif isinstance(value, list) and isinstance(schema.get("items"), Mapping):
        for index, item in enumerate(value):
            yield index, cast(Schema, schema["items"]), item


def with_defaults(schema: Schema, value: object) -> object:
    """Fill in the schema's defaults as the API server does, into a copy."""
    value = copy.deepcopy(value)
    _fill(schema, value)
    return value


def _fill(schema: Schema, value: object) -> None:
    if isinstance(value, dict):
        for name, below in cast(Mapping[str, Schema], schema.get("properties", {})).items():
            if name not in value and "default" in below:
                value[name] = copy.deepcopy(below["default"])
    for _, below, item in child_schemas(schema, value):
        _fill(below, item)


def broken_rules(schema: Schema, value: object, broken: frozenset[Path]) -> list[Problem]:
    """Evaluate every rule of the schema on a value that has its defaults.

    A rule is passed over where the schema itself refuses something at or below its place: that is
    reported already, and the rule would only fail on it a second time.

    Args:
        schema: Structural schema with ``x-kubernetes-validations``.
        value: The whole object, as plain dicts and lists.
        broken: Places that the schema refuses.
    """
    return list(_walk(schema, value, (), broken))


def _walk(schema: Schema, value: object, path: Path, broken: frozenset[Path]) -> Iterator[Problem]:
    rules = cast(list[Mapping[str, str]], schema.get("x-kubernetes-validations", []))
    if rules and not any(place[: len(path)] == path for place in broken):
        for rule in rules:
            if not _TRANSITION.search(rule["rule"]):
                yield from _evaluate(rule, value, path)
    for key, below, item in child_schemas(schema, value):
        yield from _walk(below, item, (*path, key), broken)


def _evaluate(rule: Mapping[str, str], value: object, path: Path) -> Iterator[Problem]:
    # Imported here: an extra of the distribution, which only this check needs.
    import cel

    context = cel.Context(variables={"self": value}, functions={"find": _find, "split": _split})
    message = rule.get("message", f"must fulfil the rule {rule['rule']}")
    try:
        holds = cel.evaluate(rule["rule"], context)
    except (ArithmeticError, LookupError, RuntimeError, TypeError, ValueError) as error:
        # The API server refuses here, too. A function that this evaluator lacks ends here as well:
        # refused with its name, never passed over.
        yield Problem(
            field=dotted(path),
            rule=f"breaks Karpenter's rule, whose evaluation failed ({error}): {message}",
        )
        return
    if holds is not True:
        # A rule on the whole spec is not explained by printing all of it.
        got = value if len(repr(value)) <= _MAX_SHOWN else None
        yield Problem(field=dotted(path), rule=f"breaks Karpenter's rule: {message}", got=got)


# Kubernetes' own additions to CEL that Karpenter's rules use; the rest is CEL's standard library.
# Source: https://kubernetes.io/docs/reference/using-api/cel/#cel-options-language-features-and-libraries


def _find(text: str, pattern: str) -> str:
    match = re.search(pattern, text)
    return match.group() if match else ""


def _split(text: str, separator: str) -> list[str]:
    return text.split(separator)
