"""cdk-nag's AwsSolutions pack over a synthesized app, and the reasons for what is accepted.

cdk-nag 3 is a validation plugin that fails the synthesis at the first violation. Here its pack is
applied to the construct tree after the synthesis instead, which reports all of them, and accepted
ones too, so that an acknowledgement of something that is no longer found is seen as stale.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import aws_cdk as cdk
from cdk_nag import AwsSolutionsChecks

PACK: Final = "AwsSolutions::"


@dataclass(frozen=True, kw_only=True, slots=True)
class NagReport:
    """What cdk-nag says of an app.

    Attributes:
        findings: ``path: rule: text`` of what nothing accepts.
        stale: ``path: rule`` of acknowledgements that accept nothing.
        wrong: Acknowledgements without a reason or without the pack's name before the rule's.
    """

    findings: tuple[str, ...]
    stale: tuple[str, ...]
    wrong: tuple[str, ...]


def nag_report(app: cdk.App) -> NagReport:
    """Apply the pack to an app that has been synthesized to ``app.outdir``."""
    accepted: dict[tuple[str, str], str] = {}
    wrong: list[str] = []
    for path, rule, reason in _acknowledged(Path(app.outdir)):
        if not reason.strip():
            wrong.append(f"{path}: {rule}: no reason")
        if rule.startswith("Annotation::AwsSolutions"):
            wrong.append(f"{path}: {rule}: write {PACK}{rule.removeprefix('Annotation::')}")
        if rule.startswith(PACK):
            accepted[path, rule.removeprefix(PACK)] = reason
    findings: list[str] = []
    used: set[tuple[str, str]] = set()
    for violation in AwsSolutionsChecks().validate_scope(app).violations:
        for resource in violation.violating_resources:
            path = resource.construct_path or ""
            by = {(above, violation.rule_name) for above in _upwards(path)} & accepted.keys()
            used |= by
            if not by:
                findings.append(f"{path}: {violation.rule_name}: {violation.description}")
    return NagReport(
        findings=tuple(sorted(findings)),
        stale=tuple(f"{path}: {rule}" for path, rule in sorted(accepted.keys() - used)),
        wrong=tuple(wrong),
    )


def _upwards(path: str) -> Iterator[str]:
    parts = path.split("/")
    for count in range(len(parts), 0, -1):
        yield "/".join(parts[:count])
    yield ""


def _acknowledged(assembly: Path) -> Iterator[tuple[str, str, str]]:
    """Yield the path, rule and reason of every acknowledgement in an assembly."""
    for manifest in sorted(assembly.rglob("manifest.json")):
        for artifact in json.loads(manifest.read_text()).get("artifacts", {}).values():
            metadata = dict(artifact.get("metadata", {}))
            if "additionalMetadataFile" in artifact:
                file = manifest.parent / artifact["additionalMetadataFile"]
                metadata |= json.loads(file.read_text())
            for path, entries in metadata.items():
                for entry in entries:
                    if entry["type"] == cdk.Validations.ACKNOWLEDGED_RULES_METADATA_KEY:
                        for rule, reason in entry["data"].items():
                            yield path.strip("/"), rule, reason
