"""Karpenter: the controller that buys nodes for pending pods and gives them back."""

from cdk_emr_eks.addons.karpenter.addon import Karpenter
from cdk_emr_eks.addons.karpenter.installation import InstalledKarpenter
from cdk_emr_eks.addons.karpenter.values import FeatureGates, KarpenterLogLevel, SchedulingBatch

__all__ = [
    "FeatureGates",
    "InstalledKarpenter",
    "Karpenter",
    "KarpenterLogLevel",
    "SchedulingBatch",
]
