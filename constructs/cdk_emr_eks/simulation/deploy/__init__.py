"""Deploys a cloud assembly to a plane and an emulated account, from its files alone."""

from cdk_emr_eks.simulation.deploy.deployment import Deployment, deploy
from cdk_emr_eks.simulation.deploy.outcome import (
    DeploymentFailedError,
    Outcome,
    ResourceOutcome,
)
from cdk_emr_eks.simulation.deploy.site import ClusterIdentity

__all__ = [
    "ClusterIdentity",
    "Deployment",
    "DeploymentFailedError",
    "Outcome",
    "ResourceOutcome",
    "deploy",
]
