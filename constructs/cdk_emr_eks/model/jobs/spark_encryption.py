"""Spark's own encryption: of network traffic between pods, and of local disks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from cdk_emr_eks.errors import ConfigError, ConfigProblem
from cdk_emr_eks.model.jobs.job_config import with_spark
from cdk_emr_eks.releases import OldestRelease
from cdk_emr_eks.values import value

# The Spark of this release (3.5.2) has GCM and so detects changed traffic.
# Source: https://docs.aws.amazon.com/emr/latest/ReleaseGuide/Spark-release-history.html,
# https://nvd.nist.gov/vuln/detail/CVE-2025-55039
_OLDEST_RELEASE: Final = OldestRelease(feature="spark_encryption", emr=(7, 4, 0))

_NETWORK: Final[Mapping[str, str]] = {
    # On Kubernetes the driver creates a secret for each application.
    "spark.authenticate": "true",
    "spark.network.crypto.enabled": "true",
    # Spark's default, AES in counter mode, does not detect changed bits.
    "spark.network.crypto.cipher": "AES/GCM/NoPadding",
    # Version 1 uses the shared secret as the key, without key derivation.
    "spark.network.crypto.authEngineVersion": "2",
    # All peers support the new protocol, so a fallback would only allow a downgrade attack.
    "spark.network.crypto.saslFallback": "false",
}
_LOCAL_DISK: Final[Mapping[str, str]] = {
    "spark.io.encryption.enabled": "true",
    "spark.io.encryption.keySizeBits": "256",
}


@value
class SparkEncryption:
    """Encrypt traffic between driver and executors, with a separate secret for each job.

    The platform also encrypts the volumes of nodes, and NVMe disks encrypt themselves. Spark's
    encryption does not protect against code in the same namespace: Spark gives the secret to
    executors in an environment variable of their pods, which all code with a driver's service
    account of the namespace can read. It applies to jobs, notebooks, Spark Connect and Livy of a
    tenant, unless a job's code or submit parameters override it. It costs CPU time; measure your
    jobs.

    Args:
        local_disk: Whether shuffle files, spills and cached blocks are encrypted, too, with a key
            of 256 bits. Executors get the key over the encrypted connection. Default True.

    Raises:
        ConfigError: If it is not True or False.

    Source: https://spark.apache.org/docs/3.5.6/security.html
    """

    local_disk: bool = True

    @property
    def spark_conf(self) -> dict[str, str]:
        """The Spark properties of the encryption."""
        return {**_NETWORK, **(_LOCAL_DISK if self.local_disk else {})}

    def release_problems(self, release_label: str) -> tuple[ConfigProblem, ...]:
        """Check that the Spark of an EMR release supports the encryption."""
        return _OLDEST_RELEASE.problems(release_label)


def with_encryption(
    where: str,
    configuration: Mapping[str, object],
    encryption: SparkEncryption | None,
    release_label: str,
) -> Mapping[str, object]:
    """Return a job's configuration with Spark's encryption.

    Args:
        where: What errors call the configuration.
        configuration: Result of ``job_configuration``.
        encryption: The encryption. None: the configuration is returned unchanged.
        release_label: EMR release of the configuration.

    Raises:
        ConfigError: If the release is too old, or the configuration exceeds limits of the API.
    """
    if encryption is None:
        return configuration
    if problems := encryption.release_problems(release_label):
        raise ConfigError(where, problems)
    return with_spark(where, configuration, encryption.spark_conf)
