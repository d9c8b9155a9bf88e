"""EC2NodeClasses: the machine image, disks, metadata service and network of Karpenter's nodes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from cdk_emr_eks import labels
from cdk_emr_eks.errors import Problems
from cdk_emr_eks.field_types import check_types
from cdk_emr_eks.labels import SparkRole
from cdk_emr_eks.model.instances.instances import KUBE_RESERVED_MEMORY, MAX_PODS
from cdk_emr_eks.model.workloads.storage import InstanceStore, RootVolume
from cdk_emr_eks.model.workloads.workload import Workload
from cdk_emr_eks.names import dns_label
from cdk_emr_eks.units import Memory
from cdk_emr_eks.versions import NODE_IMAGE

API_VERSION: Final = "karpenter.k8s.aws/v1"
KIND: Final = "EC2NodeClass"

_SYSTEM_VOLUME: Final = RootVolume(size=Memory.from_gib(30))
# With RAID0 the kubelet and containerd live on the NVMe disks; the root volume has the system only.
_PLAIN_VOLUME: Final = RootVolume(size=Memory.from_gib(100))
# Drivers, and executors with volumes of their own: images, logs and small spills.

# Tag keys that Karpenter writes itself; the CRD refuses them.
_RESERVED_TAGS: Final = (
    "eks:eks-cluster-name",
    "karpenter.sh/nodepool",
    "karpenter.sh/nodeclaim",
    "karpenter.k8s.aws/ec2nodeclass",
)


@dataclass(frozen=True, kw_only=True, slots=True)
class NodeClass:
    """An EC2NodeClass: what Karpenter starts a node from.

    All of them have encrypted gp3 volumes, the metadata service by IMDSv2 with one hop (so no pod
    reaches the node's role), and no public address.

    Args:
        name: DNS label.
        root_volume: The root volume.
        instance_store: Whether NVMe disks are striped and used for all ephemeral storage.
        image: Alias of the machine image, pinned: ``al2023@v20261023``. Default from versions.py.

    Raises:
        ConfigError: If the name is no DNS label, or the image is not a pinned AL2023 alias.
    """

    name: str
    root_volume: RootVolume
    instance_store: bool = False
    image: str = NODE_IMAGE

    def __post_init__(self) -> None:
        check_types(f"NodeClass {self.name!r}", self)
        problems = Problems(f"NodeClass {self.name!r}")
        problems.extend(dns_label("name", self.name))
        family, _, version = self.image.partition("@")
        pinned = family == "al2023" and len(version) == 9 and version[1:].isdigit()
        rule = "must be a pinned AL2023 alias such as 'al2023@v20261023'"
        fix = "with 'latest' each image release replaces nodes" if version == "latest" else ""
        problems.require(pinned, "image", rule, self.image, fix)
        problems.raise_if_any()

    def manifest(
        self,
        *,
        cluster_name: str,
        role: str | None = None,
        instance_profile: str | None = None,
        subnets: Sequence[Mapping[str, object]] | None = None,
        security_groups: Sequence[Mapping[str, object]] | None = None,
        volume_key: str | None = None,
        tags: Mapping[str, str] | None = None,
    ) -> Mapping[str, object]:
        """Render the ``karpenter.k8s.aws/v1`` EC2NodeClass.

        Args:
            cluster_name: Literal name of the cluster.
            role: Name of the nodes' IAM role, for which Karpenter makes an instance profile; may be
                a token.
            instance_profile: Name of an instance profile that is there, instead of ``role``: where
                Karpenter cannot reach IAM, for which most Regions have no VPC endpoint.
            subnets: Selector terms of subnets. Default: those with the tag
                ``karpenter.sh/discovery`` and the cluster's name as its value.
            security_groups: Selector terms of security groups. Default: as for subnets.
            volume_key: ARN or id of the KMS key of the volumes; may be a token. Default: the
                account's key for EBS.
            tags: Tags of instances and volumes, for cost allocation.

        Raises:
            ConfigError: If a tag is one that Karpenter writes itself, or not just one of ``role``
                and ``instance_profile`` is given.

        Source: https://karpenter.sh/v1.14/concepts/nodeclasses/#specinstanceprofile
        """
        problems = Problems(f"NodeClass {self.name!r}")
        check_identity(problems, role, instance_profile)
        for key in tags or {}:
            own = key in _RESERVED_TAGS or key.startswith("kubernetes.io/cluster/")
            problems.require(not own, "tags", "must not have keys that Karpenter writes", key)
        problems.raise_if_any()
        discovery = [{"tags": {labels.DISCOVERY: cluster_name}}]
        spec: dict[str, object] = {
            "amiSelectorTerms": [{"alias": self.image}],
            **({"role": role} if role else {"instanceProfile": instance_profile}),
            "subnetSelectorTerms": discovery if subnets is None else subnets,
            "securityGroupSelectorTerms": discovery if security_groups is None else security_groups,
            "associatePublicIPAddress": False,
            "blockDeviceMappings": [self._root(volume_key)],
            "metadataOptions": {
                "httpEndpoint": "enabled",
                "httpProtocolIPv6": "disabled",
                "httpPutResponseHopLimit": 1,
                "httpTokens": "required",
            },
            "kubelet": {
                "maxPods": MAX_PODS,
                "kubeReserved": {"memory": KUBE_RESERVED_MEMORY.kubernetes},
            },
            "tags": {
                "emr-eks/cluster": cluster_name,
                # The EBS driver's policy attaches volumes to instances with this tag only.
                "ebs.csi.aws.com/cluster-name": cluster_name,
                **(tags or {}),
            },
        }
        if self.instance_store:
            spec["instanceStorePolicy"] = "RAID0"
        return {
            "apiVersion": API_VERSION,
            "kind": KIND,
            "metadata": {"name": self.name},
            "spec": spec,
        }

    def _root(self, volume_key: str | None) -> Mapping[str, object]:
        volume = self.root_volume
        ebs: dict[str, object] = {
            "volumeSize": f"{volume.size.gib_ceil}Gi",
            "volumeType": "gp3",
            "iops": volume.iops,
            "throughput": volume.throughput_mib,
            "encrypted": True,
            "deleteOnTermination": True,
        }
        if volume_key is not None:
            ebs["kmsKeyID"] = volume_key
        return {"deviceName": "/dev/xvda", "rootVolume": True, "ebs": ebs}


def check_identity(problems: Problems, role: str | None, instance_profile: str | None) -> None:
    """Check that nodes have one identity: either a role or an instance profile."""
    rule = "must be given, or instance_profile in its place, and not both"
    problems.require(bool(role) != bool(instance_profile), "role", rule, role)


NVME: Final = NodeClass(name="emr-nvme", root_volume=_SYSTEM_VOLUME, instance_store=True)
"""Nodes whose NVMe disks hold all ephemeral storage, as one RAID0."""


def ebs_node_class(volume: RootVolume) -> NodeClass:
    """Return the class of nodes with this root volume; equal volumes share one class."""
    name = f"emr-ebs-{volume.size.gib_ceil}g"
    standard = RootVolume(size=volume.size)
    if volume != standard:
        name += f"-{volume.iops}i-{volume.throughput_mib}t"
    return NodeClass(name=name, root_volume=volume)


def node_class_for(workload: Workload, role: SparkRole) -> NodeClass:
    """Return the node class of a workload's drivers or executors.

    Drivers keep no shuffle data, so theirs is the plain one whatever the workload's storage.
    """
    if role is SparkRole.EXECUTOR:
        if isinstance(workload.storage, InstanceStore):
            return NVME
        if isinstance(workload.storage, RootVolume):
            return ebs_node_class(workload.storage)
    return ebs_node_class(_PLAIN_VOLUME)


def node_class_reference(name: str) -> Mapping[str, str]:
    """Return a NodePool's reference to a class."""
    return {"group": API_VERSION.partition("/")[0], "kind": KIND, "name": name}


def node_classes(workloads: Sequence[Workload]) -> tuple[NodeClass, ...]:
    """Return the distinct node classes that the pools of these workloads refer to."""
    found = {
        node_class.name: node_class
        for workload in workloads
        for role in SparkRole
        for node_class in (node_class_for(workload, role),)
    }
    return tuple(found[name] for name in sorted(found))
