"""What the endpoints and users of one notebook platform may not do to each other."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Final

from cdk_emr_eks.errors import Problems
from cdk_emr_eks.model.notebooks.notebook_endpoint import NotebookEndpoint
from cdk_emr_eks.model.notebooks.notebook_user import IdentityKind, NotebookUser, identity_key
from cdk_emr_eks.model.notebooks.studio import StudioSpec
from cdk_emr_eks.model.notebooks.studio_auth import AuthMode, IdentityCenterAuth, UserAssignment

MAX_SSO: Final = {IdentityKind.SSO_USER: 100, IdentityKind.SSO_GROUP: 5}
"""Users and groups of Identity Center that can be assigned to one Studio.

Source: https://docs.aws.amazon.com/emr/latest/ManagementGuide/emr-studio-considerations.html
"""


def check_sign_in(where: str, studio: StudioSpec) -> None:
    """Refuse a Studio whose people could not be held to endpoints of their own.

    A session policy narrows the Studio's user role for who is assigned. With an optional
    assignment, people without one have the whole user role.

    Raises:
        ConfigError: If the Studio is not for EMR on EKS, or people of Identity Center need no
            assignment.
    """
    problems = Problems(where)
    problems.require(studio.emr_on_eks, "studio.emr_on_eks", "must be True to open endpoints")
    auth = studio.auth
    open_to_all = (
        isinstance(auth, IdentityCenterAuth) and auth.user_assignment is UserAssignment.OPTIONAL
    )
    rule = (
        "must be REQUIRED: whoever is not assigned has no session policy, and so the endpoints of "
        "all users"
    )
    got = str(UserAssignment.OPTIONAL)
    problems.require(not open_to_all, "studio.auth.user_assignment", rule, got)
    problems.raise_if_any()


def merged(
    where: str,
    home: str,
    known: Mapping[str, NotebookEndpoint],
    asked: Iterable[NotebookEndpoint],
) -> dict[str, NotebookEndpoint]:
    """Return endpoints by name, each once and with its namespace, those known first.

    Args:
        where: The platform, for errors.
        home: The platform's own namespace.
        known: Endpoints that it has.
        asked: Endpoints that its users ask for.

    Raises:
        ConfigError: If two endpoints of one name are not the same.
    """
    problems = Problems(where)
    found = dict(known)
    for wanted in asked:
        endpoint = replace(wanted, namespace=wanted.namespace or home)
        first = found.setdefault(endpoint.name, endpoint)
        unlike = endpoint.differences(first)
        rule = f"of endpoint {endpoint.name!r} must be the same for all its users"
        for field in unlike:
            got = f"{_short(getattr(first, field))} and {_short(getattr(endpoint, field))}"
            problems.require(False, field, rule, got, "give one of them another name")
    problems.raise_if_any()
    return found


def check_rights(
    where: str,
    endpoints: Iterable[NotebookEndpoint],
    given: Mapping[str, Sequence[str]],
) -> None:
    """Check that no endpoint's code can get at rights that were meant for another's.

    Args:
        where: The platform, for errors.
        endpoints: All its endpoints, each with its namespace.
        given: The execution roles for endpoints of the namespaces that have roles already.

    Raises:
        ConfigError: If an endpoint asks for a role that its namespace does not have, or for rights
            of its own in a namespace that has other ones.
    """
    problems = Problems(where)
    first: dict[str, NotebookEndpoint] = {}
    for endpoint in endpoints:
        namespace = endpoint.namespace or ""
        proposal = endpoint.name.lower().replace("_", "-").strip("-")
        apart = f"set namespace={proposal!r}"
        if namespace in given:
            roles = ", ".join(given[namespace])
            rule = f"of endpoint {endpoint.name!r} must be one of the tenant's ({roles or 'none'})"
            # Without a name, it is the first that the tenant has.
            there = roles if endpoint.role is None else endpoint.role in given[namespace]
            fix = "give the tenant ExecutionRoleSpec(name=..., uses=(RoleUse.ENDPOINTS,))"
            named = bool(there) or endpoint.makes_role
            problems.require(named, "role", rule, endpoint.role, "" if roles else fix)
            rule = (
                f"of endpoint {endpoint.name!r} must have no execution roles yet: all code there "
                "could take on the role that is made"
            )
            fix = f"{apart}, or name a role of the tenant"
            problems.require(not endpoint.makes_role, "namespace", rule, namespace, fix)
            continue
        rule = f"of endpoint {endpoint.name!r} must be there: namespace {namespace!r} has no roles"
        fix = "give permissions, or give the platform a tenant that has the role"
        problems.require(not isinstance(endpoint.role, str), "role", rule, endpoint.role, fix)
        other = first.setdefault(namespace, endpoint)
        same = (endpoint.role, endpoint.permissions) == (other.role, other.permissions)
        rule = (
            f"of endpoint {endpoint.name!r} must be another one than that of {other.name!r}, which "
            "has other rights: code of a namespace can take on each of its roles"
        )
        problems.require(
            same, "namespace", rule, namespace, f"{apart}, or give both the same rights"
        )
    problems.raise_if_any()


def check_users(
    where: str,
    mode: AuthMode,
    known: Sequence[NotebookUser],
    added: Sequence[NotebookUser],
) -> tuple[IdentityKind, ...]:
    """Return the kind of each user that is added.

    Args:
        where: The platform, for errors.
        mode: How its people sign in.
        known: Users that it has.
        added: Users that it gets.

    Raises:
        ConfigError: If the Studio has no such identities, a user is there twice, or there are more
            than EMR assigns to a Studio.
    """
    kinds = tuple(user.kind(mode) for user in (*known, *added))
    problems = Problems(where)
    seen: set[tuple[str, str]] = set()
    for user, kind in zip((*known, *added), kinds, strict=True):
        key = identity_key(kind, user.identity_name)
        rule = f"must be there once: a second {kind} of that name has come"
        fix = "give one user all the endpoints"
        problems.require(key not in seen, "identity_name", rule, user.identity_name, fix)
        seen.add(key)
    for kind, limit in MAX_SSO.items():
        count = kinds.count(kind)
        rule = f"must have at most {limit} of {kind}s, as EMR assigns to one Studio"
        fix = "make a group of them" if kind is IdentityKind.SSO_USER else "make another Studio"
        problems.require(count <= limit, "users", rule, count, fix)
    problems.raise_if_any()
    return kinds[len(known) :]


def check_references(
    where: str, endpoints: Mapping[str, NotebookEndpoint], users: Sequence[NotebookUser]
) -> None:
    """Check that users name endpoints that are there.

    Raises:
        ConfigError: If one is not.
    """
    problems = Problems(where)
    there = ", ".join(endpoints) or "none so far"
    for user in users:
        for name in user.endpoint_names:
            rule = f"of user {user.identity_name!r} must be there ({there})"
            fix = "declare it with NotebookEndpoint(name=...)"
            problems.require(name in endpoints, "endpoints", rule, name, fix)
    problems.raise_if_any()


def _short(value: object) -> str:
    if isinstance(value, tuple):
        return f"{len(value)} permissions" if value else "none"
    return repr(getattr(value, "name", value))
