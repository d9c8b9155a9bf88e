"""What the custom resources of a template will apply: Kubernetes objects and Helm charts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from cdk_emr_eks.plan.assembly import Message, StackFile, read_assembly
from cdk_emr_eks.plan.intrinsics import mapping, sequence

KUBERNETES_PREFIX: Final = "Custom::AWSCDK-EKS-"
MANIFEST: Final = "Custom::AWSCDK-EKS-KubernetesResource"
CHART: Final = "Custom::AWSCDK-EKS-HelmChart"


@dataclass(frozen=True, kw_only=True, slots=True)
class ClusterObject:
    """A Kubernetes object of a template.

    Args:
        stack: Stack that applies it.
        resource: Logical id of the custom resource that applies it.
        content: The whole object, with placeholders for tokens.
    """

    stack: str
    resource: str
    content: Mapping[str, object]

    @property
    def kind(self) -> str:
        """Its kind, such as ``NodePool``."""
        return str(self.content.get("kind", ""))

    @property
    def name(self) -> str:
        """Its name."""
        return str(mapping(self.content.get("metadata")).get("name", ""))

    @property
    def namespace(self) -> str:
        """Its namespace, empty for none."""
        return str(mapping(self.content.get("metadata")).get("namespace", ""))

    @property
    def labels(self) -> Mapping[str, object]:
        """Its labels."""
        return mapping(mapping(self.content.get("metadata")).get("labels"))

    @property
    def spec(self) -> Mapping[str, object]:
        """Its ``spec``, empty if it has none."""
        return mapping(self.content.get("spec"))


@dataclass(frozen=True, kw_only=True, slots=True)
class Chart:
    """A Helm release of a template.

    Args:
        stack: Stack that installs it.
        name: Name of the chart.
        release: Name of the release.
        version: Chart version, empty if not pinned.
        namespace: Kubernetes namespace.
        values: Values given to the chart.
    """

    stack: str
    name: str
    release: str
    version: str
    namespace: str
    values: object


@dataclass(frozen=True, kw_only=True, slots=True)
class Applied:
    """Everything that an assembly applies to clusters.

    Args:
        objects: Kubernetes objects, in the order of the templates.
        charts: Helm releases.
        unread: Custom resources whose JSON could not be read; nothing of them is in ``objects``.
    """

    objects: tuple[ClusterObject, ...]
    charts: tuple[Chart, ...]
    unread: tuple[Message, ...]

    def of_kind(self, kind: str) -> Iterator[ClusterObject]:
        """Yield the objects of one kind."""
        return (item for item in self.objects if item.kind == kind)


@dataclass(frozen=True, kw_only=True, slots=True)
class Assembly:
    """A cloud assembly, read once: its stacks, and what they apply to clusters.

    Args:
        folder: Where it is.
        stacks: All stacks.
        applied: Kubernetes objects and charts of all stacks.
    """

    folder: Path
    stacks: tuple[StackFile, ...]
    applied: Applied


def open_assembly(folder: Path) -> Assembly:
    """Read a cloud assembly.

    Raises:
        AssemblyError: If the folder is none.
    """
    stacks = read_assembly(folder)
    return Assembly(folder=folder, stacks=stacks, applied=read_applied(stacks))


def read_applied(stacks: Iterable[StackFile]) -> Applied:
    """Read the manifests and charts of all stacks."""
    objects: list[ClusterObject] = []
    charts: list[Chart] = []
    unread: list[Message] = []
    for stack in stacks:
        intrinsics = stack.intrinsics
        for logical_id, properties in stack.resources(MANIFEST, CHART):
            is_chart = "Chart" in properties or "ChartAssetURL" in properties
            try:
                content = intrinsics.parsed(
                    properties.get("Values", "{}") if is_chart else properties.get("Manifest")
                )
            except ValueError as error:
                text = f"the JSON of {logical_id} cannot be read, so it is left out: {error}"
                unread.append(Message(level="warning", where=stack.name, text=text))
                continue
            if is_chart:
                charts.append(_chart(stack, properties, content))
            else:
                objects += [
                    ClusterObject(stack=stack.name, resource=logical_id, content=mapping(item))
                    for item in sequence(content)
                ]
    return Applied(objects=tuple(objects), charts=tuple(charts), unread=tuple(unread))


def _chart(stack: StackFile, properties: Mapping[str, object], values: object) -> Chart:
    text = {key: stack.intrinsics.text(value) for key, value in properties.items()}
    # An OCI repository ends with the chart's name; a chart from an asset has only its release.
    name = text.get("Chart") or text.get("Repository", "").rpartition("/")[2]
    return Chart(
        stack=stack.name,
        name=name or text.get("Release", ""),
        release=text.get("Release", ""),
        version=text.get("Version", ""),
        namespace=text.get("Namespace", "default"),
        values=values,
    )
