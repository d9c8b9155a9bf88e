"""Spark's own encryption: between driver and executors, and of what they write to local disks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from cdk_emr_eks.errors import ConfigError, ConfigProblem
from cdk_emr_eks.field_types import check_types
from cdk_emr_eks.model.jobs.job_config import with_spark
from cdk_emr_eks.releases import OldestRelease

_OLDEST_RELEASE: Final = OldestRelease(feature="spark_encryption", emr=(7, 4, 0))
# Its Spark (3.5.2) can tell changed traffic: older ones have no GCM.
# Source: https://docs.aws.amazon.com/emr/latest/ReleaseGuide/Spark-release-history.html,
# https://nvd.nist.gov/vuln/detail/CVE-2025-55039

_NETWORK: Final[Mapping[str, str]] = {
    # On Kubernetes the driver makes a secret for each application.
    "spark.authenticate": "true",
    "spark.network.crypto.enabled": "true",
    # Spark's default, AES in counter mode, lets whoever is between flip bits unseen.
    "spark.network.crypto.cipher": "AES/GCM/NoPadding",
    # The first version uses the agreed secret as a key without deriving one.
    "spark.network.crypto.authEngineVersion": "2",
    # No peer is older: nothing may talk Spark into weaker encryption.
    "spark.network.crypto.saslFallback": "false",
}
_LOCAL_DISK: Final[Mapping[str, str]] = {
    "spark.io.encryption.enabled": "true",
    "spark.io.encryption.keySizeBits": "256",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class SparkEncryption:
    """Spark encrypts what driver and executors send to each other, with a secret of each job.

    It comes on top of what the platform does anyway: volumes of nodes are encrypted, and NVMe disks
    by the hardware. Against others in the same namespace it does not help: Spark hands the secret
    to executors in a variable of their pods, which all code with a driver's service account of the
    namespace can read. It holds for jobs, notebooks, Spark Connect and Livy of a tenant, unless a
    job says otherwise in its code or its submit parameters. It costs CPU time; measure your jobs.

    Args:
        local_disk: Whether shuffle files, spills and cached blocks are encrypted, too, with a key
            of 256 bits. The key goes to executors over the encrypted connection. Default True.

    Raises:
        ConfigError: If it is not a truth value.

    Source: https://spark.apache.org/docs/3.5.6/security.html
    """

    local_disk: bool = True

    def __post_init__(self) -> None:
        check_types("SparkEncryption", self)

    @property
    def spark_conf(self) -> dict[str, str]:
        """The Spark properties."""
        return {**_NETWORK, **(_LOCAL_DISK if self.local_disk else {})}

    def release_problems(self, release_label: str) -> tuple[ConfigProblem, ...]:
        """Check that an EMR release's Spark has the encryption."""
        return _OLDEST_RELEASE.problems(release_label)


def with_encryption(
    where: str,
    configuration: Mapping[str, object],
    encryption: SparkEncryption | None,
    release_label: str,
) -> Mapping[str, object]:
    """Return a job's configuration with Spark's encryption.

    Args:
        where: Whose configuration it is, for errors.
        configuration: What ``job_configuration`` rendered.
        encryption: The encryption. None: nothing is changed.
        release_label: EMR release that the configuration is for.

    Raises:
        ConfigError: If the release is too old, or the configuration exceeds what the API takes.
    """
    if encryption is None:
        return configuration
    if problems := encryption.release_problems(release_label):
        raise ConfigError(where, problems)
    return with_spark(where, configuration, encryption.spark_conf)
