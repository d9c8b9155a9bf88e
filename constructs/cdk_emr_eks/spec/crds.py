"""Check raw NodePools and EC2NodeClasses as the API server would, before anything is deployed.

The schemas are those of Karpenter's own custom resource definitions, of the version that
``versions.KARPENTER`` installs (``spec/data``). What the schema refuses is refused here, and also
what the API server would drop without a word: unknown fields, and ``status``.
Needs the extra ``manifests``.
"""

from __future__ import annotations

import difflib
import importlib.util
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Final, cast

from cdk_emr_eks.errors import Problem, Problems, refuse
from cdk_emr_eks.spec.crd_rules import (
    Path,
    Schema,
    broken_rules,
    child_schemas,
    dotted,
    with_defaults,
)

if TYPE_CHECKING:
    from jsonschema import Draft202012Validator, ValidationError

_FILES: Final = {
    ("karpenter.sh/v1", "NodePool"): "karpenter.sh_nodepools.json",
    ("karpenter.k8s.aws/v1", "EC2NodeClass"): "karpenter.k8s.aws_ec2nodeclasses.json",
}

# What a manifest may say about itself; the API server sets the rest of ObjectMeta.
_METADATA: Final = ("name", "labels", "annotations", "finalizers", "ownerReferences")

# Source: https://kubernetes.io/docs/concepts/overview/working-with-objects/names/#dns-subdomain-names
_DNS_SUBDOMAIN: Final = re.compile(
    r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*"
)
_MAX_NAME: Final = 253
_RFC3339: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")


def validate_node_pool(manifest: Mapping[str, object]) -> None:
    """Check a raw ``karpenter.sh/v1`` NodePool.

    Raises:
        ConfigError: See ``validate_manifest``.
    """
    _validate(manifest, ("karpenter.sh/v1", "NodePool"))


def validate_node_class(manifest: Mapping[str, object]) -> None:
    """Check a raw ``karpenter.k8s.aws/v1`` EC2NodeClass.

    Raises:
        ConfigError: See ``validate_manifest``.
    """
    _validate(manifest, ("karpenter.k8s.aws/v1", "EC2NodeClass"))


def validate_manifest(manifest: Mapping[str, object]) -> None:
    """Check a raw NodePool or EC2NodeClass, whichever it says it is.

    Strings that hold a CDK token are free of the schema's rules on text, which only deployment can
    check; a CEL rule that reads a token's text is evaluated on the token and may refuse it.

    Args:
        manifest: The Kubernetes object as plain values.

    Raises:
        ConfigError: If it is of another kind, has a field that Karpenter does not know or lacks one
            it requires, has a value outside of the schema, breaks one of Karpenter's CEL rules, or
            if the extra ``manifests`` is not installed. All problems are named at once.
    """
    kind = (str(manifest.get("apiVersion", "")), str(manifest.get("kind", "")))
    if kind not in _FILES:
        known = " and ".join(" ".join(pair) for pair in _FILES)
        raise refuse(
            "Karpenter manifest", "apiVersion and kind", f"must be {known}", " ".join(kind)
        )
    _validate(manifest, kind)


def _validate(manifest: Mapping[str, object], kind: tuple[str, str]) -> None:
    data = _plain(manifest)
    metadata = data.get("metadata")
    name = metadata.get("name") if isinstance(metadata, dict) else None
    where = f"{kind[1]} {name!r}" if isinstance(name, str) else kind[1]
    _require_extra(where)
    problems = Problems(where)
    given = (data.get("apiVersion"), data.get("kind"))
    problems.require(given == kind, "apiVersion and kind", f"must be {' '.join(kind)}", given)
    problems.extend(tuple(_metadata_problems(metadata)))
    schema = _schema(kind)
    errors = list(_validator(kind).iter_errors(data))
    problems.extend(tuple(p for error in errors for p in _structural(error)))
    problems.extend(tuple(_unknown(schema, data, ())))
    problems.require(
        "status" not in data, "status", "is written by Karpenter and dropped from a manifest"
    )
    broken = frozenset(tuple(error.absolute_path) for error in errors)
    problems.extend(tuple(broken_rules(schema, with_defaults(schema, data), broken)))
    problems.raise_if_any()


def _require_extra(where: str) -> None:
    missing = [name for name in ("cel", "jsonschema") if importlib.util.find_spec(name) is None]
    if missing:
        raise refuse(
            where,
            "a raw Karpenter manifest",
            f"is checked with packages that are not installed ({', '.join(missing)})",
            fix="pip install cdk-emr-eks[manifests]",
        )


def _plain(value: Mapping[str, object]) -> dict[str, object]:
    # Through JSON: tuples and other mappings become what the schema knows.
    return cast(dict[str, object], json.loads(json.dumps(value, default=dict)))


@cache
def _schema(kind: tuple[str, str]) -> Schema:
    data = json.loads((files("cdk_emr_eks.spec") / "data" / _FILES[kind]).read_text())
    return cast(Schema, data["schema"])


