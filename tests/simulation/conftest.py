"""What tests of the simulation share: the control plane, as users get it, and a tenant on it."""

from cdk_emr_eks.testing import plane
from tests.simulation.guarded_tenant import guarded

__all__ = ["guarded", "plane"]
