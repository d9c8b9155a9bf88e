"""EMR security configurations: namespaces, certificates and encryption at rest."""

from __future__ import annotations

import re
from collections.abc import Iterable
from enum import StrEnum
from hashlib import sha256
from typing import Final

from cdk_emr_eks.checks import Check
from cdk_emr_eks.errors import ConfigProblem
from cdk_emr_eks.names import namespace_problems
from cdk_emr_eks.tokens import has_token
from cdk_emr_eks.values import value

_MAX_NAME: Final = 64
_NAME: Final = re.compile(r"[a-zA-Z0-9\-_]+")
_SECRET_ARN: Final = re.compile(
    r"arn:aws[a-zA-Z0-9-]*:secretsmanager:.+:\d{12}:secret:[0-9a-zA-Z/_+=.@-]+"
)
_KEY_ARN: Final = re.compile(r"arn:aws[a-zA-Z0-9-]*:kms:[^:]+:\d{12}:key/[0-9a-zA-Z-]+")
_SYSTEM_SUFFIX: Final = "-system"
_MAX_LABEL: Final = 63


@value
class TlsCertificate:
    """The certificate for TLS between EMR's part and the user's part of a job.

    EMR documents it for jobs that have both parts (fine-grained access control). EMR does not
    document its effect on a Spark Connect session, which is encrypted up to its load balancer in
    any case.

    Args:
        certificate_secret_arn: Secrets Manager secret with the public certificate in PEM; a token
            passes.
        private_key_secret_arn: Secret with its private key in PEM; a token passes.

    Raises:
        ConfigError: If one is not the ARN of a secret, or both are the same.

    Source: https://docs.aws.amazon.com/emr-on-eks/latest/APIReference/API_TLSCertificateConfiguration.html
    """

    certificate_secret_arn: str
    private_key_secret_arn: str

    def _rules(self, check: Check) -> None:
        check.passes("certificate_secret_arn", _secret_arn)
        check.passes("private_key_secret_arn", _secret_arn)
        rule = "must be another secret than certificate_secret_arn"
        differs = self.private_key_secret_arn != self.certificate_secret_arn
        check.require(differs, "private_key_secret_arn", rule)


class S3Encryption(StrEnum):
    """How data in S3 is encrypted.

    Attributes:
        SSE_S3: By S3, with S3's own keys.
        SSE_KMS: By S3, with a KMS key.
        CSE_KMS: By EMR before it sends the data to S3, with a KMS key.
    """

    SSE_S3 = "SSE-S3"
    SSE_KMS = "SSE-KMS"
    CSE_KMS = "CSE-KMS"


@value
class AtRestEncryption:
    """Encryption at rest by EMR, in addition to the encryption of nodes and buckets.

    The volumes of the platform's nodes are encrypted without it. CloudFormation accepts these
    properties, but EMR's API reference does not describe them yet. Check the result with
    ``aws emr-containers describe-security-configuration``.

    Args:
        local_disk_key_arn: ARN of the KMS key for local disks; a token passes. None: EMR does not
            encrypt them.
        s3: How data in S3 is encrypted. None: as the bucket does.
        s3_key_arn: ARN of the KMS key for ``SSE_KMS`` and ``CSE_KMS``; a token passes.

    Raises:
        ConfigError: If neither ``local_disk_key_arn`` nor ``s3`` is given, a key is not an ARN, or
            ``s3_key_arn`` does not match ``s3``.

    Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-properties-emrcontainers-securityconfiguration-atrestencryptionconfiguration.html
    """

    local_disk_key_arn: str | None = None
    s3: S3Encryption | None = None
    s3_key_arn: str | None = None

    def _rules(self, check: Check) -> None:
        given = self.local_disk_key_arn is not None or self.s3 is not None
        check.require(given, "local_disk_key_arn", "or s3 must be given")
        check.passes("local_disk_key_arn", _key_arn)
        check.passes("s3_key_arn", _key_arn)
        if self.s3 in (S3Encryption.SSE_KMS, S3Encryption.CSE_KMS):
            rule = f"must be given with {self.s3}"
            check.require(self.s3_key_arn is not None, "s3_key_arn", rule)
        else:
            rule = "must be absent: only SSE_KMS and CSE_KMS use a key"
            check.require(self.s3_key_arn is None, "s3_key_arn", rule, self.s3_key_arn)


