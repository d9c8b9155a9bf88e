"""An app for tests of endpoints, with a created cluster and imported ones."""

from __future__ import annotations

from datetime import timedelta
from functools import cache

import aws_cdk as cdk

from cdk_emr_eks.model.access.execution_role import ExecutionRoleSpec, JobIdentity, RoleUse
from cdk_emr_eks.model.admission.admission import Admission
from cdk_emr_eks.model.notebooks.managed_endpoint import KernelImages, ManagedEndpointSpec
from cdk_emr_eks.model.tenants.tenant import Tenant
from cdk_emr_eks.notebooks.managed_endpoint import ManagedEndpoint
from cdk_emr_eks.platforms.emr_eks_cluster import EmrEksCluster
from cdk_emr_eks.platforms.imported_cluster import ImportedEmrEksCluster, ImportedPlatform
from tests.synth.synthesized import Synthesized, synthesize

BOTH = (RoleUse.JOBS, RoleUse.ENDPOINTS)
KUBECTL = "arn:aws:lambda:eu-west-1:111122223333:function:kubectl"
SPARK = "111122223333.dkr.ecr.eu-west-1.amazonaws.com/spark@sha256:" + "0123456789abcdef" * 4


@cache
def synthesized() -> Synthesized:
    """Synthesize once for all tests."""
    app = cdk.App(analytics_reporting=False)
    cluster = EmrEksCluster(cdk.Stack(app, "Platform"), "Cluster")
    role = ExecutionRoleSpec(name="emr-research", uses=BOTH)
    research = cluster.add_tenant(Tenant(name="research", execution_roles=(role,)))
    ManagedEndpoint(
        research, "Endpoint-research", tenant=research, spec=ManagedEndpointSpec(name="research")
    )
    roles = (
        ExecutionRoleSpec(name="emr-jobs"),
        ExecutionRoleSpec(
            name="emr-notebooks", uses=(RoleUse.ENDPOINTS,), identity=JobIdentity.IRSA
        ),
    )
    sales = cluster.add_tenant(
        Tenant(
            name="sales",
            execution_roles=roles,
            tags={"cost": "7"},
            admission=Admission(registries=("111122223333.dkr.ecr.eu-west-1.amazonaws.com/",)),
        ),
        scope=cdk.Stack(app, "Elsewhere"),
    )
    options = ManagedEndpointSpec(
        name="sales_2",
        release_label="emr-7.10.0-latest",
        kernel_idle_timeout=timedelta(minutes=20),
        spark_conf={"spark.sql.ansi.enabled": "true"},
        kernel_images=KernelImages(spark=SPARK),
        configurations={"core-site": {"fs.s3.maxRetries": "9"}},
        tags={"team": "sales"},
    )
    ManagedEndpoint(sales, "Endpoint", tenant=sales, spec=options, role="emr-notebooks")
    stack = cdk.Stack(app, "Imported")
    imported = ImportedEmrEksCluster.from_cluster_attributes(
        stack,
        "Theirs",
        kubectl_service_token=KUBECTL,
        platform=ImportedPlatform(cluster_name="theirs", endpoints=True),
    )
    role = ExecutionRoleSpec(name="emr-guests", uses=(RoleUse.ENDPOINTS,))
    guests = imported.add_tenant(Tenant(name="guests", execution_roles=(role,)))
    ManagedEndpoint(
        guests, "Endpoint-guests", tenant=guests, spec=ManagedEndpointSpec(name="guests")
    )
    return synthesize(app)
