"""The add-on LoadBalancerController: its options, and the resources that it installs."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from aws_cdk import Aws, Stack
from aws_cdk import aws_eks as eks_l1
from aws_cdk import aws_iam as iam
from constructs import Construct, IDependable

from cdk_emr_eks import labels
from cdk_emr_eks.addons.controllers import CONTROLLER_NAMESPACE, controller_chart, controller_role
from cdk_emr_eks.addons.load_balancer_controller.controller_policy import (
    ControllerScope,
    controller_policies,
    wildcard_reasons,
)
from cdk_emr_eks.addons.protocol import AddonContext
from cdk_emr_eks.checks import Check
from cdk_emr_eks.model.clusters.addon_mirror import (
    BALANCERS_CHART,
    BALANCERS_CHARTS,
    BALANCERS_IMAGE,
)
from cdk_emr_eks.names import cluster_name as check_cluster_name
from cdk_emr_eks.values import value
from cdk_emr_eks.versions import LOAD_BALANCER_CONTROLLER

_SERVICE_ACCOUNT: Final = BALANCERS_CHART
_VERSION: Final = re.compile(r"3\.(\d+)\.\d+")
# The values and the policy that the library has are those of 3.5.
_OLDEST_MINOR: Final = 5


@value
class LoadBalancerChartContext:
    """What the chart needs to know of its cluster; texts may be tokens.

    Args:
        cluster_name: Name of the cluster.
        region: AWS Region.
        vpc_id: Id of the cluster's VPC.
        node_selector: Labels of the system nodes, where the controller runs.
        tolerations: Kubernetes tolerations of the system nodes' taints.
        image: Repository of the controller's image. None: the chart's default.
    """

    cluster_name: str
    region: str
    vpc_id: str
    node_selector: Mapping[str, str]
    tolerations: tuple[Mapping[str, str], ...]
    image: str | None = None


@value
class LoadBalancerController:
    """Install AWS Load Balancer Controller: load balancers for Ingresses and Services.

    EMR's managed endpoints need it: EMR creates an Ingress for each endpoint, and the controller
    creates an internal application load balancer for the Ingress. A cluster installs it with its
    first endpoint. Name it in ``addons`` to install it from the start, or with other options. It
    runs on the system nodes, with permissions by Pod Identity: those that its project publishes,
    narrowed to load balancers and security groups of this cluster. Web firewalls, Shield, Cognito
    and the Gateway API are off.

    Args:
        version: Version of the chart, 3.5.0 or newer. Default: the one in versions.py. Helm does
            not upgrade CRDs; a release whose notes ask for new ones needs ``kubectl apply``.
        replicas: Controller replicas: leader-elected, spread evenly over the zones. Default 2.
        service_webhook: Whether the controller handles each new Service of type LoadBalancer that
            names no class. Kubernetes then calls its webhook for every new Service of the cluster,
            and no job starts while no controller runs. Default False: such Services name the class
            ``service.k8s.aws/nlb``.

    Raises:
        ConfigError: If the version is unknown, or there is no replica.

    Source: https://kubernetes-sigs.github.io/aws-load-balancer-controller/latest/deploy/installation/,
    2026-11.

    Example:
        >>> LoadBalancerController(replicas=3).name
        'LoadBalancerController'
    """

    version: str = LOAD_BALANCER_CONTROLLER
    replicas: int = 2
    service_webhook: bool = False

    def _rules(self, check: Check) -> None:
        match = _VERSION.fullmatch(self.version)
        known = match is not None and int(match[1]) >= _OLDEST_MINOR
        newest = LOAD_BALANCER_CONTROLLER
        rule = f"must be a release such as {newest!r}, 3.{_OLDEST_MINOR}.0 or newer, below 4"
        check.require(known, "version", rule, self.version)
        check.require(self.replicas >= 1, "replicas", "must be 1 or more", self.replicas)

    @property
    def name(self) -> str:
        """Name of the add-on, and id of its construct."""
        return "LoadBalancerController"

    @property
    def requires(self) -> tuple[str, ...]:
        """Nothing: the cluster itself has the Pod Identity agent and the system nodes."""
        return ()

    def install(self, scope: Construct, context: AddonContext) -> InstalledLoadBalancerController:
        """Install the controller.

        Raises:
            ConfigError: If the cluster's name is a token.
        """
        check = Check(self.name)
        check.add(check_cluster_name("cluster_name", context.cluster_name))
        check.raise_if_any()
        return InstalledLoadBalancerController(scope, self.name, controller=self, context=context)

    def values(self, context: LoadBalancerChartContext) -> Mapping[str, object]:
        """Return the values of the chart ``aws-load-balancer-controller`` for a cluster."""
        own = {
            "app.kubernetes.io/name": BALANCERS_CHART,
            "app.kubernetes.io/instance": BALANCERS_CHART,
        }
        spread = {
            "maxSkew": 1,
            "topologyKey": labels.ZONE,
            # The webhooks must keep running in the other zones if one fails.
            "whenUnsatisfiable": "ScheduleAnyway",
            "labelSelector": {"matchLabels": own},
        }
        return {
            # The tag stays the chart's.
            **({"image": {"repository": context.image}} if context.image else {}),
            "clusterName": context.cluster_name,
            # Without these two the controller asks the metadata service, one hop too far for a pod.
            "region": context.region,
            "vpcId": context.vpc_id,
            "replicaCount": self.replicas,
            "serviceAccount": {"create": True, "name": _SERVICE_ACCOUNT},
            "nodeSelector": dict(context.node_selector),
            "tolerations": [dict(each) for each in context.tolerations],
            "topologySpreadConstraints": [spread],
            "podDisruptionBudget": {"maxUnavailable": 1},
            "resources": {
                "requests": {"cpu": "100m", "memory": "200Mi"},
                # No CPU limit; the cache of the cluster's objects grows with it.
                "limits": {"memory": "1Gi"},
            },
            # A new certificate at each upgrade would fail the webhooks until all pods have read it.
            "keepTLSSecret": True,
            # Kubernetes calls it for every new Service of the cluster, also those of Spark's
            # drivers, which fail while no controller runs.
            "enableServiceMutatorWebhook": self.service_webhook,
            "enableShield": False,
            "enableWaf": False,
            "enableWafv2": False,
            "controllerConfig": {
                "featureGates": {
                    # The controller's permissions depend on the tags of listeners and rules.
                    "ListenerRulesTagging": True,
                    # Their CRDs are not installed.
                    "ALBGatewayAPI": False,
                    "NLBGatewayAPI": False,
                    "GatewayListenerSet": False,
                }
            },
        }


class InstalledLoadBalancerController(Construct):
    """The controller in a cluster. Resources with a load balancer must depend on ``ready``.

    The chart waits for the cluster's own add-ons and nodes. Only the controller deletes load
    balancers, so endpoints and Ingresses must be deleted before it.

    Resources: one ``Custom::AWSCDK-EKS-HelmChart``, one ``AWS::IAM::Role``, two
    ``AWS::IAM::ManagedPolicy``, one ``AWS::EKS::PodIdentityAssociation``.

    Attributes:
        ready: Dependency of what makes the controller create load balancers.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        controller: LoadBalancerController,
        context: AddonContext,
    ) -> None:
        super().__init__(scope, id)
        # Tokens are read once, since each read is a call to Node.
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
            service_account=_SERVICE_ACCOUNT,
            role_arn=role.attr_arn,
        )
        chart = controller_chart(
            self,
            "Chart",
            cluster=context.cluster,
            repository=context.chart(BALANCERS_CHART, BALANCERS_CHARTS),
            chart=BALANCERS_CHART,
            version=controller.version,
            values=controller.values(_chart_context(context, region, vpc_id)),
        )
        # The association refers to the role, and the role to its policies, so that one dependency
        # stands for the chain.
        chart.node.add_dependency(rights, context.ready)
        self.ready: IDependable = chart

    def _role(self, scope: ControllerScope) -> iam.CfnRole:
        return controller_role(
            self,
            "Role",
            name="Load balancer controller",
            description=f"Load balancer controller in {scope.cluster_name}",
            cluster_name=scope.cluster_name,
            service_account=_SERVICE_ACCOUNT,
            documents=controller_policies(scope),
            reasons=wildcard_reasons,
        )


def _chart_context(context: AddonContext, region: str, vpc_id: str) -> LoadBalancerChartContext:
    return LoadBalancerChartContext(
        cluster_name=context.cluster_name,
        region=region,
        vpc_id=vpc_id,
        node_selector=context.node_selector,
        tolerations=context.tolerations,
        image=context.public(BALANCERS_IMAGE) if context.mirror else None,
    )
