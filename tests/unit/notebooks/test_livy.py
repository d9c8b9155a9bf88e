"""Livy: its rules, its environment variables and its network policies."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, cast

import pytest

from cdk_emr_eks.errors import ConfigError
from cdk_emr_eks.model.namespaces.network_policies import livy_policies
from cdk_emr_eks.model.namespaces.tenant_network import ClusterNetwork
from cdk_emr_eks.model.notebooks.livy import (
    LivySpec,
    chart_version,
    server_image,
    variable,
    with_security_settings,
)
from cdk_emr_eks.model.pods.pod_template import driver_template
from cdk_emr_eks.model.workloads.catalog import NOTEBOOK
from cdk_emr_eks.units import Cpu, Memory
from tests.refusals import Call, refusals, refused

CERTIFICATE = "arn:aws:acm:eu-west-1:111122223333:certificate/1234"


def spec(**changes: Any) -> Call:
    return lambda: LivySpec(**{"upload_uri": "s3://bucket/livy", **changes})


def clients(*cidrs: str) -> Call:
    return spec(client_cidrs=cidrs, certificate_arn=CERTIFICATE)


INVALID: Mapping[str, tuple[Call, str]] = {
    "a whole bucket": (
        spec(upload_uri="s3://bucket/"),
        "upload_uri must be s3://bucket/prefix without '*', '?' and '$', which IAM reads as "
        "patterns, got 's3://bucket/'.",
    ),
    "a pattern": (
        spec(upload_uri="s3://bucket/*/livy"),
        "upload_uri must be s3://bucket/prefix without '*', '?' and '$', which IAM reads as "
        "patterns, got 's3://bucket/*/livy'.",
    ),
    "release before 7.1": (
        spec(release_label="emr-7.0.0-latest"),
        "release_label must be at least emr-7.1.0 for Livy, and none of emr-spark, got "
        "'emr-7.0.0-latest'.",
    ),
    "Spark 4": (
        spec(release_label="emr-spark-8.1.0-latest"),
        "release_label must be at least emr-7.1.0 for Livy, and none of emr-spark, got "
        "'emr-spark-8.1.0-latest'.",
    ),
    "a range of all addresses": (
        clients("0.0.0.0/0"),
        "client_cidrs must be IPv4 ranges such as 10.1.0.0/16, at most a /8 each, got '0.0.0.0/0'.",
    ),
    "a range with host bits": (
        clients("10.0.0.1/8"),
        "client_cidrs must be IPv4 ranges such as 10.1.0.0/16, at most a /8 each, "
        "got '10.0.0.1/8'.",
    ),
    "clients in clear text": (
        spec(client_cidrs=("10.0.0.0/8",)),
        "certificate_arn must be given with client_cidrs: the load balancer transports code and "
        "data.",
    ),
    "a certificate for nothing": (
        spec(certificate_arn=CERTIFICATE),
        "certificate_arn must be absent without client_cidrs: there is no load balancer.",
    ),
    "a certificate without an ARN": (
        spec(client_cidrs=("10.0.0.0/8",), certificate_arn="mine"),
        "certificate_arn must be the ARN of an ACM certificate, or a token, got 'mine'.",
    ),
    "timeout of seconds": (
        spec(session_idle_timeout=timedelta(seconds=61)),
        "session_idle_timeout must be whole minutes, at least 1 minute, got '0:01:01'.",
    ),
    "no CPU": (spec(cpu=Cpu(0)), "cpu must be more than 0, got '0m'."),
    "little memory": (
        spec(memory=Memory(512)),
        "memory must be at least 1Gi, got '512Mi'.",
    ),
    "namespace of Kubernetes": (
        spec(namespace="default"),
        "namespace must not be one of Kubernetes' own namespaces, got 'default'.",
    ),
    "what the workload derives": (
        spec(spark_conf={"spark.kubernetes.namespace": "other"}),
        "spark_conf must not set, got 'spark.kubernetes.namespace'; EMR on EKS sets it and "
        "refuses another value.",
    ),
}


@refusals(INVALID)
def test_invalid_values_are_refused(call: Call, message: str) -> None:
    where, _, rules = refused(call).partition(": ")
    assert where.startswith("Livy with upload_uri 's3://bucket/")
    assert rules == message


def test_location_chart_image_and_namespace_are_derived() -> None:
    livy = LivySpec(upload_uri="s3://bucket/a/livy/", release_label="emr-7.14.0-20260812")
    assert livy.upload_location == ("bucket", "a/livy")
    assert chart_version(livy.release_label) == "7.14.0"
    assert server_image(livy.release_label) == "livy/emr-7.14.0:20260812"
    assert livy.resolved_namespace("Livy", "data") == "data-livy"


@pytest.mark.parametrize(
    ("namespace", "own", "rule"),
    [
        ("d" * 60, None, "must be given"),
        ("data", "data", "must differ from the tenant's namespace"),
    ],
)
def test_the_server_has_a_separate_namespace(namespace: str, own: str | None, rule: str) -> None:
    livy = LivySpec(upload_uri="s3://bucket/livy", namespace=own)
    with pytest.raises(ConfigError, match=rule):
        livy.resolved_namespace("Livy of tenant 'data'", namespace)


# The guide's own examples, and its steps for one with all of them.
@pytest.mark.parametrize(
    ("key", "name"),
    [
        ("livy.server.recovery.state-store", "LIVY_LIVY_SERVER_RECOVERY_STATE0STORE"),
        (
            "spark.kubernetes.executor.podNamePrefix",
            "LIVY_SPARK_KUBERNETES_EXECUTOR_POD1NAME1PREFIX",
        ),
        ("example.config.with-dash.withUppercase", "LIVY_EXAMPLE_CONFIG_WITH0DASH_WITH1UPPERCASE"),
    ],
)
def test_variables_are_named_as_in_emrs_guide(key: str, name: str) -> None:
    """The second example of the guide has 0 for an upper-case letter, unlike its instructions."""
    assert variable(key) == name


def test_options_become_environment_variables_of_the_server() -> None:
    livy = LivySpec(upload_uri="s3://bucket/livy", session_idle_timeout=timedelta(minutes=90))
    label = "spark.kubernetes.driver.label.emr-eks/tenant"
    assert livy.environment("Livy", {"spark.executor.cores": "2", label: "data"}) == {
        "LIVY_LIVY_SERVER_SESSION_TIMEOUT": "90m",
        "LIVY_SPARK_EXECUTOR_CORES": "2",
    }


def test_a_property_that_no_variable_can_express_is_refused() -> None:
    volume = "spark.kubernetes.executor.volumes.persistentVolumeClaim.spark-local-dir-1.mount.path"
    livy = LivySpec(upload_uri="s3://bucket/livy", workload="volumes")
    with pytest.raises(ConfigError) as caught:
        livy.environment("Livy of tenant 'data'", {volume: "/data1"})
    assert str(caught.value) == (
        "Livy of tenant 'data': spark_conf must have Spark properties without '/', '_' and "
        f"digits in their names, got '{volume}'."
    )


def policies(*cidrs: str) -> list[dict[str, Any]]:
    return list(
        livy_policies(
            server_namespace="data-livy",
            namespace="data",
            clients=cidrs,
            port=8998,
            network=None,
            cluster=ClusterNetwork(),
        )
    )


def test_without_clients_only_the_tenants_pods_reach_the_server() -> None:
    (policy,) = policies()
    assert policy["metadata"]["namespace"] == "data-livy"
    assert policy["spec"] == {
        "podSelector": {},
        "policyTypes": ["Ingress"],
        "ingress": [
            {
                "from": [
                    {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "data"}}}
                ]
            }
        ],
    }


def test_clients_reach_one_port() -> None:
    (policy,) = policies("10.0.0.0/8")
    assert policy["spec"]["ingress"][1] == {
        "from": [{"ipBlock": {"cidr": "10.0.0.0/8"}}],
        "ports": [{"protocol": "TCP", "port": 8998}],
    }


def test_templates_get_the_security_settings_of_emrs_submitter() -> None:
    """The workload's template is not changed: EMR refuses a template with these settings."""
    plain = driver_template(NOTEBOOK)
    made = with_security_settings(plain)
    spec = cast(dict[str, Any], made["spec"])
    (container,) = spec["containers"]
    assert container["securityContext"] == {
        "runAsNonRoot": True,
        "runAsUser": 999,
        "runAsGroup": 1000,
        "privileged": False,
        "allowPrivilegeEscalation": False,
        "capabilities": {"drop": ["ALL"]},
    }
    assert spec["nodeSelector"] == cast(dict[str, Any], plain["spec"])["nodeSelector"]
    assert "securityContext" not in repr(plain)
