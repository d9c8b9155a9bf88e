"""Write the permissions of CloudFormation's resource handlers as data of ``deploy_policy``.

    make refresh-handlers

CloudFormation publishes a schema for each resource type. Its ``handlers`` list the IAM actions that
CloudFormation calls to create, read, update and delete a resource. The schemas come from the
installed cfn-lint, which ships those of every Region: upgrade cfn-lint to get newer ones.
"""

from __future__ import annotations

import importlib.metadata
import json
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).resolve().parents[2]
DATA: Final = ROOT / "constructs/cdk_emr_eks/deploy_policy/handlers.json"
_SCHEMAS: Final = files("cfnlint") / "data/schemas"
# Types differ little between Regions; every type exists in the oldest one.
_REGION: Final = "us-east-1"
# CloudFormation does not list resources when it deploys a stack.
_OPERATIONS: Final = ("create", "read", "update", "delete")

_VERB: Final = re.compile(r"[A-Za-z0-9]+\*?|\*")

Handlers = Mapping[str, Mapping[str, str]]


def schemas() -> Iterator[Mapping[str, Any]]:
    """Yield the schema of each resource type."""
    region = json.loads((_SCHEMAS / f"providers/{_REGION}.json").read_text(encoding="utf-8"))
    for _, digest in sorted(region.items()):
        text = (_SCHEMAS / f"resources/{digest}.json").read_text(encoding="utf-8")
        yield json.loads(text)


def actions(schema: Mapping[str, Any]) -> Mapping[str, str]:
    """Return the verbs of a type's handlers by service, separated by spaces."""
    verbs: dict[str, set[str]] = defaultdict(set)
    handlers = schema.get("handlers", {})
    for operation in _OPERATIONS:
        for action in handlers.get(operation, {}).get("permissions", []):
            service, _, verb = action.partition(":")
            # `s3:REST.PUT.OBJECT` is an event of S3, and no action that IAM takes.
            if _VERB.fullmatch(verb):
                # A few schemas write services with capital letters, which IAM ignores.
                verbs[service.lower()].add(verb[:1].upper() + verb[1:])
    return {service: " ".join(sorted(verbs[service])) for service in sorted(verbs)}


def handlers() -> Handlers:
    """Return the actions of all types whose handlers name their actions."""
    found = {schema["typeName"]: actions(schema) for schema in schemas()}
    # `s3:*` is no list of what a handler calls, and as a right it is far too wide.
    return {kind: verbs for kind, verbs in found.items() if verbs and "*" not in verbs.values()}


def render() -> str:
    """Return the text of the data file: one line for each type, so that a diff can be read."""
    version = json.loads((_SCHEMAS / "version.json").read_text(encoding="utf-8"))["schema_date"]
    package = f"cfn-lint {importlib.metadata.version('cfn-lint')}"
    source = f"Resource schemas of {_REGION} as of {version}, shipped by {package} (MIT-0)"
    lines = [
        f"  {json.dumps(kind)}: {json.dumps(verbs)}" for kind, verbs in sorted(handlers().items())
    ]
    return f'{{\n "source": {json.dumps(source)},\n "types": {{\n' + ",\n".join(lines) + "\n }\n}\n"


if __name__ == "__main__":
    DATA.write_text(render(), encoding="utf-8")
