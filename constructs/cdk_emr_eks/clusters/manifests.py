"""``ManifestBundle``: applies many Kubernetes objects with one custom resource.

One ``Custom::AWSCDK-EKS-KubernetesResource`` is one Lambda invocation during deployment, and counts
towards the limit of 500 resources in a stack. Therefore objects are grouped in bundles (policies,
capacity, one for each tenant, ...), and CloudFormation orders the bundles.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Final, cast

import cdk8s
import jsii
from aws_cdk import CfnResource, IStableStringProducer, Lazy, Stack
from aws_cdk import aws_eks_v2 as eks
from constructs import Construct

from cdk_emr_eks.errors import refuse

# A Kubernetes object as plain values, from ``model`` or from a user.
KubernetesObject = Mapping[str, object]

# CloudFormation invokes the handler asynchronously, with an event of at most 256 KB. The event of
# an update has the old and the new manifest.
# Source: https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
MAX_MANIFEST_BYTES: Final = 120_000


class ManifestBundle(Construct):
    """Kubernetes objects that are applied and deleted together.

    Objects can be added until synthesis, when the custom resource reads them. They are applied in
    the order in which they were added. Between bundles, use ``node.add_dependency``.

    Resources: one ``Custom::AWSCDK-EKS-KubernetesResource``.

    Args:
        cluster: The cluster; its kubectl provider applies the objects.
    """

    def __init__(self, scope: Construct, id: str, *, cluster: eks.ICluster) -> None:
        super().__init__(scope, id)
        self._charts = [cdk8s.Chart(cdk8s.App(), "stage")]
        self._names: set[tuple[str, str, str]] = set()
        self._bytes = 0
        # With pruning, the handler would delete objects of other bundles, which it finds by label.
        manifest = eks.KubernetesManifest(
            self, "Manifest", cluster=cluster, manifest=[{}], prune=False
        )
        resource = cast(CfnResource, manifest.node.find_child("Resource").node.default_child)
        resource.add_property_override("Manifest", Lazy.string(_Producer(self)))

    def add(self, *objects: KubernetesObject) -> None:
        """Add plain objects. Each becomes a ``cdk8s.ApiObject``.

        Raises:
            ConfigError: If an object lacks ``apiVersion``, ``kind`` or ``metadata.name``, is in
                this bundle already, or makes the bundle too large for the kubectl handler.
        """
        for item in objects:
            identity = self._identify(item)
            content = plain(item)
            self._grow(content)
            self._names.add(identity)
            api_object = cdk8s.ApiObject(
                self._charts[0],
                f"{len(self._names):04}-{'-'.join(filter(None, identity))}",
                api_version=str(item["apiVersion"]),
                kind=str(item["kind"]),
            )
            # ApiObject accepts no spec. One patch of the whole document sets all keys.
            api_object.add_json_patch(cdk8s.JsonPatch.replace("", content))

    def add_chart(self, chart: cdk8s.Chart) -> None:
        """Add a chart of cdk8s or cdk8s-plus-27. Its objects follow the plain ones.

        Raises:
            ConfigError: If the chart makes the bundle too large for the kubectl handler.
        """
        self._grow(chart.to_json())
        self._charts.append(chart)

    def objects(self) -> list[dict[str, object]]:
        """Return all objects in the order in which they are applied."""
        return [item for chart in self._charts for item in chart.to_json()]

    def _identify(self, item: KubernetesObject) -> tuple[str, str, str]:
        where = f"Kubernetes object in {self.node.path}"
        metadata = item.get("metadata")
        name = metadata.get("name") if isinstance(metadata, Mapping) else None
        if not (item.get("apiVersion") and item.get("kind") and name):
            rule = "must have apiVersion, kind and metadata.name"
            raise refuse(where, "manifest", rule, dict(item))
        namespace = str(metadata.get("namespace", "")) if isinstance(metadata, Mapping) else ""
        identity = (str(item["kind"]), namespace, str(name))
        if identity in self._names:
            raise refuse(where, "manifest", "must be unique in its bundle", "/".join(identity))
        return identity

    def _grow(self, content: object) -> None:
        self._bytes += len(json.dumps(content))
        if self._bytes > MAX_MANIFEST_BYTES:
            rule = f"must stay under {MAX_MANIFEST_BYTES} bytes in all"
            fix = "put some of the objects into another bundle"
            raise refuse(f"Manifest bundle {self.node.path}", "manifest", rule, self._bytes, fix)


def plain(value: object) -> object:
    """Return the value with dicts and lists only: jsii accepts no tuple and no other Mapping."""
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    return value


@jsii.implements(IStableStringProducer)
class _Producer:
    """Renders a bundle when the template is written, not when the bundle is created."""

    def __init__(self, bundle: ManifestBundle) -> None:
        self._bundle = bundle

    def produce(self) -> str:
        return Stack.of(self._bundle).to_json_string(self._bundle.objects())