@value
class SecurityConfigurationSpec:
    """The security configuration of one virtual cluster, which Spark Connect needs.

    EMR binds it to one virtual cluster and to a second namespace of the cluster, the *system
    namespace*, where EMR's part runs. It is immutable. EMR identifies users by the endpoint's
    execution role, not by IAM Identity Center: Spark Connect does not support trusted identity
    propagation.

    Args:
        name: Name in EMR: 1 to 64 letters, digits, ``-`` and ``_``. None: the names of cluster and
            system namespace; a digest replaces what exceeds 64 characters.
        system_namespace: The system namespace, a DNS label. None: the virtual cluster's namespace
            and ``-system``.
        tls: Certificate for traffic between EMR's part and the user's part. None: EMR's own.
        at_rest: Encryption at rest. None: only what nodes and buckets encrypt.

    Raises:
        ConfigError: If the name or the namespace breaks a rule.

    Source: https://docs.aws.amazon.com/emr/latest/EMR-on-EKS-DevelopmentGuide/emr-eks-spark-connect.html
    """

    name: str | None = None
    system_namespace: str | None = None
    tls: TlsCertificate | None = None
    at_rest: AtRestEncryption | None = None

    def _rules(self, check: Check) -> None:
        if self.name is not None:
            holds = 1 <= len(self.name) <= _MAX_NAME and bool(_NAME.fullmatch(self.name))
            rule = f"must be 1 to {_MAX_NAME} letters, digits, - and _"
            check.require(holds, "name", rule, self.name)
        check.passes("system_namespace", namespace_problems)

    @property
    def where(self) -> str:
        """What errors call the configuration."""
        return f"Security configuration {self.name!r}" if self.name else "Security configuration"

    def resolved_name(self, cluster_name: str, namespace: str) -> str:
        """Return the name in EMR, for a virtual cluster on ``namespace`` of a cluster."""
        text = self.name or f"{cluster_name}-{self.resolved_system_namespace(namespace)}"
        if len(text) <= _MAX_NAME:
            return text
        # Two names can differ only in the part that is cut off.
        return f"{text[: _MAX_NAME - 7]}-{sha256(text.encode()).hexdigest()[:6]}"

    def resolved_system_namespace(self, namespace: str) -> str:
        """Return the system namespace of a virtual cluster on ``namespace``."""
        return self.system_namespace or default_system_namespace(namespace)

    def namespace_problems(self, namespace: str) -> tuple[ConfigProblem, ...]:
        """Check the system namespace against the namespace of the virtual cluster."""
        field, given = "security_configuration.system_namespace", self.system_namespace
        other = "the virtual cluster's namespace"
        return system_namespace_problems(field, given, namespace, other=other)


def default_system_namespace(namespace: str) -> str:
    """Return the system namespace of a namespace, where no name is given."""
    return f"{namespace}{_SYSTEM_SUFFIX}"


def system_namespace_problems(
    field: str, given: str | None, namespace: str, *, other: str
) -> tuple[ConfigProblem, ...]:
    """Check a system namespace against the namespace that it belongs to.

    Args:
        field: Field of the system namespace.
        given: The system namespace. None: the default.
        namespace: The namespace that it belongs to.
        other: What errors call that namespace.
    """
    system = given or default_system_namespace(namespace)
    if system == namespace:
        rule = f"must differ from {other}"
        return (ConfigProblem(field=field, rule=rule, got=system),)
    if given is None and len(system) > _MAX_LABEL:
        rule = f"must be given, since {_SYSTEM_SUFFIX!r} after the namespace is over {_MAX_LABEL}"
        return (ConfigProblem(field=field, rule=rule + " characters", got=namespace),)
    return ()


def _secret_arn(field: str, text: str) -> Iterable[ConfigProblem]:
    if not _fits(_SECRET_ARN, text):
        rule = "must be the ARN of a secret of Secrets Manager, or a token"
        yield ConfigProblem(field=field, rule=rule, got=text)


def _key_arn(field: str, text: str) -> Iterable[ConfigProblem]:
    if not _fits(_KEY_ARN, text):
        yield ConfigProblem(field=field, rule="must be the ARN of a KMS key, or a token", got=text)


def _fits(pattern: re.Pattern[str], text: str) -> bool:
    return bool(pattern.fullmatch(text)) or has_token(text)
