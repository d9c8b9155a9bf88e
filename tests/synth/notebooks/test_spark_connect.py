"""Spark Connect in the template: namespaces, security configuration, endpoint, and their order."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import aws_cdk as cdk
import pytest

from cdk_emr_eks.errors import ConfigError
from cdk_emr_eks.model.access.execution_role import ExecutionRoleSpec, RoleUse
from cdk_emr_eks.model.access.security_configuration import SecurityConfigurationSpec
from cdk_emr_eks.model.notebooks.spark_connect import SparkConnectSpec
from cdk_emr_eks.model.tenants.tenant import Tenant
from cdk_emr_eks.model.tenants.virtual_cluster import (
    EmrAccess,
    VirtualClusterOptions,
    VirtualClusterSpec,
)
from cdk_emr_eks.notebooks.spark_connect import SparkConnectEndpoint
from cdk_emr_eks.tenants.context import TenancyContext
from cdk_emr_eks.tenants.endpoint_prerequisites import ExistingEndpointPrerequisites
from cdk_emr_eks.tenants.security_configuration import EmrSecurityConfiguration
from cdk_emr_eks.tenants.tenant import EmrEksTenant
from cdk_emr_eks.tenants.virtual_cluster import EmrVirtualCluster
from tests.synth.addons.karpenter_app import waits_for as needed_by
from tests.synth.notebooks.connect_app import KEY, SECRET, synthesized
from tests.synth.synthesized import Synthesized
from tests.synth.tenants.tenancy_app import new_app, new_context

ENDPOINT = "AWS::EMRContainers::Endpoint"
SECURITY = "AWS::EMRContainers::SecurityConfiguration"
CLUSTER = "AWS::EMRContainers::VirtualCluster"
MANIFEST = "Custom::AWSCDK-EKS-KubernetesResource"
HELM = "Custom::AWSCDK-EKS-HelmChart"


@pytest.fixture(scope="module")
def app() -> Synthesized:
    return synthesized()


def objects(resource: Mapping[str, Any]) -> list[dict[str, Any]]:
    manifest = resource["Properties"]["Manifest"]
    if not isinstance(manifest, str):
        parts = manifest["Fn::Join"][1]
        manifest = "".join(part if isinstance(part, str) else "TOKEN" for part in parts)
    found: list[dict[str, Any]] = json.loads(manifest)
    return found


def test_the_order_of_creation_and_so_of_deletion(app: Synthesized) -> None:
    """Namespaces, security configuration, virtual cluster, endpoint; backwards on deletion."""
    resources = app.templates["Platform"]["Resources"]
    stage, _ = app.only("Platform", MANIFEST, "Tenantscience")
    security, _ = app.only("Platform", SECURITY)
    cluster, _ = app.only("Platform", CLUSTER)
    endpoint, _ = app.only("Platform", ENDPOINT)
    assert stage in needed_by(resources, security)
    assert security in needed_by(resources, cluster)
    assert cluster in needed_by(resources, endpoint)
    logs, _ = app.only("Platform", "AWS::Logs::LogGroup", "Tenantscience")
    role, _ = app.only("Platform", "AWS::IAM::Role", "Tenantscience")
    associations = {
        id
        for id in app.of_type("Platform", "AWS::EKS::PodIdentityAssociation")
        if "Tenantscience" in id
    }
    assert len(associations) == 6
    assert {logs, role, *associations} <= needed_by(resources, endpoint)


def test_emrs_load_balancer_outlives_neither_cluster_nor_controller(app: Synthesized) -> None:
    """EMR takes it down with the last session-enabled virtual cluster, by the controller."""
    resources = app.templates["Platform"]["Resources"]
    controller, _ = app.only("Platform", HELM, "LoadBalancerController")
    pools, _ = app.only("Platform", MANIFEST, "NodePools")
    for kind in (CLUSTER, ENDPOINT):
        id, _ = app.only("Platform", kind)
        assert {controller, pools} <= needed_by(resources, id)


def test_the_system_namespace_is_made_with_the_users(app: Synthesized) -> None:
    _, stage = app.only("Platform", MANIFEST, "Tenantscience")
    names = [each["metadata"]["name"] for each in objects(stage) if each["kind"] == "Namespace"]
    assert names == ["science", "science-system"]
    user, system = (each for each in objects(stage) if each["kind"] == "Namespace")
    assert system["metadata"]["labels"]["emr-eks/tenant"] == "science"
    # Its pods are EMR's own, for which the admission policies of tenants are not made.
    assert "emr-eks/admission" in user["metadata"]["labels"]
    assert "emr-eks/admission" not in system["metadata"]["labels"]


def test_security_configuration(app: Synthesized) -> None:
    id, security = app.only("Platform", SECURITY)
    properties = {key: value for key, value in security["Properties"].items() if key != "Tags"}
    assert properties == {
        "Name": "emr-on-eks-science-system",
        "SecurityConfigurationData": {
            "AuthenticationConfiguration": {
                "IdentityCenterConfiguration": {"EnableIdentityCenter": False}
            }
        },
        "ContainerProvider": {
            "Type": "EKS",
            "Id": "emr-on-eks",
            "Info": {"EksInfo": {"Namespace": "science-system"}},
        },
    }
    _, cluster = app.only("Platform", CLUSTER)
    assert cluster["Properties"]["SessionEnabled"] is True
    assert cluster["Properties"]["SecurityConfigurationId"] == {"Fn::GetAtt": [id, "Id"]}


def test_security_configuration_with_all_options(app: Synthesized) -> None:
    _, security = app.only("Imported", SECURITY)
    properties = security["Properties"]
    assert properties["Name"] == "Guests"
    assert properties["ContainerProvider"]["Info"] == {"EksInfo": {"Namespace": "guests-emr"}}
    assert properties["SecurityConfigurationData"]["EncryptionConfiguration"] == {
        "InTransitEncryptionConfiguration": {
            "TLSCertificateConfiguration": {
                "CertificateProviderType": "PEM",
                "PublicKeySecretArn": f"{SECRET}public",
                "PrivateKeySecretArn": f"{SECRET}private",
            }
        },
        "AtRestEncryptionConfiguration": {
            "LocalDiskEncryptionConfiguration": {
                "AwsKmsKeyId": KEY,
                "EncryptionKeyProviderType": "AwsKms",
            },
            "S3EncryptionConfiguration": {"EncryptionOption": "SSE-KMS", "KMSKeyId": KEY},
        },
    }


def test_endpoint(app: Synthesized) -> None:
    _, endpoint = app.only("Platform", ENDPOINT)
    properties = endpoint["Properties"]
    cluster, _ = app.only("Platform", CLUSTER)
    role, _ = app.only("Platform", "AWS::IAM::Role", "Tenantscience")
    assert properties["Type"] == "SPARK_CONNECT"
    assert properties["Name"] == "laptops"
    assert properties["ReleaseLabel"] == "emr-7.14.0-latest"
    assert properties["SessionIdleTimeoutInMinutes"] == 60
    assert properties["VirtualClusterId"] == {"Ref": cluster}
    assert properties["ExecutionRoleArn"] == {"Fn::GetAtt": [role, "Arn"]}
    assert properties["Tags"] == [{"Key": "emr-eks/tenant", "Value": "science"}]
    overrides = properties["ConfigurationOverrides"]
    names = [item["Classification"] for item in overrides["ApplicationConfiguration"]]
    assert names == ["spark-defaults", "emr-job-submitter"]
    assert overrides["MonitoringConfiguration"]["CloudWatchMonitoringConfiguration"] == {
        "LogGroupName": "/emr-on-eks/emr-on-eks/science",
        "LogStreamNamePrefix": "endpoints/laptops",
    }


def test_endpoint_with_options(app: Synthesized) -> None:
    _, endpoint = app.only("Imported", ENDPOINT)
    properties = endpoint["Properties"]
    assert properties["ReleaseLabel"] == "emr-spark-8.1.0-latest"
    assert properties["SessionIdleTimeoutInMinutes"] == 15
    spark, _ = properties["ConfigurationOverrides"]["ApplicationConfiguration"]
    assert spark["Properties"]["spark.sql.ansi.enabled"] == "true"
    roles = app.of_type("Imported", "AWS::IAM::Role")
    (role,) = (
        id for id, item in roles.items() if item["Properties"].get("RoleName") == "emr-sessions"
    )
    assert properties["ExecutionRoleArn"] == {"Fn::GetAtt": [role, "Arn"]}


def test_who_connects_may_do_so_with_one_role_on_one_endpoint(app: Synthesized) -> None:
    endpoint, _ = app.only("Platform", ENDPOINT)
    role, _ = app.only("Platform", "AWS::IAM::Role", "Tenantscience")
    _, policy = app.only("Platform", "AWS::IAM::Policy", "Scientist")
    arn = {"Fn::GetAtt": [endpoint, "Arn"]}
    assert policy["Properties"]["PolicyDocument"]["Statement"] == [
        {
            "Action": "emr-containers:DescribeManagedEndpoint",
            "Effect": "Allow",
            "Resource": arn,
        },
        {
            "Action": "emr-containers:GetManagedEndpointSessionCredentials",
            "Condition": {
                "ArnEquals": {"emr-containers:ExecutionRoleArn": {"Fn::GetAtt": [role, "Arn"]}}
            },
            "Effect": "Allow",
            "Resource": arn,
        },
    ]


def test_the_output_has_what_opens_a_session(app: Synthesized) -> None:
    (output,) = (
        item for id, item in app.templates["Platform"]["Outputs"].items() if "Session" in id
    )
    parts = output["Value"]["Fn::Join"][1]
    text = "".join(part if isinstance(part, str) else "TOKEN" for part in parts)
    assert json.loads(text) == dict.fromkeys(
        ("region", "virtual_cluster_id", "endpoint_id", "execution_role_arn"), "TOKEN"
    )


# ---- what is refused, and what stands alone


def context(stack: cdk.Stack, *, endpoints: bool = True) -> TenancyContext:
    ready = cdk.CfnResource(stack, "Ready", type="AWS::CloudFormation::WaitConditionHandle")
    made = new_context(stack)
    return replace(made, endpoints=ExistingEndpointPrerequisites(ready)) if endpoints else made


def tenant(stack: cdk.Stack, *, endpoints: bool = True, **options: Any) -> EmrEksTenant:
    given = Tenant(name="data", **options)
    return EmrEksTenant(stack, "T", context=context(stack, endpoints=endpoints), tenant=given)


Make = Callable[[cdk.Stack], object]
SPEC = SparkConnectSpec(name="connect")
SESSIONS = VirtualClusterOptions(session_enabled=True)
JOBS_ONLY = (ExecutionRoleSpec(name="emr-jobs"),)


def endpoint(stack: cdk.Stack, spec: SparkConnectSpec = SPEC, **options: Any) -> object:
    role = options.pop("role", None)
    made = tenant(stack, **options)
    return SparkConnectEndpoint(made, "E", tenant=made, spec=spec, role=role)


def twice(stack: cdk.Stack) -> object:
    made = tenant(stack, virtual_cluster=SESSIONS)
    SparkConnectEndpoint(made, "E", tenant=made, spec=SPEC)
    return SparkConnectEndpoint(made, "F", tenant=made, spec=SPEC)


BAD: Mapping[str, tuple[Make, str]] = {
    "no sessions": (
        endpoint,
        "Spark Connect endpoint 'connect': tenant must have session_enabled, got 'data'; "
        "write Tenant(virtual_cluster=VirtualClusterOptions(session_enabled=True)).",
    ),
    "a cluster without endpoints": (
        lambda stack: endpoint(stack, endpoints=False, virtual_cluster=SESSIONS),
        "Spark Connect endpoint 'connect': tenant must be on a cluster with the AWS Load Balancer "
        "Controller and gateway nodes, got 'data-platform'; on an imported cluster that has them, "
        "write ImportedPlatform(endpoints=True).",
    ),
    "no role for endpoints": (
        lambda stack: endpoint(stack, virtual_cluster=SESSIONS, execution_roles=JOBS_ONLY),
        "Tenant 'data': role must be an execution role with the use 'endpoints'; the tenant has "
        "none; add ExecutionRoleSpec(name=..., uses=(RoleUse.ENDPOINTS,)) to execution_roles.",
    ),
    "a role for jobs": (
        lambda stack: endpoint(
            stack,
            virtual_cluster=SESSIONS,
            execution_roles=(
                *JOBS_ONLY,
                ExecutionRoleSpec(name="emr-sessions", uses=(RoleUse.ENDPOINTS,)),
            ),
            role="emr-jobs",
        ),
        "Tenant 'data': role must be an execution role with the use 'endpoints', one of "
        "emr-sessions, got 'emr-jobs'.",
    ),
    "a workload that the tenant lacks": (
        lambda stack: endpoint(stack, virtual_cluster=SESSIONS, workloads=("shared",)),
        "Tenant 'data': workload must be one of shared, got 'notebook'.",
    ),
    "two of one name": (
        twice,
        "P/T/F: name must be used once in a virtual cluster; 'P/T/E' has it, got 'connect'.",
    ),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_refused_in_words(case: str) -> None:
    make, message = BAD[case]
    with pytest.raises(ConfigError) as refused:
        make(cdk.Stack(new_app(), "P"))
    assert str(refused.value) == message


def test_a_system_namespace_is_one_tenants_alone() -> None:
    stack = cdk.Stack(new_app(), "P")
    made = context(stack)
    EmrVirtualCluster(
        stack, "V", context=made, spec=VirtualClusterSpec(name="data", options=SESSIONS)
    )
    with pytest.raises(ConfigError) as refused:
        EmrVirtualCluster(stack, "W", context=made, spec=VirtualClusterSpec(name="data-system"))
    assert "'P/V/SecurityConfiguration' has it, got 'data-system'" in str(refused.value)


def test_a_security_configuration_made_apart_makes_its_namespace() -> None:
    cdk_app = new_app()
    stack = cdk.Stack(cdk_app, "P")
    made = context(stack)
    security = EmrSecurityConfiguration(
        stack,
        "S",
        context=made,
        spec=SecurityConfigurationSpec(),
        namespace="data",
        access=EmrAccess.AWS_AUTH,
    )
    EmrVirtualCluster(
        stack,
        "V",
        context=made,
        spec=VirtualClusterSpec(
            name="data",
            options=VirtualClusterOptions(
                session_enabled=True,
                security_configuration_id=security.id,
                access=EmrAccess.AWS_AUTH,
            ),
        ),
    )
    resources = cdk_app.synth().get_stack_by_name("P").template["Resources"]
    ((id, config),) = ((i, r) for i, r in resources.items() if r["Type"] == SECURITY)
    (stage_id,) = config["DependsOn"]
    kinds = [(each["kind"], each["metadata"]["name"]) for each in objects(resources[stage_id])]
    assert kinds == [
        ("Namespace", "data-system"),
        ("Role", "emr-containers"),
        ("RoleBinding", "emr-containers"),
    ]
    (cluster,) = (item for item in resources.values() if item["Type"] == CLUSTER)
    assert cluster["Properties"]["SecurityConfigurationId"] == {"Fn::GetAtt": [id, "Id"]}


def test_with_aws_auth_emr_gets_its_rights_in_both_namespaces() -> None:
    cdk_app = new_app()
    stack = cdk.Stack(cdk_app, "P")
    options = VirtualClusterOptions(session_enabled=True, access=EmrAccess.AWS_AUTH)
    spec = VirtualClusterSpec(name="data", options=options)
    EmrVirtualCluster(stack, "V", context=context(stack), spec=spec)
    resources = cdk_app.synth().get_stack_by_name("P").template["Resources"]
    (stage,) = (item for item in resources.values() if item["Type"] == MANIFEST)
    roles = [each for each in objects(stage) if each["kind"] == "RoleBinding"]
    assert [each["metadata"]["namespace"] for each in roles] == ["data", "data-system"]


def test_arm64_is_a_warning() -> None:
    stack = cdk.Stack(new_app(), "P")
    made = tenant(stack, virtual_cluster=SESSIONS)
    spec = SparkConnectSpec(name="connect", workload="shared")
    found = SparkConnectEndpoint(made, "E", tenant=made, spec=spec)
    (warning,) = (each.data for each in found.node.metadata if each.type == "aws:cdk:warning")
    assert "arm64 nodes of workload 'shared'" in str(warning)
