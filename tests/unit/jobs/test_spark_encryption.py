"""Spark's encryption is stronger than Spark's defaults, and a property cannot weaken it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from cdk_emr_eks.errors import ConfigError
from cdk_emr_eks.model.jobs.job_config import job_configuration
from cdk_emr_eks.model.jobs.spark_encryption import SparkEncryption, with_encryption
from cdk_emr_eks.model.notebooks.managed_endpoint import ManagedEndpointSpec
from cdk_emr_eks.model.tenants.tenant import Tenant
from cdk_emr_eks.model.workloads.catalog import SHARED
from cdk_emr_eks.model.workloads.spark_conf import spark_conf_problems

RELEASE = "emr-7.14.0-latest"
JOB = job_configuration(
    SHARED,
    driver_template_uri="s3://assets/driver.yaml",
    executor_template_uri="s3://assets/executor.yaml",
    log_group="/emr-eks/analytics",
    log_stream_prefix="shared",
)


def spark(configuration: Mapping[str, Any]) -> dict[str, str]:
    (found,) = (
        each["properties"]
        for each in configuration["applicationConfiguration"]
        if each["classification"] == "spark-defaults"
    )
    return dict(found)


def encrypted(encryption: SparkEncryption | None, release: str = RELEASE) -> dict[str, str]:
    return spark(with_encryption("here", JOB, encryption, release))


def test_traffic_is_encrypted_and_authenticated() -> None:
    assert encrypted(SparkEncryption(local_disk=False)) == spark(JOB) | {
        "spark.authenticate": "true",
        "spark.network.crypto.enabled": "true",
        "spark.network.crypto.cipher": "AES/GCM/NoPadding",
        "spark.network.crypto.authEngineVersion": "2",
        "spark.network.crypto.saslFallback": "false",
    }


def test_local_disks_are_encrypted_by_default() -> None:
    more = set(encrypted(SparkEncryption()).items()) - set(
        encrypted(SparkEncryption(local_disk=False)).items()
    )
    assert dict(more) == {
        "spark.io.encryption.enabled": "true",
        "spark.io.encryption.keySizeBits": "256",
    }


def test_without_encryption_a_configuration_is_unchanged() -> None:
    assert with_encryption("here", JOB, None, "emr-6.15.0-latest") is JOB


@pytest.mark.parametrize("release", ["emr-7.4.0-latest", RELEASE, "emr-spark-8.1.0-latest"])
def test_releases_with_encryption_pass(release: str) -> None:
    assert "spark.authenticate" in encrypted(SparkEncryption(), release)
    Tenant(name="t", release_label=release, spark_encryption=SparkEncryption())


def test_a_release_whose_spark_would_not_start_is_refused() -> None:
    said = r"release_label must be at least emr-7.4.0 for spark_encryption.*got 'emr-7.3.0-latest'"
    with pytest.raises(ConfigError, match=said):
        encrypted(SparkEncryption(), "emr-7.3.0-latest")
    with pytest.raises(ConfigError, match=said):
        Tenant(name="t", release_label="emr-7.3.0-latest", spark_encryption=SparkEncryption())


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("spark.authenticate", "false"),
        ("spark.authenticate.secret", "abc"),
        ("spark.network.crypto.enabled", "false"),
        ("spark.network.crypto.cipher", "AES/CTR/NoPadding"),
        ("spark.io.encryption.enabled", "false"),
    ],
)
def test_properties_of_users_do_not_disable_encryption(key: str, value: str) -> None:
    (problem,) = spark_conf_problems({key: value})
    assert "Tenant.spark_encryption" in problem.fix
    with pytest.raises(ConfigError, match=r"spark_conf must not set"):
        ManagedEndpointSpec(name="e", spark_conf={key: value})
