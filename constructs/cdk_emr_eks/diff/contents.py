"""All that a cloud assembly declares, each thing once and by its name, as plain values."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NamedTuple

import yaml

from cdk_emr_eks.assembly.objects import CHART, MANIFEST, ClusterObject
from cdk_emr_eks.assembly.paths import mapping
from cdk_emr_eks.assembly.reader import Assembly, AssemblyError
from cdk_emr_eks.assembly.stack import Stack
from cdk_emr_eks.plan.model import TenantPlan
from cdk_emr_eks.plan.tenants import tenant_plans

POLICIES: Final = ("DeletionPolicy", "UpdateReplacePolicy")
_KINDS: Final = {"NodePool": "node pool", "EC2NodeClass": "node class"}
_IAM: Final = (
    "AWS::IAM::",
    "AWS::EKS::AccessEntry",
    "AWS::EKS::PodIdentityAssociation",
)
_TYPES: Final = {"AWS::EKS::Addon": "add-on", "AWS::EKS::Cluster": "cluster"}


class Identity(NamedTuple):
    """What tells a thing apart in an assembly: category, stack and name."""

    category: str
    stack: str
    name: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Declared:
    """What an assembly says of one thing.

    Args:
        kind: Kubernetes kind or CloudFormation type; the category of what has neither.
        values: Its fields, with placeholders for tokens.
        namespace: Kubernetes namespace that it is in, or is.
    """

    kind: str
    values: Mapping[str, object]
    namespace: str = ""


Contents = dict[Identity, Declared]


def contents(assembly: Assembly) -> Contents:
    """Return all that an assembly declares.

    Raises:
        AssemblyError: If a readable pod template is not YAML.
    """
    stacks, applied = assembly.stacks, assembly.applied
    tenants = tenant_plans(assembly)
    found: Contents = {
        Identity("stack", stack.name, stack.name): Declared(kind="stack", values={})
        for stack in stacks
    }
    homes: dict[tuple[str, str], list[ClusterObject]] = {
        (tenant.stack, tenant.namespace): [] for tenant in tenants
    }
    for item in applied.objects:
        home = item.name if item.kind == "Namespace" else item.namespace
        if (item.stack, home) in homes:
            homes[item.stack, home].append(item)
            continue  # told as a part of the tenant
        name = item.name if item.kind in _KINDS else f"{item.kind} {item.namespace}/{item.name}"
        category = _KINDS.get(item.kind, "Kubernetes object")
        identity = Identity(category, item.stack, name.replace(" /", " "))
        found[identity] = Declared(kind=item.kind, values=item.content, namespace=home)
    for tenant in tenants:
        parts = _tenant(tenant, homes[tenant.stack, tenant.namespace])
        found[Identity("tenant", tenant.stack, tenant.name)] = Declared(
            kind="tenant", values=parts, namespace=tenant.namespace
        )
    for chart in applied.charts:
        values = {
            "version": chart.version,
            "namespace": chart.namespace,
            "values": chart.values,
        }
        found[Identity("chart", chart.stack, chart.release)] = Declared(kind="chart", values=values)
    for stack in stacks:
        found |= _resources(stack) | _outputs(stack)
    return found | _pod_templates(assembly.folder)


def _tenant(tenant: TenantPlan, objects: Iterable[ClusterObject]) -> Mapping[str, object]:
    """Return a tenant's parts; their namespace is said once, not again in each of them."""
    parts: dict[str, object] = {}
    for item in objects:
        if item.kind == "Namespace":
            parts["Namespace"] = _without(item.content, "name")
        else:
            parts[f"{item.kind} {item.name}"] = _without(item.content, "namespace")
    return {
        "namespace": tenant.namespace,
        "virtual clusters": list(tenant.virtual_clusters),
        "execution roles": {role.name: role.access for role in tenant.roles},
        **parts,
    }


def _without(content: Mapping[str, object], field: str) -> Mapping[str, object]:
    metadata = mapping(content.get("metadata"))
    kept = {key: value for key, value in metadata.items() if key != field}
    return {**content, "metadata": kept}


def _resources(stack: Stack) -> Contents:
    found: Contents = {}
    for logical_id, resource in stack.bodies().items():
        parts = mapping(resource)
        kind = str(parts.get("Type"))
        if kind in (MANIFEST, CHART, "AWS::CDK::Metadata"):
            continue  # manifests and charts are told as what they apply
        resolved = stack.view().value(parts.get("Properties", {}))
        values = {key: _opened(value) for key, value in mapping(resolved).items()}
        values |= {key: parts[key] for key in POLICIES if key in parts}
        category = "IAM" if kind.startswith(_IAM) else _TYPES.get(kind, "resource")
        identity = Identity(category, stack.name, f"{kind} {logical_id}")
        found[identity] = Declared(kind=kind, values=values)
    return found


def _outputs(stack: Stack) -> Contents:
    return {
        Identity("output", stack.name, name): Declared(
            kind="output",
            values={"Value": _opened(stack.view().value(mapping(output).get("Value")))},
        )
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


def _pod_templates(folder: Path) -> Contents:
    """Return the readable pod templates, so that a changed one is more than a changed hash."""
    root = folder / "pod-templates"
    if not root.is_dir():
        return {}
    found: Contents = {}
    for path in sorted(root.rglob("*.yaml")):
        try:
            content = yaml.safe_load(path.read_text(encoding="utf-8"))
        except yaml.YAMLError as error:
            raise AssemblyError(f"'{path}' is not YAML: {error}.") from error
        name = path.relative_to(root).with_suffix("").as_posix()
        declared = Declared(kind="pod template", values=mapping(content))
        found[Identity("pod template", "", name)] = declared
    return found
