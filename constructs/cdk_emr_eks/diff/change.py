"""A difference of two assemblies as a value. ``emr-eks diff --json`` prints it unchanged."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from cdk_emr_eks.diff.structure import FieldChange

CATEGORIES: Final = (
    "stack",
    "cluster",
    "tenant",
    "node pool",
    "node class",
    "chart",
    "add-on",
    "IAM",
    "Kubernetes object",
    "pod template",
    "output",
    "resource",
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Change:
    """An item that is added, removed or changed.

    Args:
        category: One of ``CATEGORIES``.
        stack: Stack of the item; empty for pod templates, which are files of the assembly.
        name: Name of the item; type and logical id of a resource.
        action: ``added``, ``removed`` or ``changed``.
        fields: Fields of a changed item that differ.
        replaced_by: Properties whose change makes CloudFormation replace the resource. If empty, a
            replacement is unknown, but possible.
        refused: Fields that Kubernetes or AWS refuses, so that the deployment would fail.
        effects: Effects on running jobs and on stored data, as sentences.
    """

    category: str
    stack: str
    name: str
    action: str
    fields: tuple[FieldChange, ...] = ()
    replaced_by: tuple[str, ...] = ()
    refused: tuple[str, ...] = ()
    effects: tuple[str, ...] = ()
