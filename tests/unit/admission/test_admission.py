"""Job controllers of other namespaces: their rules, and the annotations of the namespace."""

from __future__ import annotations

import pytest

from cdk_emr_eks.errors import ConfigError
from cdk_emr_eks.model.access.lake_formation import LakeFormation
from cdk_emr_eks.model.admission.admission import (
    CONTROLLERS,
    SYSTEM_NAMESPACES,
    Admission,
    AdmissionMode,
    JobController,
)
from cdk_emr_eks.model.tenants.tenant import Tenant
from cdk_emr_eks.model.tenants.virtual_cluster import VirtualClusterOptions
from cdk_emr_eks.model.workloads.catalog import SHARED
from tests.refusals import refused

OPERATOR = JobController(roles=("A", "AB"))
WORKER = JobController(roles=("A",), namespace="airflow", service_account="worker")


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"roles": ()}, "must name at least one execution role, each once"),
        ({"roles": ("a", "a")}, "must name at least one execution role, each once, got 'a, a'"),
        ({"roles": ("a/b",)}, "must be an IAM role name"),
        ({"roles": ("${Token[TOKEN.1]}",)}, "must be known at synth, not a token"),
        ({"namespace": "Spark"}, "must be a DNS label"),
        ({"namespace": "kube-system"}, "pass for Kubernetes' own controllers"),
        ({"service_account": "a:b"}, "must be a name of a service account"),
        ({"service_account": "a,b"}, "must be a name of a service account"),
        ({"service_account": ""}, "must be a name of a service account"),
    ],
)
def test_invalid_values_are_refused(fields: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError) as refused:
        JobController(**{"roles": ("a",), **fields})  # type: ignore[arg-type]
    assert message in str(refused.value)


def test_the_namespace_lists_controllers_and_their_roles() -> None:
    tenant = Tenant(name="data", admission=Admission(controllers=(OPERATOR, WORKER)))
    operator = "spark-operator:emr-containers-sa-spark-operator"
    # Roles are in base36, as in the names of EMR's service accounts.
    expected = f"{operator}:1t,{operator}:cw2,airflow:worker:1t"
    assert tenant.owner([SHARED]).annotations[CONTROLLERS] == expected
    assert CONTROLLERS not in Tenant(name="data").owner([SHARED]).annotations
    off = Admission(mode=AdmissionMode.OFF, controllers=(OPERATOR,))
    assert Tenant(name="data", admission=off).owner([SHARED]).annotations == {}


def test_a_controller_is_given_once() -> None:
    operator = "spark-operator:emr-containers-sa-spark-operator"
    assert refused(lambda: Admission(controllers=(OPERATOR, JobController(roles=("C",))))) == (
        "Admission: controllers must have each controller once, with all its roles, "
        f"got '{operator}, {operator}'."
    )
    # Names that are equal only together, without the colon, are two controllers.
    first = JobController(roles=("A",), namespace="a", service_account="bc")
    second = JobController(roles=("A",), namespace="ab", service_account="c")
    assert Admission(controllers=(first, second)).controllers == (first, second)


def test_a_controller_in_the_tenants_own_namespace_is_refused() -> None:
    with pytest.raises(ConfigError, match="must be of another namespace") as caught:
        Tenant(name="airflow", admission=Admission(controllers=(WORKER,)))
    assert caught.value.fields == ("admission.controllers",)


def test_the_namespace_lists_the_system_namespace() -> None:
    lake = LakeFormation(session_tag_value="emr")
    sessions = VirtualClusterOptions(session_enabled=True)
    foreign = VirtualClusterOptions(session_enabled=True, security_configuration_id="x" * 26)
    for tenant, expected in (
        (Tenant(name="data"), None),
        (Tenant(name="data", lake_formation=lake), lake.resolved_system_namespace("data")),
        (Tenant(name="data", virtual_cluster=sessions), "data-system"),
        (Tenant(name="data", virtual_cluster=foreign), None),
    ):
        assert tenant.owner([SHARED]).annotations.get(SYSTEM_NAMESPACES) == expected
