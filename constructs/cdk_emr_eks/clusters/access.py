"""Who may administer the cluster: access entries, no aws-auth."""

from __future__ import annotations

from collections.abc import Sequence

from aws_cdk import Annotations, Aws
from aws_cdk import aws_eks as eks_l1
from aws_cdk import aws_iam as iam
from constructs import Construct

from cdk_emr_eks.errors import refuse


class AdminAccess(Construct):
    """Cluster administration for IAM roles, by EKS's own access policy and no Kubernetes group.

    Resources made: one ``AWS::EKS::AccessEntry`` for each role.

    Args:
        cluster_name: Name of the cluster; may be a token.
        admins: Roles of administrators.

    Raises:
        ConfigError: If a role is given twice; EKS has one entry for each role.

    Source: https://docs.aws.amazon.com/eks/latest/userguide/access-policy-permissions.html
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        cluster_name: str,
        admins: Sequence[iam.IRole],
    ) -> None:
        super().__init__(scope, id)
        arns: set[str] = set()
        for role in admins:
            arn = role.role_arn
            if arn in arns:
                where = f"Administrators of {self.node.path}"
                raise refuse(where, "admins", "must have each role once", role.node.path)
            arns.add(arn)
            scope_of = eks_l1.CfnAccessEntry.AccessScopeProperty(type="cluster")
            policy = (
                f"arn:{Aws.PARTITION}:eks::aws:cluster-access-policy/AmazonEKSClusterAdminPolicy"
            )
            eks_l1.CfnAccessEntry(
                self,
                role.node.addr,
                cluster_name=cluster_name,
                principal_arn=arn,
                access_policies=[
                    eks_l1.CfnAccessEntry.AccessPolicyProperty(
                        access_scope=scope_of, policy_arn=policy
                    )
                ],
            )
        if not arns:
            Annotations.of(self).add_warning_v2(
                "cdk-emr-eks:no-admins",
                "Nobody may use kubectl on this cluster but CloudFormation: give admins",
            )
