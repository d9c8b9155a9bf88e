"""The control plane that tests of the simulation share, as users get it."""

from cdk_emr_eks.testing import plane

__all__ = ["plane"]
