"""What ``emr-eks plan`` says of Spark Connect and Livy, read from a synthesized app."""

from __future__ import annotations

import pytest

from cdk_emr_eks.plan import Plan
from tests.cli import assemblies
from tests.synth.notebooks.connect_app import synthesized


@pytest.fixture(scope="module")
def plan() -> Plan:
    return assemblies.plan_of(synthesized().outdir)


def test_tenants_have_their_namespaces_and_roles(plan: Plan) -> None:
    found = {
        tenant.namespace: [(role.name, role.access) for role in tenant.roles]
        for tenant in plan.tenants
    }
    assert set(found) == {
        *("science", "science-system", "office", "office-livy"),
        *("guests", "guests-emr", "guests-livy"),
    }
    assert found["office"] == [("emr-office", "Pod Identity")]
    assert found["guests"] == [("emr-sessions", "Pod Identity"), ("emr-livy", "IRSA")]


def test_endpoints_are_shown_with_who_opens_them(plan: Plan) -> None:
    assert [(each.name, each.virtual_cluster) for each in plan.endpoints] == [
        ("laptops", "science"),
        ("guests_2", "guests"),
    ]


def test_the_charts_values_are_read_where_the_region_is_unknown(plan: Plan) -> None:
    assert not [each for each in map(str, plan.messages) if "cannot be read" in each]
