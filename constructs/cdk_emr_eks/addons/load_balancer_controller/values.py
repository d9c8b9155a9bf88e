"""Values of the chart ``aws-load-balancer-controller``: what is set, and what is left alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from cdk_emr_eks import labels
from cdk_emr_eks.model.clusters.addon_mirror import BALANCERS_CHART

CHART: Final = BALANCERS_CHART
"""Name of the chart, of the release, and of what it makes."""
SERVICE_ACCOUNT: Final = CHART


@dataclass(frozen=True, kw_only=True, slots=True)
class Surroundings:
    """What the chart must know of the cluster it is installed into; strings may be tokens.

    Args:
        cluster_name: Name of the cluster.
        region: AWS Region.
        vpc_id: Id of the cluster's VPC.
        node_selector: Puts the controller on the system nodes.
        tolerations: Kubernetes tolerations of the system nodes' taints.
        image: Repository of the controller's image. None: the chart's own.
    """

    cluster_name: str
    region: str
    vpc_id: str
    node_selector: Mapping[str, str]
    tolerations: tuple[Mapping[str, str], ...]
    image: str | None = None


def controller_values(
    around: Surroundings, *, replicas: int, service_webhook: bool
) -> Mapping[str, object]:
    """Return the chart's values for a cluster.

    Args:
        around: What the chart must know of the cluster.
        replicas: Controllers, one of which leads.
        service_webhook: Whether Services of type LoadBalancer become the controller's by default.
    """
    own = {"app.kubernetes.io/name": CHART, "app.kubernetes.io/instance": CHART}
    spread = {
        "maxSkew": 1,
        "topologyKey": labels.ZONE,
        # A lost zone must not keep the webhooks from running in the others.
        "whenUnsatisfiable": "ScheduleAnyway",
        "labelSelector": {"matchLabels": own},
    }
    return {
        # The tag stays the chart's.
        **({"image": {"repository": around.image}} if around.image else {}),
        "clusterName": around.cluster_name,
        # Without these two the controller asks the metadata service, one hop too far for a pod.
        "region": around.region,
        "vpcId": around.vpc_id,
        "replicaCount": replicas,
        "serviceAccount": {"create": True, "name": SERVICE_ACCOUNT},
        "nodeSelector": dict(around.node_selector),
        "tolerations": [dict(each) for each in around.tolerations],
        "topologySpreadConstraints": [spread],
        "podDisruptionBudget": {"maxUnavailable": 1},
        "resources": {
            "requests": {"cpu": "100m", "memory": "200Mi"},
            # No CPU limit; the cache of the cluster's objects grows with it.
            "limits": {"memory": "1Gi"},
        },
        # A new certificate at each upgrade would fail the webhooks until all pods have read it.
        "keepTLSSecret": True,
        # It stands in the way of every new Service of the cluster, those of Spark's drivers too,
        # and fails them while no controller runs.
        "enableServiceMutatorWebhook": service_webhook,
        "enableShield": False,
        "enableWaf": False,
        "enableWafv2": False,
        "controllerConfig": {
            "featureGates": {
                # The controller's rights go by the tags of listeners and rules.
                "ListenerRulesTagging": True,
                # Their CRDs are not installed.
                "ALBGatewayAPI": False,
                "NLBGatewayAPI": False,
                "GatewayListenerSet": False,
            }
        },
    }
