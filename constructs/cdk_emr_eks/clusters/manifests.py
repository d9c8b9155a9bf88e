"""The only door from Kubernetes objects to the cluster: few custom resources, each a chart.

One ``Custom::AWSCDK-EKS-KubernetesResource`` is one Lambda invocation at deploy time and one entry
against a stack's limit of 500 resources. So objects are gathered in stages (policies, capacity,
one for each tenant, ...), and CloudFormation orders the stages.
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

# A Kubernetes object as plain values: what ``spec`` renders and users may write themselves.
KubernetesObject = Mapping[str, object]

# The handler is invoked asynchronously, with an event of at most 256 KB; on an update the event
# carries the old manifest beside the new one.
# Source: https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
MAX_MANIFEST_BYTES: Final = 120_000


class ManifestBundle(Construct):
    """Kubernetes objects that are applied together and deleted together.

    Objects may be added until synthesis, when the custom resource reads them. They are applied in
    the order of addition; across stages use ``node.add_dependency``.

    Resources made: one ``Custom::AWSCDK-EKS-KubernetesResource``.

    Args:
        cluster: The cluster to apply to; its kubectl provider does the work.
    """

    def __init__(self, scope: Construct, id: str, *, cluster: eks.ICluster) -> None:
        super().__init__(scope, id)
        self._charts = [cdk8s.Chart(cdk8s.App(), "stage")]
        self._names: set[tuple[str, str, str]] = set()
        self._bytes = 0
        # Pruning is off: with it, the handler deletes by label what another stage may own.
        manifest = eks.KubernetesManifest(
            self, "Manifest", cluster=cluster, manifest=[{}], prune=False
        )
        resource = cast(CfnResource, manifest.node.find_child("Resource").node.default_child)
        resource.add_property_override("Manifest", Lazy.string(_Producer(self)))

    def add(self, *objects: KubernetesObject) -> None:
        """Add plain objects; each becomes a ``cdk8s.ApiObject``.

        Raises:
            ConfigError: If an object lacks ``apiVersion``, ``kind`` or ``metadata.name``, stands in
                this stage already, or makes the stage too large for the kubectl handler.
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
            # ApiObject takes no spec; replacing the whole document is one call for all keys.
            api_object.add_json_patch(cdk8s.JsonPatch.replace("", content))

    def add_chart(self, chart: cdk8s.Chart) -> None:
        """Add a chart made with cdk8s or cdk8s-plus-27; its objects come after plain ones.

        Raises:
            ConfigError: If the chart makes the stage too large for the kubectl handler.
        """
        self._grow(chart.to_json())
        self._charts.append(chart)

    def objects(self) -> list[dict[str, object]]:
        """Return all objects as they will be applied, in order."""
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
            raise refuse(where, "manifest", "must be unique in its stage", "/".join(identity))
        return identity

    def _grow(self, content: object) -> None:
        self._bytes += len(json.dumps(content))
        if self._bytes > MAX_MANIFEST_BYTES:
            rule = f"must stay under {MAX_MANIFEST_BYTES} bytes in all"
            fix = "put some of the objects into another stage"
            raise refuse(f"Stage {self.node.path}", "manifest", rule, self._bytes, fix)


def plain(value: object) -> object:
    """Return the same value made of dicts and lists only: jsii takes no tuple and no Mapping."""
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    return value


@jsii.implements(IStableStringProducer)
class _Producer:
    """Renders a stage when CloudFormation's template is written, not when it is declared."""

    def __init__(self, stage: ManifestBundle) -> None:
        self._stage = stage

    def produce(self) -> str:
        return Stack.of(self._stage).to_json_string(self._stage.objects())
