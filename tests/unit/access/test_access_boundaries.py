"""Names, ARNs and releases of access: what is just allowed, and what is just refused."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Final

import pytest

from cdk_emr_eks.errors import ConfigError
from cdk_emr_eks.model.access.data_access import glue_access, s3_folder, s3_user_folder
from cdk_emr_eks.model.access.execution_role import (
    ExecutionRoleSpec,
    IamPermission,
    JobIdentity,
    JobLogs,
    RoleUse,
    default_role_name,
    iam_literal,
)
from cdk_emr_eks.model.access.lake_formation import LakeFormation
from cdk_emr_eks.model.access.security_configuration import (
    AtRestEncryption,
    S3Encryption,
    SecurityConfigurationSpec,
    TlsCertificate,
)
from cdk_emr_eks.model.access.tenant_secrets import TenantSecret, is_secret_name
from cdk_emr_eks.model.tenants.tenant import Tenant
from tests.refusals import Boundary, Build, allowed_texts, refused_fields, refused_texts

TOKEN: Final = "${Token[TOKEN.1]}"
SECRET: Final = "arn:aws:secretsmanager:eu-west-1:111122223333:secret:"
KEY: Final = "arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"
POLICY: Final = "arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess"


def permission(action: str = "s3:GetObject", resource: str = "*", sid: str | None = None) -> object:
    return IamPermission(actions=(action,), resources=(resource,), sid=sid)


def certificate(text: str) -> object:
    return TlsCertificate(certificate_secret_arn=text, private_key_secret_arn=f"{SECRET}key")


# Field, how a value is built, texts that are allowed, texts that are refused.
TEXTS: Final[tuple[Boundary, ...]] = (
    (
        "actions",
        lambda text: permission(action=text),
        ("s3:GetObject", "s3:Get*", "emr-containers:Describe?ob", "s3:G"),
        ("s3", "s3:", ":GetObject", "S3:GetObject", "s3:Get Object", "*"),
    ),
    (
        "resources",
        lambda text: permission(resource=text),
        ("*", "arn:aws:s3:::b", TOKEN),
        ("", "**", "bucket", "aws:arn:"),
    ),
    ("sid", lambda text: permission(sid=text), ("A", "Read1"), ("", "Read-1", "Read 1")),
    (
        "managed_policy_arns",
        lambda text: ExecutionRoleSpec(name="r", managed_policy_arns=(text,)),
        (POLICY, TOKEN),
        ("", "AmazonS3ReadOnlyAccess"),
    ),
    (
        "permissions_boundary_arn",
        lambda text: ExecutionRoleSpec(name="r", permissions_boundary_arn=text),
        (POLICY, TOKEN),
        ("", "Boundary"),
    ),
    (
        "s3_uri",
        lambda text: JobLogs(s3_uri=text),
        ("s3://b", "s3://b/", "s3://b/a/c", f"s3://{TOKEN}/logs"),
        ("", "s3://", "s3:///logs", "b/logs", "s3://b/?", "s3://b/*", "s3://b/$"),
    ),
    (
        "name",
        lambda text: TenantSecret(name=text),
        ("a", "A/b_+=.@-9", "a" * 512),
        ("", "a b", "a" * 513, "a:b"),
    ),
    (
        "kms_key_arn",
        lambda text: TenantSecret(name="a", kms_key_arn=text),
        (KEY, TOKEN),
        ("", "alias/a"),
    ),
    (
        "session_tag_value",
        lambda text: LakeFormation(session_tag_value=text),
        ("a", "A b.-_/#9", "a" * 256),
        ("", "a*", "a" * 257),
    ),
    (
        "query_engine_role",
        lambda text: LakeFormation(session_tag_value="a", query_engine_role=text),
        ("a", "a" * 64),
        ("", "a" * 65, TOKEN),
    ),
    (
        "system_namespace",
        lambda text: LakeFormation(session_tag_value="a", system_namespace=text),
        ("a", "a" * 63),
        ("", "A", "a" * 64, "default"),
    ),
    (
        "system_namespace",
        lambda text: SecurityConfigurationSpec(system_namespace=text),
        ("a", "a" * 63),
        ("", "A", "a" * 64, "kube-public"),
    ),
    (
        "name",
        lambda text: SecurityConfigurationSpec(name=text),
        ("a", "A-b_9"),
        ("", "a.b", "a b"),
    ),
    (
        "certificate_secret_arn",
        certificate,
        (f"{SECRET}a", f"{SECRET}A/b_+=.@-9", f"arn:aws-cn{SECRET[7:]}a", TOKEN),
        ("", SECRET, f"{SECRET}a b", SECRET.replace("3333:", "333:") + "a", "secret"),
    ),
    (
        "local_disk_key_arn",
        lambda text: AtRestEncryption(local_disk_key_arn=text),
        (KEY, KEY.replace("aws:", "aws-us-gov:"), TOKEN),
        ("", "alias/a", KEY.replace("key/", "alias/"), KEY.replace("3333:", "333:")),
    ),
    (
        "s3_key_arn",
        lambda text: AtRestEncryption(s3=S3Encryption.SSE_KMS, s3_key_arn=text),
        (KEY, TOKEN),
        ("", "alias/a"),
    ),
    (
        "database",
        glue_access,
        ("a", "a_b-9", "a" * 255),
        ("", "A", "a.b", "a" * 256),
    ),
    (
        "tables",
        lambda text: glue_access("a", tables=(text,)),
        ("a", "a" * 255),
        ("", "A", "a" * 256),
    ),
    (
        "user",
        lambda text: s3_user_folder("lake", user=text),
        ("ann", "...", TOKEN),
        ("", ".", "..", "a/b"),
    ),
    ("bucket", lambda text: s3_folder(text, "a"), ("lake", TOKEN), ("", "a/b", "a*", "a?", "$")),
    ("folder", lambda text: s3_folder("lake", text), ("a", "a/b"), ("", "/a", "a/", "a*", "/")),
)


@allowed_texts(TEXTS)
def test_text_within_the_rules_is_allowed(build: Build, text: str) -> None:
    build(text)


@refused_texts(TEXTS)
def test_text_outside_the_rules_is_refused_by_its_field(
    field: str, build: Build, text: str
) -> None:
    assert refused_fields(partial(build, text)) == {field}


def test_a_folder_with_slashes_at_its_ends_gets_a_proposal() -> None:
    with pytest.raises(
        ConfigError, match="must have no slash at its ends, got '/a/x/'; write 'a/x'"
    ):
        s3_folder("lake", "/a/x/")


def test_pod_identity_needs_emr_7_3() -> None:
    role = ExecutionRoleSpec(name="r")
    assert role.release_problems("emr-7.3.0-latest") == ()
    (problem,) = role.release_problems("emr-7.2.0-latest")
    assert problem.field == "release_label"
    assert replace(role, identity=JobIdentity.IRSA).release_problems("emr-6.15.0-latest") == ()


def test_lake_formation_needs_emr_7_7() -> None:
    lake = LakeFormation(session_tag_value="a")
    assert lake.release_problems("emr-7.7.0-latest") == ()
    assert [each.field for each in lake.release_problems("emr-7.6.0-latest")] == ["release_label"]


def test_role_names_of_33_characters_cause_a_warning() -> None:
    assert ExecutionRoleSpec(name="r" * 32).warnings() == ()
    assert len(ExecutionRoleSpec(name="r" * 33).warnings()) == 1


def test_a_default_role_name_has_20_characters_of_the_tenant_and_six_of_a_digest() -> None:
    assert default_role_name("t" * 30, "c", "n").startswith(f"emr-{'t' * 20}-")
    name = default_role_name("a" * 19 + "-b", "c", "n")
    assert name.startswith(f"emr-{'a' * 19}-")
    assert len(name) == len("emr-") + 19 + len("-") + 6


def test_defaults_of_access() -> None:
    logs, role = JobLogs(), ExecutionRoleSpec(name="r")
    assert (logs.retention_days, logs.s3_uri, logs.keep) == (30, None, False)
    assert (role.identity, role.uses) == (JobIdentity.POD_IDENTITY, (RoleUse.JOBS,))
    assert IamPermission(actions=("s3:Get*",), resources=("*",)).statement() == {
        "Effect": "Allow",
        "Action": ["s3:Get*"],
        "Resource": ["*"],
    }


@pytest.mark.parametrize(
    ("uri", "location"),
    [
        (None, None),
        ("s3://b", ("b", "")),
        ("s3://b/", ("b", "")),
        ("s3://b/a/c/", ("b", "a/c")),
    ],
)
def test_the_location_of_logs_is_bucket_and_prefix(
    uri: str | None, location: tuple[str, str] | None
) -> None:
    assert JobLogs(s3_uri=uri).s3_location == location


@pytest.mark.parametrize(("text", "literal"), [("a", True), ("a*", False), ("a?", False)])
def test_wildcards_are_no_literals(text: str, literal: bool) -> None:
    assert iam_literal(text) is literal
    assert iam_literal(f"{TOKEN}{text}") is literal
    assert not iam_literal("${aws:username}")


@pytest.mark.parametrize(
    "name",
    [
        *("spark.a.secret", "spark.a.passwd", "spark.a.passphrase", "spark.a.credentials"),
        *("spark.a.secret-key", "spark.a.api_key", "spark.a.accesskey", "SPARK.A.TOKEN"),
    ],
)
def test_the_last_word_of_a_name_shows_a_secret(name: str) -> None:
    assert is_secret_name(name)
    assert not is_secret_name(f"{name}.file")


def test_a_key_of_s3_needs_an_encryption_with_kms() -> None:
    for encryption in (S3Encryption.SSE_KMS, S3Encryption.CSE_KMS):
        assert AtRestEncryption(s3=encryption, s3_key_arn=KEY).s3_key_arn == KEY
        with pytest.raises(ConfigError, match=f"s3_key_arn must be given with {encryption}"):
            AtRestEncryption(s3=encryption)
    for other in (None, S3Encryption.SSE_S3):
        with pytest.raises(ConfigError, match="s3_key_arn must be absent"):
            AtRestEncryption(local_disk_key_arn=KEY, s3=other, s3_key_arn=KEY)


def test_names_of_security_configurations_are_cut_at_64_characters() -> None:
    spec = SecurityConfigurationSpec()
    whole = spec.resolved_name("c" * 51, "data")
    assert whole == f"{'c' * 51}-data-system"
    assert len(whole) == 63
    assert spec.resolved_name("c" * 52, "data") == f"{'c' * 52}-data-system"
    cut = spec.resolved_name("c" * 53, "data")
    assert (len(cut), cut[:57], cut[57]) == (64, f"{'c' * 53}-dat", "-")


def test_a_tenant_with_lake_formation_lists_every_field_for_sessions() -> None:
    lake = LakeFormation(session_tag_value="a")
    found = lake.tenant_problems("data", ("one", "two"))
    assert [each.field for each in found] == ["one", "two"]
    assert lake.tenant_problems("data", ()) == ()
    assert lake.resolved_system_namespace("data") == "data-system"
    own = replace(lake, system_namespace="part", query_engine_role="engine")
    assert own.resolved_system_namespace("data") == "part"
    assert own.resolved_role("data", "c", "data") == "engine"


def test_a_tenant_reports_all_its_problems_at_once() -> None:
    with pytest.raises(ConfigError) as caught:
        Tenant(
            name="Data",
            namespace="kube-system",
            release_label="7.14",
            tags={"aws:x": "1"},
            image="spark",
            secrets=(TenantSecret(name="s", roles=("r",)),),
        )
    assert caught.value.fields == (
        "name",
        "namespace",
        "release_label",
        "tags",
        "image",
        "secrets",
    )
