"""Kubernetes objects that a deployment does not take away, and the commands that do.

CloudFormation has kubectl apply a manifest; what is no longer in it stays, as with kubectl itself.
Only when the whole custom resource goes are its objects deleted, unless its policy retains it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

from cdk_emr_eks.assembly.objects import ClusterObject
from cdk_emr_eks.assembly.paths import mapping
from cdk_emr_eks.assembly.reader import Assembly
from cdk_emr_eks.diff.change import Change
from cdk_emr_eks.plan.tenants import tenant_plans


def leftovers(old: Assembly, new: Assembly) -> tuple[ClusterObject, ...]:
    """Return the objects of ``old`` that a deployment of ``new`` would leave behind."""
    before, after = old.applied.objects, new.applied.objects
    kept = {_identity(each) for each in after}
    resources = {(each.stack, each.resource) for each in after} | _retained(old)
    return tuple(
        each
        for each in before
        if (each.stack, each.resource) in resources and _identity(each) not in kept
    )


def delete_commands(old: Assembly, new: Assembly) -> Iterator[str]:
    """Yield what to run after a deployment of ``new``, one command for each kind and namespace.

    A namespace takes all in it along, so what is in it has no command of its own; one that ``new``
    still uses is not to be deleted, and that is yielded as a comment.
    """
    left = leftovers(old, new)
    used = {each.namespace for each in new.applied.objects}
    used |= {chart.namespace for chart in new.applied.charts}
    used |= {tenant.namespace for tenant in tenant_plans(new)}
    homes = {(each.stack, each.name) for each in left if each.kind == "Namespace"}
    homes = {(stack, name) for stack, name in homes if name not in used}
    groups: dict[tuple[str, str], list[str]] = {}
    for each in left:
        if each.kind == "Namespace":
            yield _namespace_command(each, old, in_use=each.name in used)
        elif (each.stack, each.namespace) not in homes:
            groups.setdefault((each.kind, each.namespace), []).append(each.name)
    for (kind, namespace), names in groups.items():
        yield _command(kind, namespace, names)


def delete_first(changes: Iterable[Change]) -> Iterator[str]:
    """Yield what to run before a deployment: objects that Kubernetes lets nobody change."""
    groups: dict[str, list[str]] = {}
    for change in changes:
        if change.refused and change.category == "Kubernetes object":
            kind, _, name = change.name.partition(" ")
            groups.setdefault(kind, []).append(name)
    for kind, names in groups.items():
        yield _command(kind, "", names)


def inside(namespace: str, stack: str, assembly: Assembly) -> str:
    """Return what a stack applies inside of a namespace, by kind and count; empty for nothing."""
    kinds = Counter(
        each.kind
        for each in assembly.applied.objects
        if (each.stack, each.namespace) == (stack, namespace)
    )
    return ", ".join(f"{count} {kind}" for kind, count in kinds.items())


def retains(policy: object) -> bool:
    """Say whether a resource with this deletion or replacement policy stays."""
    return isinstance(policy, str) and policy.startswith("Retain")


def _namespace_command(item: ClusterObject, old: Assembly, *, in_use: bool) -> str:
    if in_use:
        return f"# keep namespace {item.name}: what is in it is still declared"
    held = inside(item.name, item.stack, old)
    along = f"{held}, and all else in it" if held else "all in it"
    return f"{_command(item.kind, '', [item.name])}  # takes along {along}"


def _command(kind: str, namespace: str, names: list[str]) -> str:
    where = f" --namespace {namespace}" if namespace else ""
    command = f"kubectl delete {kind.lower()}{where} {' '.join(names)}"
    if kind == "NodePool":  # Karpenter deletes the nodes of a deleted pool
        command += "  # drains its nodes; a driver holds its node until it ends"
    return command


def _retained(assembly: Assembly) -> set[tuple[str, str]]:
    return {
        (stack.name, logical_id)
        for stack in assembly.stacks
        for logical_id, resource in stack.bodies().items()
        if retains(mapping(resource).get("DeletionPolicy"))
    }


def _identity(item: ClusterObject) -> tuple[str, str, str]:
    return item.kind, item.namespace, item.name
