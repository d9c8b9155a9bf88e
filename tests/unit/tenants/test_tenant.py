"""Tenants, virtual clusters, execution roles and job templates: rules and manifests."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cdk_emr_eks.errors import ConfigError
from cdk_emr_eks.model.access.execution_role import (
    ExecutionRoleSpec,
    IamPermission,
    JobIdentity,
    JobLogs,
)
from cdk_emr_eks.model.access.security_configuration import SecurityConfigurationSpec
from cdk_emr_eks.model.jobs.job_template import JobParameter, JobParameterType, JobTemplateSpec
from cdk_emr_eks.model.namespaces.namespace import LimitDefaults, NamespaceOwner, namespace_manifest
from cdk_emr_eks.model.namespaces.quota import Quota
from cdk_emr_eks.model.tenants.emr_access import emr_role_manifests
from cdk_emr_eks.model.tenants.job_size import smallest_job
from cdk_emr_eks.model.tenants.tenant import Tenant, check_tenant
from cdk_emr_eks.model.tenants.virtual_cluster import (
    SchedulerLimits,
    VirtualClusterOptions,
    VirtualClusterSpec,
)
from cdk_emr_eks.model.workloads.catalog import CRITICAL, DEFAULT_WORKLOADS, SHARED
from cdk_emr_eks.model.workloads.storage import PersistentVolumes
from cdk_emr_eks.units import Cpu, Memory
from tests.refusals import Call, refusals, refused

WORKLOADS = {workload.name: workload for workload in DEFAULT_WORKLOADS}
LARGE = Quota(cpu=Cpu.cores(100), memory=Memory.from_gib(400))
TOKEN = "${Token[AWS.Region.4]}"

INVALID: dict[str, tuple[Call, str]] = {
    "tenant name": (
        lambda: Tenant(name="Data_Eng", namespace="data", virtual_cluster_name="data"),
        "Tenant 'Data_Eng': name must be a DNS label (a-z, 0-9, '-', at most 63 characters), "
        "got 'Data_Eng'; try 'data-eng'.",
    ),
    "namespace": (
        lambda: Tenant(name="data", namespace="Data"),
        "Tenant 'data': namespace must be a DNS label (a-z, 0-9, '-', at most 63 characters), "
        "got 'Data'; try 'data'.",
    ),
    "empty name of the virtual cluster": (
        lambda: Tenant(name="data", virtual_cluster_name=""),
        "Virtual cluster '': name must be an EMR name (letters, digits, . - _ / #) of 1 to 64 "
        "characters, got ''.",
    ),
    "quota without storage": (
        lambda: Quota(cpu=Cpu(1), memory=Memory(1), storage=Memory(0)),
        "Quota: storage must be more than 0, got '0Mi'.",
    ),
    "managed policy by its name": (
        lambda: ExecutionRoleSpec(name="data", managed_policy_arns=("AmazonS3ReadOnlyAccess",)),
        "Execution role 'data': managed_policy_arns must be ARNs of managed policies, or tokens, "
        "got 'AmazonS3ReadOnlyAccess'.",
    ),
    "boundary by its name": (
        lambda: ExecutionRoleSpec(name="data", permissions_boundary_arn="Boundary"),
        "Execution role 'data': permissions_boundary_arn must be the ARN of a managed policy, or a "
        "token, got 'Boundary'.",
    ),
    "resource by its name": (
        lambda: IamPermission(actions=("s3:GetObject",), resources=("bucket/*",)),
        "IamPermission 's3:GetObject': resources must be ARNs, tokens or '*', got 'bucket/*'.",
    ),
    "statement id in words": (
        lambda: IamPermission(actions=("s3:GetObject",), resources=("*",), sid="Read data"),
        "IamPermission 'Read data': sid must be letters and digits, got 'Read data'.",
    ),
    "namespace token": (
        lambda: Tenant(name="data", namespace=TOKEN),
        f"Tenant 'data': namespace must be known at synth, not a token, got '{TOKEN}'.",
    ),
    "system namespace": (
        lambda: Tenant(name="kube-system"),
        "Tenant 'kube-system': namespace must not be one of Kubernetes' own namespaces, "
        "got 'kube-system'.",
    ),
    "virtual cluster name": (
        lambda: Tenant(name="data", virtual_cluster_name="data eng"),
        "Virtual cluster 'data eng': name must be an EMR name (letters, digits, . - _ / #) of 1 to "
        "64 characters, got 'data eng'.",
    ),
    "release": (
        lambda: Tenant(name="data", release_label="emr-7.14.0"),
        "Tenant 'data': release_label must be an EMR release label such as 'emr-7.14.0-latest' or "
        "'emr-spark-8.1.0-latest', got 'emr-7.14.0'; try 'emr-7.14.0-latest'.",
    ),
    "pod identity before 7.3": (
        lambda: Tenant(
            name="data",
            release_label="emr-7.2.0-latest",
            execution_roles=(ExecutionRoleSpec(name="data"),),
        ),
        "Tenant 'data': release_label must be at least emr-7.3.0 for Pod Identity of execution "
        "role 'data', got 'emr-7.2.0-latest'; use identity=JobIdentity.IRSA.",
    ),
    "a security configuration without sessions": (
        lambda: VirtualClusterOptions(security_configuration=SecurityConfigurationSpec()),
        "VirtualClusterOptions: security_configuration must go with session_enabled: jobs do not "
        "use it.",
    ),
    "a security configuration twice": (
        lambda: VirtualClusterOptions(
            session_enabled=True,
            security_configuration=SecurityConfigurationSpec(),
            security_configuration_id="abc",
        ),
        "VirtualClusterOptions: security_configuration must be absent where "
        "security_configuration_id is given.",
    ),
    "an invalid id of a security configuration": (
        lambda: VirtualClusterOptions(session_enabled=True, security_configuration_id="Mine"),
        "VirtualClusterOptions: security_configuration_id must be the id of a security "
        "configuration (a-z, 0-9), or a token, got 'Mine'.",
    ),
    "one namespace for EMR and users": (
        lambda: Tenant(
            name="data",
            virtual_cluster=VirtualClusterOptions(
                session_enabled=True,
                security_configuration=SecurityConfigurationSpec(system_namespace="data"),
            ),
        ),
        "Virtual cluster 'data': security_configuration.system_namespace must differ from the "
        "virtual cluster's namespace, got 'data'.",
    ),
    "no room for the system namespace's name": (
        lambda: Tenant(name="d" * 57, virtual_cluster=VirtualClusterOptions(session_enabled=True)),
        f"Virtual cluster '{'d' * 57}': security_configuration.system_namespace must be given, "
        f"since '-system' after the namespace is over 63 characters, got '{'d' * 57}'.",
    ),
    "the namespace of EMR's router": (
        lambda: Tenant(name="spark-connect-router"),
        "Tenant 'spark-connect-router': namespace must not be the namespace of EMR's Spark Connect "
        "router, got 'spark-connect-router'.",
    ),
    "two roles of one name": (
        lambda: Tenant(
            name="data",
            execution_roles=(ExecutionRoleSpec(name="r"), ExecutionRoleSpec(name="r")),
        ),
        "Tenant 'data': execution_roles must not use the same name twice, got 'r'.",
    ),
    "role of another workload": (
        lambda: Tenant(
            name="data",
            workloads=("shared",),
            execution_roles=(ExecutionRoleSpec(name="r", workloads=("critical",)),),
        ),
        "Tenant 'data': execution_roles must use workloads of the tenant only (shared), "
        "got 'critical'.",
    ),
    "aws tag": (
        lambda: Tenant(name="data", tags={"aws:x": "1"}),
        "Tenant 'data': tags must have keys of 1 to 128 characters that do not start with 'aws:', "
        "got 'aws:x'.",
    ),
    "long tag": (
        lambda: VirtualClusterSpec(name="data", tags={"x": "1" * 257}),
        "Virtual cluster 'data': tags must have values of at most 256 characters, "
        f"got '{'1' * 257}'.",
    ),
    "long role name": (
        lambda: ExecutionRoleSpec(name="r" * 65),
        f"Execution role '{'r' * 65}': name must be an IAM role name (letters, digits, _+=,.@-) of "
        f"1 to 64 characters, got '{'r' * 65}'.",
    ),
    "role name token": (
        lambda: ExecutionRoleSpec(name=TOKEN),
        f"Execution role '{TOKEN}': name must be known at synth, not a token, got '{TOKEN}'.",
    ),
    "permission without resources": (
        lambda: IamPermission(actions=("s3:GetObject",), resources=()),
        "IamPermission 's3:GetObject': resources must not be empty.",
    ),
    "permission to everything": (
        lambda: IamPermission(sid="All", actions=("*",), resources=("*",)),
        "IamPermission 'All': actions must be of the form 'service:Action', got '*'.",
    ),
    "retention": (
        lambda: JobLogs(retention_days=31),
        "JobLogs: retention_days must be one of 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, "
        "400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653, got 31.",
    ),
    "log uri": (
        lambda: JobLogs(s3_uri="https://bucket/logs"),
        "JobLogs: s3_uri must be s3://bucket/prefix, got 'https://bucket/logs'.",
    ),
    "log uri that is a pattern": (
        lambda: JobLogs(s3_uri="s3://logs/${aws:username}*"),
        "JobLogs: s3_uri must not hold '*', '?' or '$', which IAM reads as patterns, "
        "got 's3://logs/${aws:username}*'.",
    ),
    "no scheduler limits": (
        SchedulerLimits,
        "SchedulerLimits: max_concurrent_job_runs or max_in_queue_job_runs must be given.",
    ),
    "scheduler limit": (
        lambda: SchedulerLimits(max_concurrent_job_runs=0, max_in_queue_job_runs=1001),
        "SchedulerLimits:\n"
        "  - max_concurrent_job_runs must be from 1 to 1000, got 0.\n"
        "  - max_in_queue_job_runs must be from 1 to 1000, got 1001.",
    ),
    "empty quota": (
        lambda: Quota(cpu=Cpu(0), memory=Memory(1), pods=0),
        "Quota:\n  - cpu must be more than 0, got '0m'.\n  - pods must be more than 0, got 0.",
    ),
    "no default request": (
        lambda: LimitDefaults(cpu=Cpu(0)),
        "LimitDefaults: cpu must be more than 0, got '0m'.",
    ),
    "unknown workload": (
        lambda: check_tenant(Tenant(name="data", workloads=("gpu",)), WORKLOADS),
        "Tenant 'data': workloads must name workloads of the platform (critical, shared, "
        "notebook), got 'gpu'.",
    ),
    "few pods": (
        lambda: check_tenant(
            Tenant(name="data", workloads=("shared",), quota=replace(LARGE, pods=2)), WORKLOADS
        ),
        "Tenant 'data': quota.pods must be at least 3 for one submitter, driver and executor of "
        "workload 'shared', got 2.",
    ),
    "entry point": (
        lambda: JobTemplateSpec(name="job", workload="shared", entry_point=""),
        "Job template 'job': entry_point must be 1 to 256 characters, got 0.",
    ),
    "brackets": (
        lambda: JobTemplateSpec(
            name="job", workload="shared", entry_point="s3://b/j.py", arguments=("[1]",)
        ),
        "Job template 'job': arguments must not hold (), [] or {} but for ${parameter}, got '[1]'.",
    ),
    "undeclared parameter": (
        lambda: JobTemplateSpec(
            name="job", workload="shared", entry_point="s3://b/j.py", arguments=("${day}",)
        ),
        "Job template 'job': parameters must declare each ${parameter} used, got 'day'.",
    ),
    "unused parameter": (
        lambda: JobTemplateSpec(
            name="job",
            workload="shared",
            entry_point="s3://b/j",
            parameters={"day": JobParameter()},
        ),
        "Job template 'job': parameters must be used as ${parameter}, got 'day'.",
    ),
    "parameter": (
        lambda: JobParameter(type=JobParameterType.NUMBER, default="many"),
        "JobParameter: default must be a number, got 'many'.",
    ),
}


@refusals(INVALID)
def test_invalid_values_are_refused(call: Call, message: str) -> None:
    assert refused(call) == message


@pytest.mark.parametrize("workload", [CRITICAL, SHARED], ids=lambda workload: workload.name)
def test_a_quota_allows_at_least_one_job(workload: object) -> None:
    spec = CRITICAL if workload is CRITICAL else SHARED
    job = smallest_job(spec, LimitDefaults())
    exact = Tenant(
        name="data", workloads=(spec.name,), quota=Quota(cpu=job.cpu, memory=job.memory, pods=3)
    )
    check_tenant(exact, WORKLOADS)
    for field, short in (
        ("quota.cpu", Quota(cpu=Cpu(job.cpu.millicores - 1), memory=job.memory)),
        ("quota.memory", Quota(cpu=job.cpu, memory=Memory(job.memory.mib - 1))),
    ):
        with pytest.raises(ConfigError) as caught:
            check_tenant(replace(exact, quota=short), WORKLOADS)
        assert caught.value.fields == (field,)


def test_a_quota_counts_the_volumes_of_executors() -> None:
    volumes = PersistentVolumes(count=2, size=Memory.from_gib(50))
    types = replace(
        SHARED.executor_instances,
        families=("m6g", "m7g", "m8g", "r6g", "r7g", "r8g"),
    )
    workload = replace(SHARED, storage=volumes, executor_instances=types)
    quota = replace(LARGE, volume_claims=1, storage=Memory.from_gib(99))
    with pytest.raises(ConfigError) as caught:
        check_tenant(Tenant(name="data", quota=quota), {"shared": workload})
    assert caught.value.fields == ("quota.storage", "quota.volume_claims")


def test_a_quota_limits_requests_only() -> None:
    quota = Quota(
        cpu=Cpu.cores(10),
        memory=Memory.from_gib(40),
        pods=50,
        volume_claims=4,
        storage=Memory.from_gib(400),
    )
    (manifest,) = quota.manifests("data")
    assert manifest["spec"] == {
        "hard": {
            "requests.cpu": "10",
            "requests.memory": "40Gi",
            "pods": "50",
            "persistentvolumeclaims": "4",
            "requests.storage": "400Gi",
        }
    }


def test_limit_range_sets_requests_only() -> None:
    assert LimitDefaults().manifest("data")["spec"] == {
        "limits": [{"type": "Container", "defaultRequest": {"cpu": "10m", "memory": "200Mi"}}]
    }


def test_namespaces_are_labelled_with_tenant_and_pod_security() -> None:
    manifest = namespace_manifest("data", NamespaceOwner(tenant="team"))
    assert manifest["metadata"] == {
        "name": "data",
        "labels": {
            "app.kubernetes.io/managed-by": "cdk-emr-eks",
            "emr-eks/tenant": "team",
            "pod-security.kubernetes.io/enforce": "baseline",
            "pod-security.kubernetes.io/warn": "baseline",
        },
    }


def test_irsa_works_with_old_releases() -> None:
    role = ExecutionRoleSpec(name="r", identity=JobIdentity.IRSA)
    tenant = Tenant(name="data", release_label="emr-6.15.0-latest", execution_roles=(role,))
    assert tenant.roles("cluster") == (role,)


# AWS's list for aws-auth. Commands of kubectl are left out, since they are not verbs.
# https://docs.aws.amazon.com/emr/latest/EMR-on-EKS-DevelopmentGuide/setting-up-cluster-access.html
KUBECTL_ONLY = {"describe", "edit", "annotate", "label"}
AWS_VERBS = "get list watch describe create edit delete annotate patch label"
AWS_RULES = {
    ("", "namespaces"): "get",
    **{
        ("", resource): AWS_VERBS + " deletecollection"
        for resource in (
            *("serviceaccounts", "services", "configmaps", "events", "pods", "pods/log"),
            "persistentvolumeclaims",
        )
    },
    ("", "secrets"): "create patch delete watch",
    ("apps", "statefulsets"): AWS_VERBS,
    ("apps", "deployments"): AWS_VERBS,
    ("batch", "jobs"): AWS_VERBS,
    ("extensions", "ingresses"): AWS_VERBS,
    ("networking.k8s.io", "ingresses"): AWS_VERBS,
    ("rbac.authorization.k8s.io", "roles"): AWS_VERBS + " deletecollection",
    ("rbac.authorization.k8s.io", "rolebindings"): AWS_VERBS + " deletecollection",
}


def test_emrs_role_in_a_namespace_has_the_rules_of_awss_list() -> None:
    role, binding = emr_role_manifests("data")
    rules = role["rules"]
    assert isinstance(rules, list)
    ours = {
        (group, resource): set(rule["verbs"])
        for rule in rules
        for group in rule["apiGroups"]
        for resource in rule["resources"]
    }
    assert ours == {key: set(verbs.split()) - KUBECTL_ONLY for key, verbs in AWS_RULES.items()}
    assert binding["subjects"] == [
        {"kind": "User", "name": "emr-containers", "apiGroup": "rbac.authorization.k8s.io"}
    ]
