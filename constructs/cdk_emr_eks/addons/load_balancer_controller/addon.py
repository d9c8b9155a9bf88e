"""The add-on's options, checked."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from constructs import Construct

from cdk_emr_eks.addons.load_balancer_controller.installation import (
    InstalledLoadBalancerController,
)
from cdk_emr_eks.addons.load_balancer_controller.values import Surroundings, controller_values
from cdk_emr_eks.addons.protocol import AddonContext
from cdk_emr_eks.errors import Problems
from cdk_emr_eks.field_types import check_types
from cdk_emr_eks.names import cluster_name as check_cluster_name
from cdk_emr_eks.versions import LOAD_BALANCER_CONTROLLER

LOAD_BALANCER_CONTROLLER_NAME: Final = "LoadBalancerController"
"""Name of the add-on, by which others require it."""

_VERSION: Final = re.compile(r"3\.(\d+)\.\d+")
_OLDEST_MINOR: Final = 5
# The values and the policy that the library knows are those of 3.5.


@dataclass(frozen=True, kw_only=True, slots=True)
class LoadBalancerController:
    """AWS Load Balancer Controller: makes the load balancers that Ingresses and Services ask for.

    EMR's managed endpoints need it: EMR writes an Ingress for each, and the controller makes an
    internal application load balancer of it. A cluster gets it with its first endpoint; name it in
    ``addons`` to have it from the start, or with options of your own. It runs on the system nodes
    with rights by Pod Identity: those that its project publishes, narrowed to load balancers and
    security groups of this cluster. Web firewalls, Shield, Cognito and the Gateway API are off.

    Args:
        version: Version of the chart, 3.5.0 or newer. Default: the one in versions.py. Helm does
            not upgrade CRDs; a release whose notes ask for new ones needs ``kubectl apply``.
        replicas: Controllers, one of which leads; zones share them evenly. Default 2.
        service_webhook: Whether the controller takes over each new Service of type LoadBalancer
            that names no class. Its webhook is then called for every new Service of the cluster,
            and no job starts while no controller runs. Default False: such Services name the class
            ``service.k8s.aws/nlb``.

    Raises:
        ConfigError: If the version is none that the library knows, or there is no replica.

    Source: https://kubernetes-sigs.github.io/aws-load-balancer-controller/latest/deploy/installation/,
    2026-11.

    Example:
        >>> LoadBalancerController(replicas=3).name
        'LoadBalancerController'
    """

    version: str = LOAD_BALANCER_CONTROLLER
    replicas: int = 2
    service_webhook: bool = False

    def __post_init__(self) -> None:
        check_types(LOAD_BALANCER_CONTROLLER_NAME, self)
        problems = Problems(LOAD_BALANCER_CONTROLLER_NAME)
        match = _VERSION.fullmatch(self.version)
        known = match is not None and int(match[1]) >= _OLDEST_MINOR
        newest = LOAD_BALANCER_CONTROLLER
        rule = f"must be a release such as {newest!r}, 3.{_OLDEST_MINOR}.0 or newer, below 4"
        problems.require(known, "version", rule, self.version)
        problems.require(self.replicas >= 1, "replicas", "must be 1 or more", self.replicas)
        problems.raise_if_any()

    @property
    def name(self) -> str:
        """Name of the add-on, and id of its construct."""
        return LOAD_BALANCER_CONTROLLER_NAME

    @property
    def requires(self) -> tuple[str, ...]:
        """Nothing: the cluster itself has the Pod Identity agent and the system nodes."""
        return ()

    def install(self, scope: Construct, context: AddonContext) -> InstalledLoadBalancerController:
        """Install the controller.

        Raises:
            ConfigError: If the cluster's name is a token.
        """
        problems = Problems(self.name)
        problems.extend(check_cluster_name("cluster_name", context.cluster_name))
        problems.raise_if_any()
        return InstalledLoadBalancerController(
            scope, self.name, context=context, version=self.version, values=self.values
        )

    def values(self, around: Surroundings) -> Mapping[str, object]:
        """Return the chart's values for a cluster."""
        return controller_values(
            around, replicas=self.replicas, service_webhook=self.service_webhook
        )
