"""Check an object against the schema of a custom resource: structure, defaults and CEL rules.

Needs the extra ``manifests`` (jsonschema and a CEL evaluator): import this module only where the
extra is installed.
"""

from __future__ import annotations

import copy
import difflib
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, cast

import cel
from jsonschema import Draft202012Validator, ValidationError
from jsonschema.validators import extend

from cdk_emr_eks.errors import ConfigProblem
from cdk_emr_eks.tokens import has_token

Schema = Mapping[str, object]
Path = tuple[str | int, ...]

_RFC3339: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")
_BITS: Final = {"int32": 31, "int64": 63}
_MAX_SHOWN: Final = 120
_TRANSITION: Final = re.compile(r"\boldSelf\b")


def dotted(path: Path) -> str:
    """Return a path as users write it: ``spec.template.spec.requirements[0].key``."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}"
    return text.lstrip(".") or "the manifest"


def child_schemas(schema: Schema, value: object) -> Iterator[tuple[str | int, Schema, object]]:
    """Yield the parts of ``value`` directly below this place, each with its schema."""
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
    """Return a copy with the schema's defaults, as the API server sets them."""
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


def structural_problems(
    schema: Schema, value: object
) -> tuple[list[ConfigProblem], frozenset[Path]]:
    """Check the structure of a value.

    Args:
        schema: Structural schema of a custom resource.
        value: The whole object, as plain dicts and lists.

    Returns:
        The problems, and the places that the schema refuses, without unknown fields.
    """
    errors = list(_Validator(dict(schema)).iter_errors(value))
    problems = [_problem(error) for error in errors] + list(_unknown(schema, value, ()))
    return problems, frozenset(tuple(error.absolute_path) for error in errors)


def _problem(error: ValidationError) -> ConfigProblem:
    path: Path = tuple(error.absolute_path)
    limit = cast(Any, error.validator_value)
    if error.validator == "required":
        # One error for each missing name, which only the message has.
        return ConfigProblem(field=dotted((*path, error.message.split("'")[1])), rule="is required")
    if error.validator == "type":
        rule = f"must be of type {limit}"
    elif error.validator == "anyOf":
        rule = f"must be of type {' or '.join(choice['type'] for choice in limit)}"
    elif error.message.startswith("must "):
        rule = error.message
    else:
        rule = f"must have {error.validator} {limit}"
    return ConfigProblem(field=dotted(path), rule=rule, got=error.instance)


def _unknown(schema: Schema, value: object, path: Path) -> Iterator[ConfigProblem]:
    """Report the fields that the API server would prune."""
    names = cast(Mapping[str, Schema], schema.get("properties", {}))
    open_ = {"additionalProperties", "x-kubernetes-preserve-unknown-fields"} & schema.keys()
    if names and not open_ and isinstance(value, dict):
        for key in value.keys() - names.keys():
            near = difflib.get_close_matches(key, names, n=1)
            yield ConfigProblem(
                field=dotted((*path, key)),
                rule="is not a field of this resource; the cluster would drop it silently",
                fix=f"did you mean {near[0]!r}?" if near else f"known: {', '.join(names)}",
            )
    for key, below, item in child_schemas(schema, value):
        yield from _unknown(below, item, (*path, key))


# Keywords that Kubernetes adds to JSON Schema, or defines in another way. jsonschema calls each
# function with the validator, the keyword's value, the instance and the schema.


def _pattern(_: object, text: str, value: object, __: object) -> Iterator[ValidationError]:
    # Go's `$` is the end of the text; Python's also matches before a last newline.
    strict = re.sub(r"(?<!\\)\$", r"\\Z", text)
    if isinstance(value, str) and not has_token(value) and not re.search(strict, value):
        yield ValidationError(f"must match {text}")


def _length(_: object, limit: int, value: object, __: object) -> Iterator[ValidationError]:
    if isinstance(value, str) and not has_token(value) and len(value) > limit:
        yield ValidationError(f"must have at most {limit} characters")


