"""Check raw NodePools and EC2NodeClasses as the API server would, before anything is deployed.

The schemas are those of Karpenter's own custom resource definitions, of the version that
``versions.KARPENTER`` installs (``model/nodes/data``). What the schema refuses is refused here,
and also what the API server would drop without a word: unknown fields, and ``status``. Needs the
extra ``manifests``.
"""

from __future__ import annotations

import importlib.util
import json
import re
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.resources import files
from typing import Final, cast

from cdk_emr_eks.errors import ConfigProblem, Problems, refuse

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
    data = _plain(manifest)
    metadata = data.get("metadata")
    name = metadata.get("name") if isinstance(metadata, dict) else None
    where = f"{kind[1]} {name!r}" if isinstance(name, str) else kind[1]
    _require_extra(where)
    # Imported here: both need packages of an extra, which only this check needs.
    from cdk_emr_eks.model.nodes import crd_rules, crd_schema

    problems = Problems(where)
    problems.extend(tuple(_metadata_problems(metadata)))
    problems.require(
        "status" not in data, "status", "is written by Karpenter and dropped from a manifest"
    )
    schema = _schema(kind)
    found, broken = crd_schema.structural_problems(schema, data)
    filled = crd_schema.with_defaults(schema, data)
    problems.extend((*found, *crd_rules.broken_rules(schema, filled, broken)))
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
def _schema(kind: tuple[str, str]) -> Mapping[str, object]:
    data = json.loads((files("cdk_emr_eks.model.nodes") / "data" / _FILES[kind]).read_text())
    return cast(Mapping[str, object], data["schema"])


def _metadata_problems(metadata: object) -> Iterator[ConfigProblem]:
    if not isinstance(metadata, dict):
        yield ConfigProblem(field="metadata", rule="is required, with a name", got=metadata)
        return
    name = metadata.get("name")
    if not isinstance(name, str) or not _DNS_SUBDOMAIN.fullmatch(name) or len(name) > _MAX_NAME:
        rule = f"must be a DNS subdomain (a-z, 0-9, '-', '.', at most {_MAX_NAME})"
        yield ConfigProblem(field="metadata.name", rule=rule, got=name)
    for key in sorted(metadata.keys() - set(_METADATA)):
        rule = f"has no place in a cluster-wide manifest; known: {', '.join(_METADATA)}"
        yield ConfigProblem(field=f"metadata.{key}", rule=rule, got=metadata[key])
    for key in ("labels", "annotations"):
        values = metadata.get(key, {})
        if not isinstance(values, dict) or not all(isinstance(v, str) for v in values.values()):
            yield ConfigProblem(field=f"metadata.{key}", rule="must map text to text", got=values)
