"""Policy documents of job execution roles: trust policies, and permissions of every job."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final, cast

from aws_cdk import Aws

from cdk_emr_eks.clusters.oidc_provider import OidcProvider
from cdk_emr_eks.model.access.execution_role import (
    Component,
    ExecutionRoleSpec,
    IamPermission,
    service_account,
)
from cdk_emr_eks.names import base36
from cdk_emr_eks.security.iam import pod_identity_trust, regional_arn
from cdk_emr_eks.tokens import has_token


def job_trust(cluster_name: str, namespace: str, spec: ExecutionRoleSpec) -> dict[str, object]:
    """Return the trust policy for Pod Identity and EMR's service accounts of one role."""
    return pod_identity_trust(
        cluster_name=cluster_name,
        namespace=namespace,
        service_accounts=[
            service_account(component, Aws.ACCOUNT_ID, spec.name) for component in spec.components
        ],
    )


def shared_trust(cluster_name: str, spec: ExecutionRoleSpec) -> dict[str, object]:
    """Return the trust policy for Pod Identity and a role in many namespaces of a cluster.

    It names the cluster and the service accounts, as ``job_trust`` does, and no namespace: IAM's
    limit on a trust policy would limit the number of tenants. The Pod Identity associations decide
    which namespaces have the role. Sessions without tags are refused, since the permissions depend
    on the tags.
    """
    document = job_trust(cluster_name, "", spec)
    (statement,) = cast(list[dict[str, dict[str, dict[str, object]]]], document["Statement"])
    condition = statement["Condition"]
    del condition["StringEquals"]["aws:RequestTag/kubernetes-namespace"]
    condition["Null"] = {"aws:RequestTag/kubernetes-namespace": "false"}
    return document


def irsa_trust(
    oidc: OidcProvider,
    namespace: str,
    spec: ExecutionRoleSpec,
    more: Sequence[Mapping[str, object]] = (),
) -> object:
    """Return the trust policy for IRSA and EMR's service accounts of one role.

    The issuer is part of condition keys, which CloudFormation cannot compute in an object. If it is
    a token, the trust policy is JSON text instead, which IAM accepts, so no Lambda is needed.

    Args:
        oidc: The provider.
        namespace: Namespace of the service accounts.
        spec: The role.
        more: Further statements.
    """
    subject = f"system:serviceaccount:{namespace}:"
    # The pattern of EMR's guide: the two wildcards are the framework and the component.
    named = f"{subject}emr-containers-sa-*-*-{Aws.ACCOUNT_ID}-{base36(spec.name)}"
    livy = f"{subject}{service_account(Component.LIVY, Aws.ACCOUNT_ID, spec.name)}"
    subjects = [named] if set(spec.components) - {Component.LIVY} else []
    if Component.LIVY in spec.components:
        subjects.append(livy)
    condition = {
        "StringEquals": {f"{oidc.issuer}:aud": "sts.amazonaws.com"},
        "StringLike": {f"{oidc.issuer}:sub": subjects[0] if len(subjects) == 1 else subjects},
    }
    statement = {
        "Effect": "Allow",
        "Principal": {"Federated": oidc.arn},
        "Action": "sts:AssumeRoleWithWebIdentity",
        "Condition": condition,
    }
    document = {"Version": "2012-10-17", "Statement": [statement, *more]}
    return json.dumps(document) if has_token(oidc.issuer) else document


def in_environment(permission: IamPermission) -> IamPermission:
    """Replace the pseudo parameters of a permission, such as ``${AWS::Region}``, by tokens.

    A value has no stack, so it can name its account and region only by pseudo parameters.
    """
    # Each read of a pseudo parameter is a call into CDK.
    if "${AWS::" not in f"{permission.resources}{permission.conditions}":
        return permission
    known = {
        "${AWS::Partition}": Aws.PARTITION,
        "${AWS::Region}": Aws.REGION,
        "${AWS::AccountId}": Aws.ACCOUNT_ID,
    }

    def filled(value: object) -> object:
        if isinstance(value, str):
            for name, pseudo in known.items():
                value = value.replace(name, pseudo)
        elif isinstance(value, Sequence):
            return [filled(item) for item in value]
        return value

    conditions = {
        operator: {key: filled(value) for key, value in keys.items()}
        for operator, keys in permission.conditions.items()
    }
    resources = tuple(str(filled(arn)) for arn in permission.resources)
    return replace(permission, resources=resources, conditions=conditions)


def read_templates(arns: Sequence[str]) -> dict[str, object]:
    """Return the permission to read pod templates, and no other object of the asset bucket."""
    return {
        "Sid": "ReadPodTemplates",
        "Effect": "Allow",
        "Action": "s3:GetObject",
        "Resource": list(arns),
    }


def write_logs(log_group: str | None, location: tuple[str, str] | None) -> list[dict[str, object]]:
    """Return the permissions that EMR's logging needs, on the tenant's log group and prefix.

    Args:
        log_group: Name of the log group. None: no log group.
        location: Bucket and prefix of logs in S3. None: no logs in S3.

    Source: https://docs.aws.amazon.com/emr/latest/EMR-on-EKS-DevelopmentGuide/emr-eks-jobs-cloudwatch.html
    """
    statements: list[dict[str, object]] = []
    if log_group is not None:
        base = regional_arn("logs", "log-group:")
        statements.append(
            {
                "Sid": "WriteLogs",
                "Effect": "Allow",
                "Action": [
                    "logs:CreateLogStream",
                    "logs:DescribeLogStreams",
                    "logs:PutLogEvents",
                ],
                "Resource": f"{base}{log_group}:*",
            }
        )
        statements.append(
            {
                "Sid": "FindLogGroup",
                "Effect": "Allow",
                # It searches all names; IAM cannot restrict it to one group.
                "Action": "logs:DescribeLogGroups",
                "Resource": f"{base}*",
            }
        )
    if location is not None:
        bucket, prefix = location
        arn = f"arn:{Aws.PARTITION}:s3:::{bucket}"
        objects = f"{prefix}/*" if prefix else "*"
        statements.append(
            {
                "Sid": "WriteS3Logs",
                "Effect": "Allow",
                "Action": ["s3:GetObject", "s3:PutObject"],
                "Resource": f"{arn}/{objects}",
            }
        )
        statements.append(
            {
                "Sid": "ListS3Logs",
                "Effect": "Allow",
                "Action": "s3:ListBucket",
                "Resource": arn,
                "Condition": {"StringLike": {"s3:prefix": objects}},
            }
        )
    return statements


def wildcards(statements: Sequence[Mapping[str, object]]) -> list[tuple[str, str]]:
    """Return the wildcard resources of statements of ``write_logs``, each with its reason."""
    return [
        (str(statement["Resource"]), _REASONS[str(statement["Sid"])])
        for statement in statements
        if "*" in str(statement["Resource"])
    ]


_REASONS: Final = {
    "WriteLogs": "EMR names the log streams, all within the tenant's own group",
    "FindLogGroup": "DescribeLogGroups is a search over all names, which IAM cannot narrow",
    "WriteS3Logs": "EMR names the log objects, all under the tenant's own prefix",
}
