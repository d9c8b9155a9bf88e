"""Compare two cloud assemblies, in the terms of the platform."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from cdk_emr_eks.assembly.objects import MANIFEST
from cdk_emr_eks.assembly.paths import mapping
from cdk_emr_eks.assembly.reader import Assembly
from cdk_emr_eks.diff.change import CATEGORIES, Change, field_changes
from cdk_emr_eks.diff.contents import Contents, Declared, Identity, PhysicalName, contents
from cdk_emr_eks.diff.effects import Deployment, effects
from cdk_emr_eks.diff.leftovers import deleted_again
from cdk_emr_eks.diff.replacement import immutable, replacing

_TENANT: Final = "tenant"
# Objects that an effect names.
_SHOWN: Final = 3
_VIRTUAL_CLUSTER: Final = "AWS::EMRContainers::VirtualCluster"
# Stand for the properties that form the name of a resource.
_NAME: Final = "its name"
_NAMESPACE: Final = "its namespace"


def diff_assemblies(old: Assembly, new: Assembly) -> tuple[Change, ...]:
    """Compare two cloud assemblies.

    Raises:
        AssemblyError: If a readable pod template of one is not YAML.
    """
    before = contents(old)
    after = _matched(before, contents(new))
    freed = _freed_names(before, after)
    found = [
        (identity, change)
        for identity in dict.fromkeys([*before, *after])
        for change in _compare(identity, before.get(identity), after.get(identity), freed)
    ]
    # The single resources of a new or a removed stack add nothing, unless they are refused.
    stacks = {(c.stack, c.action) for _, c in found if c.category == "stack"}
    gone = _gone_namespaces(before, after)
    deployment = Deployment.of(old, new)
    shown = [
        replace(
            change,
            effects=tuple(effects(change, before.get(identity), after.get(identity), deployment)),
        )
        for identity, change in found
        if (
            change.category not in ("resource", "IAM", "output")
            or (change.stack, change.action) not in stacks
            or change.refused
        )
        and not (change.action == "removed" and _inside(before[identity], change.stack, gone))
    ]
    shown += _deleted_again(old, new)
    return tuple(sorted(shown, key=lambda change: CATEGORIES.index(change.category)))


def _matched(before: Contents, after: Contents) -> Contents:
    """Return the new contents with the old identity of each tenant that is the same one.

    Tenants of one namespace have one identity already. Of the others, those of one name are the
    same, then those that share an execution role.
    """
    old = {key: value for key, value in before.items() if key not in after}
    identities: dict[Identity, Identity] = {}
    for is_same in (_have_one_name, _share_a_role):
        for key, new in after.items():
            if new.kind != _TENANT or key in before or key in identities:
                continue
            for identity, tenant in old.items():
                free = tenant.kind == _TENANT and identity not in identities.values()
                if free and identity.stack == key.stack and is_same(tenant, new):
                    identities[key] = identity
                    break
    return {identities.get(key, key): value for key, value in after.items()}


def _have_one_name(old: Declared, new: Declared) -> bool:
    return old.title == new.title


def _share_a_role(old: Declared, new: Declared) -> bool:
    roles = (mapping(tenant.values, "execution roles") for tenant in (old, new))
    one, other = (set(each) for each in roles)
    return bool(one & other)


def _freed_names(before: Contents, after: Contents) -> set[PhysicalName]:
    """Return the names of resources that the new assembly no longer has under their logical id."""
    return {
        declared.physical_name
        for identity, declared in before.items()
        if identity not in after and declared.physical_name
    }


def _deleted_again(old: Assembly, new: Assembly) -> Iterator[Change]:
    """Yield the custom resources whose deletion deletes objects that the new assembly has."""
    for (stack, logical_id), objects in deleted_again(old, new).items():
        names = ", ".join(f"{each.kind} {each.name}" for each in objects[:_SHOWN])
        more = f" and {len(objects) - _SHOWN} more" if len(objects) > _SHOWN else ""
        yield Change(
            category="Kubernetes object",
            stack=stack,
            name=f"{MANIFEST} {logical_id}",
            action="removed",
            effects=(
                f"another resource applies {names}{more} first, then CloudFormation deletes this "
                "one, and kubectl deletes these objects: keep the logical id (the construct's id), "
                "or set the DeletionPolicy Retain in a deployment before",
            ),
        )


def _gone_namespaces(before: Contents, after: Contents) -> set[tuple[str, str]]:
    """Return stack and name of removed namespaces in which nothing is declared any more."""
    used = {(identity.stack, declared.namespace) for identity, declared in after.items()}
    return {
        (identity.stack, declared.namespace)
        for identity, declared in before.items()
        if declared.kind == "Namespace" and (identity.stack, declared.namespace) not in used
    }


def _inside(declared: Declared, stack: str, gone: set[tuple[str, str]]) -> bool:
    """Return whether an item is deleted with its namespace, which is a change itself."""
    return declared.kind != "Namespace" and (stack, declared.namespace) in gone


def _compare(
    identity: Identity, old: Declared | None, new: Declared | None, freed: set[PhysicalName]
) -> Iterator[Change]:
    category, stack, name = identity
    title = (new.title if new else "") or (old.title if old else "") or name
    change = Change(category=category, stack=stack, name=title, action="changed")
    if new is None:
        yield replace(change, action="removed")
    elif old is None:
        is_taken = new.physical_name in freed
        part = _NAMESPACE if new.kind == _VIRTUAL_CLUSTER else _NAME
        yield replace(change, action="added", refused=(part,) if is_taken else ())
    elif fields := field_changes(old.values, new.values):
        yield replace(
            change,
            fields=fields,
            replaced_by=replacing(new.kind, old.values, new.values),
            refused=immutable(new.kind, old.values, new.values),
        )
