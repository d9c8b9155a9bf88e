"""Secrets of a tenant, and refusal of plain secrets."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from fnmatch import fnmatchcase
from typing import Any

import pytest

from cdk_emr_eks.errors import ConfigError
from cdk_emr_eks.model.access.execution_role import ExecutionRoleSpec
from cdk_emr_eks.model.access.tenant_secrets import TenantSecret, is_secret_name
from cdk_emr_eks.model.jobs.job_template import JobParameter, JobTemplateSpec
from cdk_emr_eks.model.notebooks.livy import LivySpec
from cdk_emr_eks.model.notebooks.managed_endpoint import ManagedEndpointSpec
from cdk_emr_eks.model.notebooks.spark_connect import SparkConnectSpec
from cdk_emr_eks.model.pods.pod_template import PodTemplate, driver_template
from cdk_emr_eks.model.tenants.tenant import Tenant
from cdk_emr_eks.model.workloads.catalog import SHARED

KEY = "arn:aws:kms:eu-west-1:111122223333:key/12345678-1234-1234-1234-123456789012"
VALUE = "hunter2-do-not-print"
READER, WRITER = ExecutionRoleSpec(name="reader"), ExecutionRoleSpec(name="writer")


def test_a_secret_is_for_all_roles_or_the_named_ones() -> None:
    secrets = (TenantSecret(name="a/db"), TenantSecret(name="a/api", roles=("writer",)))
    tenant = Tenant(name="a", execution_roles=(READER, WRITER), secrets=secrets)
    reader, writer = tenant.roles("cluster")
    base = "arn:${AWS::Partition}:secretsmanager:${AWS::Region}:${AWS::AccountId}:secret:"
    assert [each.resources for each in reader.permissions] == [(f"{base}a/db-??????",)]
    assert [each.resources[0] for each in writer.permissions] == [
        f"{base}a/db-??????",
        f"{base}a/api-??????",
    ]
    (made,) = Tenant(name="a", secrets=secrets[:1]).roles("cluster")
    assert made.permissions == reader.permissions
    assert Tenant(name="a", execution_roles=(READER,)).roles("cluster") == (READER,)


def test_no_name_matches_the_secret_of_another_name() -> None:
    ((pattern,),) = [each.resources for each in TenantSecret(name="a/db").permissions()]
    end = pattern.rpartition(":")[2]
    assert fnmatchcase("a/db-AbC123", end)
    for other in (
        "a/db-prod-AbC123",
        "a/dbs-AbC123",
        "a/d-AbC123",
        "a/db/x-AbC123",
        "a/db-x-AbC12",
    ):
        assert not fnmatchcase(other, end), other


def test_a_key_decrypts_only_its_secret() -> None:
    _, key = TenantSecret(name="a/db", kms_key_arn=KEY).permissions()
    assert (key.actions, key.resources) == (("kms:Decrypt",), (KEY,))
    (pattern,) = [dict(each) for each in key.conditions.values()]
    assert str(pattern["kms:EncryptionContext:SecretARN"]).endswith(":secret:a/db-??????")


@pytest.mark.parametrize(
    ("secret", "said"),
    [
        (lambda: TenantSecret(name=""), "name must be the name of a secret"),
        (lambda: TenantSecret(name="a/*"), "name must be the name of a secret"),
        (lambda: TenantSecret(name="arn:aws:secretsmanager:x:1:secret:a"), "not an ARN"),
        (lambda: TenantSecret(name="a", kms_key_arn="alias/a"), "kms_key_arn must be the ARN"),
        (
            lambda: Tenant(name="a", secrets=(TenantSecret(name="s"), TenantSecret(name="s"))),
            "secrets must have each secret once, got 's'",
        ),
        (
            lambda: Tenant(name="a", secrets=(TenantSecret(name="s", roles=("reader",)),)),
            r"secrets must be for execution roles of the tenant \(none is given\), got 'reader'",
        ),
        (
            lambda: Tenant(
                name="a",
                execution_roles=(READER,),
                secrets=(TenantSecret(name="s", roles=("writer",)),),
            ),
            r"secrets must be for execution roles of the tenant \(reader\), got 'writer'",
        ),
    ],
)
def test_invalid_values_are_refused(secret: Callable[[], object], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        secret()


CONF = {"spark.hadoop.fs.s3a.secret.key": VALUE}


def pod(variable: dict[str, Any], name: str = "spark-kubernetes-driver") -> Callable[[], object]:
    template = dict(driver_template(SHARED))
    template["spec"] = {"containers": [{"name": name, "env": [variable]}]}
    return lambda: PodTemplate(template)


@pytest.mark.parametrize(
    "made",
    [
        lambda: replace(SHARED, spark_conf=CONF),
        lambda: ManagedEndpointSpec(name="e", spark_conf=CONF),
        lambda: SparkConnectSpec(name="e", spark_conf=CONF),
        lambda: LivySpec(upload_uri="s3://b/l", spark_conf=CONF),
        lambda: JobTemplateSpec(
            name="j",
            workload="shared",
            entry_point="s3://b/j.py",
            submit_parameters=f"--class Main --conf spark.app.db.password={VALUE}",
        ),
        lambda: JobTemplateSpec(
            name="j",
            workload="shared",
            entry_point="s3://b/j.py",
            submit_parameters=f"--conf='spark.app.apiKey={VALUE}'",
        ),
        pod({"name": "DB_PASSWORD", "value": VALUE}),
        pod({"name": "AWS_SECRET_ACCESS_KEY", "value": VALUE}, "sidecar"),
    ],
)
def test_a_plain_secret_is_refused_and_not_shown(made: Callable[[], object]) -> None:
    with pytest.raises(ConfigError, match=r"must not hold (a|the value of a) secret") as refused:
        made()
    assert VALUE not in str(refused.value)
    assert "TenantSecret" in str(refused.value)


def test_references_to_secrets_pass() -> None:
    reference = {"secretKeyRef": {"name": "db", "key": "password"}}
    pod({"name": "DB_PASSWORD", "valueFrom": reference})()
    pod({"name": "DB_PASSWORD_FILE", "value": "/etc/db/password"})()
    replace(SHARED, spark_conf={"spark.kubernetes.driver.secretKeyRef.TOKEN": "db:token"})
    JobTemplateSpec(
        name="j",
        workload="shared",
        entry_point="s3://b/j.py",
        submit_parameters="--conf spark.app.token=${token}",
        parameters={"token": JobParameter()},
    )


@pytest.mark.parametrize(
    ("name", "secret"),
    [
        ("spark.hadoop.fs.s3a.access.key", True),
        ("spark.hadoop.fs.s3a.session.token", True),
        ("spark.ssl.keyStorePassword", True),
        ("spark.sql.catalog.rest.credential", True),
        ("spark.executorEnv.API_KEY", True),
        ("spark.hadoop.fs.s3a.aws.credentials.provider", False),
        ("spark.kubernetes.executor.secrets.db-password", False),
        ("spark.sql.catalog.rest.token-refresh-enabled", False),
        ("spark.kubernetes.kerberos.krb5.path", False),
        ("spark.sql.shuffle.partitions", False),
    ],
)
def test_names_of_secrets_are_recognized(name: str, secret: bool) -> None:
    assert is_secret_name(name) is secret
