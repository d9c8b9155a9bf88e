"""An app for tests of ephemeral jobs, with a created cluster and an imported one."""

from __future__ import annotations

from functools import cache

import aws_cdk as cdk
from aws_cdk import aws_iam as iam

from cdk_emr_eks.ephemeral.jobs import EphemeralJobs
from cdk_emr_eks.model.access.execution_role import IamPermission, JobLogs
from cdk_emr_eks.model.ephemeral.job import EphemeralJobSpec
from cdk_emr_eks.model.namespaces.quota import Quota
from cdk_emr_eks.model.tenants.tenant import Tenant
from cdk_emr_eks.tenants.tenant import EmrEksTenant
from cdk_emr_eks.units import Cpu, Memory
from tests.synth.synthesized import Synthesized, synthesize
from tests.synth.tenants.tenancy_app import imported_context, new_app, new_context

QUOTA = Quota(cpu=Cpu.cores(64), memory=Memory.from_gib(512), pods=100)
JOB = EphemeralJobSpec(
    name="research",
    workload="shared",
    entry_point="s3://code/research.py",
    arguments=("--depth", "3"),
    submit_parameters="--conf spark.sql.ansi.enabled=true",
    quota=QUOTA,
    permissions=(
        IamPermission(
            actions=("s3:GetObject", "s3:PutObject"),
            resources=(
                "arn:${AWS::Partition}:s3:::scratch/${aws:PrincipalTag/kubernetes-namespace}/*",
            ),
            reason="a folder for each namespace",
        ),
    ),
    timeout_minutes=90,
    tags={"team": "research"},
)


@cache
def synthesized() -> Synthesized:
    """Synthesize once for all tests of ephemeral jobs."""
    app = new_app()
    context = new_context(cdk.Stack(app, "Platform"))
    elsewhere = cdk.Stack(app, "Elsewhere")
    logs = JobLogs(s3_uri="s3://logs/quants")
    tenant = EmrEksTenant(
        elsewhere, "Quants", context=context, tenant=Tenant(name="quants", logs=logs)
    )
    jobs = EphemeralJobs(elsewhere, "Research", tenant=tenant, spec=JOB)
    people = iam.Role(elsewhere, "People", assumed_by=iam.AccountPrincipal("111122223333"))
    jobs.grant_run(people)
    imported = cdk.Stack(app, "Imported")
    foreign = EmrEksTenant(
        imported, "T", context=imported_context(imported), tenant=Tenant(name="t", quota=QUOTA)
    )
    plain = EphemeralJobSpec(name="plain", workload="shared", entry_point="s3://code/plain.py")
    EphemeralJobs(imported, "Plain", tenant=foreign, spec=plain)
    return synthesize(app)
