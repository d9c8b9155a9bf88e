"""What changes from one cloud assembly to another, in the words of the platform."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from cdk_emr_eks.assembly.reader import Assembly
from cdk_emr_eks.diff.change import CATEGORIES, Change
from cdk_emr_eks.diff.contents import Contents, Declared, Identity, contents
from cdk_emr_eks.diff.effects import Deployment, effects
from cdk_emr_eks.diff.replacement import immutable, replacing
from cdk_emr_eks.diff.structure import changes


def diff_assemblies(old: Assembly, new: Assembly) -> tuple[Change, ...]:
    """Compare two cloud assemblies.

    Raises:
        AssemblyError: If a readable pod template of one is not YAML.
    """
    before, after = contents(old), contents(new)
    found = [
        (identity, change)
        for identity in dict.fromkeys([*before, *after])
        for change in _compare(identity, before.get(identity), after.get(identity))
    ]
    # Within a new or a removed stack, its single resources say nothing more.
    stacks = {(c.stack, c.action) for _, c in found if c.category == "stack"}
    gone = _gone_namespaces(before, after)
    deployment = Deployment.of(old, new)
    told = [
        replace(
            change,
            effects=tuple(effects(change, before.get(identity), after.get(identity), deployment)),
        )
        for identity, change in found
        if (
            change.category not in ("resource", "IAM", "output")
            or (change.stack, change.action) not in stacks
        )
        and not (change.action == "removed" and _inside(before[identity], change.stack, gone))
    ]
    return tuple(sorted(told, key=lambda change: CATEGORIES.index(change.category)))


def _gone_namespaces(before: Contents, after: Contents) -> set[tuple[str, str]]:
    """Return stack and name of namespaces that go, and that nothing is declared in any more."""
    used = {(identity.stack, declared.namespace) for identity, declared in after.items()}
    return {
        (identity.stack, declared.namespace)
        for identity, declared in before.items()
        if declared.kind == "Namespace" and (identity.stack, declared.namespace) not in used
    }


def _inside(declared: Declared, stack: str, gone: set[tuple[str, str]]) -> bool:
    """Say whether something goes with its namespace, which is told by itself."""
    return declared.kind != "Namespace" and (stack, declared.namespace) in gone


def _compare(identity: Identity, old: Declared | None, new: Declared | None) -> Iterator[Change]:
    category, stack, name = identity
    made = Change(category=category, stack=stack, name=name, action="changed")
    if old is None or new is None:
        yield replace(made, action="added" if old is None else "removed")
        return
    fields = changes(old.values, new.values)
    if fields:
        yield replace(
            made,
            fields=fields,
            replaced_by=replacing(new.kind, old.values, new.values),
            refused=immutable(new.kind, old.values, new.values),
        )
