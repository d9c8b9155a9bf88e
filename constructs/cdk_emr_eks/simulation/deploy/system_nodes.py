"""Nodes of a managed node group: Node objects that KWOK keeps alive."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from cdk_emr_eks import labels
from cdk_emr_eks.assembly.paths import mapping, sequence
from cdk_emr_eks.model.instances.instances import MAX_PODS
from cdk_emr_eks.simulation.control_plane.karpenter import SIMULATED_NODES

if TYPE_CHECKING:
    from cdk_emr_eks.simulation.aws import EmulatedAws

_SYSTEM: Final = "system"
# Another value than that of Karpenter's nodes: its fleet takes those for gone whose instance it
# does not know.
_EFFECTS: Final = {
    "NO_SCHEDULE": "NoSchedule",
    "NO_EXECUTE": "NoExecute",
    "PREFER_NO_SCHEDULE": "PreferNoSchedule",
}
_ARCHITECTURES: Final = {"arm64": "arm64", "x86_64": "amd64"}


def system_nodes(
    group: Mapping[str, object], name: str, aws: EmulatedAws
) -> tuple[Mapping[str, object], ...]:
    """Return the nodes that a node group begins with, of its first instance type."""
    ec2 = aws.client("ec2")
    kind = str(next(iter(sequence(group.get("InstanceTypes"))), "t3.medium"))
    info = ec2.describe_instance_types(InstanceTypes=[kind])["InstanceTypes"][0]
    answer = ec2.describe_subnets(SubnetIds=sequence(group.get("Subnets")))
    zones = sorted({str(subnet["AvailabilityZone"]) for subnet in answer["Subnets"]})
    scaling = mapping(group.get("ScalingConfig"))
    count = int(str(scaling.get("DesiredSize", scaling.get("MinSize", 1))))
    return tuple(
        _node(group, info, f"system-{name[-12:].lower()}-{index}", zones[index % len(zones)])
        for index in range(count)
    )


def _node(
    group: Mapping[str, object], info: Mapping[str, object], name: str, zone: str
) -> Mapping[str, object]:
    architectures = sequence(mapping(info.get("ProcessorInfo")).get("SupportedArchitectures"))
    given = {key: str(value) for key, value in mapping(group.get("Labels")).items()}
    taints = [
        {
            "key": taint.get("Key"),
            "value": taint.get("Value"),
            "effect": _EFFECTS[str(taint.get("Effect"))],
        }
        for taint in map(mapping, sequence(group.get("Taints")))
    ]
    capacity = {
        "cpu": str(mapping(info.get("VCpuInfo")).get("DefaultVCpus")),
        "memory": f"{mapping(info.get('MemoryInfo')).get('SizeInMiB')}Mi",
        "pods": str(MAX_PODS),
    }
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {
            "name": name,
            "labels": {
                SIMULATED_NODES[0]: _SYSTEM,
                labels.HOSTNAME: name,
                "node.kubernetes.io/instance-type": str(info.get("InstanceType")),
                labels.ZONE: zone,
                labels.ARCHITECTURE: _ARCHITECTURES[str(architectures[0])],
                labels.OPERATING_SYSTEM: "linux",
                **given,
            },
        },
        "spec": {"taints": taints} if taints else {},
        "status": {"capacity": capacity, "allocatable": capacity},
    }
