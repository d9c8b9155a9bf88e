"""A small app that tests of tenants share: tenants on a plain and on an imported cluster."""

from __future__ import annotations

from functools import cache
from typing import cast

import aws_cdk as cdk
from aws_cdk import aws_eks_v2 as eks
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk.lambda_layer_kubectl_v36 import KubectlV36Layer
from constructs import Construct

from cdk_emr_eks.clusters.oidc_provider import ClusterOidcProvider, OidcProvider
from cdk_emr_eks.jobs.job_template import JobTemplate
from cdk_emr_eks.model.access.execution_role import (
    ExecutionRoleSpec,
    IamPermission,
    JobIdentity,
    JobLogs,
)
from cdk_emr_eks.model.jobs.job_template import JobParameter, JobParameterType, JobTemplateSpec
from cdk_emr_eks.model.namespaces.quota import Quota
from cdk_emr_eks.model.tenants.tenant import Tenant
from cdk_emr_eks.model.tenants.virtual_cluster import (
    EmrAccess,
    SchedulerLimits,
    VirtualClusterOptions,
)
from cdk_emr_eks.model.workloads.catalog import DEFAULT_WORKLOADS
from cdk_emr_eks.pods.pod_templates import PodTemplates
from cdk_emr_eks.tenants.context import (
    TenancyContext,
    allow_job_logs,
)
from cdk_emr_eks.tenants.tenant import EmrEksTenant
from cdk_emr_eks.units import Cpu, Memory
from tests.synth.synthesized import Synthesized, synthesize

CLUSTER = "data-platform"
ISSUER = "oidc.eks.eu-west-1.amazonaws.com/id/0123456789ABCDEF0123456789ABCDEF"
WORKLOADS = {workload.name: workload for workload in DEFAULT_WORKLOADS}


def new_app() -> cdk.App:
    """Return an app without the CDK's analytics."""
    return cdk.App(analytics_reporting=False)


def new_cluster(scope: Construct, name: str = CLUSTER) -> eks.Cluster:
    """A plain cluster: what tenancy needs is no more than that."""
    return eks.Cluster(
        scope,
        "Cluster",
        cluster_name=name,
        version=eks.KubernetesVersion.V1_36,
        default_capacity_type=eks.DefaultCapacityType.NODEGROUP,
        default_capacity=0,
        kubectl_provider_options=eks.KubectlProviderOptions(
            kubectl_layer=KubectlV36Layer(scope, "Kubectl")
        ),
    )


def new_context(scope: Construct, *, key: kms.Key | None = None) -> TenancyContext:
    """Return a context of a cluster of the same stack."""
    cluster = new_cluster(scope)
    return TenancyContext(
        # The stubs of a new cluster lack an optional member of the interface.
        cluster=cast(eks.ICluster, cluster),
        cluster_name=CLUSTER,
        workloads=WORKLOADS,
        pod_templates=PodTemplates(scope, "PodTemplates", workloads=WORKLOADS),
        oidc=ClusterOidcProvider(cluster),
        log_key=key,
    )


def imported_context(scope: Construct) -> TenancyContext:
    """Return a context of an imported cluster."""
    handler = eks.KubectlProvider.from_kubectl_provider_attributes(
        scope,
        "Provider",
        service_token="arn:aws:lambda:eu-west-1:111122223333:function:kubectl",
        role=iam.Role.from_role_arn(scope, "Role", "arn:aws:iam::111122223333:role/kubectl"),
    )
    cluster = eks.Cluster.from_cluster_attributes(
        scope, "Cluster", cluster_name=CLUSTER, kubectl_provider=handler
    )
    arn = f"arn:aws:iam::111122223333:oidc-provider/{ISSUER}"
    return TenancyContext(
        cluster=cluster,
        cluster_name=CLUSTER,
        workloads=WORKLOADS,
        pod_templates=PodTemplates(scope, "PodTemplates", workloads=WORKLOADS),
        oidc=OidcProvider(arn=arn, issuer=ISSUER),
    )


