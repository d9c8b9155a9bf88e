"""What an EMR security configuration holds: how users are known, and what is encrypted."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256
from typing import Final

from cdk_emr_eks.errors import ConfigProblem, Problems
from cdk_emr_eks.field_types import check_types
from cdk_emr_eks.names import namespace_problems
from cdk_emr_eks.tokens import has_token

_MAX_NAME: Final = 64
_NAME: Final = re.compile(r"[a-zA-Z0-9\-_]+")
_SECRET_ARN: Final = re.compile(
    r"arn:aws[a-zA-Z0-9-]*:secretsmanager:.+:\d{12}:secret:[0-9a-zA-Z/_+=.@-]+"
)
_KEY_ARN: Final = re.compile(r"arn:aws[a-zA-Z0-9-]*:kms:[^:]+:\d{12}:key/[0-9a-zA-Z-]+")
SYSTEM_SUFFIX: Final = "-system"


@dataclass(frozen=True, kw_only=True, slots=True)
class TlsCertificate:
    """The certificate that EMR's own part of a job and the user's part speak TLS with.

    EMR documents it for jobs that have both parts (fine-grained access control); what it does for a
    Spark Connect session, which is encrypted up to its load balancer anyway, EMR does not say.

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

    def __post_init__(self) -> None:
        check_types("TlsCertificate", self)
        problems = Problems("TlsCertificate")
        for name in ("certificate_secret_arn", "private_key_secret_arn"):
            rule = "must be the ARN of a secret of Secrets Manager, or a token"
            value = getattr(self, name)
            problems.require(_is(_SECRET_ARN, value), name, rule, value)
        rule = "must be another secret than certificate_secret_arn"
        differs = self.private_key_secret_arn != self.certificate_secret_arn
        problems.require(differs, "private_key_secret_arn", rule)
        problems.raise_if_any()


class S3Encryption(StrEnum):
    """How data in S3 is encrypted."""

    SSE_S3 = "SSE-S3"
    """By S3, with its own keys."""
    SSE_KMS = "SSE-KMS"
    """By S3, with a key of KMS."""
    CSE_KMS = "CSE-KMS"
    """By EMR before S3 gets it, with a key of KMS."""


@dataclass(frozen=True, kw_only=True, slots=True)
class AtRestEncryption:
    """What is encrypted where it is stored, beside what nodes and buckets encrypt themselves.

    The volumes of the platform's nodes are encrypted without it. CloudFormation takes these
    properties; EMR's API reference does not yet describe them, so read back what was set:
    ``aws emr-containers describe-security-configuration``.

    Args:
        local_disk_key_arn: ARN of the KMS key for local disks; a token passes. None: nothing is
            asked for.
        s3: How data in S3 is encrypted. None: nothing is asked for.
        s3_key_arn: ARN of the KMS key for ``SSE_KMS`` and ``CSE_KMS``; a token passes.

    Raises:
        ConfigError: If nothing is asked for, a key is not told by its ARN, or ``s3_key_arn`` and
            ``s3`` do not go together.

    Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-properties-emrcontainers-securityconfiguration-atrestencryptionconfiguration.html
    """

    local_disk_key_arn: str | None = None
    s3: S3Encryption | None = None
    s3_key_arn: str | None = None

    def __post_init__(self) -> None:
        check_types("AtRestEncryption", self)
        problems = Problems("AtRestEncryption")
        some = self.local_disk_key_arn is not None or self.s3 is not None
        problems.require(some, "local_disk_key_arn", "or s3 must be given")
        for name in ("local_disk_key_arn", "s3_key_arn"):
            value = getattr(self, name)
            rule = "must be the ARN of a KMS key, or a token"
            problems.require(value is None or _is(_KEY_ARN, value), name, rule, value)
        if self.s3 in (S3Encryption.SSE_KMS, S3Encryption.CSE_KMS):
            rule = f"must be given with {self.s3}"
            problems.require(self.s3_key_arn is not None, "s3_key_arn", rule)
        else:
            rule = "must be absent: only SSE_KMS and CSE_KMS use a key"
            problems.require(self.s3_key_arn is None, "s3_key_arn", rule, self.s3_key_arn)
        problems.raise_if_any()


@dataclass(frozen=True, kw_only=True, slots=True)
class SecurityConfigurationSpec:
    """The security configuration of one virtual cluster, as Spark Connect needs it.

    EMR binds it to one virtual cluster and to a second namespace of the cluster, the *system
    namespace*, where EMR runs its own part. Everything in it is immutable. Users are known by the
    endpoint's execution role, not by IAM Identity Center: Spark Connect does not support trusted
    identity propagation.

    Args:
        name: Name in EMR: 1 to 64 letters, digits, ``-`` and ``_``. None: the names of
            cluster and system namespace, with a digest in place of what is beyond 64.
        system_namespace: The system namespace, a DNS label. None: the virtual cluster's namespace
            and ``-system``.
        tls: Certificate for traffic between EMR's part and the user's. None: EMR's own.
        at_rest: Encryption of what is stored. None: what nodes and buckets do themselves.

    Raises:
        ConfigError: If the name or the namespace breaks a rule.

    Source: https://docs.aws.amazon.com/emr/latest/EMR-on-EKS-DevelopmentGuide/emr-eks-spark-connect.html
    """

    name: str | None = None
    system_namespace: str | None = None
    tls: TlsCertificate | None = None
    at_rest: AtRestEncryption | None = None

    def __post_init__(self) -> None:
        where = f"Security configuration {self.name!r}" if self.name else "Security configuration"
        check_types(where, self)
        problems = Problems(where)
        if self.name is not None:
            holds = 1 <= len(self.name) <= _MAX_NAME and bool(_NAME.fullmatch(self.name))
            problems.require(holds, "name", "must be 1 to 64 letters, digits, - and _", self.name)
        if self.system_namespace is not None:
            problems.extend(namespace_problems("system_namespace", self.system_namespace))
        problems.raise_if_any()

    def resolved_name(self, cluster_name: str, namespace: str) -> str:
        """Return the name in EMR, for a virtual cluster on ``namespace`` of a cluster."""
        text = self.name or f"{cluster_name}-{self.resolved_system_namespace(namespace)}"
        if len(text) <= _MAX_NAME:
            return text
        # What is cut off may be all that tells two of them apart.
        return f"{text[: _MAX_NAME - 7]}-{sha256(text.encode()).hexdigest()[:6]}"

    def resolved_system_namespace(self, namespace: str) -> str:
        """Return the system namespace of a virtual cluster on ``namespace``."""
        return self.system_namespace or f"{namespace}{SYSTEM_SUFFIX}"

    def problems_beside(self, namespace: str) -> tuple[ConfigProblem, ...]:
        """Check the configuration against the namespace of its virtual cluster."""
        field = "security_configuration.system_namespace"
        system = self.resolved_system_namespace(namespace)
        if system == namespace:
            rule = "must differ from the virtual cluster's namespace"
            return (ConfigProblem(field=field, rule=rule, got=system),)
        if self.system_namespace is None and len(system) > 63:
            rule = f"must be given, since {SYSTEM_SUFFIX!r} after the namespace is over 63"
            return (ConfigProblem(field=field, rule=rule + " characters", got=namespace),)
        return ()


def _is(pattern: re.Pattern[str], value: str) -> bool:
    return bool(pattern.fullmatch(value)) or has_token(value)
