"""Tenants with Lake Formation: roles, namespaces, and their order."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import aws_cdk as cdk
import pytest

from cdk_emr_eks.ephemeral.jobs import EphemeralJobs
from cdk_emr_eks.errors import ConfigError
from cdk_emr_eks.model.access.execution_role import ExecutionRoleSpec
from cdk_emr_eks.model.ephemeral.job import EphemeralJobSpec
from cdk_emr_eks.model.namespaces.tenant_network import NetworkPeer, TenantNetwork
from cdk_emr_eks.model.tenants.tenant import Tenant
from cdk_emr_eks.tenants.execution_role import ExecutionRole
from cdk_emr_eks.tenants.shared_role import SharedExecutionRole
from tests.synth.deploy_policy.deploy_app import statements_of
from tests.synth.tenants.lake_app import GUESTS, SCIENCE, TAG, imported, new_stack, synthesized

SECURITY = "AWS::EMRContainers::SecurityConfiguration"
CLUSTER = "AWS::EMRContainers::VirtualCluster"
MANIFEST = "Custom::AWSCDK-EKS-KubernetesResource"
TAGGED = {"StringEquals": {"aws:RequestTag/LakeFormationAuthorizedCaller": TAG}}


def arn(role: str) -> object:
    parts = ["arn:", {"Ref": "AWS::Partition"}, ":iam::", {"Ref": "AWS::AccountId"}]
    return {"Fn::Join": ["", [*parts, f":role/{role}"]]}


def role(name: str) -> tuple[str, dict[str, Any]]:
    found = synthesized().of_type("Imported", "AWS::IAM::Role")
    ((id, item),) = ((i, r) for i, r in found.items() if r["Properties"]["RoleName"] == name)
    return id, dict(item)


def objects(part: str) -> list[dict[str, Any]]:
    _, item = synthesized().only("Imported", MANIFEST, part)
    made: list[dict[str, Any]] = json.loads(item["Properties"]["Manifest"])
    return made


def test_the_virtual_cluster_has_the_security_configuration_and_no_sessions() -> None:
    id, item = synthesized().only("Imported", SECURITY)
    data = item["Properties"]["SecurityConfigurationData"]
    assert data["AuthorizationConfiguration"]["LakeFormationConfiguration"] == {
        "AuthorizedSessionTagValue": TAG,
        "QueryEngineRoleArn": arn("emr-engine"),
        "SecureNamespaceInfo": {"ClusterId": "theirs", "Namespace": "emr-part"},
    }
    assert data["EncryptionConfiguration"]["InTransitEncryptionConfiguration"][
        "TLSCertificateConfiguration"
    ] == {
        "CertificateProviderType": "PEM",
        "PublicKeySecretArn": "arn:aws:secretsmanager:eu-west-1:111122223333:secret:public",
        "PrivateKeySecretArn": "arn:aws:secretsmanager:eu-west-1:111122223333:secret:private",
    }
    _, cluster = synthesized().only("Imported", CLUSTER)
    assert cluster["Properties"]["SecurityConfigurationId"] == {"Fn::GetAtt": [id, "Id"]}
    assert "SessionEnabled" not in cluster["Properties"]
    assert cluster["Properties"]["ContainerProvider"]["Info"]["EksInfo"]["Namespace"] == "guests"


def test_without_a_certificate_emr_creates_one() -> None:
    _, item = synthesized().only("Elsewhere", SECURITY)
    assert set(item["Properties"]["SecurityConfigurationData"]) == {"AuthorizationConfiguration"}
    assert item["Properties"]["Name"] == "emr-on-eks-science-system"


def test_only_emrs_accounts_of_the_system_namespace_are_the_query_engine() -> None:
    _, engine = role("emr-engine")
    (statement,) = engine["Properties"]["AssumeRolePolicyDocument"]["Statement"]
    assert statement["Action"] == "sts:AssumeRoleWithWebIdentity"
    (subject,) = statement["Condition"]["StringLike"].values()
    assert subject["Fn::Join"][1][0] == "system:serviceaccount:emr-part:emr-containers-sa-*-*-"
    (audience,) = statement["Condition"]["StringEquals"].values()
    assert audience == "sts.amazonaws.com"


def test_the_query_engine_is_the_roles_of_its_jobs_with_the_tag_and_has_no_data() -> None:
    _, engine = role("emr-engine")
    (policy,) = engine["Properties"]["Policies"]
    jobs = [arn("emr-guests"), arn("emr-reports")]
    assert policy["PolicyDocument"]["Statement"] == [
        {
            "Sid": "BeJobsOfDriver",
            "Effect": "Allow",
            "Action": ["sts:AssumeRole", "sts:TagSession"],
            "Resource": jobs,
            "Condition": TAGGED,
        },
        {
            "Sid": "BeJobsOfExecutors",
            "Effect": "Allow",
            "Action": "sts:AssumeRole",
            "Resource": jobs,
        },
        {
            "Sid": "CreateCertificates",
            "Effect": "Allow",
            "Action": "emr-containers:CreateCertificate",
            "Resource": "*",
        },
    ]


@pytest.mark.parametrize("name", ["emr-guests", "emr-reports"])
def test_a_role_of_jobs_gets_the_tag_from_the_query_engine_only(name: str) -> None:
    _, item = role(name)
    own, driver, executors = item["Properties"]["AssumeRolePolicyDocument"]["Statement"]
    assert own["Action"] == "sts:AssumeRoleWithWebIdentity"
    (subject,) = own["Condition"]["StringLike"].values()
    assert subject["Fn::Join"][1][0] == "system:serviceaccount:guests:emr-containers-sa-*-*-"
    engine = {"AWS": arn("emr-engine")}
    assert (driver["Principal"], driver["Condition"]) == (engine, TAGGED)
    assert driver["Action"] == ["sts:AssumeRole", "sts:TagSession"]
    assert (executors["Principal"], executors["Action"]) == (engine, "sts:AssumeRole")


def test_a_role_of_jobs_asks_lake_formation_and_reads_no_data_of_s3() -> None:
    _, item = role("emr-guests")
    (policy,) = item["Properties"]["Policies"]
    statements = policy["PolicyDocument"]["Statement"]
    asked = [each for each in statements if "lakeformation:GetDataAccess" in each["Action"]]
    assert [each["Resource"] for each in asked] == ["*"]
    s3 = [each for each in statements if "s3:" in json.dumps(each["Action"])]
    assert [each["Sid"] for each in s3] == ["ReadPodTemplates"]


def test_trusts_of_a_new_cluster_are_json_text_that_iam_reads() -> None:
    found = synthesized().of_type("Elsewhere", "AWS::IAM::Role")
    documents = {
        item["Properties"]["RoleName"]: json.loads(
            "".join(
                part if isinstance(part, str) else "X"
                for part in item["Properties"]["AssumeRolePolicyDocument"]["Fn::Join"][1]
            )
        )
        for item in found.values()
    }
    counts = {name: len(document["Statement"]) for name, document in documents.items()}
    lake = SCIENCE.lake_formation
    assert lake is not None
    engine = lake.resolved_role("science", "emr-on-eks", "science")
    (job,) = set(counts) - {engine}
    assert counts == {engine: 1, job: 3}
    assert documents[job]["Statement"][1]["Principal"] == {"AWS": f"arn:X:iam::X:role/{engine}"}


def test_each_is_there_before_what_needs_it_and_goes_after_it() -> None:
    made = synthesized()
    namespace, _ = made.only("Imported", MANIFEST, "LakeFormationNamespace")
    security, item = made.only("Imported", SECURITY)
    engine, _ = role("emr-engine")
    assert set(item["DependsOn"]) == {namespace, engine}
    jobs = [role(name) for name in ("emr-guests", "emr-reports")]
    for _, job in jobs:
        # IAM refuses a trust in a role that is not there.
        assert {engine, security} <= set(job["DependsOn"])
    _, cluster = made.only("Imported", CLUSTER)
    assert {id for id, _ in jobs} <= set(cluster["DependsOn"])


def test_the_system_namespace_is_open_to_its_tenants_own_and_to_none_of_its_peers() -> None:
    made = objects("LakeFormationNamespace")
    kinds = [(each["kind"], each["metadata"]["name"]) for each in made]
    assert kinds == [
        ("Namespace", "emr-part"),
        ("ClusterRole", "emr-containers-guests"),
        ("ClusterRoleBinding", "emr-containers-guests"),
        ("NetworkPolicy", "default-deny"),
        ("NetworkPolicy", "tenant"),
    ]
    own = {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "guests"}}}
    policy = made[-1]["spec"]
    assert policy["ingress"] == [{"from": [{"podSelector": {}}]}, {"from": [own]}]
    assert policy["egress"][-1] == {"to": [own]}
    assert "10.9.0.0/16" not in json.dumps(policy)
    users = objects("VirtualClusterNamespace")[-1]["spec"]
    system = {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "emr-part"}}}
    assert {"from": [system]} in users["ingress"]
    assert {"to": [system]} in users["egress"]
    assert "10.9.0.0/16" in json.dumps(users)


def test_a_deployment_may_make_what_it_needs() -> None:
    text = json.dumps(statements_of(synthesized().outdir))
    for action in ("emr-containers:CreateSecurityConfiguration", "role/emr-engine"):
        assert action in text


def test_without_an_oidc_provider_it_is_refused() -> None:
    with pytest.raises(ConfigError, match="lake_formation needs the cluster's OIDC provider"):
        imported(new_stack(), oidc=False).add_tenant(GUESTS)


@pytest.mark.parametrize("first", [True, False])
def test_no_other_tenant_has_the_system_namespace(first: bool) -> None:
    intruder = Tenant(name="emr-part", workloads=("shared",))
    cluster = imported(new_stack())
    one, other = (intruder, GUESTS) if first else (GUESTS, intruder)
    cluster.add_tenant(one)
    with pytest.raises(ConfigError, match="'emr-part'"):
        cluster.add_tenant(other)


@pytest.mark.parametrize("first", [True, False])
def test_no_tenant_has_the_system_namespace_as_a_peer(first: bool) -> None:
    peers = TenantNetwork(egress=(NetworkPeer(namespace="emr-part"),))
    nosy = Tenant(name="nosy", workloads=("shared",), network=peers)
    cluster = imported(new_stack())
    one, other = (nosy, GUESTS) if first else (GUESTS, nosy)
    cluster.add_tenant(one)
    with pytest.raises(ConfigError, match="network must not name the namespace of another tenant"):
        cluster.add_tenant(other)


def test_a_query_engine_is_of_one_tenant() -> None:
    cluster = imported(new_stack())
    cluster.add_tenant(GUESTS)
    lake = GUESTS.lake_formation
    assert lake is not None
    other = replace(SCIENCE, lake_formation=replace(lake, system_namespace="other-part"))
    with pytest.raises(ConfigError, match="query_engine_role must be unique"):
        cluster.add_tenant(other)


def test_a_job_does_not_bring_an_image_of_its_own() -> None:
    tenant = imported(new_stack()).add_tenant(GUESTS)
    tenant.job_configuration("shared")
    image = "895885662937.dkr.ecr.us-west-2.amazonaws.com/spark/emr-7.14.0@sha256:" + "0" * 64
    with pytest.raises(ConfigError, match="image must be absent with lake_formation"):
        tenant.job_configuration("shared", image=image)


def test_a_shared_role_is_refused() -> None:
    stack = new_stack()
    cluster = imported(stack)
    spec = ExecutionRoleSpec(name="emr-all")
    shared = SharedExecutionRole(stack, "Shared", context=cluster.context, spec=spec)
    with pytest.raises(ConfigError, match="lake_formation must be absent with a shared role"):
        cluster.add_tenant(SCIENCE, shared_role=shared)


def test_an_ephemeral_job_is_refused() -> None:
    stack = new_stack()
    tenant = imported(stack).add_tenant(SCIENCE)
    spec = EphemeralJobSpec(name="job", workload="shared", entry_point="s3://bucket/job.py")
    with pytest.raises(ConfigError, match="tenant must be without lake_formation"):
        EphemeralJobs(stack, "Job", tenant=tenant, spec=spec)


def test_pod_identity_would_not_carry_more_statements() -> None:
    stack = cdk.Stack(cdk.App(analytics_reporting=False), "Stack")
    cluster = imported(stack)
    with pytest.raises(ConfigError, match="trusts must go with IRSA"):
        ExecutionRole(
            stack,
            "Role",
            context=cluster.context,
            namespace="data",
            spec=ExecutionRoleSpec(name="emr-data"),
            trusts=({"Effect": "Allow"},),
        )
