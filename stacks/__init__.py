"""Ready stacks: the platform, and tenants in stacks of their own."""

from stacks.platform import PlatformStack
from stacks.tenants import tenant_stacks

__all__ = ["PlatformStack", "tenant_stacks"]
