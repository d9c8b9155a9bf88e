"""Spark encryption of a tenant in jobs and in all kinds of endpoints."""

from __future__ import annotations

import json

import aws_cdk as cdk
import pytest

from cdk_emr_eks.errors import ConfigError
from cdk_emr_eks.jobs.job_template import JobTemplate
from cdk_emr_eks.model.access.execution_role import ExecutionRoleSpec, RoleUse
from cdk_emr_eks.model.jobs.job_template import JobTemplateSpec
from cdk_emr_eks.model.jobs.spark_encryption import SparkEncryption
from cdk_emr_eks.model.notebooks.livy import LivySpec, variable
from cdk_emr_eks.model.notebooks.managed_endpoint import ManagedEndpointSpec
from cdk_emr_eks.model.notebooks.spark_connect import SparkConnectSpec
from cdk_emr_eks.model.tenants.tenant import Tenant
from cdk_emr_eks.model.tenants.virtual_cluster import VirtualClusterOptions
from cdk_emr_eks.notebooks.livy import Livy
from cdk_emr_eks.notebooks.managed_endpoint import ManagedEndpoint
from cdk_emr_eks.notebooks.spark_connect import SparkConnectEndpoint
from cdk_emr_eks.platforms.imported_cluster import ImportedEmrEksCluster, ImportedPlatform
from tests.synth.notebooks.connect_app import KUBECTL
from tests.synth.tenants.tenancy_app import new_app

PLACES = ("StartJobRun", "JobTemplate", "ManagedEndpoint", "SparkConnect", "Livy")
ROLE = ExecutionRoleSpec(name="emr-data", uses=tuple(RoleUse))


def rendered(encryption: SparkEncryption | None) -> dict[str, str]:
    """Return the Spark configuration of jobs and endpoints, as text of the template."""
    app = new_app()
    environment = cdk.Environment(account="111122223333", region="eu-west-1")
    stack = cdk.Stack(app, "Imported", env=environment)
    cluster = ImportedEmrEksCluster.from_cluster_attributes(
        stack,
        "Theirs",
        kubectl_service_token=KUBECTL,
        platform=ImportedPlatform(cluster_name="theirs", endpoints=True),
    )
    tenant = cluster.add_tenant(
        Tenant(
            name="data",
            execution_roles=(ROLE,),
            virtual_cluster=VirtualClusterOptions(session_enabled=True),
            spark_encryption=encryption,
        )
    )
    job = JobTemplateSpec(name="job", workload="shared", entry_point="s3://b/job.py")
    JobTemplate(tenant, "JobTemplate", tenant=tenant, spec=job)
    ManagedEndpoint(
        tenant, "Endpoint-notebooks", tenant=tenant, spec=ManagedEndpointSpec(name="notebooks")
    )
    SparkConnectEndpoint(
        tenant, "SparkConnect-laptops", tenant=tenant, spec=SparkConnectSpec(name="laptops")
    )
    Livy(tenant, "Livy", tenant=tenant, spec=LivySpec(upload_uri="s3://livy/data/"))
    template = app.synth().get_stack_by_name("Imported").template
    resources = template["Resources"].values()

    def of(kind: str, **properties: str) -> str:
        (found,) = (
            each
            for each in resources
            if each["Type"] == kind and properties.items() <= each["Properties"].items()
        )
        return _flat(found)

    endpoint = "AWS::EMRContainers::Endpoint"
    return {
        "StartJobRun": _flat(template["Outputs"]["DataSharedConfig"]),
        "JobTemplate": of("AWS::EMRContainers::JobTemplate"),
        "ManagedEndpoint": of(endpoint, Type="JUPYTER_ENTERPRISE_GATEWAY"),
        "SparkConnect": of(endpoint, Type="SPARK_CONNECT"),
        "Livy": of("Custom::AWSCDK-EKS-HelmChart"),
    }


def _flat(value: object) -> str:
    # Text of JSON within JSON, without what escapes it there.
    return json.dumps(value, separators=(",", ":")).replace("\\", "")


def test_jobs_notebooks_connect_and_livy_are_encrypted() -> None:
    found = rendered(SparkEncryption())
    assert set(found) == set(PLACES)
    for place, text in found.items():
        for key, value in SparkEncryption().spark_conf.items():
            if place == "Livy":
                said = f'"{variable(key)}":{{"value":"{value}"}}'
            else:
                said = f'"{key}":"{value}"'
            assert said in text, (place, key)


def test_without_it_nothing_is_said_of_encryption() -> None:
    for place, text in rendered(None).items():
        for key in SparkEncryption().spark_conf:
            assert key not in text, (place, key)
            assert variable(key) not in text, (place, key)


def test_an_endpoint_of_an_older_release_is_refused() -> None:
    stack = cdk.Stack(new_app(), "Imported")
    cluster = ImportedEmrEksCluster.from_cluster_attributes(
        stack,
        "Theirs",
        kubectl_service_token=KUBECTL,
        platform=ImportedPlatform(cluster_name="theirs", endpoints=True),
    )
    role = ExecutionRoleSpec(name="emr-data", uses=(RoleUse.ENDPOINTS, RoleUse.LIVY))
    wanted = Tenant(name="data", execution_roles=(role,), spark_encryption=SparkEncryption())
    tenant = cluster.add_tenant(wanted)
    old = ManagedEndpointSpec(name="old", release_label="emr-7.3.0-latest")
    said = r"release_label must be at least emr-7\.4\.0"
    with pytest.raises(ConfigError, match=said):
        ManagedEndpoint(tenant, "Endpoint", tenant=tenant, spec=old)
    server = LivySpec(upload_uri="s3://livy/data/", release_label="emr-7.3.0-latest")
    with pytest.raises(ConfigError, match=said):
        Livy(tenant, "Livy", tenant=tenant, spec=server)
