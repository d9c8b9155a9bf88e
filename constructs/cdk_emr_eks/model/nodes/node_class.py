"""EC2NodeClasses: machine image, disks, metadata service and network of Karpenter's nodes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from cdk_emr_eks import labels
from cdk_emr_eks.checks import Check
from cdk_emr_eks.labels import SparkRole
from cdk_emr_eks.model.instances.instances import KUBE_RESERVED_MEMORY, MAX_PODS
from cdk_emr_eks.model.workloads.storage import InstanceStore, RootVolume
from cdk_emr_eks.model.workloads.workload import Workload
from cdk_emr_eks.units import Memory
from cdk_emr_eks.values import value
from cdk_emr_eks.versions import NODE_IMAGE

API_VERSION: Final = "karpenter.k8s.aws/v1"
KIND: Final = "EC2NodeClass"

# With RAID0 the kubelet and containerd use the NVMe disks; the root volume has the system only.
_SYSTEM_VOLUME: Final = RootVolume(size=Memory.from_gib(30))

# Drivers, and executors with persistent volumes: images, logs and small spills.
_PLAIN_VOLUME: Final = RootVolume(size=Memory.from_gib(100))

# Tag keys that Karpenter sets; the CRD refuses them.
_RESERVED_TAGS: Final = (
    "eks:eks-cluster-name",
    "karpenter.sh/nodepool",
    "karpenter.sh/nodeclaim",
    "karpenter.k8s.aws/ec2nodeclass",
)


@value
class NodeClass:
    """An EC2NodeClass: what Karpenter starts a node from.

    Every class has encrypted gp3 volumes, IMDSv2 with a hop limit of one (so no pod reaches the
    node's role), and no public address.

    Args:
        name: DNS label.
        root_volume: The root volume.
        instance_store: Whether NVMe disks are striped and hold all ephemeral storage.
        image: Alias of the machine image, pinned: ``al2023@v20261023``. Default from versions.py.

    Raises:
        ConfigError: If the name is not a DNS label, or the image is not a pinned AL2023 alias.
    """

    name: str
    root_volume: RootVolume
    instance_store: bool = False
    image: str = NODE_IMAGE

    def _rules(self, check: Check) -> None:
        check.dns_label("name")
        fix = "with 'latest' each image release replaces nodes" if "latest" in self.image else ""
        pinned = "a pinned AL2023 alias such as 'al2023@v20261023'"
        check.matches("image", r"al2023@v\d{8}", pinned, fix=fix)

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
            role: Name of the nodes' IAM role, for which Karpenter creates an instance profile; may
                be a token.
            instance_profile: Name of an existing instance profile, instead of ``role``: where
                Karpenter cannot reach IAM, which has no VPC endpoint in most Regions.
            subnets: Selector terms of subnets. Default: those whose tag
                ``karpenter.sh/discovery`` is the cluster's name.
            security_groups: Selector terms of security groups. Default: as for subnets.
            volume_key: ARN or id of the KMS key of the volumes; may be a token. Default: the
                account's key for EBS.
            tags: Tags of instances and volumes, for cost allocation.

        Raises:
            ConfigError: If Karpenter sets one of the tags, or not exactly one of ``role`` and
                ``instance_profile`` is given.

        Source: https://karpenter.sh/v1.14/concepts/nodeclasses/#specinstanceprofile
        """
        check = Check(f"NodeClass {self.name!r}")
        check_identity(check, role, instance_profile)
        for key in tags or {}:
            reserved = key in _RESERVED_TAGS or key.startswith("kubernetes.io/cluster/")
            check.require(not reserved, "tags", "must not have keys that Karpenter sets", key)
        check.raise_if_any()
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


def check_identity(check: Check, role: str | None, instance_profile: str | None) -> None:
    """Check that nodes have either a role or an instance profile."""
    rule = "must be given, or instance_profile in its place, and not both"
    check.require(bool(role) != bool(instance_profile), "role", rule, role)


# Nodes whose NVMe disks hold all ephemeral storage, as one RAID0.
NVME: Final = NodeClass(name="emr-nvme", root_volume=_SYSTEM_VOLUME, instance_store=True)


def ebs_node_class(volume: RootVolume) -> NodeClass:
    """Return the node class of a root volume; equal volumes share one class."""
    name = f"emr-ebs-{volume.size.gib_ceil}g"
    standard = RootVolume(size=volume.size)
    if volume != standard:
        name += f"-{volume.iops}i-{volume.throughput_mib}t"
    return NodeClass(name=name, root_volume=volume)


def node_class_for(workload: Workload, role: SparkRole) -> NodeClass:
    """Return the node class of a workload's drivers or executors.

    Drivers keep no shuffle data, so they have the plain class with every storage.
    """
    if role is SparkRole.EXECUTOR:
        if isinstance(workload.storage, InstanceStore):
            return NVME
        if isinstance(workload.storage, RootVolume):
            return ebs_node_class(workload.storage)
    return ebs_node_class(_PLAIN_VOLUME)


def node_class_reference(name: str) -> Mapping[str, str]:
    """Return a NodePool's reference to a node class."""
    return {"group": API_VERSION.partition("/")[0], "kind": KIND, "name": name}


def node_classes(workloads: Sequence[Workload]) -> tuple[NodeClass, ...]:
    """Return the distinct node classes that the pools of the workloads refer to."""
    found = {
        node_class.name: node_class
        for workload in workloads
        for role in SparkRole
        for node_class in (node_class_for(workload, role),)
    }
    return tuple(found[name] for name in sorted(found))
