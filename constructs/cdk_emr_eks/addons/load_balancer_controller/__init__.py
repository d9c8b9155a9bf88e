"""AWS Load Balancer Controller: makes load balancers for Ingresses and Services."""

from cdk_emr_eks.addons.load_balancer_controller.addon import LoadBalancerController
from cdk_emr_eks.addons.load_balancer_controller.installation import (
    InstalledLoadBalancerController,
)

__all__ = ["InstalledLoadBalancerController", "LoadBalancerController"]
