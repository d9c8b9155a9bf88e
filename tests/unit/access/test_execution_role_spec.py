"""Execution roles as values: names, service accounts, uses and permissions."""

from __future__ import annotations

import pytest

from cdk_emr_eks.errors import ConfigError
from cdk_emr_eks.model.access.execution_role import (
    Component,
    ExecutionRoleSpec,
    IamPermission,
    RoleUse,
    default_role_name,
    service_account,
)


def test_default_role_names_differ_by_cluster_and_namespace_and_are_short() -> None:
    names = {default_role_name("t" * 63, cluster, ns) for cluster in "ab" for ns in "cd"}
    assert len(names) == 4
    assert max(map(len, names)) <= 32
    assert all(ExecutionRoleSpec(name=name).warnings() == () for name in names)


def test_long_role_names_cause_a_warning() -> None:
    (warning,) = ExecutionRoleSpec(name="r" * 64).warnings()
    assert "145 characters" in warning
    assert ExecutionRoleSpec(name="r" * 32).warnings() == ()


def test_names_of_service_accounts_are_those_of_emr() -> None:
    assert service_account(Component.DRIVER, "111122223333", "AB") == (
        "emr-containers-sa-spark-driver-111122223333-cw2"
    )


def test_each_use_has_separate_service_accounts() -> None:
    parts = {
        RoleUse.JOBS: ("spark-client", "spark-driver", "spark-executor"),
        RoleUse.ENDPOINTS: ("spark-jeg", "spark-jeg-kernel", "spark-session"),
        RoleUse.LIVY: ("spark-livy",),
    }
    assert {use: use.components for use in RoleUse} == parts
    both = ExecutionRoleSpec(name="r", uses=(RoleUse.JOBS, RoleUse.LIVY))
    assert both.components == (*parts[RoleUse.JOBS], "spark-livy")
    # Livy's chart creates it, for any role, and its prefix is singular.
    assert service_account(Component.LIVY, "111122223333", "AB") == "emr-container-sa-spark-livy"


@pytest.mark.parametrize("uses", [(), (RoleUse.JOBS, RoleUse.JOBS)])
def test_a_role_has_each_use_once(uses: tuple[RoleUse, ...]) -> None:
    with pytest.raises(ConfigError, match="uses must name at least one of jobs, endpoints, livy"):
        ExecutionRoleSpec(name="r", uses=uses)


def test_permissions_become_statements() -> None:
    permission = IamPermission(
        sid="Read",
        actions=("s3:GetObject",),
        resources=("arn:aws:s3:::b/*",),
        conditions={"StringEquals": {"aws:ResourceAccount": "111122223333"}},
    )
    assert permission.statement() == {
        "Sid": "Read",
        "Effect": "Allow",
        "Action": ["s3:GetObject"],
        "Resource": ["arn:aws:s3:::b/*"],
        "Condition": {"StringEquals": {"aws:ResourceAccount": "111122223333"}},
    }
