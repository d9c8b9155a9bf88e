"""Collect what a cloud assembly declares, each item once and by its name, as plain values."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NamedTuple

import yaml

from cdk_emr_eks.assembly.objects import CHART, MANIFEST, ClusterObject
from cdk_emr_eks.assembly.paths import at, mapping, text
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
# Properties that form a name which AWS accepts once. CloudFormation creates a resource with a new
# logical id before it deletes the one with the former id, so the name is not free by then.
_UNIQUE: Final[Mapping[str, tuple[str, ...]]] = {
    "AWS::EMRContainers::VirtualCluster": (
        "ContainerProvider.Id",
        "ContainerProvider.Info.EksInfo.Namespace",
    ),
    "AWS::EKS::PodIdentityAssociation": ("ClusterName", "Namespace", "ServiceAccount"),
    "AWS::EKS::AccessEntry": ("ClusterName", "PrincipalArn"),
    "AWS::EKS::Addon": ("ClusterName", "AddonName"),
    "AWS::EKS::Cluster": ("Name",),
    "AWS::Logs::LogGroup": ("LogGroupName",),
    "AWS::IAM::Role": ("RoleName",),
    "AWS::IAM::ManagedPolicy": ("ManagedPolicyName",),
    "AWS::S3::Bucket": ("BucketName",),
    "AWS::SQS::Queue": ("QueueName",),
    "AWS::ECR::Repository": ("RepositoryName",),
    "AWS::Lambda::Function": ("FunctionName",),
    "AWS::SecretsManager::Secret": ("Name",),
    "AWS::StepFunctions::StateMachine": ("StateMachineName",),
    "AWS::CodeBuild::Project": ("Name",),
}
_TYPES: Final = {"AWS::EKS::Addon": "add-on", "AWS::EKS::Cluster": "cluster"}


class PhysicalName(NamedTuple):
    """A name of a resource that AWS accepts once: type, scope and name."""

    kind: str
    scope: str
    name: str


class Identity(NamedTuple):
    """Identifies an item in an assembly: category, stack and name.

    The name of a tenant is its namespace, so that a renamed tenant is the same one.
    """

    category: str
    stack: str
    name: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Declared:
    """An item that an assembly declares.

    Args:
        kind: Kubernetes kind or CloudFormation type; the category of an item that has neither.
        values: Fields of the item, with placeholders for tokens.
        namespace: Kubernetes namespace that the item is in, or is.
        title: Name that a person knows, if it differs from the name of the identity.
        physical_name: Name that AWS accepts once, with its scope; None if CloudFormation generates
            the name.
    """

    kind: str
    values: Mapping[str, object]
    namespace: str = ""
    title: str = ""
    physical_name: PhysicalName | None = None


Contents = dict[Identity, Declared]


def contents(assembly: Assembly) -> Contents:
    """Return everything that an assembly declares.

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
            continue  # a part of the tenant
        name = item.name if item.kind in _KINDS else f"{item.kind} {item.namespace}/{item.name}"
        category = _KINDS.get(item.kind, "Kubernetes object")
        identity = Identity(category, item.stack, name.replace(" /", " "))
        found[identity] = Declared(kind=item.kind, values=item.content, namespace=home)
    for tenant in tenants:
        parts = _tenant(tenant, homes[tenant.stack, tenant.namespace])
        # Two clusters in one stack may have namespaces of one name.
        identity = Identity("tenant", tenant.stack, tenant.namespace)
        if identity in found:
            identity = identity._replace(name=f"{tenant.cluster} {tenant.namespace}")
        found[identity] = Declared(
            kind="tenant", values=parts, namespace=tenant.namespace, title=tenant.name
        )
    for chart in applied.charts:
        values = {
            "version": chart.version,
            "namespace": chart.namespace,
            "values": chart.values,
        }
        found[Identity("chart", chart.stack, chart.release)] = Declared(kind="chart", values=values)
    for stack in stacks:
        found |= _resources(stack, assembly) | _outputs(stack)
    return found | _pod_templates(assembly.folder)


def _tenant(tenant: TenantPlan, objects: Iterable[ClusterObject]) -> Mapping[str, object]:
    """Return the parts of a tenant; the namespace is in the result once, not in each part."""
    parts: dict[str, object] = {}
    for item in objects:
        if item.kind == "Namespace":
            parts["Namespace"] = _without(item.content, "name")
        else:
            parts[f"{item.kind} {item.name}"] = _without(item.content, "namespace")
    return {
        "name": tenant.name,
        "namespace": tenant.namespace,
        "virtual clusters": list(tenant.virtual_clusters),
        "execution roles": {role.name: role.access for role in tenant.roles},
        **parts,
    }


def _without(content: Mapping[str, object], field: str) -> Mapping[str, object]:
    metadata = mapping(content, "metadata")
    kept = {key: value for key, value in metadata.items() if key != field}
    return {**content, "metadata": kept}


def _resources(stack: Stack, assembly: Assembly) -> Contents:
    found: Contents = {}
    view = stack.view()
    for logical_id, body in stack.bodies().items():
        kind = text(body, "Type")
        if kind in (MANIFEST, CHART, "AWS::CDK::Metadata"):
            continue  # manifests and charts are shown as the objects that they apply
        properties = mapping(body, "Properties")
        values = {key: _parsed(value) for key, value in mapping(view.value(properties)).items()}
        values |= {key: body[key] for key in POLICIES if key in body}
        category = "IAM" if kind.startswith(_IAM) else _TYPES.get(kind, "resource")
        found[Identity(category, stack.name, f"{kind} {logical_id}")] = Declared(
            kind=kind,
            values=values,
            physical_name=_physical_name(stack, kind, properties, assembly),
        )
    return found


def _physical_name(
    stack: Stack, kind: str, properties: Mapping[str, object], assembly: Assembly
) -> PhysicalName | None:
    """Return the name that AWS accepts once in the account and Region, None if it is generated."""
    parts: list[str] = []
    for path in _UNIQUE.get(kind, ()):
        value = at(properties, *path.split("."))
        if value is None:
            return None
        is_cluster = path in ("ClusterName", "ContainerProvider.Id")
        parts.append(assembly.clusters.key(stack, value) if is_cluster else stack.text(value))
    if not parts:
        return None
    return PhysicalName(kind, str(stack.environment), " ".join(parts))


def _outputs(stack: Stack) -> Contents:
    view = stack.view()
    return {
        Identity("output", stack.name, name): Declared(
            kind="output", values={"Value": _parsed(view.value(value))}
        )
        for name, value in stack.outputs().items()
    }


def _parsed(value: object) -> object:
    """Return the content of a JSON text, so that the difference shows single fields."""
    if isinstance(value, str) and value[:1] in ("{", "["):
        try:
            return json.loads(value)
        except ValueError:
            return value
    return value


def _pod_templates(folder: Path) -> Contents:
    """Return the readable pod templates, so that the difference shows more than a changed hash."""
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
