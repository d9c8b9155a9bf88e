"""One small app that the tests of endpoints share: one beside its cluster, others elsewhere."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Any

import aws_cdk as cdk

from cdk_emr_eks.emr_eks_cluster import EmrEksCluster
from cdk_emr_eks.imported_cluster import ImportedEmrEksCluster
from cdk_emr_eks.spec.admission.tenant_values import Admission
from cdk_emr_eks.spec.execution_role import ExecutionRoleSpec, JobIdentity, RoleUse
from cdk_emr_eks.spec.managed_endpoint import KernelImages, ManagedEndpointSpec
from cdk_emr_eks.spec.tenancy import Tenant

BOTH = (RoleUse.JOBS, RoleUse.ENDPOINTS)
KUBECTL = "arn:aws:lambda:eu-west-1:111122223333:function:kubectl"
SPARK = "111122223333.dkr.ecr.eu-west-1.amazonaws.com/spark@sha256:" + "0123456789abcdef" * 4
Resource = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True, slots=True)
class Synthesized:
    """The app, its templates by stack, and where its cloud assembly is."""

    app: cdk.App
    outdir: Path
    templates: Mapping[str, Mapping[str, Any]]

    def of_type(self, stack: str, kind: str) -> dict[str, Resource]:
        """Resources of one type by logical id."""
        resources = self.templates[stack]["Resources"]
        return {id: item for id, item in resources.items() if item["Type"] == kind}

    def only(self, stack: str, kind: str, part: str = "") -> tuple[str, Resource]:
        """The only resource of a type whose logical id has a part."""
        ((id, item),) = ((i, r) for i, r in self.of_type(stack, kind).items() if part in i)
        return id, item


@cache
def synthesized() -> Synthesized:
    """Synthesize once for all tests."""
    outdir = Path(tempfile.mkdtemp())
    app = cdk.App(analytics_reporting=False, outdir=str(outdir))
    cluster = EmrEksCluster(cdk.Stack(app, "Platform"), "Cluster")
    role = ExecutionRoleSpec(name="emr-research", uses=BOTH)
    research = cluster.add_tenant(Tenant(name="research", execution_roles=(role,)))
    cluster.add_managed_endpoint(ManagedEndpointSpec(name="research"), tenant=research)
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
    cluster.add_managed_endpoint(options, tenant=sales, role="emr-notebooks")
    stack = cdk.Stack(app, "Imported")
    imported = ImportedEmrEksCluster.from_cluster_attributes(
        stack, "Theirs", cluster_name="theirs", kubectl_service_token=KUBECTL, endpoints=True
    )
    role = ExecutionRoleSpec(name="emr-guests", uses=(RoleUse.ENDPOINTS,))
    guests = imported.add_tenant(Tenant(name="guests", execution_roles=(role,)))
    imported.add_managed_endpoint(ManagedEndpointSpec(name="guests"), tenant=guests)
    app.synth()
    paths = outdir.glob("*.template.json")
    templates = {path.name.partition(".")[0]: json.loads(path.read_text()) for path in paths}
    return Synthesized(app=app, outdir=outdir, templates=templates)
