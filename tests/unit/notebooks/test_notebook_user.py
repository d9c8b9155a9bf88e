"""Invalid users and endpoints are refused, also in combination."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from cdk_emr_eks.errors import ConfigError
from cdk_emr_eks.model.access.data_access import s3_user_folder
from cdk_emr_eks.model.access.execution_role import ExecutionRoleSpec, JobIdentity, RoleUse
from cdk_emr_eks.model.notebooks.notebook_endpoint import (
    NotebookEndpoint,
    check_rights,
    merge_endpoints,
)
from cdk_emr_eks.model.notebooks.notebook_user import (
    IdentityKind,
    IdentityType,
    NotebookUser,
    check_references,
    check_sign_in,
    check_users,
)
from cdk_emr_eks.model.notebooks.studio import (
    AuthMode,
    IdentityCenterAuth,
    StudioSpec,
    UserAssignment,
)
from tests.refusals import Call, refuses

READ = s3_user_folder("lake", user="ann")
WRITE = s3_user_folder("lake", user="bob")
ROLE = ExecutionRoleSpec(name="emr-nb", uses=(RoleUse.ENDPOINTS,))
INSTANCE = "arn:aws:sso:::instance/ssoins-1234567890abcdef"


def endpoint(name: str = "team", **options: Any) -> NotebookEndpoint:
    return NotebookEndpoint(name=name, **options)


def user(name: str = "ann", **options: Any) -> NotebookUser:
    return NotebookUser(**{"identity_name": name, "endpoints": (endpoint(),), **options})


INVALID: list[tuple[Call, str, str]] = [
    (lambda: endpoint("my endpoint"), "name", "try 'my-endpoint'"),
    (lambda: endpoint(""), "name", "must be 1 to 64 letters"),
    (lambda: endpoint("x" * 65), "name", "must be 1 to 64 letters"),
    (lambda: endpoint("-x"), "name", "begin with a letter or digit"),
    (lambda: endpoint(release_label="emr-6.10.0-latest"), "release_label", "at least emr-6.11.0"),
    (lambda: endpoint(release_label="6.8"), "release_label", "must be an EMR release label"),
    (lambda: endpoint(namespace="My_Space"), "namespace", "must be a DNS label"),
    (lambda: endpoint(namespace="kube-system"), "namespace", "kube-system"),
    (lambda: endpoint(role=ROLE, permissions=READ), "permissions", "must be empty with a role"),
    (lambda: endpoint(role="a/b"), "role", "must be an IAM role name"),
    (
        lambda: endpoint(role=ExecutionRoleSpec(name="jobs")),
        "role",
        "write ExecutionRoleSpec(name='jobs', uses=(RoleUse.ENDPOINTS,), ...)",
    ),
    (
        lambda: endpoint(role=ROLE, release_label="emr-6.15.0-latest"),
        "release_label",
        "must be at least emr-7.3.0 for Pod Identity",
    ),
    (lambda: user(""), "identity_name", "must not be empty"),
    (lambda: user("${Token[X.1]}"), "identity_name", "must be known at synth"),
    (lambda: user(endpoints=()), "endpoints", "must name at least one endpoint"),
    (lambda: user(endpoints=("a", endpoint("a"))), "endpoints", "must name each endpoint once"),
    (lambda: user(session_duration=timedelta(minutes=30)), "session_duration", "1 to 12 hours"),
    (lambda: user(session_duration=timedelta(hours=13)), "session_duration", "1 to 12 hours"),
    (lambda: user(permissions_boundary_arn="boundary"), "permissions_boundary_arn", "ARN"),
]


@pytest.mark.parametrize(("call", "field", "words"), INVALID)
def test_invalid_values_are_refused(call: Call, field: str, words: str) -> None:
    refuses(call, field, words)


def test_an_old_release_has_endpoints_with_irsa() -> None:
    role = replace(ROLE, identity=JobIdentity.IRSA)
    assert endpoint(role=role, release_label="emr-6.11.0-latest").role is role


KINDS: list[tuple[AuthMode, IdentityType | None, IdentityKind]] = [
    (AuthMode.IAM, None, IdentityKind.IAM_USER),
    (AuthMode.IAM, IdentityType.GROUP, IdentityKind.IAM_GROUP),
    (AuthMode.IAM, IdentityType.ROLE, IdentityKind.IAM_ROLE),
    (AuthMode.IAM_FEDERATED, None, IdentityKind.FEDERATED_ROLE),
    (AuthMode.IAM_FEDERATED, IdentityType.ROLE, IdentityKind.IAM_ROLE),
    (AuthMode.SSO, IdentityType.USER, IdentityKind.SSO_USER),
    (AuthMode.SSO, IdentityType.GROUP, IdentityKind.SSO_GROUP),
]


@pytest.mark.parametrize(("mode", "given", "kind"), KINDS)
def test_the_kind_of_a_user_depends_on_the_sign_in_mode(
    mode: AuthMode, given: IdentityType | None, kind: IdentityKind
) -> None:
    assert user(identity_type=given).kind(mode) is kind


@pytest.mark.parametrize("given", [None, IdentityType.ROLE])
def test_identity_center_has_users_and_groups(given: IdentityType | None) -> None:
    said = "identity_type must be IdentityType.USER or IdentityType.GROUP with auth_mode 'SSO'"
    refuses(lambda: user(identity_type=given).kind(AuthMode.SSO), "identity_type", said)


@pytest.mark.parametrize(
    ("name", "mode", "given", "said"),
    [
        ("x" * 65, AuthMode.IAM, None, "must be the name of an IAM user: 1 to 64 letters"),
        ("x" * 129, AuthMode.IAM, IdentityType.GROUP, "an IAM group: 1 to 128"),
        ("ann smith", AuthMode.IAM, None, "letters, digits, _+=,.@-"),
        ("a/b", AuthMode.IAM_FEDERATED, None, "the name of a federated IAM role: 1 to 64"),
        ("x" * 257, AuthMode.SSO, IdentityType.USER, "an Identity Center user: 1 to 256"),
        ("a\nb", AuthMode.SSO, IdentityType.USER, "without control characters"),
    ],
)
def test_names_have_the_length_and_characters_of_their_kind(
    name: str, mode: AuthMode, given: IdentityType | None, said: str
) -> None:
    refuses(lambda: user(name, identity_type=given).kind(mode), "identity_name", said)


def test_identity_center_takes_names_that_iam_does_not() -> None:
    group = user("Données & Co", identity_type=IdentityType.GROUP)
    assert group.kind(AuthMode.SSO) is IdentityKind.SSO_GROUP


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("session_duration", timedelta(hours=2)),
        ("permissions_boundary_arn", "arn:aws:iam::111122223333:policy/b"),
    ],
)
def test_options_of_created_roles_are_refused_for_other_kinds(field: str, value: object) -> None:
    options: dict[str, Any] = {field: value}
    assert user(**options).kind(AuthMode.IAM_FEDERATED) is IdentityKind.FEDERATED_ROLE
    refuses(lambda: user(**options).kind(AuthMode.IAM), field, "this is an IAM user")


# ---- users of one platform


def test_users_are_unique() -> None:
    said = "must be unique, and another"
    added = [user("ann"), user("bob")]
    assert check_users("P", AuthMode.IAM, [], added) == (IdentityKind.IAM_USER,) * 2
    refuses(lambda: check_users("P", AuthMode.IAM, [], [user(), user()]), "identity_name", said)
    refuses(lambda: check_users("P", AuthMode.IAM, [user()], [user()]), "identity_name", said)
    # Names of IAM are unique regardless of case.
    refuses(
        lambda: check_users("P", AuthMode.IAM, [], [user("Ann"), user("ann")]),
        "identity_name",
        said,
    )
    existing = user("Science", identity_type=IdentityType.ROLE)
    refuses(
        lambda: check_users("P", AuthMode.IAM_FEDERATED, [], [existing, user("Science")]),
        "identity_name",
        said,
    )


def test_a_user_and_a_group_may_share_a_name() -> None:
    group = user("data", identity_type=IdentityType.GROUP)
    found = check_users("P", AuthMode.IAM, [], [user("data"), group])
    assert found == (IdentityKind.IAM_USER, IdentityKind.IAM_GROUP)


def test_identity_center_assigns_100_users_and_5_groups() -> None:
    users = [user(f"u{n}", identity_type=IdentityType.USER) for n in range(101)]
    groups = [user(f"g{n}", identity_type=IdentityType.GROUP) for n in range(6)]
    check_users("P", AuthMode.SSO, users[:99], [users[99], *groups[:5]])
    said = "must have at most 100 of Identity Center users"
    refuses(lambda: check_users("P", AuthMode.SSO, users[:100], users[100:]), "users", said)
    said = "must have at most 5 of Identity Center groups"
    refuses(lambda: check_users("P", AuthMode.SSO, [], groups), "users", said)


def test_users_name_existing_endpoints() -> None:
    known = {"team": endpoint()}
    check_references("P", known, [user(endpoints=("team",))])
    said = "endpoints of user 'ann' must be endpoints of the platform (team), got 'tame'"
    refuses(lambda: check_references("P", known, [user(endpoints=("tame",))]), "endpoints", said)


# ---- endpoints of one platform


def test_equal_endpoints_with_one_name_are_one() -> None:
    found = merge_endpoints("P", "home", {}, [endpoint(), endpoint(), endpoint(namespace="home")])
    assert found == {"team": endpoint(namespace="home")}


@pytest.mark.parametrize(
    ("field", "options"),
    [
        ("release_label", {"release_label": "emr-7.13.0-latest"}),
        ("permissions", {"permissions": READ}),
        ("role", {"role": ROLE}),
        ("namespace", {"namespace": "other"}),
        ("spark_conf", {"spark_conf": {"spark.sql.ansi.enabled": "true"}}),
        ("kernel_idle_timeout", {"kernel_idle_timeout": timedelta(minutes=10)}),
    ],
)
def test_an_endpoint_is_the_same_for_all_its_users(field: str, options: dict[str, Any]) -> None:
    other = endpoint(**options)
    said = f"{field} of endpoint 'team' must be the same for all its users"
    refuses(lambda: merge_endpoints("P", "home", {}, [endpoint(), other]), field, said)
    known = {"team": endpoint(namespace="home")}
    refuses(lambda: merge_endpoints("P", "home", known, [other]), field, said)


def test_a_namespace_has_the_permissions_of_one_role() -> None:
    def home(name: str, **options: Any) -> NotebookEndpoint:
        return endpoint(name, **{"namespace": "home", **options})

    check_rights("P", [home("a", permissions=READ), home("b", permissions=READ)], {})
    check_rights("P", [home("a", role=ROLE), home("b", role=ROLE)], {})
    check_rights("P", [home("a", permissions=READ), endpoint("b", namespace="b")], {})
    for second in (home("b_2", permissions=WRITE), home("b_2"), home("b_2", role=ROLE)):
        said = "set namespace='b-2', or give both the same rights"
        pair = [home("a", permissions=READ), second]
        refuses(lambda pair=pair: check_rights("P", pair, {}), "namespace", said)  # type: ignore[misc]


def test_a_tenant_with_roles_gets_no_further_roles() -> None:
    given = {"jobs": ("emr-a", "emr-b")}
    check_rights("P", [endpoint(namespace="jobs", role="emr-a")], given)
    check_rights(
        "P", [endpoint("a", namespace="jobs", role="emr-b"), endpoint(namespace="jobs")], given
    )
    wrong = endpoint(namespace="jobs", role="emr-c")
    said = "must be one of the tenant's (emr-a, emr-b), got 'emr-c'"
    refuses(lambda: check_rights("P", [wrong], given), "role", said)
    for own in ({"permissions": READ}, {"role": ROLE}):
        more = endpoint(namespace="jobs", **own)
        said = "all code there could use the new role"
        refuses(lambda more=more: check_rights("P", [more], given), "namespace", said)  # type: ignore[misc]
    said = "uses=(RoleUse.ENDPOINTS,)"
    refuses(lambda: check_rights("P", [endpoint(namespace="j")], {"j": ()}), "role", said)


def test_a_role_by_name_needs_a_tenant_with_the_role() -> None:
    said = "must exist, and namespace 'home' has no roles"
    named = endpoint(namespace="home", role="emr-a")
    refuses(lambda: check_rights("P", [named], {}), "role", said)
    with pytest.raises(
        ConfigError, match="must exist, and namespace 'home' has no execution roles"
    ):
        named.role_to_create("cluster", "home")


def test_endpoints_of_a_namespace_share_the_created_role() -> None:
    made = endpoint(permissions=READ).role_to_create("cluster", "home")
    assert made.permissions == READ
    assert made.uses == (RoleUse.ENDPOINTS,)
    assert made.name == endpoint("b", permissions=READ).role_to_create("cluster", "home").name
    assert made.name != endpoint(permissions=READ).role_to_create("cluster", "other").name
    assert endpoint(role=ROLE).role_to_create("cluster", "home") is ROLE


def test_users_of_identity_center_need_an_assignment() -> None:
    optional = IdentityCenterAuth(instance_arn=INSTANCE, user_assignment=UserAssignment.OPTIONAL)
    check_sign_in(
        "P", StudioSpec(name="s", auth=replace(optional, user_assignment=UserAssignment.REQUIRED))
    )
    said = "must be REQUIRED: a user without assignment has no session policy"
    refuses(
        lambda: check_sign_in("P", StudioSpec(name="s", auth=optional)),
        "studio.auth.user_assignment",
        said,
    )
    propagating = IdentityCenterAuth(instance_arn=INSTANCE, trusted_identity_propagation=True)
    studio = StudioSpec(name="s", auth=propagating, emr_on_eks=False)
    refuses(lambda: check_sign_in("P", studio), "studio.emr_on_eks", "must be True")
