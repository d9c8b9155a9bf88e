"""Livy in the template: the chart's values, roles, order, and what is refused."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import aws_cdk as cdk
import pytest

from cdk_emr_eks.assembly.text_view import TextView
from cdk_emr_eks.errors import ConfigError
from cdk_emr_eks.model.access.execution_role import ExecutionRoleSpec, JobLogs, RoleUse
from cdk_emr_eks.model.notebooks.livy import LivySpec
from cdk_emr_eks.model.tenants.tenant import Tenant
from cdk_emr_eks.model.workloads.catalog import NOTEBOOK
from cdk_emr_eks.model.workloads.storage import PersistentVolumes
from cdk_emr_eks.notebooks.livy import Livy
from cdk_emr_eks.tenants.endpoint_prerequisites import ExistingEndpointPrerequisites
from cdk_emr_eks.tenants.tenant import EmrEksTenant
from tests.synth.addons.karpenter_app import waits_for as needed_by
from tests.synth.notebooks.connect_app import synthesized
from tests.synth.synthesized import Synthesized
from tests.synth.tenants.tenancy_app import new_app, new_context

HELM = "Custom::AWSCDK-EKS-HelmChart"
MANIFEST = "Custom::AWSCDK-EKS-KubernetesResource"
ASSOCIATION = "AWS::EKS::PodIdentityAssociation"


@pytest.fixture(scope="module")
def app() -> Synthesized:
    return synthesized()


def text(value: object) -> str:
    """A value with placeholders for what the deployment knows."""
    return TextView({}).text(value)


def test_the_chart_is_emrs_of_the_region(app: Synthesized) -> None:
    _, chart = app.only("Imported", HELM)
    assert text(chart["Properties"]["Repository"]) == (
        "oci://483788554619.dkr.ecr.eu-west-1.${AWS::URLSuffix}/livy"
    )
    _, chart = app.only("Elsewhere", HELM)
    properties = chart["Properties"]
    assert text(properties["Repository"]) == (
        "oci://${EmrRegistryAccounts.Account}.dkr.ecr.${AWS::Region}.${AWS::URLSuffix}/livy"
    )
    accounts = app.templates["Elsewhere"]["Mappings"]["EmrRegistryAccounts"]
    assert accounts["us-east-1"] == {"Account": "755674844232"}
    assert properties["Version"] == "7.14.0"
    assert properties["Namespace"] == "office-livy"


def values(app: Synthesized, stack: str) -> dict[str, Any]:
    _, chart = app.only(stack, HELM)
    found: dict[str, Any] = json.loads(text(chart["Properties"]["Values"]))
    return found


def test_the_chart_makes_neither_rights_nor_load_balancer(app: Synthesized) -> None:
    given = values(app, "Elsewhere")
    assert given["rbac"] == {"create": False}
    assert given["loadbalancer"] == {"enabled": False}
    assert given["serviceAccount"] == {"create": False, "name": "emr-containers-sa-livy"}
    assert given["sparkServiceAccount"] == {
        "create": False,
        "name": "emr-container-sa-spark-livy",
    }
    assert given["sparkNamespace"] == "office"
    assert given["image"].endswith("/livy/emr-7.14.0:latest")


def test_the_environment_has_namespace_account_and_image_of_sessions(app: Synthesized) -> None:
    given = values(app, "Elsewhere")
    environment = {key: each["value"] for key, each in given["env"].items()}
    assert environment["LIVY_LIVY_SERVER_SESSION_TIMEOUT"] == "20m"
    assert environment["LIVY_SPARK_KUBERNETES_NAMESPACE"] == "office"
    assert environment["LIVY_SPARK_SQL_ANSI_ENABLED"] == "true"
    assert environment["LIVY_SPARK_KUBERNETES_FILE_UPLOAD_PATH"] == "s3://livy-bucket/office"
    assert environment["LIVY_SPARK_KUBERNETES_AUTHENTICATE_DRIVER_SERVICE1ACCOUNT1NAME"] == (
        "emr-container-sa-spark-livy"
    )
    assert environment["LIVY_SPARK_KUBERNETES_CONTAINER_IMAGE"] == (
        given["image"].replace("/livy/", "/spark/")
    )
    for role in ("DRIVER", "EXECUTOR"):
        assert environment[f"LIVY_SPARK_KUBERNETES_{role}_POD1TEMPLATE1FILE"].startswith("s3://")


def test_both_accounts_have_their_role(app: Synthesized) -> None:
    accounts = {
        (item["Properties"]["Namespace"], item["Properties"]["ServiceAccount"]): item
        for item in app.of_type("Elsewhere", ASSOCIATION).values()
    }
    assert set(accounts) == {
        ("office-livy", "emr-containers-sa-livy"),
        ("office", "emr-container-sa-spark-livy"),
    }
    role, server = app.only("Elsewhere", "AWS::IAM::Role", "ServerRole")
    assert accounts["office-livy", "emr-containers-sa-livy"]["Properties"]["RoleArn"] == {
        "Fn::GetAtt": [role, "Arn"]
    }
    (trust,) = server["Properties"]["AssumeRolePolicyDocument"]["Statement"]
    tags = trust["Condition"]["StringEquals"]
    assert tags["aws:RequestTag/kubernetes-namespace"] == "office-livy"
    assert tags["aws:RequestTag/kubernetes-service-account"] == ["emr-containers-sa-livy"]


def test_with_irsa_the_account_names_its_role(app: Synthesized) -> None:
    _, stage = app.only("Imported", MANIFEST, "Livy")
    objects = json.loads(text(stage["Properties"]["Manifest"]))
    (account,) = (
        each
        for each in objects
        if each["kind"] == "ServiceAccount" and each["metadata"]["namespace"] == "guests"
    )
    roles = app.of_type("Imported", "AWS::IAM::Role")
    (role,) = (id for id, r in roles.items() if r["Properties"].get("RoleName") == "emr-livy")
    annotation = account["metadata"]["annotations"]["eks.amazonaws.com/role-arn"]
    assert annotation == f"${{{role}.Arn}}"


def test_server_and_sessions_share_one_folder_and_nothing_else(app: Synthesized) -> None:
    policies = {
        id: item["Properties"]["PolicyDocument"]["Statement"]
        for id, item in app.of_type("Elsewhere", "AWS::IAM::Policy").items()
        if "Uploads" in id
    }
    assert len(policies) == 2
    for statements in policies.values():
        objects, bucket = statements
        assert text(objects["Resource"]) == "arn:${AWS::Partition}:s3:::livy-bucket/office/*"
        assert text(bucket["Resource"]) == "arn:${AWS::Partition}:s3:::livy-bucket"
        assert bucket["Condition"] == {"StringLike": {"s3:prefix": "office/*"}}
    _, templates = app.only("Elsewhere", "AWS::IAM::Policy", "ServerRoleDefaultPolicy")
    (read,) = templates["Properties"]["PolicyDocument"]["Statement"]
    assert read["Action"] == "s3:GetObject"
    assert len(read["Resource"]) == 2
    assert all(text(arn).endswith(".yaml") for arn in read["Resource"])


def test_the_order_of_creation_and_so_of_deletion(app: Synthesized) -> None:
    resources = app.templates["Elsewhere"]["Resources"]
    chart, _ = app.only("Elsewhere", HELM)
    stage, _ = app.only("Elsewhere", MANIFEST, "Livy")
    cluster, _ = app.only("Elsewhere", "AWS::EMRContainers::VirtualCluster")
    tenant, _ = app.only("Elsewhere", MANIFEST, "VirtualCluster")
    before = needed_by(resources, chart)
    assert {stage, cluster, tenant} <= before
    assert set(app.of_type("Elsewhere", ASSOCIATION)) <= before
    assert set(app.of_type("Elsewhere", "AWS::IAM::Policy")) <= before
    assert cluster in needed_by(resources, stage)


def test_a_session_meets_the_admission_of_its_namespace(app: Synthesized) -> None:
    """Livy submits by itself: nothing adds the security context that EMR's submitter adds."""
    files = sorted((app.outdir / "pod-templates").glob("*Livy*/*.yaml"))
    assert len(files) == 4
    for file in files:
        assert "runAsNonRoot: true" in file.read_text()
    others = sorted(set((app.outdir / "pod-templates").rglob("*.yaml")) - set(files))
    assert others
    assert all("securityContext" not in file.read_text() for file in others)


