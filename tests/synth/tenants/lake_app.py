"""Small apps for the tests of Lake Formation, on a new and on an imported cluster."""

from __future__ import annotations

from functools import cache

import aws_cdk as cdk

from cdk_emr_eks.clusters.oidc_provider import OidcProvider
from cdk_emr_eks.model.access.data_access import lake_formation_access
from cdk_emr_eks.model.access.execution_role import ExecutionRoleSpec, JobIdentity
from cdk_emr_eks.model.access.lake_formation import LakeFormation
from cdk_emr_eks.model.access.security_configuration import TlsCertificate
from cdk_emr_eks.model.namespaces.tenant_network import NetworkPeer, TenantNetwork
from cdk_emr_eks.model.tenants.tenant import Tenant
from cdk_emr_eks.platforms.emr_eks_cluster import EmrEksCluster
from cdk_emr_eks.platforms.imported_cluster import ImportedEmrEksCluster, ImportedPlatform
from tests.synth.notebooks.connect_app import ISSUER, KUBECTL, SECRET
from tests.synth.synthesized import Synthesized, synthesize

TAG = "EMR on EKS Engine"
TLS = TlsCertificate(
    certificate_secret_arn=f"{SECRET}public", private_key_secret_arn=f"{SECRET}private"
)
SCIENCE = Tenant(
    name="science", workloads=("shared",), lake_formation=LakeFormation(session_tag_value=TAG)
)
GUESTS = Tenant(
    name="guests",
    workloads=("shared",),
    lake_formation=LakeFormation(
        session_tag_value=TAG,
        query_engine_role="emr-engine",
        system_namespace="emr-part",
        tls=TLS,
    ),
    network=TenantNetwork(egress=(NetworkPeer(cidr="10.9.0.0/16", ports=(5432,)),)),
    execution_roles=(
        ExecutionRoleSpec(
            name="emr-guests",
            identity=JobIdentity.IRSA,
            permissions=lake_formation_access("sales", tables=("orders",)),
        ),
        ExecutionRoleSpec(name="emr-reports", identity=JobIdentity.IRSA),
    ),
)


def imported(stack: cdk.Stack, *, oidc: bool = True) -> ImportedEmrEksCluster:
    """Return an imported cluster."""
    arn = f"arn:aws:iam::111122223333:oidc-provider/{ISSUER}"
    return ImportedEmrEksCluster.from_cluster_attributes(
        stack,
        "Theirs",
        kubectl_service_token=KUBECTL,
        platform=ImportedPlatform(
            cluster_name="theirs", oidc=OidcProvider(arn=arn, issuer=ISSUER) if oidc else None
        ),
    )


def new_stack(name: str = "Imported") -> cdk.Stack:
    """Return a stack of a separate app."""
    app = cdk.App(analytics_reporting=False)
    environment = cdk.Environment(account="111122223333", region="eu-west-1")
    return cdk.Stack(app, name, env=environment)


@cache
def synthesized() -> Synthesized:
    """Synthesize once for all tests."""
    stack = new_stack()
    imported(stack).add_tenant(GUESTS)
    app = stack.node.root
    assert isinstance(app, cdk.App)
    cluster = EmrEksCluster(cdk.Stack(app, "Platform"), "Cluster")
    cluster.add_tenant(SCIENCE, scope=cdk.Stack(app, "Elsewhere"))
    return synthesize(app)
