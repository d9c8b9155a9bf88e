"""The controller's resources: policies, role, association and chart, in their order."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from aws_cdk import Aws, Stack
from aws_cdk import aws_eks as eks_l1
from aws_cdk import aws_iam as iam
from constructs import Construct, IDependable

from cdk_emr_eks.addons.controllers import (
    CONTROLLER_NAMESPACE,
    controller_chart,
    controller_role,
    wildcard_resources,
)
from cdk_emr_eks.addons.load_balancer_controller.policy import ControllerScope, controller_policies
from cdk_emr_eks.addons.load_balancer_controller.values import CHART, SERVICE_ACCOUNT, Surroundings
from cdk_emr_eks.addons.protocol import AddonContext
from cdk_emr_eks.model.clusters.addon_mirror import BALANCERS_CHARTS, BALANCERS_IMAGE

_TAGGED: Final = "Ids are not known beforehand; conditions on the cluster's tags narrow it"
_REASONS: Final[Mapping[str, str]] = {
    "AllowServiceLinkedRole": "The role's name is ELB's own; only ELB's role can be made",
    "AllowRegionalReading": "The actions support no resource; they are narrowed to the Region",
    "AllowNewGroupsInTheVpc": "The VPC is named; it may be shared by another account",
    "AllowReadingGroupsOfTheVpc": "The VPC is named; it may be shared by another account",
    "AllowReadingCertificates": "Ingresses name certificates of their own; it is reading only",
}


class InstalledLoadBalancerController(Construct):
    """The controller in a cluster. Whatever has a load balancer must depend on its ``ready``.

    It comes after the cluster's own add-ons and nodes. Load balancers are deleted by the controller
    alone, so whatever made it make one (an endpoint, an Ingress) must be deleted before it.

    Resources made: one ``Custom::AWSCDK-EKS-HelmChart``, one ``AWS::IAM::Role``, two
    ``AWS::IAM::ManagedPolicy``, one ``AWS::EKS::PodIdentityAssociation``.

    Attributes:
        ready: Dependency of what makes the controller make load balancers.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        context: AddonContext,
        version: str,
        values: Callable[[Surroundings], Mapping[str, object]],
    ) -> None:
        super().__init__(scope, id)
        # Tokens are read once: each read asks Node.
        region, account = Stack.of(self).region, Stack.of(self).account
        vpc_id = context.network.vpc.vpc_id
        role = self._role(
            ControllerScope(
                partition=Aws.PARTITION,
                region=region,
                account=account,
                cluster_name=context.cluster_name,
                # A VPC may be shared by another account.
                vpc_arn=f"arn:{Aws.PARTITION}:ec2:{region}:*:vpc/{vpc_id}",
            )
        )
        rights = eks_l1.CfnPodIdentityAssociation(
            self,
            "Association",
            cluster_name=context.cluster.cluster_name,
            namespace=CONTROLLER_NAMESPACE,
            service_account=SERVICE_ACCOUNT,
            role_arn=role.attr_arn,
        )
        chart = controller_chart(
            self,
            "Chart",
            cluster=context.cluster,
            repository=context.chart(CHART, BALANCERS_CHARTS),
            chart=CHART,
            version=version,
            values=values(_surroundings(context, region, vpc_id)),
        )
        # The association refers to the role, the role to its policies: one edge stands for all.
        chart.node.add_dependency(rights, context.ready)
        self.ready: IDependable = chart

    def _role(self, scope: ControllerScope) -> iam.CfnRole:
        return controller_role(
            self,
            "Role",
            name="Load balancer controller",
            description=f"Load balancer controller in {scope.cluster_name}",
            cluster_name=scope.cluster_name,
            service_account=SERVICE_ACCOUNT,
            documents=controller_policies(scope),
            reasons=_wildcard_reasons,
        )


def _surroundings(context: AddonContext, region: str, vpc_id: str) -> Surroundings:
    return Surroundings(
        cluster_name=context.cluster_name,
        region=region,
        vpc_id=vpc_id,
        node_selector=context.node_selector,
        tolerations=context.tolerations,
        image=context.public(BALANCERS_IMAGE) if context.mirror else None,
    )


def _wildcard_reasons(document: Mapping[str, object]) -> Mapping[str, str]:
    """Return the reason for each resource with a wildcard in a policy document."""
    found: dict[str, str] = {}
    for statement, resource in wildcard_resources(document):
        found.setdefault(resource, _REASONS.get(str(statement["Sid"]), _TAGGED))
    return found