def test_outputs(app: Synthesized) -> None:
    outputs = app.templates["Elsewhere"]["Outputs"]
    conf = next(item for id, item in outputs.items() if "SessionConf" in id)
    given = json.loads(text(conf["Value"]))
    assert given["spark.kubernetes.namespace"] == "office"
    assert given["spark.kubernetes.driver.label.emr-eks/tenant"] == "office"
    forward = next(item for id, item in outputs.items() if "PortForward" in id)
    assert forward["Value"].startswith("kubectl --namespace office-livy port-forward ")


# ---- what is refused


SPEC = LivySpec(upload_uri="s3://bucket/livy")
ROLE = ExecutionRoleSpec(name="emr-livy", uses=(RoleUse.LIVY,))
Make = Callable[[cdk.Stack], object]


def tenant(stack: cdk.Stack, *, endpoints: bool = True, **options: Any) -> EmrEksTenant:
    ready = cdk.CfnResource(stack, "Ready", type="AWS::CloudFormation::WaitConditionHandle")
    workloads = options.pop("known", None)
    made = new_context(stack)
    if workloads:
        made = replace(made, workloads=workloads)
    context = replace(made, endpoints=ExistingEndpointPrerequisites(ready)) if endpoints else made
    given = Tenant(name="data", **{"execution_roles": (ROLE,), **options})
    return EmrEksTenant(stack, "T", context=context, tenant=given)


