"""The EKS cluster, its nodes and its add-ons.

The cluster is the plane; EKS's API in the emulated account describes it. What EKS makes by itself
is made here, too: the cluster's security group with the tag by which node classes find it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from botocore.exceptions import ClientError

from cdk_emr_eks.assembly.paths import mapping, sequence
from cdk_emr_eks.assembly.reader import AssemblyError
from cdk_emr_eks.simulation.deploy.daemon_sets import daemon_sets
from cdk_emr_eks.simulation.deploy.identities import pod_identity
from cdk_emr_eks.simulation.deploy.names import physical_name
from cdk_emr_eks.simulation.deploy.outcome import (
    Deployed,
    DeploymentFailedError,
    NotSimulatedError,
    Outcome,
    Request,
)
from cdk_emr_eks.simulation.deploy.resolve import Made
from cdk_emr_eks.simulation.deploy.site import Site
from cdk_emr_eks.simulation.deploy.system_nodes import system_nodes

if TYPE_CHECKING:
    from botocore.client import BaseClient

_SECURITY_GROUP_TAG: Final = "aws:eks:cluster-name"
# Source: https://docs.aws.amazon.com/eks/latest/userguide/sec-group-reqs.html


def deploy_cluster(request: Request, site: Site) -> Deployed:
    """Let the plane be the cluster.

    Raises:
        NotSimulatedError: For a second cluster: there is one plane.
        AssemblyError: If the cluster's subnets are not of the assembly.
    """
    if site.cluster:
        raise NotSimulatedError(f"there is one control plane, and it is {site.cluster}")
    aws, given = site.aws, request.properties
    name = request.text("Name") or physical_name(request, 100)
    network = mapping(given.get("ResourcesVpcConfig"))
    subnets, groups = network.get("SubnetIds"), network.get("SecurityGroupIds")
    eks, ec2 = aws.client("eks"), aws.client("ec2")
    vpc = _vpc(ec2, name, sequence(subnets))
    made = eks.create_cluster(
        name=name,
        version=request.text("Version"),
        roleArn=request.text("RoleArn"),
        resourcesVpcConfig={"subnetIds": subnets, "securityGroupIds": groups or []},
        tags={},
    )["cluster"]
    group = _security_group(ec2, name, vpc)
    aws.attach_control_plane(site.plane.server, site.plane.ca_bundle)
    site.cluster = name

    def undo(_: float) -> tuple[str, ...]:
        eks.delete_cluster(name=name)
        ec2.delete_security_group(GroupId=group)
        site.cluster = ""
        return ()

    attributes: dict[str, object] = {
        "Arn": made["arn"],
        "Id": name,
        "Endpoint": site.plane.server,
        "CertificateAuthorityData": site.plane.ca_bundle,
        "ClusterSecurityGroupId": group,
        "OpenIdConnectIssuerUrl": mapping(mapping(made.get("identity")).get("oidc")).get("issuer"),
    }
    return Deployed(
        made=Made(ref=name, attributes=attributes),
        outcome=Outcome.EMULATED,
        why="the control plane on this machine, without EKS's managed settings and logs",
        undo=undo,
    )


def _vpc(ec2: BaseClient, cluster: str, subnets: list[object]) -> str:
    try:
        found = ec2.describe_subnets(SubnetIds=subnets)["Subnets"]
    except ClientError as error:
        raise AssemblyError(
            f"The assembly does not make the subnets of the cluster {cluster}: {subnets}. A "
            "network that is there already, and whose ids are no plain text, cannot be simulated."
        ) from error
    return str(found[0]["VpcId"])


def _security_group(ec2: BaseClient, cluster: str, vpc: str) -> str:
    """Make the group that EKS itself makes for a cluster."""
    tags = [{"Key": _SECURITY_GROUP_TAG, "Value": cluster}]
    made = ec2.create_security_group(
        GroupName=f"eks-cluster-sg-{cluster}",
        Description="EKS created security group",
        VpcId=vpc,
        TagSpecifications=[{"ResourceType": "security-group", "Tags": tags}],
    )
    return str(made["GroupId"])


def deploy_node_group(request: Request, site: Site) -> Deployed:
    """Make the nodes of a managed node group, spread over its subnets' zones."""
    given = request.properties
    name = request.text("NodegroupName") or physical_name(request, 63)
    nodes = system_nodes(given, name, site.aws)
    failed_if_refused(request, site.objects.create(nodes, overwrite=False, validate=True).refused)

    def undo(seconds: float) -> tuple[str, ...]:
        return site.objects.delete(nodes, seconds)

    return Deployed(
        made=Made(ref=f"{site.cluster}/{name}", attributes={"NodegroupName": name, "Id": name}),
        outcome=Outcome.EMULATED,
        why=f"{len(nodes)} nodes; their number stays, and no image is started",
        undo=undo,
    )


def deploy_addon(request: Request, site: Site) -> Deployed:
    """Make the DaemonSets of an add-on: what they request, no other pod can have.

    An add-on's deployments are left out, and so is what its pods would do.
    """
    addon = request.text("AddonName")
    for each in map(mapping, sequence(request.properties.get("PodIdentityAssociations"))):
        account = f"kube-system:{each.get('ServiceAccount')}"
        site.identities.append(pod_identity(str(each.get("RoleArn")), account))
    sets = daemon_sets(addon, request.text("ConfigurationValues", "{}"))
    made = Made(ref=f"{site.cluster}|{addon}", attributes={}, invented=True)
    if not sets:
        return Deployed(made=made, outcome=Outcome.RECORDED, why="no pod of it runs on pool nodes")
    failed_if_refused(request, site.objects.create(sets, overwrite=False, validate=True).refused)

    def undo(seconds: float) -> tuple[str, ...]:
        return site.objects.delete(sets, seconds)

    why = "its DaemonSet with its requests; its other pods are left out"
    return Deployed(made=made, outcome=Outcome.APPLIED, why=why, undo=undo)


def failed_if_refused(request: Request, refused: tuple[str, ...]) -> None:
    """Fail the deployment if the API server refused objects.

    Raises:
        DeploymentFailedError: If it did.
    """
    if refused:
        raise DeploymentFailedError(request.stack, request.logical_id, refused)
