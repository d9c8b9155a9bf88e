"""What changes from one cloud assembly to another, in the words of the platform."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Final, NamedTuple

import yaml

from cdk_emr_eks.plan.assembly import AssemblyError, StackFile
from cdk_emr_eks.plan.intrinsics import mapping
from cdk_emr_eks.plan.model import TenantPlan
from cdk_emr_eks.plan.objects import CHART, MANIFEST, Applied, Assembly
from cdk_emr_eks.plan.replacement import IMMUTABLE, REPLACING
from cdk_emr_eks.plan.structure import FieldChange, changes
from cdk_emr_eks.plan.tenants import tenant_plans

CATEGORIES: Final = (
    "stack",
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
_KINDS: Final = {"NodePool": "node pool", "EC2NodeClass": "node class"}
_IAM: Final = (
    "AWS::IAM::",
    "AWS::EKS::AccessEntry",
    "AWS::EKS::PodIdentityAssociation",
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
        refused: Fields that Kubernetes lets nobody change: the deployment would fail.
    """

    category: str
    stack: str
    name: str
    action: str
    fields: tuple[FieldChange, ...] = ()
    replaced_by: tuple[str, ...] = ()
    refused: tuple[str, ...] = ()


class _Identity(NamedTuple):
    category: str
    stack: str
    name: str


_Contents = dict[_Identity, Mapping[str, object]]


def diff_assemblies(old: Assembly, new: Assembly) -> tuple[Change, ...]:
    """Compare two cloud assemblies.

    Raises:
        AssemblyError: If a readable pod template of one is not YAML.
    """
    before, after = _contents(old), _contents(new)
    found = [
        change
        for identity in dict.fromkeys([*before, *after])
        for change in _compare(identity, before.get(identity), after.get(identity))
    ]
    # Within a new or a removed stack, its single resources say nothing more.
    stacks = {(c.stack, c.action) for c in found if c.category == "stack"}
    told = [
        change
        for change in found
        if change.category not in ("resource", "IAM", "output")
        or (change.stack, change.action) not in stacks
    ]
    return tuple(sorted(told, key=lambda change: CATEGORIES.index(change.category)))


def _compare(
    identity: _Identity,
    old: Mapping[str, object] | None,
    new: Mapping[str, object] | None,
) -> Iterator[Change]:
    category, stack, name = identity
    made = Change(category=category, stack=stack, name=name, action="changed")
    if old is None or new is None:
        yield replace(made, action="added" if old is None else "removed")
        return
    fields = changes(old, new)
    if fields:
        kind = name.partition(" ")[0]
        differ = [key for key in {**old, **new} if old.get(key) != new.get(key)]
        yield replace(
            made,
            fields=fields,
            replaced_by=tuple(key for key in differ if key in REPLACING.get(kind, ())),
            refused=tuple(key for key in differ if key in IMMUTABLE.get(kind, ())),
        )


def _contents(assembly: Assembly) -> _Contents:
    """Return all that an assembly declares, each thing once, as plain values."""
    stacks, applied = assembly.stacks, assembly.applied
    tenants = tenant_plans(stacks, applied)
    found: _Contents = {_Identity("stack", stack.name, stack.name): {} for stack in stacks}
    found |= {
        _Identity("tenant", each.stack, each.name): _tenant(each, applied) for each in tenants
    }
    namespaces = {(tenant.stack, tenant.namespace) for tenant in tenants}
    for item in applied.objects:
        home = item.name if item.kind == "Namespace" else item.namespace
        if (item.stack, home) in namespaces:
            continue  # told as a part of the tenant
        name = item.name if item.kind in _KINDS else f"{item.kind} {item.namespace}/{item.name}"
        category = _KINDS.get(item.kind, "Kubernetes object")
        found[_Identity(category, item.stack, name.replace(" /", " "))] = item.content
    for chart in applied.charts:
        content = {
            "version": chart.version,
            "namespace": chart.namespace,
            "values": chart.values,
        }
        found[_Identity("chart", chart.stack, chart.release)] = content
    for stack in stacks:
        found |= _resources(stack) | _outputs(stack)
    return found | _pod_templates(assembly.folder)


def _tenant(tenant: TenantPlan, applied: Applied) -> Mapping[str, object]:
    objects = {
        f"{item.kind} {item.name}": item.content
        for item in applied.objects
        if item.stack == tenant.stack
        and tenant.namespace in (item.namespace, item.name if item.kind == "Namespace" else "")
    }
    summary = asdict(tenant)
    return {
        "namespace": tenant.namespace,
        "virtual clusters": list(tenant.virtual_clusters),
        "execution roles": summary["roles"],
        **objects,
    }


def _resources(stack: StackFile) -> _Contents:
    found: _Contents = {}
    for logical_id, resource in mapping(stack.template.get("Resources")).items():
        kind = str(mapping(resource).get("Type"))
        if kind in (MANIFEST, CHART, "AWS::CDK::Metadata"):
            continue  # manifests and charts are told as what they apply
        resolved = stack.intrinsics.value(mapping(resource).get("Properties", {}))
        properties = {key: _opened(value) for key, value in mapping(resolved).items()}
        category, name = "resource", f"{kind} {logical_id}"
        if kind.startswith(_IAM):
            category = "IAM"
        elif kind == "AWS::EKS::Addon":
            category = "add-on"
        found[_Identity(category, stack.name, name)] = properties
    return found


def _outputs(stack: StackFile) -> _Contents:
    return {
        _Identity("output", stack.name, name): {
            "Value": _opened(stack.intrinsics.value(mapping(output).get("Value")))
        }
        for name, output in mapping(stack.template.get("Outputs")).items()
    }


def _opened(value: object) -> object:
    """Return what a text holds if it holds JSON, so that single fields can be told."""
    if isinstance(value, str) and value[:1] in ("{", "["):
        try:
            return json.loads(value)
        except ValueError:
            return value
    return value


def _pod_templates(folder: Path) -> _Contents:
    """Return the readable pod templates, so that a changed one is more than a changed hash."""
    root = folder / "pod-templates"
    if not root.is_dir():
        return {}
    found: _Contents = {}
    for path in sorted(root.rglob("*.yaml")):
        try:
            content = yaml.safe_load(path.read_text(encoding="utf-8"))
        except yaml.YAMLError as error:
            raise AssemblyError(f"'{path}' is not YAML: {error}.") from error
        name = path.relative_to(root).with_suffix("").as_posix()
        found[_Identity("pod template", "", name)] = mapping(content)
    return found
