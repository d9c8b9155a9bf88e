"""Node pools and node classes of each workload and zone."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Final, cast

from aws_cdk import Annotations, CfnResource
from aws_cdk import aws_eks_v2 as eks
from constructs import Construct, IDependable

from cdk_emr_eks.checks import Check
from cdk_emr_eks.clusters.manifests import (
    MAX_MANIFEST_BYTES,
    KubernetesObject,
    ManifestBundle,
    plain,
)
from cdk_emr_eks.errors import refuse
from cdk_emr_eks.field_types import check_argument
from cdk_emr_eks.model.networks.zones import Zone
from cdk_emr_eks.model.nodes.capacity_buffers import buffer_manifests
from cdk_emr_eks.model.nodes.crds import validate_manifest
from cdk_emr_eks.model.nodes.node_class import NodeClass, check_identity, node_classes
from cdk_emr_eks.model.nodes.node_pool import NodePool, node_pools
from cdk_emr_eks.model.nodes.zone_pool import ZONE_POOL, zone_pool
from cdk_emr_eks.model.workloads.workload import Workload, check_workloads
from cdk_emr_eks.nodes.capacity_buffers import add_capacity_buffers
from cdk_emr_eks.values import value

# Kinds of objects in the manifest, in the order in which kubectl writes and deletes them.
KINDS: Final = ("NodePool", "EC2NodeClass", "PriorityClass")

SHARED_BUNDLE: Final = "Capacity"


@value
class NodeEnvironment:
    """Zones and cluster settings of Karpenter's nodes, for node pools and node classes.

    Args:
        cluster_name: Literal name of the cluster.
        zones: Availability Zones of the nodes.
        subnets: Selector terms of the nodes' subnets, such as ``{"tags": {...}}``. Strings may be
            tokens, here and below.
        security_groups: Selector terms of the nodes' security groups.
        role: Name of the nodes' IAM role, for which Karpenter creates an instance profile. None:
            ``instance_profile`` is given.
        instance_profile: Name of an existing instance profile, for a VPC without internet access,
            where Karpenter cannot call IAM. None: ``role`` is given.
        tags: Tags of instances and volumes, for cost allocation. Default: no tags.
        capacity_buffers: Whether Karpenter is 1.14 or newer with the feature gate
            ``CapacityBuffer`` on. Workloads with capacity buffers need it. Default False: such
            workloads are refused.

    Raises:
        ConfigError: If both or neither of ``role`` and ``instance_profile`` is given.
    """

    cluster_name: str
    zones: tuple[Zone, ...]
    subnets: tuple[Mapping[str, object], ...]
    security_groups: tuple[Mapping[str, object], ...]
    role: str | None = None
    instance_profile: str | None = None
    tags: Mapping[str, str] | None = None
    capacity_buffers: bool = False

    def _rules(self, check: Check) -> None:
        check_identity(check, self.role, self.instance_profile)

    def manifest(self, node_class: NodeClass) -> KubernetesObject:
        """Render a node class for these nodes."""
        return node_class.manifest(
            cluster_name=self.cluster_name,
            role=self.role,
            instance_profile=self.instance_profile,
            subnets=self.subnets,
            security_groups=self.security_groups,
            tags=self.tags,
        )


class NodePools(Construct):
    """Karpenter's NodePools and EC2NodeClasses: those of the workloads, and added ones.

    The pool ``zones`` never has a node: see ``model.nodes.zone_pool``.

    CloudFormation creates the pools after Karpenter and deletes them before it. On deletion kubectl
    deletes all pools, then the node classes, and waits. A node class stays until its last node is
    terminated, so no node outlives the controller. End all jobs before: kubectl waits for a node
    whose driver still runs.

    Resources: one ``Custom::AWSCDK-EKS-KubernetesResource``, or with ``bundle_per_workload``
    one for each workload and one for shared objects; and one for each workload with capacity
    buffers, for which Karpenter's feature gate must be on.

    Args:
        cluster: The cluster, with its kubectl provider.
        workloads: Workloads of the pools.
        nodes: Zones and cluster settings of the nodes.
        karpenter: Dependency of the pools: ``InstalledKarpenter.ready``.
        bundle_per_workload: Whether each workload's pools are a separate custom resource. Needed
            above 120,000 bytes of manifests, of which the 24 pools of the defaults in three zones
            use 41,000. It can be turned on later, but not off again: the removed resources would
            delete their pools. Therefore the user decides, and not a threshold. Default False.

    Attributes:
        bundle: The manifest of objects that workloads share, and of added objects.
        nodes: As given.

    Raises:
        ConfigError: If two pools have the same name, priorities of workloads clash, there is no
            zone, capacity buffers name another zone, or the manifests are too large.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        cluster: eks.ICluster,
        workloads: Sequence[Workload],
        nodes: NodeEnvironment,
        karpenter: IDependable,
        bundle_per_workload: bool = False,
    ) -> None:
        check_workloads(workloads)
        zones = nodes.zones
        # Rendered, and therefore checked, before any construct is created.
        pools = {each.name: node_pools(each, zones) for each in workloads}
        _check_names([ZONE_POOL, *(pool.name for own in pools.values() for pool in own)])
        classes = node_classes(workloads)
        shared = [nodes.manifest(each) for each in classes]
        # A pool needs a node class to become Ready; any class will do.
        shared += [zone_pool(zones, each.name) for each in classes[:1]]
        manifests = {name: [pool.manifest() for pool in own] for name, own in pools.items()}
        if not bundle_per_workload:
            _check_size([*shared, *(each for own in manifests.values() for each in own)])
        buffers = {each.name: buffer_manifests(each, zones) for each in workloads}
        super().__init__(scope, id)
        self.node.add_dependency(karpenter)
        self.nodes = nodes
        self._pools: list[NodePool] = [pool for own in pools.values() for pool in own]
        self._names = {("NodePool", pool.name) for pool in self._pools}
        self.bundle = CapacityBundle(self, SHARED_BUNDLE, cluster=cluster)
        for name, own in manifests.items():
            bundle = self.bundle
            if bundle_per_workload:
                bundle = CapacityBundle(self, f"Workload-{name}", cluster=cluster)
                bundle.adopt()
                # Pools are deleted before the classes that they refer to.
                bundle.node.add_dependency(self.bundle)
            bundle.add(*own)
        self._add(*shared)
        bundles = [each for each in self.node.children if isinstance(each, CapacityBundle)]
        for name, objects in buffers.items():
            add_capacity_buffers(self, name, objects, cluster=cluster, pools=bundles)
        self._warn(workloads)

    @property
    def pools(self) -> tuple[NodePool, ...]:
        """The typed pools: those of all workloads, and added ones."""
        return tuple(self._pools)

    def add(self, pool: NodePool | NodeClass | KubernetesObject) -> None:
        """Add a node pool or a node class.

        Args:
            pool: A typed pool or node class, or the manifest of a NodePool or EC2NodeClass, which
                is checked against the schema and the rules of Karpenter's CRD.

        Raises:
            ConfigError: If the manifest is of another kind or breaks the CRD's rules, or the name
                is taken.
        """
        if isinstance(pool, NodePool):
            self._add(pool.manifest())
            self._pools.append(pool)
            return
        if isinstance(pool, NodeClass):
            self._add(self.nodes.manifest(pool))
            return
        check_argument("Node pools", "pool", NodePool | NodeClass | Mapping, pool)
        validate_manifest(pool)
        self._add(pool)

    def _add(self, *manifests: KubernetesObject) -> None:
        for manifest in manifests:
            kind = str(manifest["kind"])
            name = str(cast(Mapping[str, object], manifest["metadata"])["name"])
            if (kind, name) in self._names:
                rule = "must be different from those of the cluster's other objects of its kind"
                raise refuse(f"{kind} {name!r}", "metadata.name", rule, name)
            self._names.add((kind, name))
        self.bundle.add(*manifests)

    def _warn(self, workloads: Sequence[Workload]) -> None:
        annotations = Annotations.of(self)
        for workload in workloads:
            for text in workload.warnings():
                annotations.add_warning_v2(f"cdk-emr-eks:workload-{workload.name}", text)


class CapacityBundle(ManifestBundle):
    """A manifest that has pools before node classes, in whichever order they were added."""

    def objects(self) -> list[dict[str, object]]:
        """Return all objects in the order of ``KINDS``."""
        return sorted(super().objects(), key=lambda item: KINDS.index(str(item["kind"])))

    def adopt(self) -> None:
        """Overwrite existing objects, which another manifest may have created."""
        manifest = self.node.find_child("Manifest").node.find_child("Resource")
        cast(CfnResource, manifest.node.default_child).add_property_override("Overwrite", "true")


def _check_names(names: Sequence[str]) -> None:
    check = Check("Node pools")
    for name, count in Counter(names).items():
        check.require(count == 1, "name", "must be used once", name)
    check.raise_if_any()


def _check_size(manifests: Sequence[KubernetesObject]) -> None:
    size = sum(len(json.dumps(plain(each))) for each in manifests)
    if size > MAX_MANIFEST_BYTES:
        rule = f"must fit into {MAX_MANIFEST_BYTES} bytes of one manifest"
        fix = "write Platform(bundle_per_workload=True), or per_zone=False in workloads"
        raise refuse("Node pools", "workloads", rule, size, fix)