def livy(stack: cdk.Stack, spec: LivySpec = SPEC, **options: Any) -> object:
    made = tenant(stack, **options)
    return Livy(made, "L", tenant=made, spec=spec)


def volumes(stack: cdk.Stack) -> object:
    notebook = replace(NOTEBOOK, storage=PersistentVolumes())
    return livy(stack, workloads=("notebook",), known={"notebook": notebook})


BAD: Mapping[str, tuple[Make, str]] = {
    "a cluster without gateway nodes": (
        lambda stack: livy(stack, endpoints=False),
        "Livy of tenant 'data': tenant must be on a cluster with the AWS Load Balancer Controller "
        "and gateway nodes, got 'data-platform'; on an imported cluster that has them, write "
        "ImportedPlatform(endpoints=True).",
    ),
    "no role for Livy": (
        lambda stack: livy(stack, execution_roles=(ExecutionRoleSpec(name="emr-jobs"),)),
        "Tenant 'data': role must be an execution role with the use 'livy'; the tenant has none; "
        "add ExecutionRoleSpec(name=..., uses=(RoleUse.LIVY,)) to execution_roles.",
    ),
    "volumes, which its variables cannot name": (
        volumes,
        "Livy of tenant 'data': spark_conf must have Spark properties without '/', '_' and "
        "digits in their names, got 'spark.kubernetes.executor.volumes.persistentVolumeClaim."
        "spark-local-dir-1.options.claimName'.",
    ),
    "the tenant's own namespace": (
        lambda stack: livy(stack, replace(SPEC, namespace="data")),
        "Livy of tenant 'data': namespace must differ from the tenant's namespace, where sessions "
        "could change the server, got 'data'.",
    ),
    "a folder that jobs write to": (
        lambda stack: livy(stack, logs=JobLogs(s3_uri="s3://bucket/livy/logs")),
        "P/T/L: upload_uri must be apart from what others write, which sessions would run; 'P/T' "
        "has 's3://bucket/livy/logs', got 's3://bucket/livy'.",
    ),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_refused_in_words(case: str) -> None:
    make, message = BAD[case]
    with pytest.raises(ConfigError) as refused:
        make(cdk.Stack(new_app(), "P"))
    assert str(refused.value) == message


def test_a_bad_namespace_is_refused_before_the_server_is_made() -> None:
    app = new_app()
    with pytest.raises(ConfigError, match="namespace must differ"):
        livy(cdk.Stack(app, "P"), replace(SPEC, namespace="data"))
    assert not [each for each in app.node.find_all() if isinstance(each, Livy)]


def test_a_region_without_a_registry_of_emrs_is_refused() -> None:
    environment = cdk.Environment(account="111122223333", region="ap-southeast-9")
    with pytest.raises(ConfigError, match="region must be one with a registry of EMR's"):
        livy(cdk.Stack(new_app(), "P", env=environment))
