"""The platform in one stack: network, cluster, Karpenter, workloads."""

from __future__ import annotations

from collections.abc import Sequence

from aws_cdk import Environment, Stack
from aws_cdk import aws_iam as iam
from constructs import Construct

from cdk_emr_eks import (
    DEFAULT_WORKLOADS,
    ClusterSpec,
    EmrEksCluster,
    ExistingNetwork,
    NetworkSpec,
    Workload,
)


class PlatformStack(Stack):
    """One EMR on EKS platform for the tenants of an account and region.

    Args:
        admin_role_names: IAM roles of this account whose people administer the cluster.
        cluster: Options of the EKS cluster.
        network: A new VPC, or one that is there already.
        workloads: What will run; node pools and pod templates follow from it.
        env: Account and region; without it the stack deploys to whichever is current.
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
