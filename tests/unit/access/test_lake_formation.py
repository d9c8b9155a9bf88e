"""Tenants with Lake Formation: their rules, their roles and EMR's permissions in the cluster."""

from __future__ import annotations

from dataclasses import replace

from cdk_emr_eks.model.access.execution_role import ExecutionRoleSpec, JobIdentity, RoleUse
from cdk_emr_eks.model.access.lake_formation import LakeFormation
from cdk_emr_eks.model.access.security_configuration import SecurityConfigurationSpec
from cdk_emr_eks.model.admission.admission import Admission, AdmissionMode
from cdk_emr_eks.model.tenants.emr_access import emr_cluster_role_manifests, emr_role_manifests
from cdk_emr_eks.model.tenants.tenant import Tenant, check_tenant
from cdk_emr_eks.model.tenants.virtual_cluster import VirtualClusterOptions
from cdk_emr_eks.model.workloads.catalog import DEFAULT_WORKLOADS
from tests.refusals import Call, refusals, refused

LAKE = LakeFormation(session_tag_value="EMR on EKS Engine")
WORKLOADS = {workload.name: workload for workload in DEFAULT_WORKLOADS}
ROLE = ExecutionRoleSpec(name="emr-jobs", identity=JobIdentity.IRSA)
DIGEST = "895885662937.dkr.ecr.us-west-2.amazonaws.com/spark/emr-7.14.0@sha256:" + "0" * 64


def tenant(**changes: object) -> Tenant:
    given = {"name": "data", "workloads": ("shared",), "lake_formation": LAKE, **changes}
    return Tenant(**given)  # type: ignore[arg-type]


INVALID: dict[str, tuple[Call, str]] = {
    "no tag value": (
        lambda: LakeFormation(session_tag_value=""),
        "LakeFormation: session_tag_value must be 1 to 256 letters, digits, blanks and .-_/#, "
        "got ''.",
    ),
    "a tag value that is a pattern in IAM": (
        lambda: LakeFormation(session_tag_value="emr*"),
        "LakeFormation: session_tag_value must be 1 to 256 letters, digits, blanks and .-_/#, "
        "got 'emr*'.",
    ),
    "one namespace for EMR and users": (
        lambda: tenant(lake_formation=replace(LAKE, system_namespace="data")),
        "Tenant 'data': lake_formation.system_namespace must differ from the tenant's namespace, "
        "where users' code runs, got 'data'.",
    ),
    "a namespace that is too long for the suffix": (
        lambda: tenant(name="d" * 57),
        f"Tenant '{'d' * 57}': lake_formation.system_namespace must be given, since '-system' "
        f"after the namespace is over 63 characters, got '{'d' * 57}'.",
    ),
    "Pod Identity": (
        lambda: tenant(execution_roles=(ExecutionRoleSpec(name="emr-jobs"),)),
        "Tenant 'data': execution_roles must have IRSA in 'emr-jobs': for lake_formation EMR "
        "documents no other, got 'pod-identity'; write identity=JobIdentity.IRSA.",
    ),
    "a role for endpoints": (
        lambda: tenant(execution_roles=(replace(ROLE, uses=(RoleUse.ENDPOINTS,)),)),
        "Tenant 'data': execution_roles must be for jobs only in 'emr-jobs': lake_formation is "
        "for job runs, got 'endpoints'.",
    ),
    "a role for jobs as query engine role": (
        lambda: tenant(
            execution_roles=(ROLE,), lake_formation=replace(LAKE, query_engine_role="emr-jobs")
        ),
        "Tenant 'data': lake_formation.query_engine_role must be another role than those of jobs, "
        "whose pods run users' code, got 'emr-jobs'.",
    ),
    "an old release": (
        lambda: tenant(release_label="emr-7.6.0-latest"),
        "Tenant 'data': release_label must be at least emr-7.7.0 for lake_formation, and none of "
        "emr-spark, got 'emr-7.6.0-latest'.",
    ),
    "a release of Spark 4": (
        lambda: tenant(release_label="emr-spark-8.1.0-latest"),
        "Tenant 'data': release_label must be at least emr-7.7.0 for lake_formation, and none of "
        "emr-spark, got 'emr-spark-8.1.0-latest'.",
    ),
    "sessions": (
        lambda: tenant(virtual_cluster=VirtualClusterOptions(session_enabled=True)),
        "Tenant 'data': virtual_cluster.session_enabled must be absent with lake_formation, which "
        "has its own security configuration.",
    ),
    "an own security configuration": (
        lambda: tenant(
            virtual_cluster=VirtualClusterOptions(
                session_enabled=True, security_configuration=SecurityConfigurationSpec()
            )
        ),
        "Tenant 'data':\n  - virtual_cluster.session_enabled must be absent with lake_formation, "
        "which has its own security configuration.\n  - "
        "virtual_cluster.security_configuration must be absent with lake_formation, which has its "
        "own security configuration.",
    ),
    "an existing security configuration": (
        lambda: tenant(virtual_cluster=VirtualClusterOptions(security_configuration_id="abc")),
        "Tenant 'data': virtual_cluster.security_configuration_id must be absent with "
        "lake_formation, which has its own security configuration.",
    ),
    "an image": (
        lambda: tenant(image=DIGEST),
        "Tenant 'data': image must be absent with lake_formation: EMR's part of a job runs EMR's "
        f"image only, got '{DIGEST}'.",
    ),
    "executors that are not on spot": (
        lambda: check_tenant(tenant(workloads=()), WORKLOADS),
        "Tenant 'data': workloads must have spot executors with lake_formation: admission refuses "
        "the others, got 'critical'; name workloads with spot executors, or give the tenant a "
        "dedicated one.",
    ),
}


