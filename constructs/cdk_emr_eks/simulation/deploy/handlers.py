"""Which function deploys which type of resource."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Final

from cdk_emr_eks.assembly.objects import CHART, KUBERNETES_PREFIX, MANIFEST
from cdk_emr_eks.simulation.deploy import eks, emr, iam, identities, services
from cdk_emr_eks.simulation.deploy.account import ROWS, deploy_row
from cdk_emr_eks.simulation.deploy.charts import deploy_chart
from cdk_emr_eks.simulation.deploy.manifests import deploy_manifest
from cdk_emr_eks.simulation.deploy.names import physical_name
from cdk_emr_eks.simulation.deploy.outcome import (
    Deployed,
    NotSimulatedError,
    Outcome,
    Request,
)
from cdk_emr_eks.simulation.deploy.resolve import Made
from cdk_emr_eks.simulation.deploy.site import Site

if TYPE_CHECKING:
    from cdk_emr_eks.simulation.aws import EmulatedAws

_ACCOUNT: Final[Mapping[str, Callable[[Request, EmulatedAws], Deployed]]] = {
    "AWS::EC2::SecurityGroup": services.deploy_security_group,
    "AWS::Events::Rule": services.deploy_rule,
    "AWS::IAM::InstanceProfile": iam.deploy_instance_profile,
    "AWS::IAM::ManagedPolicy": iam.deploy_managed_policy,
    "AWS::IAM::Policy": iam.deploy_policy,
    "AWS::IAM::Role": iam.deploy_role,
    "AWS::IAM::ServiceLinkedRole": iam.deploy_service_linked_role,
    "AWS::Logs::LogGroup": services.deploy_log_group,
    "AWS::SQS::Queue": services.deploy_queue,
    "AWS::SQS::QueuePolicy": services.deploy_queue_policy,
    "AWS::SSM::Parameter": services.deploy_parameter,
}
_CLUSTER: Final[Mapping[str, Callable[[Request, Site], Deployed]]] = {
    CHART: deploy_chart,
    MANIFEST: deploy_manifest,
    "AWS::EKS::AccessEntry": identities.deploy_access_entry,
    "AWS::EKS::Addon": eks.deploy_addon,
    "AWS::EKS::Cluster": eks.deploy_cluster,
    "AWS::EKS::Nodegroup": eks.deploy_node_group,
    "AWS::EKS::PodIdentityAssociation": identities.deploy_pod_identity,
    "AWS::EMRContainers::VirtualCluster": emr.deploy_virtual_cluster,
}
_RECORDED: Final[Mapping[str, str]] = {
    "AWS::EC2::FlowLog": "no packet is sent",
    "AWS::EC2::SecurityGroupEgress": "no packet is sent",
    "AWS::EC2::SecurityGroupIngress": "no packet is sent",
    "AWS::EC2::SubnetCidrReservation": "pods get no address of the VPC",
    "AWS::EMRContainers::JobTemplate": "jobs are submitted from the stack's outputs",
    "AWS::EMRContainers::SecurityConfiguration": "no job runs a program",
    "AWS::Lambda::Function": "no function runs: the simulation treats its custom resources itself",
    "AWS::Lambda::LayerVersion": "no function runs",
    "AWS::Lambda::Permission": "no function runs",
    "AWS::StepFunctions::StateMachine": "no execution is started",
}
"""Types of which an identifier is all that others use, and why."""
_RECORDED_SERVICES: Final[Mapping[str, str]] = {
    "AWS::Budgets::": "nothing is paid",
    "AWS::CDK::": "it deploys nothing",
    "AWS::CloudWatch::": "nothing writes metrics",
    "AWS::ECR::": "no image is started",
    "AWS::EMR::Studio": "nobody signs in",
    "AWS::Glue::": "no job reads a table",
    "AWS::Logs::": "nothing writes logs",
    "AWS::S3::": "nothing is stored",
}
"""The same for all types that begin so."""


def deploy_resource(request: Request, site: Site) -> Deployed:
    """Deploy one resource.

    Raises:
        NotSimulatedError: If nothing stands for this type, or for this resource.
        DeploymentFailedError: If AWS or Kubernetes would refuse it.
        ClientError: If the emulated account refuses it.
    """
    if request.type in ROWS:
        return deploy_row(ROWS[request.type], request, site.aws)
    if request.type in _ACCOUNT:
        return _ACCOUNT[request.type](request, site.aws)
    if request.type in _CLUSTER:
        return _CLUSTER[request.type](request, site)
    why = _RECORDED.get(request.type) or next(
        (text for start, text in _RECORDED_SERVICES.items() if request.type.startswith(start)), ""
    )
    if why:
        return Deployed(made=invented(request, site), outcome=Outcome.RECORDED, why=why)
    if request.type.startswith((KUBERNETES_PREFIX, "Custom::", "AWS::CloudFormation::Custom")):
        raise NotSimulatedError("its function is not run")
    raise NotSimulatedError(f"nothing stands for {request.type}")


def invented(request: Request, site: Site) -> Made:
    """Return identifiers of our own for a resource that is not made."""
    service = request.type.split("::")[1].lower()
    name = physical_name(request)
    if service == "s3":
        digest = hashlib.sha256(name.encode()).hexdigest()
        name = f"{request.stack}-{digest[:16]}".lower()[-63:]
    place = "::" if service == "s3" else f"{site.aws.region}:{site.aws.account}:"
    arn = f"arn:{site.aws.partition}:{service}:{place}{name}"
    return Made(ref=name, attributes={"Arn": arn}, invented=True)
