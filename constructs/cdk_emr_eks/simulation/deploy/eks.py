"""Deploy the EKS cluster, its node groups and its add-ons.

The control plane replaces the cluster, and EKS's API in the emulated account describes it. What EKS
creates itself is created here, too: the cluster's security group, with the tag by which node
classes find it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from botocore.exceptions import ClientError

from cdk_emr_eks import labels
from cdk_emr_eks.assembly.evaluation import ResourceValues
from cdk_emr_eks.assembly.paths import at, mapping, sequence, text
from cdk_emr_eks.assembly.reader import AssemblyError
from cdk_emr_eks.model.instances.instances import DAEMONSET_REQUESTS, MAX_PODS, DaemonSetRequest
from cdk_emr_eks.simulation.control_plane.kube_types import SIMULATED_NODES
from cdk_emr_eks.simulation.deploy.access import pod_identity
from cdk_emr_eks.simulation.deploy.model import (
    Deployed,
    DeployOutcome,
    DeployTarget,
    NotSimulatedError,
    Request,
    physical_name,
)
from cdk_emr_eks.simulation.errors import DeploymentFailedError

if TYPE_CHECKING:
    from botocore.client import BaseClient

    from cdk_emr_eks.simulation.aws import EmulatedAws

# Source: https://docs.aws.amazon.com/eks/latest/userguide/sec-group-reqs.html
_SECURITY_GROUP_TAG: Final = "aws:eks:cluster-name"

# Path of a container's resources in the configuration of its add-on.
_RESOURCES: Final[Mapping[str, Mapping[str, tuple[str, ...]]]] = {
    "vpc-cni": {
        "aws-node": ("resources",),
        "aws-eks-nodeagent": ("nodeAgent", "resources"),
    },
    "kube-proxy": {"kube-proxy": ("resources",)},
    "aws-ebs-csi-driver": dict.fromkeys(
        ("ebs-plugin", "node-driver-registrar", "liveness-probe"), ("node", "resources")
    ),
    "eks-pod-identity-agent": {"eks-pod-identity-agent": ("resources",)},
}

# Value of the label of simulated nodes. Nodes of Karpenter have another value, since Karpenter's
# fleet deletes nodes with that value whose instance it does not know.
_SYSTEM: Final = "system"
_EFFECTS: Final = {
    "NO_SCHEDULE": "NoSchedule",
    "NO_EXECUTE": "NoExecute",
    "PREFER_NO_SCHEDULE": "PreferNoSchedule",
}
_ARCHITECTURES: Final = {"arm64": "arm64", "x86_64": "amd64"}


# ---- cluster


def deploy_cluster(request: Request, target: DeployTarget) -> Deployed:
    """Describe the control plane as the EKS cluster.

    Raises:
        NotSimulatedError: For a second cluster, since there is one control plane.
        AssemblyError: If the subnets of the cluster are not in the assembly.
    """
    if target.cluster:
        raise NotSimulatedError(f"the simulation has one control plane, for {target.cluster}")
    aws, given = target.aws, request.properties
    name = request.text("Name") or physical_name(request, 100)
    network = mapping(given, "ResourcesVpcConfig")
    subnets, groups = network.get("SubnetIds"), network.get("SecurityGroupIds")
    eks, ec2 = aws.client("eks"), aws.client("ec2")
    vpc = _vpc(ec2, name, sequence(subnets))
    created = eks.create_cluster(
        name=name,
        version=request.text("Version"),
        roleArn=request.text("RoleArn"),
        resourcesVpcConfig={"subnetIds": subnets, "securityGroupIds": groups or []},
        tags={},
    )["cluster"]
    group = _security_group(ec2, name, vpc)
    aws.attach_control_plane(target.plane.server, target.plane.ca_bundle)
    target.cluster = name

    def undo(_: float) -> tuple[str, ...]:
        eks.delete_cluster(name=name)
        ec2.delete_security_group(GroupId=group)
        target.cluster = ""
        return ()

    attributes: dict[str, object] = {
        "Arn": created["arn"],
        "Id": name,
        "Endpoint": target.plane.server,
        "CertificateAuthorityData": target.plane.ca_bundle,
        "ClusterSecurityGroupId": group,
        "OpenIdConnectIssuerUrl": at(created, "identity", "oidc", "issuer"),
    }
    return Deployed(
        values=ResourceValues(ref=name, attributes=attributes),
        outcome=DeployOutcome.EMULATED,
        why="the control plane on this machine, without EKS's managed settings and logs",
        undo=undo,
    )


def _vpc(ec2: BaseClient, cluster: str, subnets: list[object]) -> str:
    try:
        found = ec2.describe_subnets(SubnetIds=subnets)["Subnets"]
    except ClientError as error:
        raise AssemblyError(
            f"The assembly does not create the subnets of the cluster {cluster}: {subnets}. The "
            "simulation supports an existing network only if the templates have its ids as text."
        ) from error
    return str(found[0]["VpcId"])


def _security_group(ec2: BaseClient, cluster: str, vpc: str) -> str:
    """Create the security group that EKS creates for a cluster."""
    tags = [{"Key": _SECURITY_GROUP_TAG, "Value": cluster}]
    created = ec2.create_security_group(
        GroupName=f"eks-cluster-sg-{cluster}",
        Description="EKS created security group",
        VpcId=vpc,
        TagSpecifications=[{"ResourceType": "security-group", "Tags": tags}],
    )
    return str(created["GroupId"])


# ---- managed node groups


def deploy_node_group(request: Request, target: DeployTarget) -> Deployed:
    """Create the nodes of a managed node group, spread over the zones of its subnets."""
    name = request.text("NodegroupName") or physical_name(request, 63)
    nodes = system_nodes(request.properties, name, target.aws)
    _fail_if_refused(request, target.objects.create(nodes, overwrite=False, validate=True).refused)

    def undo(seconds: float) -> tuple[str, ...]:
        return target.objects.delete(nodes, seconds)

    attributes = {"NodegroupName": name, "Id": name}
    return Deployed(
        values=ResourceValues(ref=f"{target.cluster}/{name}", attributes=attributes),
        outcome=DeployOutcome.EMULATED,
        why=f"{len(nodes)} nodes; their number does not change, and no image is started",
        undo=undo,
    )


def system_nodes(
    group: Mapping[str, object], name: str, aws: EmulatedAws
) -> tuple[Mapping[str, object], ...]:
    """Return the nodes that a node group starts with, of its first instance type."""
    ec2 = aws.client("ec2")
    instance_type = text(group, "InstanceTypes", 0) or "t3.medium"
    info = ec2.describe_instance_types(InstanceTypes=[instance_type])["InstanceTypes"][0]
    answer = ec2.describe_subnets(SubnetIds=sequence(group, "Subnets"))
    zones = sorted({str(subnet["AvailabilityZone"]) for subnet in answer["Subnets"]})
    scaling = mapping(group, "ScalingConfig")
    count = int(str(scaling.get("DesiredSize", scaling.get("MinSize", 1))))
    return tuple(
        _node(group, info, f"system-{name[-12:].lower()}-{index}", zones[index % len(zones)])
        for index in range(count)
    )


def _node(
    group: Mapping[str, object], info: Mapping[str, object], name: str, zone: str
) -> Mapping[str, object]:
    architecture = text(info, "ProcessorInfo", "SupportedArchitectures", 0)
    taints = [
        {
            "key": taint.get("Key"),
            "value": taint.get("Value"),
            "effect": _EFFECTS[text(taint, "Effect")],
        }
        for taint in map(mapping, sequence(group, "Taints"))
    ]
    capacity = {
        "cpu": text(info, "VCpuInfo", "DefaultVCpus"),
        "memory": f"{text(info, 'MemoryInfo', 'SizeInMiB')}Mi",
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
                "node.kubernetes.io/instance-type": text(info, "InstanceType"),
                labels.ZONE: zone,
                labels.ARCHITECTURE: _ARCHITECTURES[architecture],
                labels.OPERATING_SYSTEM: "linux",
                **{key: str(value) for key, value in mapping(group, "Labels").items()},
            },
        },
        "spec": {"taints": taints} if taints else {},
        "status": {"capacity": capacity, "allocatable": capacity},
    }


# ---- add-ons


def deploy_addon(request: Request, target: DeployTarget) -> Deployed:
    """Create the DaemonSets of an add-on, since their requests reduce what other pods can have.

    The Deployments of an add-on are left out, and no pod of an add-on does its work.
    """
    addon = request.text("AddonName")
    for association in sequence(request.properties, "PodIdentityAssociations"):
        account = f"kube-system:{text(association, 'ServiceAccount')}"
        target.identities.append(pod_identity(text(association, "RoleArn"), account))
    sets = daemon_sets(addon, request.text("ConfigurationValues", "{}"))
    values = ResourceValues(ref=f"{target.cluster}|{addon}", attributes={}, invented=True)
    if not sets:
        why = "none of its pods run on nodes of pools"
        return Deployed(values=values, outcome=DeployOutcome.RECORDED, why=why)
    _fail_if_refused(request, target.objects.create(sets, overwrite=False, validate=True).refused)

    def undo(seconds: float) -> tuple[str, ...]:
        return target.objects.delete(sets, seconds)

    why = "its DaemonSet with its requests; its other pods are left out"
    return Deployed(values=values, outcome=DeployOutcome.APPLIED, why=why, undo=undo)


def daemon_sets(addon: str, configuration: str) -> tuple[Mapping[str, object], ...]:
    """Return the DaemonSets of an add-on; none if its pods run on system nodes only.

    Requests are those of the add-on's configuration in the template. Where the configuration has
    none, they are those of ``model.instances.instances``.
    """
    values = mapping(json.loads(configuration or "{}"))
    return tuple(_daemon_set(each, values) for each in DAEMONSET_REQUESTS if each.addon == addon)


def _daemon_set(request: DaemonSetRequest, values: Mapping[str, object]) -> Mapping[str, object]:
    names = {"app.kubernetes.io/name": request.addon}
    containers = [
        {
            "name": container,
            "image": request.addon,
            "resources": {"requests": _requests(request, container, values)},
        }
        for container in request.containers
    ]
    pod = {
        "priorityClassName": "system-node-critical",
        "tolerations": [{"operator": "Exists"}],
        "hostNetwork": True,
        "containers": containers,
    }
    return {
        "apiVersion": "apps/v1",
        "kind": "DaemonSet",
        "metadata": {"name": request.addon, "namespace": "kube-system", "labels": names},
        "spec": {
            "selector": {"matchLabels": names},
            "template": {"metadata": {"labels": names}, "spec": pod},
        },
    }


def _requests(
    request: DaemonSetRequest, container: str, values: Mapping[str, object]
) -> dict[str, str]:
    path = _RESOURCES.get(request.addon, {}).get(container, ("resources",))
    stated = mapping(values, *path, "requests")
    default = {"cpu": request.cpu.kubernetes, "memory": request.memory.kubernetes}
    return {name: str(stated.get(name, amount)) for name, amount in default.items()}


def _fail_if_refused(request: Request, refused: tuple[str, ...]) -> None:
    if refused:
        raise DeploymentFailedError(request.stack, request.logical_id, refused)
