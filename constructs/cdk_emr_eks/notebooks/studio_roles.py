"""The roles of an EMR Studio: the service's, and with Identity Center the people's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from aws_cdk import Aws
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from constructs import Construct

from cdk_emr_eks.security.nag import accept, wildcard

_EMR: Final = "elasticmapreduce.amazonaws.com"


class StudioServiceRole(Construct):
    """The role that EMR Studio takes to run workspaces.

    Only EMR of this account may take it. What it may do is a policy of its own, which goes after
    the Studio, so that EMR can still clean up.

    Resources made: an ``AWS::IAM::Role`` and an ``AWS::IAM::Policy``.

    Args:
        studio: Name of the Studio, for the description.
        statements: What the role may do, as IAM reads it.
        reasons: Why a resource has a wildcard, by the resource.

    Attributes:
        role: The role.
        policy: Its policy; a Studio depends on it.

    Source: https://docs.aws.amazon.com/emr/latest/ManagementGuide/emr-studio-service-role.html
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        studio: str,
        statements: Sequence[Mapping[str, object]],
        reasons: Mapping[str, str],
    ) -> None:
        super().__init__(scope, id)
        source = f"arn:{Aws.PARTITION}:elasticmapreduce:*:{Aws.ACCOUNT_ID}:*"
        principal = iam.ServicePrincipal(
            _EMR,
            conditions={
                "StringEquals": {"aws:SourceAccount": Aws.ACCOUNT_ID},
                "ArnLike": {"aws:SourceArn": source},
            },
        )
        self.role = iam.Role(
            self,
            "Role",
            assumed_by=principal,
            description=f"EMR Studio {studio} runs workspaces",
        )
        self.policy = iam.Policy(
            self,
            "Policy",
            roles=[self.role],
            document=iam.PolicyDocument.from_json(
                {"Version": "2012-10-17", "Statement": [dict(each) for each in statements]}
            ),
        )
        accept(self.policy, {wildcard(self, resource): why for resource, why in reasons.items()})

    def allow_secret_key(self, key: kms.IKey) -> None:
        """Let the role read secrets that a key encrypts, through Secrets Manager only."""
        through = f"secretsmanager.{Aws.REGION}.{Aws.URL_SUFFIX}"
        self.policy.add_statements(
            iam.PolicyStatement(
                actions=["kms:Decrypt"],
                resources=[key.key_arn],
                conditions={"StringEquals": {"kms:ViaService": through}},
            )
        )


def make_user_role(scope: Construct, id: str, *, studio: str) -> iam.Role:
    """Make the role that a Studio gives to people of Identity Center.

    It may do nothing by itself. What a person may do is in this role's policies and in the session
    policy of the person, both at once.

    Source: https://docs.aws.amazon.com/emr/latest/ManagementGuide/emr-studio-user-permissions.html
    """
    role = iam.Role(
        scope,
        id,
        assumed_by=iam.ServicePrincipal(_EMR),
        description=f"People of EMR Studio {studio}",
    )
    trust = role.assume_role_policy
    assert trust is not None  # A role that is made here has a trust policy.
    trust.add_statements(
        iam.PolicyStatement(
            # EMR says who the person is.
            actions=["sts:SetContext"],
            principals=[iam.ServicePrincipal(_EMR)],
        )
    )
    return role