@refusals(INVALID)
def test_invalid_values_are_refused(call: Call, message: str) -> None:
    assert refused(call) == message


def test_without_admission_executors_may_be_on_demand() -> None:
    check_tenant(tenant(workloads=(), admission=Admission(mode=AdmissionMode.OFF)), WORKLOADS)


def test_roles_have_irsa_and_may_call_lake_formation() -> None:
    (role,) = tenant().roles("platform")
    assert role.identity is JobIdentity.IRSA
    assert [each.actions for each in role.permissions] == [
        ("lakeformation:GetDataAccess", "emr-containers:CreateCertificate")
    ]
    again = tenant(execution_roles=(role,)).roles("platform")
    assert again == (role,)


def test_the_name_of_the_query_engine_role_differs_by_cluster_and_namespace() -> None:
    names = {
        LAKE.resolved_role("data", cluster, namespace)
        for cluster in ("blue", "green")
        for namespace in ("data", "data-2")
    }
    assert len(names) == 4
    assert all(name.startswith("emr-lf-data-") and len(name) <= 32 for name in names)


def test_both_users_of_emr_have_the_cluster_role() -> None:
    role, binding = emr_cluster_role_manifests("data")
    (own, _) = emr_role_manifests("data")
    rules, of_namespace = role["rules"], own["rules"]
    assert isinstance(rules, list)
    assert isinstance(of_namespace, list)
    # Kubernetes lets EMR grant only permissions that EMR has.
    assert rules[: len(of_namespace)] == of_namespace
    assert [(rule["apiGroups"], rule["resources"]) for rule in rules[len(of_namespace) :]] == [
        (["rbac.authorization.k8s.io"], ["clusterroles", "clusterrolebindings"]),
        (["kyverno.io"], ["clusterpolicies"]),
    ]
    verbs = {verb for rule in rules for verb in rule["verbs"]}
    assert not verbs & {"*", "escalate", "bind", "impersonate"}
    secrets = [rule for rule in rules if "secrets" in rule["resources"]]
    assert [rule["verbs"] for rule in secrets] == [["create", "patch", "delete", "watch"]]
    subjects = binding["subjects"]
    assert isinstance(subjects, list)
    users = [(each["kind"], each["name"]) for each in subjects]
    assert users == [("User", "emr-containers"), ("User", "EmrContainersUser")]
    assert binding["roleRef"] == {
        "kind": "ClusterRole",
        "name": "emr-containers-data",
        "apiGroup": "rbac.authorization.k8s.io",
    }
