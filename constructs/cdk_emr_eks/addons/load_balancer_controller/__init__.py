"""AWS Load Balancer Controller: creates load balancers for Ingresses and Services."""

from cdk_emr_eks.addons.load_balancer_controller.construct import (
    InstalledLoadBalancerController,
    LoadBalancerController,
)

__all__ = ["InstalledLoadBalancerController", "LoadBalancerController"]
