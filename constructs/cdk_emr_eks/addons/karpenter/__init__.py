"""Karpenter: the controller that launches nodes for pending pods and terminates unused nodes."""

from cdk_emr_eks.addons.karpenter.construct import InstalledKarpenter, Karpenter
from cdk_emr_eks.addons.karpenter.options import (
    FeatureGates,
    KarpenterLogLevel,
    SchedulingBatch,
)

__all__ = [
    "FeatureGates",
    "InstalledKarpenter",
    "Karpenter",
    "KarpenterLogLevel",
    "SchedulingBatch",
]
