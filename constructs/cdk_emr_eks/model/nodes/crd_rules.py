"""The CEL rules (``x-kubernetes-validations``) of a custom resource's schema, evaluated here.

The API server evaluates them after it has filled in defaults, each with ``self`` bound to the
value at its place in the schema; a rule whose evaluation fails refuses the object as one that is
false does. A rule that reads ``oldSelf`` compares with the object before an update: there is none
before a first deployment, and the API server skips it at creation, so it is skipped here, too.
Source: https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/#validation-rules

Needs the extra ``manifests`` (a CEL evaluator): import it only where that is known to be there.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Final, cast

import cel

from cdk_emr_eks.errors import ConfigProblem
from cdk_emr_eks.model.nodes.crd_schema import Path, Schema, child_schemas, dotted

_MAX_SHOWN: Final = 120
_TRANSITION: Final = re.compile(r"\boldSelf\b")


def broken_rules(schema: Schema, value: object, broken: frozenset[Path]) -> list[ConfigProblem]:
    """Evaluate every rule of the schema on a value that has its defaults.

    A rule is passed over where the schema itself refuses something at or below its place: that is
    reported already, and the rule would only fail on it a second time.

    Args:
        schema: Structural schema with ``x-kubernetes-validations``.
        value: The whole object, as plain dicts and lists.
        broken: Places that the schema refuses.
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
        # The API server refuses here, too. A function that this evaluator lacks ends here as well:
        # refused with its name, never passed over.
        yield ConfigProblem(
            field=dotted(path),
            rule=f"breaks Karpenter's rule, whose evaluation failed ({error}): {message}",
        )
        return
    if holds is not True:
        # A rule on the whole spec is not explained by printing all of it.
        got = value if len(repr(value)) <= _MAX_SHOWN else None
        yield ConfigProblem(field=dotted(path), rule=f"breaks Karpenter's rule: {message}", got=got)


# Kubernetes' own additions to CEL that Karpenter's rules use; the rest is CEL's standard library.
# Source: https://kubernetes.io/docs/reference/using-api/cel/#cel-options-language-features-and-libraries


def _find(text: str, pattern: str) -> str:
    match = re.search(pattern, text)
    return match.group() if match else ""


def _split(text: str, separator: str) -> list[str]:
    return text.split(separator)
