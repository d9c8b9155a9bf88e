"""Names: the rules of AWS and Kubernetes, and EMR's base36."""

from __future__ import annotations

import pytest

from cdk_emr_eks.names import (
    base36,
    cluster_name,
    dns_label,
    emr_name,
    namespace_problems,
    role_name,
)

# From the AWS CLI's own tests and from service accounts of running jobs.
VECTORS = {
    "": "0",
    "A": "1t",
    "AB": "cw2",
    "MyEMRContainersExecutionRole": "z8bqjd1v3fv8jqpvzzytg1i1c3ox1p1wdh15m8xtdut",
    "EMRContainers-JobExecutionRole": "189nnyj7mn9w2lqiewgg1u0l3jhmo0z69yjkj9u6qhosj8l",
    "ts-eks-emr-eks-emr-cli": "j3uv6jk0kk3sogu231qj91fmo3mvwfl561",
    "JobExecutionRoleIRSAv2": "c7ohmynrs14q04uudoef8n97xdufwajzua",
}


@pytest.mark.parametrize(("name", "encoded"), VECTORS.items())
def test_base36_is_emrs(name: str, encoded: str) -> None:
    assert base36(name) == encoded


def test_base36_is_not_that_of_awss_page() -> None:
    """The guide's example encodes the name with a newline at its end."""
    wrong = base36("JobExecutionRoleIRSAv2\n")
    assert (wrong[:6], wrong[-3:]) == ("2eum5f", "vbe")
    assert base36("JobExecutionRoleIRSAv2") != wrong


def test_base36_of_the_longest_role_name_fits_a_service_account() -> None:
    encoded = base36("z" * 64)
    assert len(encoded) == 99
    assert len(f"emr-containers-sa-spark-executor-123456789012-{encoded}") <= 253


@pytest.mark.parametrize("value", ["a", "a-b", "0", "a" * 63])
def test_dns_labels(value: str) -> None:
    assert dns_label("name", value) == ()


@pytest.mark.parametrize("value", ["", "-a", "a-", "A", "a_b", "a.b", "a" * 64, "ä"])
def test_no_dns_labels(value: str) -> None:
    (problem,) = dns_label("name", value)
    assert problem.field == "name"


@pytest.mark.parametrize(
    "check", [dns_label, role_name, emr_name, cluster_name], ids=lambda check: check.__name__
)
def test_a_token_is_no_name(check: object) -> None:
    assert callable(check)
    (problem,) = check("name", "${Token[AWS.Region.4]}")
    assert problem.rule == "must be known at synth, not a token"


@pytest.mark.parametrize(
    ("check", "value"),
    [
        (role_name, "r" * 65),
        (role_name, "a/b"),
        (role_name, ""),
        (emr_name, "a b"),
        (emr_name, "v" * 65),
        (cluster_name, "-a"),
        (cluster_name, "c" * 101),
    ],
)
def test_refused(check: object, value: str) -> None:
    assert callable(check)
    assert len(check("field", value)) == 1


@pytest.mark.parametrize(
    ("check", "value"),
    [
        (role_name, "r"),
        (role_name, "r" * 64),
        (role_name, "a_+=,.@-"),
        (emr_name, "v"),
        (emr_name, "v" * 64),
        (emr_name, "a.-_/#Z9"),
        (cluster_name, "c"),
        (cluster_name, "c" * 100),
        (cluster_name, "9A-z_"),
    ],
)
def test_names_up_to_the_limit_are_allowed(check: object, value: str) -> None:
    assert callable(check)
    assert check("field", value) == ()


@pytest.mark.parametrize("value", ["default", "kube-node-lease", "kube-public", "kube-system"])
def test_a_tenant_cannot_have_a_namespace_of_kubernetes(value: str) -> None:
    (problem,) = namespace_problems("namespace", value)
    assert str(problem) == (
        f"namespace must not be one of Kubernetes' own namespaces, got {value!r}"
    )
    assert namespace_problems("namespace", f"{value}-2") == ()


def test_a_tenant_cannot_have_the_namespace_of_the_spark_connect_router() -> None:
    (problem,) = namespace_problems("namespace", "spark-connect-router")
    assert str(problem) == (
        "namespace must not be the namespace of EMR's Spark Connect router, "
        "got 'spark-connect-router'"
    )
    assert namespace_problems("namespace", "spark-connect-router-2") == ()


def test_an_invalid_namespace_has_one_problem() -> None:
    (problem,) = namespace_problems("namespace", "Kube_System")
    assert problem.fix == "try 'kube-system'"


@pytest.mark.parametrize("limit", [63, 20])
def test_the_proposal_for_a_long_label_can_be_used(limit: int) -> None:
    (problem,) = dns_label("name", "a" * (limit + 2), limit=limit)
    assert problem.fix == f"try {'a' * limit!r}"
    assert dns_label("name", "a" * limit, limit=limit) == ()
