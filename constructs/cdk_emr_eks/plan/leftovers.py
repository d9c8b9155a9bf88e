"""Kubernetes objects that a change takes out of a manifest but leaves in the cluster.

CloudFormation has kubectl apply a manifest; what is no longer in it stays, as with kubectl itself.
Only when the whole custom resource goes are its objects deleted.
"""

from __future__ import annotations

from collections.abc import Iterator

from cdk_emr_eks.plan.objects import Assembly, ClusterObject


def leftovers(old: Assembly, new: Assembly) -> tuple[ClusterObject, ...]:
    """Return the objects of ``old`` that a deployment of ``new`` would leave behind."""
    before, after = old.applied.objects, new.applied.objects
    kept = {_identity(each) for each in after}
    resources = {(each.stack, each.resource) for each in after}
    return tuple(
        each
        for each in before
        if (each.stack, each.resource) in resources and _identity(each) not in kept
    )


def delete_commands(objects: tuple[ClusterObject, ...]) -> Iterator[str]:
    """Yield the kubectl commands that delete objects, one for each kind and namespace."""
    groups: dict[tuple[str, str], list[str]] = {}
    for each in objects:
        groups.setdefault((each.kind, each.namespace), []).append(each.name)
    for (kind, namespace), names in groups.items():
        where = f" --namespace {namespace}" if namespace else ""
        yield f"kubectl delete {kind.lower()}{where} {' '.join(names)}"


def _identity(item: ClusterObject) -> tuple[str, str, str]:
    return item.kind, item.namespace, item.name
