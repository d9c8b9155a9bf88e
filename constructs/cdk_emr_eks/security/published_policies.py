"""Read IAM policies that other projects publish, and fill in the names of one cluster."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Final, cast

from cdk_emr_eks.security.iam_statements import Document, Statement

_PLACEHOLDER: Final = re.compile(r"\$\{([\w:.]+)\}")
_ORDER: Final = ("Sid", "Effect", "Action", "Resource", "Condition")


@cache
def published_documents(package: str, file: str) -> Mapping[str, Document]:
    """Return the policy documents of a data file by name.

    Args:
        package: Package of the data file, such as ``cdk_emr_eks.addons.karpenter``.
        file: Name of the file: JSON with the documents under ``policies``.
    """
    data = json.loads((files(package) / file).read_text(encoding="utf-8"))
    return cast(Mapping[str, Document], data["policies"])


def statements(document: Document) -> list[Statement]:
    """Return the statements of a policy document."""
    return cast(list[Statement], document["Statement"])


def fill_document(document: Document, names: Mapping[str, str]) -> Document:
    """Return a document with every placeholder such as ``${ClusterName}`` replaced.

    Args:
        document: The document; its placeholders stand in keys and in texts.
        names: What replaces a placeholder, by its name. Texts may be tokens.

    Raises:
        KeyError: If the document has a placeholder without a name.
    """
    filled = [
        {
            key: _fill(_unwrapped(statement[key]) if key == "Action" else statement[key], names)
            for key in _ORDER
            if key in statement
        }
        for statement in statements(document)
    ]
    return {"Version": document["Version"], "Statement": filled}


def policy_size(document: Document) -> int:
    """Return the size of a policy document as IAM counts it: without white space."""
    return sum(not character.isspace() for character in json.dumps(document))


def _fill(value: object, names: Mapping[str, str]) -> object:
    if isinstance(value, str):
        return _PLACEHOLDER.sub(lambda match: names[match[1]], value)
    if isinstance(value, Mapping):
        return {_fill(key, names): _fill(item, names) for key, item in value.items()}
    return [_fill(item, names) for item in cast(list[object], value)]


def _unwrapped(value: object) -> object:
    return value[0] if isinstance(value, list) and len(value) == 1 else value
