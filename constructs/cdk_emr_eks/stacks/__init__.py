"""Ready stacks: the platform in one stack, tenants and notebook users spread over several.

Each is ordinary code on the public API. Derive from :class:`PlatformStack`, or write a stack with
the constructs yourself where an app needs more than the arguments here.
"""

from cdk_emr_eks.stacks.platform import PlatformStack
from cdk_emr_eks.stacks.spread import notebook_stacks, tenant_stacks

__all__ = ["PlatformStack", "notebook_stacks", "tenant_stacks"]
