"""The controller's resources: policies, role, association and chart, in their order."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final, cast

from aws_cdk import Aws, Duration, Stack
from aws_cdk import aws_eks as eks_l1
from aws_cdk import aws_eks_v2 as eks
from aws_cdk import aws_iam as iam
from constructs import Construct, IDependable

from cdk_emr_eks.addons.load_balancer_controller.policy import ControllerScope, controller_policies
from cdk_emr_eks.addons.load_balancer_controller.values import CHART, SERVICE_ACCOUNT, Surroundings
from cdk_emr_eks.addons.protocol import AddonContext
from cdk_emr_eks.manifests import plain
from cdk_emr_eks.nag import accept, wildcard
from cdk_emr_eks.pod_identity import pod_identity_trust

CHART_REPOSITORY: Final = "https://aws.github.io/eks-charts"
NAMESPACE: Final = "kube-system"
"""As in AWS's guide; no tenant may have it."""

_CHART_TIMEOUT_MINUTES: Final = 10
# The handler itself ends after 15 minutes; a release it was killed in stays locked.

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
            namespace=NAMESPACE,
            service_account=SERVICE_ACCOUNT,
            role_arn=role.attr_arn,
        )
        around = Surroundings(
            cluster_name=context.cluster_name,
            region=region,
            vpc_id=vpc_id,
            node_selector=context.node_selector,
            tolerations=context.tolerations,
        )
        chart = self._chart(context.cluster, version, values(around))
        # The association refers to the role, the role to its policies: one edge stands for all.
        chart.node.add_dependency(rights, context.ready)
        self.ready: IDependable = chart

    def _role(self, scope: ControllerScope) -> iam.CfnRole:
        policies = []
        for name, document in controller_policies(scope).items():
            policy = iam.CfnManagedPolicy(
                self,
                f"{name}Policy",
                description=f"Load balancer controller of {scope.cluster_name}: {name}",
                policy_document=plain(document),
            )
            reasons = _wildcard_reasons(document)
            accept(policy, {wildcard(self, arn): why for arn, why in reasons.items()})
            policies.append(policy)
        return iam.CfnRole(
            self,
            "Role",
            description=f"Load balancer controller in {scope.cluster_name}",
            assume_role_policy_document=pod_identity_trust(
                cluster_name=scope.cluster_name,
                namespace=NAMESPACE,
                service_accounts=[SERVICE_ACCOUNT],
            ),
            managed_policy_arns=[policy.ref for policy in policies],
        )

    def _chart(
        self, cluster: eks.ICluster, version: str, values: Mapping[str, object]
    ) -> eks.HelmChart:
        return eks.HelmChart(
            self,
            "Chart",
            cluster=cluster,
            repository=CHART_REPOSITORY,
            chart=CHART,
            version=version,
            release=CHART,
            namespace=NAMESPACE,
            create_namespace=False,
            # A failed upgrade is rolled back, and a deletion waits until the pods are gone.
            atomic=True,
            wait=True,
            timeout=Duration.minutes(_CHART_TIMEOUT_MINUTES),
            values={str(key): plain(value) for key, value in values.items()},
        )


def _wildcard_reasons(document: Mapping[str, object]) -> Mapping[str, str]:
    """Return the reason for each resource with a wildcard in a policy document."""
    found: dict[str, str] = {}
    for statement in cast(tuple[Mapping[str, object], ...], document["Statement"]):
        given = statement["Resource"]
        for resource in [given] if isinstance(given, str) else cast(tuple[str, ...], given):
            if "*" in resource:
                found.setdefault(resource, _REASONS.get(str(statement["Sid"]), _TAGGED))
    return found
