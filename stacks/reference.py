"""The stacks of the reference platform: one for the platform, one for its tenants."""

from __future__ import annotations

from collections.abc import Sequence

from aws_cdk import Environment
from constructs import Construct

from cdk_emr_eks import Tenant
from cdk_emr_eks.stacks import PlatformStack, tenant_stacks


def reference_stacks(
    scope: Construct, *, tenants: Sequence[Tenant], env: Environment | None = None
) -> PlatformStack:
    """Create the platform and its tenants in stacks that are deployed one after the other.

    Args:
        scope: The app, or a stage of it.
        tenants: All tenants. About 30 fit into one stack; give ``tenant_stacks`` a number of
            stacks for more.
        env: Account and region. Default: those of the credentials that deploy.

    Returns:
        The stack of the platform, for more stacks that use its cluster.
    """
    platform = PlatformStack(scope, "EmrEksPlatform", env=env)
    tenant_stacks(scope, "EmrEksTenants", cluster=platform.cluster, tenants=tenants, env=env)
    return platform
