"""Read the Kubernetes objects and Helm charts that the custom resources of templates apply."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from cdk_emr_eks.assembly.paths import at, mapping, sequence, text
from cdk_emr_eks.assembly.references import References
from cdk_emr_eks.assembly.stack import NESTED, PRODUCT, Message, Stack

KUBERNETES_PREFIX: Final = "Custom::AWSCDK-EKS-"
MANIFEST: Final = "Custom::AWSCDK-EKS-KubernetesResource"
CHART: Final = "Custom::AWSCDK-EKS-HelmChart"
# The second one is that of the CDK's former module aws_eks.
_CLUSTERS: Final = ("AWS::EKS::Cluster", "Custom::AWSCDK-EKS-Cluster")


@dataclass(frozen=True, kw_only=True, slots=True)
class ClusterObject:
    """A Kubernetes object of a template.

    Args:
        stack: Name of the stack that applies it.
        resource: Logical id of the custom resource that applies it.
        content: The whole object, with placeholders for tokens.
        cluster: Key of the cluster that it is applied to; see `Clusters.key`.
    """

    stack: str
    resource: str
    content: Mapping[str, object]
    cluster: str = ""

    @property
    def kind(self) -> str:
        """Kind, for example ``NodePool``."""
        return text(self.content, "kind")

    @property
    def name(self) -> str:
        """Name of the object."""
        return text(self.content, "metadata", "name")

    @property
    def namespace(self) -> str:
        """Namespace, empty for none."""
        return text(self.content, "metadata", "namespace")

    @property
    def labels(self) -> Mapping[str, object]:
        """Labels of the object."""
        return mapping(self.content, "metadata", "labels")

    @property
    def spec(self) -> Mapping[str, object]:
        """The ``spec``, empty if the object has none."""
        return mapping(self.content, "spec")


@dataclass(frozen=True, kw_only=True, slots=True)
class HelmChart:
    """A Helm release of a template.

    Args:
        stack: Name of the stack that installs it.
        name: Name of the chart.
        release: Name of the release.
        version: Version of the chart, empty if not pinned.
        namespace: Kubernetes namespace.
        values: Values given to the chart.
        cluster: Key of the cluster that it is installed in; see `Clusters.key`.
    """

    stack: str
    name: str
    release: str
    version: str
    namespace: str
    values: object
    cluster: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Applied:
    """Everything that an assembly applies to clusters.

    Args:
        objects: Kubernetes objects, in the order of the templates.
        charts: Helm releases.
        unread: Custom resources whose JSON could not be read, and nested stacks and products whose
            template is not in the assembly. Their content is neither in ``objects`` nor in the
            stacks of the assembly.
    """

    objects: tuple[ClusterObject, ...]
    charts: tuple[HelmChart, ...]
    unread: tuple[Message, ...]

    def of_kind(self, kind: str) -> Iterator[ClusterObject]:
        """Yield the objects of one kind."""
        return (item for item in self.objects if item.kind == kind)


@dataclass(frozen=True, kw_only=True, slots=True)
class DeclaredCluster:
    """An EKS cluster that a stack of the assembly declares.

    Args:
        stack: Stack that declares it.
        logical_id: Logical id of the cluster.
        name: Name of the cluster, empty if CloudFormation generates the name.
    """

    stack: Stack
    logical_id: str
    name: str

    @property
    def key(self) -> str:
        """Text that identifies the cluster in the assembly: ``stack/logical id``."""
        return f"{self.stack.name}/{self.logical_id}"


class Clusters:
    """Finds the cluster that a value of a template names.

    Args:
        stacks: All stacks of the assembly.
        references: References of the assembly.

    Attributes:
        declared: Clusters that the stacks declare.
    """

    def __init__(self, stacks: Iterable[Stack], references: References) -> None:
        self._references = references
        self.declared: tuple[DeclaredCluster, ...] = tuple(
            DeclaredCluster(
                stack=stack, logical_id=logical_id, name=stack.text(properties.get("Name"))
            )
            for stack in stacks
            for logical_id, properties in stack.resources(*_CLUSTERS)
        )

    def key(self, stack: Stack, name: object) -> str:
        """Return the text that identifies a cluster.

        Args:
            stack: Stack that the value stands in.
            name: Value that gives the name of the cluster, such as ``ClusterName`` of a resource.

        Returns:
            The key of a cluster of the assembly; the name of an existing cluster.
        """
        for target in self._references.targets(stack, name):
            if target.kind in _CLUSTERS:
                return "/".join(target.key)
        text = stack.text(name)
        named = [each for each in self.declared if each.name and each.name == text]
        # Stages of one app may have clusters of one name, in other accounts or Regions.
        near = [each for each in named if each.stack.stage == stack.stage]
        near = near or [each for each in named if each.stack.environment == stack.environment]
        return near[0].key if near else text


def read_applied(stacks: Iterable[Stack], clusters: Clusters) -> Applied:
    """Read the manifests and charts of all stacks."""
    objects: list[ClusterObject] = []
    charts: list[HelmChart] = []
    unread: list[Message] = []
    for stack in stacks:
        view = stack.view()
        for logical_id, _ in stack.resources(NESTED, PRODUCT):
            if logical_id not in stack.nested:
                problem = (
                    f"the template of {logical_id} is not JSON of the assembly: it is left out"
                )
                unread.append(Message(level="warning", where=stack.name, text=problem))
        for logical_id, properties in stack.resources(MANIFEST, CHART):
            is_chart = "Chart" in properties or "ChartAssetURL" in properties
            source = properties.get("Values", "{}") if is_chart else properties.get("Manifest")
            try:
                content = view.json(source)
            except ValueError as error:
                problem = f"the JSON of {logical_id} cannot be read, so it is left out: {error}"
                unread.append(Message(level="warning", where=stack.name, text=problem))
                continue
            cluster = clusters.key(stack, properties.get("ClusterName"))
            if is_chart:
                charts.append(_chart(stack, properties, content, cluster))
            else:
                objects += [
                    ClusterObject(
                        stack=stack.name,
                        resource=logical_id,
                        content=mapping(item),
                        cluster=cluster,
                    )
                    for item in sequence(content)
                ]
    return Applied(objects=tuple(objects), charts=tuple(charts), unread=tuple(unread))


def _chart(
    stack: Stack, properties: Mapping[str, object], values: object, cluster: str
) -> HelmChart:
    view = stack.view()
    release = view.text(at(properties, "Release"))
    # An OCI repository ends with the name of the chart; a chart from an asset has only a release.
    name = view.text(at(properties, "Chart"))
    name = name or view.text(at(properties, "Repository")).rpartition("/")[2]
    return HelmChart(
        stack=stack.name,
        name=name or release,
        release=release,
        version=view.text(at(properties, "Version")),
        namespace=view.text(properties.get("Namespace", "default")),
        values=values,
        cluster=cluster,
    )