@cache
def _validator(kind: tuple[str, str]) -> Draft202012Validator:
    # Imported here: an extra of the distribution, which only this check needs.
    from jsonschema import Draft202012Validator, ValidationError
    from jsonschema.validators import extend

    def pattern(_: object, text: str, value: object, __: object) -> Iterator[ValidationError]:
        # Go's `$` is the end of the text; Python's also matches before a last newline.
        strict = re.sub(r"(?<!\\)\$", r"\\Z", text)
        if isinstance(value, str) and not _is_token(value) and not re.search(strict, value):
            yield ValidationError(f"must match {text}")

    def length(_: object, limit: int, value: object, __: object) -> Iterator[ValidationError]:
        if isinstance(value, str) and not _is_token(value) and len(value) > limit:
            yield ValidationError(f"must have at most {limit} characters")

    def choice(
        _: object, values: Sequence[object], value: object, __: object
    ) -> Iterator[ValidationError]:
        if value not in values and not (isinstance(value, str) and _is_token(value)):
            yield ValidationError(f"must be one of {', '.join(map(str, values))}")

    def unique(_: object, list_type: str, value: object, __: object) -> Iterator[ValidationError]:
        if list_type == "set" and isinstance(value, list) and len(set(value)) < len(value):
            yield ValidationError("must not name the same thing twice")

    def form(_: object, name: str, value: object, __: object) -> Iterator[ValidationError]:
        bits = {"int32": 31, "int64": 63}.get(name)
        if bits and isinstance(value, int) and not -(2**bits) <= value < 2**bits:
            yield ValidationError(f"must fit into {name}")
        if name == "date-time" and isinstance(value, str) and not _RFC3339.fullmatch(value):
            yield ValidationError("must be a date and time such as 2026-11-30T12:00:00Z")

    rules = {
        "pattern": pattern,
        "maxLength": length,
        "enum": choice,
        "x-kubernetes-list-type": unique,
        "format": form,
    }
    validator = extend(Draft202012Validator, validators=rules)
    return cast("Draft202012Validator", validator(dict(_schema(kind))))


def _structural(error: ValidationError) -> Iterator[Problem]:
    path: Path = tuple(error.absolute_path)
    if error.validator == "required":
        # One error for each missing name: its message alone says which.
        yield Problem(field=dotted((*path, error.message.split("'")[1])), rule="is required")
    elif error.validator == "type":
        yield Problem(
            field=dotted(path), rule=f"must be of type {error.validator_value}", got=error.instance
        )
    elif error.validator == "anyOf":
        types = " or ".join(choice["type"] for choice in error.validator_value)
        yield Problem(field=dotted(path), rule=f"must be of type {types}", got=error.instance)
    elif error.message.startswith("must "):
        yield Problem(field=dotted(path), rule=error.message, got=error.instance)
    else:
        rule = f"must have {error.validator} {error.validator_value}"
        yield Problem(field=dotted(path), rule=rule, got=error.instance)


def _unknown(schema: Schema, value: object, path: Path) -> Iterator[Problem]:
    """Name the fields that the API server would prune."""
    names = cast(Mapping[str, Schema], schema.get("properties", {}))
    closed = bool(names) and not {
        "additionalProperties",
        "x-kubernetes-preserve-unknown-fields",
    } & {*schema}
    if closed and isinstance(value, dict):
        for key in value:
            if key not in names:
                near = difflib.get_close_matches(key, names, n=1)
                yield Problem(
                    field=dotted((*path, key)),
                    rule="is no field of this resource, and the cluster would drop it silently",
                    fix=f"did you mean {near[0]!r}?" if near else f"known: {', '.join(names)}",
                )
    for key, below, item in child_schemas(schema, value):
        yield from _unknown(below, item, (*path, key))


def _metadata_problems(metadata: object) -> Iterator[Problem]:
    if not isinstance(metadata, dict):
        yield Problem(field="metadata", rule="is required, with a name", got=metadata)
        return
    name = metadata.get("name")
    if not isinstance(name, str) or not _DNS_SUBDOMAIN.fullmatch(name) or len(name) > _MAX_NAME:
        rule = f"must be a DNS subdomain (a-z, 0-9, '-', '.', at most {_MAX_NAME})"
        yield Problem(field="metadata.name", rule=rule, got=name)
    for key in sorted(metadata.keys() - set(_METADATA)):
        rule = f"has no place in a cluster-wide manifest; known: {', '.join(_METADATA)}"
        yield Problem(field=f"metadata.{key}", rule=rule, got=metadata[key])
    for key in ("labels", "annotations"):
        values = metadata.get(key, {})
        if not isinstance(values, dict) or not all(isinstance(v, str) for v in values.values()):
            yield Problem(field=f"metadata.{key}", rule="must map text to text", got=values)


def _is_token(text: str) -> bool:
    return "${Token[" in text
