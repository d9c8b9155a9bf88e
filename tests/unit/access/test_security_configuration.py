"""Security configurations: their rules, names and namespaces."""

from __future__ import annotations

from collections.abc import Mapping

from cdk_emr_eks.model.access.security_configuration import (
    AtRestEncryption,
    S3Encryption,
    SecurityConfigurationSpec,
    TlsCertificate,
)
from cdk_emr_eks.model.tenants.tenant import Tenant
from cdk_emr_eks.model.tenants.virtual_cluster import VirtualClusterOptions
from tests.refusals import Call, refusals, refused

SECRET = "arn:aws:secretsmanager:eu-west-1:111122223333:secret:"
KEY = "arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"

INVALID: Mapping[str, tuple[Call, str]] = {
    "name": (
        lambda: SecurityConfigurationSpec(name="a.b"),
        "Security configuration 'a.b': name must be 1 to 64 letters, digits, - and _, got 'a.b'.",
    ),
    "system namespace of Kubernetes": (
        lambda: SecurityConfigurationSpec(system_namespace="kube-system"),
        "Security configuration: system_namespace must not be one of Kubernetes' own namespaces, "
        "got 'kube-system'.",
    ),
    "a certificate of another service": (
        lambda: TlsCertificate(
            certificate_secret_arn="arn:aws:acm:eu-west-1:111122223333:certificate/1",
            private_key_secret_arn=f"{SECRET}key",
        ),
        "TlsCertificate: certificate_secret_arn must be the ARN of a secret of Secrets Manager, or "
        "a token, got 'arn:aws:acm:eu-west-1:111122223333:certificate/1'.",
    ),
    "one secret for both": (
        lambda: TlsCertificate(
            certificate_secret_arn=f"{SECRET}a", private_key_secret_arn=f"{SECRET}a"
        ),
        "TlsCertificate: private_key_secret_arn must be another secret than "
        "certificate_secret_arn.",
    ),
    "nothing encrypted": (
        AtRestEncryption,
        "AtRestEncryption: local_disk_key_arn or s3 must be given.",
    ),
    "a key with S3's own encryption": (
        lambda: AtRestEncryption(s3=S3Encryption.SSE_S3, s3_key_arn=KEY),
        "AtRestEncryption: s3_key_arn must be absent: only SSE_KMS and CSE_KMS use a key, "
        f"got '{KEY}'.",
    ),
    "no key for KMS": (
        lambda: AtRestEncryption(s3=S3Encryption.CSE_KMS),
        "AtRestEncryption: s3_key_arn must be given with CSE-KMS.",
    ),
    "an alias for a key": (
        lambda: AtRestEncryption(local_disk_key_arn="alias/mine"),
        "AtRestEncryption: local_disk_key_arn must be the ARN of a KMS key, or a token, "
        "got 'alias/mine'.",
    ),
}


@refusals(INVALID)
def test_invalid_values_are_refused(call: Call, message: str) -> None:
    assert refused(call) == message


def test_tokens_pass() -> None:
    token = "${Token[TOKEN.1]}"
    TlsCertificate(certificate_secret_arn=token, private_key_secret_arn="${Token[TOKEN.2]}")
    AtRestEncryption(local_disk_key_arn=token, s3=S3Encryption.SSE_KMS, s3_key_arn=token)
    VirtualClusterOptions(session_enabled=True, security_configuration_id=token)


def test_names_are_derived_from_the_namespace_and_can_be_set() -> None:
    spec = SecurityConfigurationSpec()
    assert spec.resolved_system_namespace("data") == "data-system"
    assert spec.resolved_name("emr", "data") == "emr-data-system"
    cut = {spec.resolved_name("c" * 100, name) for name in ("data", "sales")}
    assert {len(name) for name in cut} == {64}
    assert len(cut) == 2
    own = SecurityConfigurationSpec(name="Mine", system_namespace="emr-part")
    assert own.resolved_system_namespace("data") == "emr-part"
    assert own.resolved_name("emr", "data") == "Mine"
    assert own.namespace_problems("data") == ()


def test_sessions_have_a_security_configuration_unless_an_id_is_given() -> None:
    plain = VirtualClusterOptions()
    assert plain.own_security_configuration is None
    enabled = VirtualClusterOptions(session_enabled=True)
    assert enabled.own_security_configuration == SecurityConfigurationSpec()
    by_id = VirtualClusterOptions(session_enabled=True, security_configuration_id="abc")
    assert by_id.own_security_configuration is None
    own = SecurityConfigurationSpec(system_namespace="emr-part")
    given = VirtualClusterOptions(session_enabled=True, security_configuration=own)
    assert given.own_security_configuration == own


def test_the_default_role_of_a_session_enabled_tenant_is_for_endpoints_too() -> None:
    (plain,) = Tenant(name="data").roles("emr")
    sessions = VirtualClusterOptions(session_enabled=True)
    (enabled,) = Tenant(name="data", virtual_cluster=sessions).roles("emr")
    assert [str(use) for use in plain.uses] == ["jobs"]
    assert [str(use) for use in enabled.uses] == ["jobs", "endpoints"]
    assert enabled.name == plain.name
