"""Find Kubernetes objects that a deployment leaves behind, and the commands that delete them.

CloudFormation has kubectl apply a manifest. Objects removed from a manifest stay in the cluster.
Objects are deleted with the whole custom resource, unless its policy retains it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping

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


def deleted_again(old: Assembly, new: Assembly) -> Mapping[tuple[str, str], list[ClusterObject]]:
    """Return the objects of ``new`` that the deployment deletes, by stack and custom resource.

    A custom resource with a new logical id applies its objects first. Then CloudFormation deletes
    the resource with the former id, whose handler has kubectl delete the same objects.

    Source: on_event and apply_handler in
    https://github.com/aws/aws-cdk/tree/main/packages/%40aws-cdk/custom-resource-handlers/lib/aws-eks,
    2026-11.
    """
    kept = {_identity(each) for each in new.applied.objects}
    resources = {(each.stack, each.resource) for each in new.applied.objects} | _retained(old)
    found: dict[tuple[str, str], list[ClusterObject]] = {}
    for each in old.applied.objects:
        resource = each.stack, each.resource
        if resource not in resources and _identity(each) in kept:
            found.setdefault(resource, []).append(each)
    return found


def delete_commands(old: Assembly, new: Assembly) -> Iterator[str]:
    """Yield the commands to run after a deployment of ``new``, one for each kind and namespace.

    The deletion of a namespace deletes its objects, so these have no command. A namespace that
    ``new`` still uses must not be deleted; a comment says so. If the objects are on several
    clusters, a comment names the cluster of the commands below it.
    """
    left = leftovers(old, new)
    used = {(each.cluster, each.namespace) for each in new.applied.objects}
    used |= {(chart.cluster, chart.namespace) for chart in new.applied.charts}
    used |= {(tenant.cluster, tenant.namespace) for tenant in tenant_plans(new)}
    clusters = dict.fromkeys(each.cluster for each in left)
    for cluster in clusters:
        if len(clusters) > 1:
            yield f"# cluster {cluster}"
        yield from _commands([each for each in left if each.cluster == cluster], old, used)


def _commands(
    left: Iterable[ClusterObject], old: Assembly, used: set[tuple[str, str]]
) -> Iterator[str]:
    """Yield the commands for the leftovers of one cluster."""
    left = tuple(left)
    homes = {
        each.name
        for each in left
        if each.kind == "Namespace" and (each.cluster, each.name) not in used
    }
    groups: dict[tuple[str, str], list[str]] = {}
    for each in left:
        if each.kind == "Namespace":
            yield _namespace_command(each, old, in_use=each.name not in homes)
        elif each.namespace not in homes:
            groups.setdefault((each.kind, each.namespace), []).append(each.name)
    for (kind, namespace), names in groups.items():
        yield _command(kind, namespace, names)


def delete_first(changes: Iterable[Change]) -> Iterator[str]:
    """Yield the commands to run before a deployment: deletions of immutable objects.

    If the objects are of several stacks, a comment names the stack of the commands below it.
    """
    groups: dict[str, dict[str, list[str]]] = {}
    for change in changes:
        if change.refused and change.category == "Kubernetes object":
            kind, _, name = change.name.partition(" ")
            groups.setdefault(change.stack, {}).setdefault(kind, []).append(name)
    for stack, kinds in groups.items():
        if len(groups) > 1:
            yield f"# stack {stack}"
        for kind, names in kinds.items():
            yield _command(kind, "", names)


def inside(namespace: str, stack: str, assembly: Assembly) -> str:
    """Return the objects that a stack applies in a namespace, by kind and count, as text."""
    kinds = Counter(
        each.kind
        for each in assembly.applied.objects
        if (each.stack, each.namespace) == (stack, namespace)
    )
    return ", ".join(f"{count} {kind}" for kind, count in kinds.items())


def retains(policy: object) -> bool:
    """Return whether a resource with this deletion or replacement policy is kept."""
    return isinstance(policy, str) and policy.startswith("Retain")


def _namespace_command(item: ClusterObject, old: Assembly, *, in_use: bool) -> str:
    if in_use:
        return f"# keep namespace {item.name}: the app still declares objects in it"
    held = inside(item.name, item.stack, old)
    content = f"{held}, and everything else in it" if held else "everything in it"
    return f"{_command(item.kind, '', [item.name])}  # deletes {content}"


def _command(kind: str, namespace: str, names: list[str]) -> str:
    where = f" --namespace {namespace}" if namespace else ""
    command = f"kubectl delete {kind.lower()}{where} {' '.join(names)}"
    if kind == "NodePool":  # Karpenter deletes the nodes of a deleted pool
        command += "  # drains its nodes; a node with a driver stays until the driver ends"
    return command


def _retained(assembly: Assembly) -> set[tuple[str, str]]:
    return {
        (stack.name, logical_id)
        for stack in assembly.stacks
        for logical_id, resource in stack.bodies().items()
        if retains(mapping(resource).get("DeletionPolicy"))
    }


def _identity(item: ClusterObject) -> tuple[str, str, str, str]:
    return item.cluster, item.kind, item.namespace, item.name