@cache
def synthesized() -> Synthesized:
    """Synthesize once for all tests of tenancy."""
    app = new_app()
    platform = cdk.Stack(app, "Platform")
    key = kms.Key(platform, "Key", enable_key_rotation=True)
    allow_job_logs(key, CLUSTER)
    context = new_context(platform, key=key)
    _plain(app, context)
    _irsa(app, context)
    _options(app, context)
    _imported(app)
    return synthesize(app)


def _plain(app: cdk.App, context: TenancyContext) -> None:
    stack = cdk.Stack(app, "Plain")
    quota = Quota(cpu=Cpu.cores(400), memory=Memory.from_gib(1600))
    tenant = Tenant(name="analytics", quota=quota, tags={"cost-center": "42"})
    made = EmrEksTenant(stack, "Analytics", context=context, tenant=tenant)
    submitter = iam.User(stack, "Submitter")
    made.grant_start_job_run(submitter)


def _irsa(app: cdk.App, context: TenancyContext) -> None:
    stack = cdk.Stack(app, "Irsa")
    role = ExecutionRoleSpec(name="emr-old", identity=JobIdentity.IRSA)
    tenant = Tenant(name="old", release_label="emr-6.15.0-latest", execution_roles=(role,))
    EmrEksTenant(stack, "Old", context=context, tenant=tenant)


def _options(app: cdk.App, context: TenancyContext) -> None:
    stack = cdk.Stack(app, "Options")
    reader = IamPermission(
        sid="ReadLake", actions=("s3:GetObject",), resources=("arn:aws:s3:::lake/*",)
    )
    boundary = "arn:aws:iam::111122223333:policy/boundary"
    roles = (
        ExecutionRoleSpec(
            name="emr-reader",
            permissions=(reader,),
            workloads=("shared",),
            managed_policy_arns=("arn:aws:iam::111122223333:policy/more",),
            permissions_boundary_arn=boundary,
        ),
        ExecutionRoleSpec(name="emr-writer-with-a-rather-long-name"),
    )
    tenant = Tenant(
        name="data-science",
        namespace="science",
        virtual_cluster_name="Science",
        workloads=("shared", "critical"),
        execution_roles=roles,
        logs=JobLogs(retention_days=7, s3_uri="s3://logs/emr/science", keep=True),
        virtual_cluster=VirtualClusterOptions(
            access=EmrAccess.AWS_AUTH,
            session_enabled=True,
            security_configuration_id="abc123",
            scheduler_limits=SchedulerLimits(max_concurrent_job_runs=20),
        ),
    )
    made = EmrEksTenant(stack, "Science", context=context, tenant=tenant)
    template = _nightly(made)
    runner = iam.User(stack, "Runner")
    role = made.roles["emr-writer-with-a-rather-long-name"]
    role.grant_start_job_run(
        runner, virtual_cluster=made.virtual_cluster, job_templates=[template.arn]
    )


def _nightly(tenant: EmrEksTenant) -> JobTemplate:
    return JobTemplate(
        tenant,
        "Nightly",
        tenant=tenant,
        spec=JobTemplateSpec(
            name="nightly",
            workload="shared",
            entry_point="s3://code/job.py",
            arguments=("--day", "${day}", "--parts", "${parts}"),
            submit_parameters="--conf spark.sql.ansi.enabled=true",
            parameters={
                "day": JobParameter(),
                "parts": JobParameter(type=JobParameterType.NUMBER, default="8"),
            },
        ),
        role="emr-writer-with-a-rather-long-name",
    )


def _imported(app: cdk.App) -> None:
    environment = cdk.Environment(account="111122223333", region="eu-west-1")
    stack = cdk.Stack(app, "Imported", env=environment)
    role = ExecutionRoleSpec(name="emr-imported", identity=JobIdentity.IRSA)
    tenant = Tenant(name="imported", execution_roles=(role,))
    EmrEksTenant(stack, "Tenant", context=imported_context(stack), tenant=tenant)
