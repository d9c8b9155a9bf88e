"""One difference of two assemblies, as a plain value: ``emr-eks diff --json`` prints it so."""

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
    """One thing that is added, removed or changed.

    Args:
        category: One of ``CATEGORIES``.
        stack: Stack that has it; empty for pod templates, which are files of the assembly.
        name: Its name; of a resource, type and logical id.
        action: ``added``, ``removed`` or ``changed``.
        fields: What differs in a changed one.
        replaced_by: Properties whose change makes CloudFormation replace the resource. Empty means
            that nothing is known of a replacement, not that there is none.
        refused: Fields whose change Kubernetes or EMR refuses: the deployment would fail.
        effects: What follows for what runs, is kept or is lost, as sentences.
    """

    category: str
    stack: str
    name: str
    action: str
    fields: tuple[FieldChange, ...] = ()
    replaced_by: tuple[str, ...] = ()
    refused: tuple[str, ...] = ()
    effects: tuple[str, ...] = ()
