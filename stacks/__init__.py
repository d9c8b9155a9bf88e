"""Ready stacks: the platform, and tenants and notebooks in stacks of their own."""

from stacks.notebooks import notebook_stacks
from stacks.platform import PlatformStack
from stacks.tenants import tenant_stacks

__all__ = ["PlatformStack", "notebook_stacks", "tenant_stacks"]
