"""What tenants may make beside pods: services that stay inside, and no controllers of their own."""

from __future__ import annotations

from typing import Final

from cdk_emr_eks.spec.admission.identities import BY_EMR, BY_TENANT
from cdk_emr_eks.spec.admission.policy import AdmissionPolicy, Rule

SERVICES: Final = AdmissionPolicy(
    name="emr-eks-services",
    resources={"": ("services",)},
    operations=("CREATE", "UPDATE"),
    rules=(
        Rule(
            expression="object.spec.?type.orValue('ClusterIP') == 'ClusterIP'",
            message="services must be of the type ClusterIP",
            subject="object.spec.?type.orValue('')",
        ),
        Rule(
            expression="object.spec.?externalIPs.orValue([]).size() == 0",
            message="services must not have external IPs",
        ),
    ),
    # EMR makes the load balancers of interactive endpoints.
    conditions={"not-emr": f"!({BY_EMR})"},
)
"""A service with another address draws the traffic of others to itself, or opens the cluster."""

CONTROLLERS: Final = AdmissionPolicy(
    name="emr-eks-controllers",
    resources={
        "": ("replicationcontrollers", "serviceaccounts", "endpoints"),
        "apps": ("deployments", "daemonsets", "replicasets", "statefulsets"),
        "batch": ("jobs", "cronjobs"),
        "discovery.k8s.io": ("endpointslices",),
        "networking.k8s.io": ("ingresses", "networkpolicies"),
        "rbac.authorization.k8s.io": ("roles", "rolebindings"),
    },
    operations=("CREATE", "UPDATE", "DELETE"),
    rules=(
        Rule(
            expression="false",
            message="code in a pod must not make or change controllers, service accounts, rights, "
            "routes or network policies",
        ),
    ),
    conditions={"by-a-pod": BY_TENANT},
)
"""Pods that a controller makes would have the controller's identity, and so pass for EMR's own."""
