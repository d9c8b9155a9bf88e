"""The platform in one stack: network, cluster, Karpenter, workloads."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from aws_cdk import Environment, Stack
from aws_cdk import aws_iam as iam
from constructs import Construct

from cdk_emr_eks.platforms.emr_eks_cluster import EmrEksCluster
from cdk_emr_eks.platforms.platform import Platform

__all__ = ["PlatformStack"]


class PlatformStack(Stack):
    """One EMR on EKS platform for the tenants of an account and region.

    Args:
        scope: The app, or a stage of it.
        id: Construct id of the stack.
        admin_role_names: IAM roles of this account that administer the cluster.
        platform: Options of the platform. None: ``Platform()``.
        env: Account and region. Default: those of the credentials that deploy.

    Attributes:
        cluster: The platform, to which tenants are added.

    Example:
        >>> import aws_cdk as cdk
        >>> from cdk_emr_eks.stacks import PlatformStack
        >>> platform = PlatformStack(cdk.App(), "Platform", admin_role_names=["eks-admin"])
        >>> platform.cluster.node.id
        'EmrEksCluster'
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        admin_role_names: Sequence[str] = (),
        platform: Platform | None = None,
        env: Environment | None = None,
    ) -> None:
        super().__init__(scope, id, env=env)
        admins = [iam.Role.from_role_name(self, f"Admin-{name}", name) for name in admin_role_names]
        options = platform or Platform()
        options = replace(options, admins=(*options.admins, *admins))
        self.cluster = EmrEksCluster(self, "EmrEksCluster", platform=options)
