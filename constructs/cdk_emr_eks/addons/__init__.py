"""Add-ons: installable parts of the platform, one to a module. ``DEFAULT_ADDONS`` come unasked."""

from cdk_emr_eks.addons.karpenter import Karpenter
from cdk_emr_eks.addons.protocol import Addon

DEFAULT_ADDONS: tuple[Addon, ...] = (Karpenter(),)
