"""Deploy a cloud assembly to a control plane and an emulated account, from its files alone."""

from cdk_emr_eks.simulation.deploy.deployment import AssemblyDeployment, deploy
from cdk_emr_eks.simulation.deploy.model import ClusterIdentity, DeployOutcome, ResourceRecord

__all__ = [
    "AssemblyDeployment",
    "ClusterIdentity",
    "DeployOutcome",
    "ResourceRecord",
    "deploy",
]