def _choice(
    _: object, values: Sequence[object], value: object, __: object
) -> Iterator[ValidationError]:
    if value not in values and not (isinstance(value, str) and has_token(value)):
        yield ValidationError(f"must be one of {', '.join(map(str, values))}")


def _unique(_: object, kind: str, value: object, __: object) -> Iterator[ValidationError]:
    if kind == "set" and isinstance(value, list) and len(set(value)) < len(value):
        yield ValidationError("must not name the same thing twice")


def _form(_: object, name: str, value: object, __: object) -> Iterator[ValidationError]:
    bits = _BITS.get(name)
    if bits and isinstance(value, int) and not -(2**bits) <= value < 2**bits:
        yield ValidationError(f"must fit into {name}")
    if name == "date-time" and isinstance(value, str) and not _RFC3339.fullmatch(value):
        yield ValidationError("must be a date and time such as 2026-11-30T12:00:00Z")


# jsonschema's stubs leave `extend` without types.
_Validator: Final = extend(  # type: ignore[no-untyped-call]
    Draft202012Validator,
    validators={
        "pattern": _pattern,
        "maxLength": _length,
        "enum": _choice,
        "x-kubernetes-list-type": _unique,
        "format": _form,
    },
)


# ---- CEL rules


def broken_rules(schema: Schema, value: object, broken: frozenset[Path]) -> list[ConfigProblem]:
    """Evaluate the CEL rules (``x-kubernetes-validations``) of a schema on a value with defaults.

    The API server evaluates the rules after it has set defaults, each with ``self`` bound to the
    value at its place in the schema. A rule whose evaluation fails refuses the object, as one that
    is false does. A rule that reads ``oldSelf`` compares with the object before an update; the API
    server skips it at creation, and so does this function. It also skips a rule where the schema
    refuses something at or below the same place, which would report the same error twice.

    Args:
        schema: Structural schema with ``x-kubernetes-validations``.
        value: The whole object, as plain dicts and lists.
        broken: Places that the schema refuses.

    Source: https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/#validation-rules
    """
    return list(_walk(schema, value, (), broken))


def _walk(
    schema: Schema, value: object, path: Path, broken: frozenset[Path]
) -> Iterator[ConfigProblem]:
    rules = cast(list[Mapping[str, str]], schema.get("x-kubernetes-validations", []))
    if rules and not any(place[: len(path)] == path for place in broken):
        for rule in rules:
            if not _TRANSITION.search(rule["rule"]):
                yield from _evaluate(rule, value, path)
    for key, below, item in child_schemas(schema, value):
        yield from _walk(below, item, (*path, key), broken)


def _evaluate(rule: Mapping[str, str], value: object, path: Path) -> Iterator[ConfigProblem]:
    context = cel.Context(variables={"self": value}, functions={"find": _find, "split": _split})
    message = rule.get("message", f"must fulfil the rule {rule['rule']}")
    try:
        holds = cel.evaluate(rule["rule"], context)
    except (ArithmeticError, LookupError, RuntimeError, TypeError, ValueError) as error:
        # The API server refuses here, too. A function that this evaluator lacks also ends here: the
        # error names it.
        yield ConfigProblem(
            field=dotted(path),
            rule=f"breaks Karpenter's rule, whose evaluation failed ({error}): {message}",
        )
        return
    if holds is not True:
        # Printing the whole spec does not explain a rule about the whole spec.
        got = value if len(repr(value)) <= _MAX_SHOWN else None
        yield ConfigProblem(field=dotted(path), rule=f"breaks Karpenter's rule: {message}", got=got)


# Functions of Karpenter's rules that Kubernetes adds to CEL's standard library.
# Source: https://kubernetes.io/docs/reference/using-api/cel/#cel-options-language-features-and-libraries


def _find(text: str, pattern: str) -> str:
    match = re.search(pattern, text)
    return match.group() if match else ""


def _split(text: str, separator: str) -> list[str]:
    return text.split(separator)
