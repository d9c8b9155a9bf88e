"""An app for tests of Spark Connect and Livy, with a created cluster and imported ones."""

from __future__ import annotations

from datetime import timedelta
from functools import cache

import aws_cdk as cdk
from aws_cdk import aws_iam as iam

from cdk_emr_eks.clusters.oidc_provider import OidcProvider
from cdk_emr_eks.model.access.execution_role import ExecutionRoleSpec, JobIdentity, RoleUse
from cdk_emr_eks.model.access.security_configuration import (
    AtRestEncryption,
    S3Encryption,
    SecurityConfigurationSpec,
    TlsCertificate,
)
from cdk_emr_eks.model.notebooks.livy import LivySpec
from cdk_emr_eks.model.notebooks.spark_connect import SparkConnectSpec
from cdk_emr_eks.model.tenants.tenant import Tenant
from cdk_emr_eks.model.tenants.virtual_cluster import VirtualClusterOptions
from cdk_emr_eks.notebooks.livy import Livy
from cdk_emr_eks.notebooks.spark_connect import SparkConnectEndpoint
from cdk_emr_eks.platforms.emr_eks_cluster import EmrEksCluster
from cdk_emr_eks.platforms.imported_cluster import ImportedEmrEksCluster, ImportedPlatform
from tests.synth.synthesized import Synthesized, synthesize

KUBECTL = "arn:aws:lambda:eu-west-1:111122223333:function:kubectl"
ISSUER = "oidc.eks.eu-west-1.amazonaws.com/id/0123456789ABCDEF0123456789ABCDEF"
CERTIFICATE = "arn:aws:acm:eu-west-1:111122223333:certificate/12345678-1234-1234-1234-123456789012"
KEY = "arn:aws:kms:eu-west-1:111122223333:key/12345678-1234-1234-1234-123456789012"
SECRET = "arn:aws:secretsmanager:eu-west-1:111122223333:secret:"


@cache
def synthesized() -> Synthesized:
    """Synthesize once for all tests."""
    app = cdk.App(analytics_reporting=False)
    platform = cdk.Stack(app, "Platform")
    cluster = EmrEksCluster(platform, "Cluster")
    _science(cluster, platform)
    _office(cluster, cdk.Stack(app, "Elsewhere"))
    environment = cdk.Environment(account="111122223333", region="eu-west-1")
    _guests(cdk.Stack(app, "Imported", env=environment))
    return synthesize(app)


def _science(cluster: EmrEksCluster, stack: cdk.Stack) -> None:
    sessions = VirtualClusterOptions(session_enabled=True)
    science = cluster.add_tenant(Tenant(name="science", virtual_cluster=sessions))
    endpoint = SparkConnectEndpoint(
        science, "SparkConnect-laptops", tenant=science, spec=SparkConnectSpec(name="laptops")
    )
    endpoint.grant_connect(iam.Role(stack, "Scientist", assumed_by=iam.AccountRootPrincipal()))


def _office(cluster: EmrEksCluster, stack: cdk.Stack) -> None:
    role = ExecutionRoleSpec(name="emr-office", uses=(RoleUse.LIVY,))
    office = cluster.add_tenant(Tenant(name="office", execution_roles=(role,)), scope=stack)
    spec = LivySpec(
        upload_uri="s3://livy-bucket/office/",
        client_cidrs=("10.200.0.0/16", "192.168.7.0/24"),
        certificate_arn=CERTIFICATE,
        session_idle_timeout=timedelta(minutes=20),
        spark_conf={"spark.sql.ansi.enabled": "true"},
    )
    Livy(office, "Livy", tenant=office, spec=spec)


def _guests(stack: cdk.Stack) -> None:
    imported = ImportedEmrEksCluster.from_cluster_attributes(
        stack,
        "Theirs",
        kubectl_service_token=KUBECTL,
        platform=ImportedPlatform(
            cluster_name="theirs",
            oidc=OidcProvider(
                arn=f"arn:aws:iam::111122223333:oidc-provider/{ISSUER}",
                issuer=ISSUER,
            ),
            endpoints=True,
        ),
    )
    roles = (
        ExecutionRoleSpec(name="emr-sessions", uses=(RoleUse.ENDPOINTS,)),
        ExecutionRoleSpec(name="emr-livy", uses=(RoleUse.LIVY,), identity=JobIdentity.IRSA),
    )
    security = SecurityConfigurationSpec(
        name="Guests",
        system_namespace="guests-emr",
        tls=TlsCertificate(
            certificate_secret_arn=f"{SECRET}public", private_key_secret_arn=f"{SECRET}private"
        ),
        at_rest=AtRestEncryption(local_disk_key_arn=KEY, s3=S3Encryption.SSE_KMS, s3_key_arn=KEY),
    )
    guests = imported.add_tenant(
        Tenant(
            name="guests",
            execution_roles=roles,
            virtual_cluster=VirtualClusterOptions(
                session_enabled=True, security_configuration=security
            ),
        )
    )
    options = SparkConnectSpec(
        name="guests_2",
        workload="shared",
        release_label="emr-spark-8.1.0-latest",
        session_idle_timeout=timedelta(minutes=15),
        spark_conf={"spark.sql.ansi.enabled": "true"},
    )
    SparkConnectEndpoint(guests, "SparkConnect", tenant=guests, spec=options, role="emr-sessions")
    Livy(guests, "Livy", tenant=guests, spec=LivySpec(upload_uri="s3://livy-bucket/guests"))
