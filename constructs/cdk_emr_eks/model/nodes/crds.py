"""Check raw NodePools and EC2NodeClasses as the API server does, before deployment.

The schemas (``model/nodes/data``) are those of Karpenter's custom resource definitions, of the
version that ``versions.KARPENTER`` installs. In addition to what the schema refuses, the check
refuses what the API server drops silently: unknown fields, and ``status``. Needs the extra
``manifests``.
"""

from __future__ import annotations

import importlib.util
import json
import re
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.resources import files
from typing import Final, cast

from cdk_emr_eks.checks import Check
from cdk_emr_eks.errors import ConfigProblem, refuse

_FILES: Final = {
    ("karpenter.sh/v1", "NodePool"): "karpenter.sh_nodepools.json",
    ("karpenter.k8s.aws/v1", "EC2NodeClass"): "karpenter.k8s.aws_ec2nodeclasses.json",
}

# Metadata that a manifest can set; the API server sets the rest of ObjectMeta.
_METADATA: Final = ("name", "labels", "annotations", "finalizers", "ownerReferences")

# Source: https://kubernetes.io/docs/concepts/overview/working-with-objects/names/#dns-subdomain-names
_DNS_SUBDOMAIN: Final = re.compile(
    r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*"
)
_MAX_NAME: Final = 253


def validate_manifest(manifest: Mapping[str, object]) -> None:
    """Check a raw NodePool or EC2NodeClass.

    The schema's rules on text are not applied to strings with a CDK token: only deployment can
    check those. A CEL rule that reads such a string is evaluated on the token and may refuse it.

    Args:
        manifest: The Kubernetes object as plain values.

    Raises:
        ConfigError: If the manifest is of another kind, has an unknown field, lacks a required one,
            has a value that the schema does not allow, or breaks one of Karpenter's CEL rules; or
            if the extra ``manifests`` is not installed. The error lists all problems.
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
    # Imported here: it needs packages of an extra, which only this check needs.
    from cdk_emr_eks.model.nodes import crd_schema

    check = Check(where)
    check.add(_metadata_problems(metadata))
    check.require(
        "status" not in data, "status", "is written by Karpenter and dropped from a manifest"
    )
    schema = _schema(kind)
    found, broken = crd_schema.structural_problems(schema, data)
    filled = crd_schema.with_defaults(schema, data)
    check.add((*found, *crd_schema.broken_rules(schema, filled, broken)))
    check.raise_if_any()


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
    # JSON turns tuples and other mappings into the types of the schema.
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
        rule = f"is not metadata of a cluster-wide manifest; known: {', '.join(_METADATA)}"
        yield ConfigProblem(field=f"metadata.{key}", rule=rule, got=metadata[key])
    for key in ("labels", "annotations"):
        values = metadata.get(key, {})
        if not isinstance(values, dict) or not all(isinstance(v, str) for v in values.values()):
            yield ConfigProblem(field=f"metadata.{key}", rule="must map text to text", got=values)
