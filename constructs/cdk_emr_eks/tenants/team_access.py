"""Permissions of a tenant's team in AWS: run its jobs, describe them, read its logs."""

from __future__ import annotations

from collections.abc import Sequence

from aws_cdk import Aws
from aws_cdk import aws_iam as iam

from cdk_emr_eks.labels import TENANT
from cdk_emr_eks.model.tenants.tenant import Tenant
from cdk_emr_eks.security.iam import PODS_SERVICE, Right, grant, regional_arn


def grant_team(
    grantee: iam.IGrantable,
    *,
    tenant: Tenant,
    virtual_cluster_arn: str,
    roles: Sequence[str],
    log_group: str,
) -> iam.Grant:
    """Grant the permissions of a tenant's team, on resources of the tenant only.

    They do not include: creating virtual clusters or endpoints, changing a role or its trust
    policy, tagging anything but job runs, and assuming an execution role outside of a job.

    Args:
        grantee: Role, group or user.
        tenant: The tenant.
        virtual_cluster_arn: ARN of the tenant's virtual cluster.
        roles: ARNs of its execution roles for jobs.
        log_group: Name of the log group of its jobs.

    Source: https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonemroneksemrcontainers.html
    """
    rights = (
        *_jobs(tenant, virtual_cluster_arn, roles),
        _read_log_group(log_group),
        *_read_s3_logs(tenant),
    )
    return grant(grantee, rights)


def _jobs(tenant: Tenant, cluster: str, roles: Sequence[str]) -> tuple[Right, ...]:
    runs = (f"{cluster}/jobruns/*",)
    return (
        Right(
            actions=("emr-containers:StartJobRun",),
            resources=(cluster,),
            conditions={"ArnEquals": {"emr-containers:ExecutionRoleArn": list(roles)}},
        ),
        Right(
            actions=("emr-containers:DescribeVirtualCluster", "emr-containers:ListJobRuns"),
            resources=(cluster,),
        ),
        Right(
            actions=(
                "emr-containers:DescribeJobRun",
                "emr-containers:CancelJobRun",
                "emr-containers:TagResource",
            ),
            resources=runs,
        ),
        Right(
            # EMR chooses the ids of templates. The library sets the tag, and the team cannot.
            actions=("emr-containers:DescribeJobTemplate",),
            resources=(regional_arn("emr-containers", "/jobtemplates/*"),),
            conditions={"StringEquals": {f"aws:ResourceTag/{TENANT}": tenant.name}},
        ),
        Right(
            actions=("iam:PassRole",),
            resources=tuple(roles),
            conditions={"StringEquals": {"iam:PassedToService": PODS_SERVICE}},
        ),
    )


def _read_log_group(name: str) -> Right:
    return Right(
        actions=("logs:DescribeLogStreams", "logs:FilterLogEvents", "logs:GetLogEvents"),
        resources=(regional_arn("logs", f"log-group:{name}:*"),),
    )


def _read_s3_logs(tenant: Tenant) -> tuple[Right, ...]:
    if tenant.logs.s3_location is None:
        return ()
    bucket, prefix = tenant.logs.s3_location
    arn = f"arn:{Aws.PARTITION}:s3:::{bucket}"
    objects = f"{prefix}/*" if prefix else "*"
    listed = {"StringLike": {"s3:prefix": objects}}
    return (
        Right(actions=("s3:GetObject",), resources=(f"{arn}/{objects}",)),
        Right(actions=("s3:ListBucket",), resources=(arn,), conditions=listed),
    )
