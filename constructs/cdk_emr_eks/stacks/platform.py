"""The platform in one stack: network, cluster, Karpenter, workloads."""

from __future__ import annotations

from collections.abc import Sequence

from aws_cdk import Environment, Stack
from aws_cdk import aws_iam as iam
from constructs import Construct

from cdk_emr_eks.model.clusters.cluster import ClusterSpec
from cdk_emr_eks.model.networks.network import NetworkSpec
from cdk_emr_eks.model.workloads.catalog import DEFAULT_WORKLOADS
from cdk_emr_eks.model.workloads.workload import Workload
from cdk_emr_eks.networks.network import ExistingNetwork
from cdk_emr_eks.platforms.emr_eks_cluster import EmrEksCluster

__all__ = ["PlatformStack"]


class PlatformStack(Stack):
    """One EMR on EKS platform for the tenants of an account and region.

    Args:
        scope: The app, or a stage of it.
        id: Construct id of the stack.
        admin_role_names: IAM roles of this account that administer the cluster.
        cluster: Options of the EKS cluster.
        network: Options of a new VPC, or an existing VPC.
        workloads: Kinds of jobs. Node pools and pod templates follow from them.
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
        cluster: ClusterSpec | None = None,
        network: NetworkSpec | ExistingNetwork | None = None,
        workloads: Sequence[Workload] = DEFAULT_WORKLOADS,
        env: Environment | None = None,
    ) -> None:
        super().__init__(scope, id, env=env)
        admins = [iam.Role.from_role_name(self, f"Admin-{name}", name) for name in admin_role_names]
        self.cluster = EmrEksCluster(
            self,
            "EmrEksCluster",
            admins=admins,
            cluster=cluster or ClusterSpec(),
            network=network or NetworkSpec(),
            workloads=workloads,
        )
