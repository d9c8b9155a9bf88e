"""Users of notebooks: identities of IAM, an identity provider or Identity Center."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import timedelta
from enum import StrEnum
from typing import Final

from cdk_emr_eks.checks import Check
from cdk_emr_eks.errors import ConfigProblem
from cdk_emr_eks.model.notebooks.notebook_endpoint import NotebookEndpoint
from cdk_emr_eks.model.notebooks.studio import (
    AuthMode,
    IdentityCenterAuth,
    StudioSpec,
    UserAssignment,
)
from cdk_emr_eks.tokens import has_token
from cdk_emr_eks.values import value

_SHORTEST: Final = timedelta(hours=1)
_LONGEST: Final = timedelta(hours=12)
_IAM_NAME: Final = re.compile(r"[\w+=,.@-]+", re.ASCII)
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f]")


class IdentityType(StrEnum):
    """The type of an identity.

    Attributes:
        USER: A user of IAM or Identity Center.
        GROUP: A group of IAM or Identity Center.
        ROLE: An existing IAM role.
    """

    USER = "USER"
    GROUP = "GROUP"
    ROLE = "ROLE"


class IdentityKind(StrEnum):
    """The kind of a user, which depends on the sign-in of the Studio.

    Attributes:
        FEDERATED_ROLE: A role that is created for people of an identity provider.
    """

    IAM_USER = "IAM user"
    IAM_GROUP = "IAM group"
    IAM_ROLE = "IAM role"
    FEDERATED_ROLE = "federated IAM role"
    SSO_USER = "Identity Center user"
    SSO_GROUP = "Identity Center group"


# Users and groups of Identity Center that EMR can assign to one Studio.
# Source: https://docs.aws.amazon.com/emr/latest/ManagementGuide/emr-studio-considerations.html
MAX_SSO: Final = {IdentityKind.SSO_USER: 100, IdentityKind.SSO_GROUP: 5}

_NAME_LIMITS: Final = {
    # Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
    IdentityKind.IAM_USER: 64,
    IdentityKind.IAM_GROUP: 128,
    IdentityKind.IAM_ROLE: 64,
    IdentityKind.FEDERATED_ROLE: 64,
    # Source: https://docs.aws.amazon.com/emr/latest/APIReference/API_CreateStudioSessionMapping.html
    IdentityKind.SSO_USER: 256,
    IdentityKind.SSO_GROUP: 256,
}

_KINDS: Final[Mapping[AuthMode, Mapping[IdentityType | None, IdentityKind]]] = {
    AuthMode.IAM: {
        None: IdentityKind.IAM_USER,
        IdentityType.USER: IdentityKind.IAM_USER,
        IdentityType.GROUP: IdentityKind.IAM_GROUP,
        IdentityType.ROLE: IdentityKind.IAM_ROLE,
    },
    AuthMode.IAM_FEDERATED: {
        None: IdentityKind.FEDERATED_ROLE,
        IdentityType.USER: IdentityKind.IAM_USER,
        IdentityType.GROUP: IdentityKind.IAM_GROUP,
        IdentityType.ROLE: IdentityKind.IAM_ROLE,
    },
    AuthMode.SSO: {
        IdentityType.USER: IdentityKind.SSO_USER,
        IdentityType.GROUP: IdentityKind.SSO_GROUP,
    },
}


@value(kind="Notebook user", named_by="identity_name")
class NotebookUser:
    """A user of notebooks, and the only endpoints that the user may attach to.

    Args:
        identity_name: Name of the user, group or role, known at synth. With ``IAM`` sign-in it is
            an existing identity, which gets managed policies; with ``SSO`` it is a user or group of
            Identity Center; with ``IAM_FEDERATED`` it is the name of a role that is created for
            people of the identity provider, unless ``identity_type`` names an existing identity.
        endpoints: Endpoints that the user may open, or names of endpoints that others declare.
        identity_type: Type of the identity. None: a user for ``IAM``, a role to create for
            ``IAM_FEDERATED``; ``SSO`` requires it.
        collaboration: Whether the user may share workspaces, and open those that others share.
            Default False: the user can open only own workspaces. Enable it only for users with
            equal rights: who opens another user's workspace can run code on its endpoint.
        session_duration: How long a federated role's credentials last, 1 to 12 hours. None: 1 hour.
        permissions_boundary_arn: Managed policy that bounds a federated role. None: no boundary.

    Raises:
        ConfigError: If the name is empty, a token, or breaks the rules of its kind, no endpoint is
            named or one is repeated, or the duration is out of range.

    Example:
        >>> NotebookUser(identity_name="ann", endpoints=("analysts",)).endpoint_names
        ('analysts',)
    """

    identity_name: str
    endpoints: tuple[NotebookEndpoint | str, ...]
    identity_type: IdentityType | None = None
    collaboration: bool = False
    session_duration: timedelta | None = None
    permissions_boundary_arn: str | None = None

    def _rules(self, check: Check) -> None:
        name = self.identity_name
        check.require(bool(name.strip()), "identity_name", "must not be empty", name)
        rule = "must be known at synth, not a token"
        check.require(not has_token(name), "identity_name", rule, name)
        rule = "must name at least one endpoint: a workspace without one runs nothing"
        check.require(bool(self.endpoints), "endpoints", rule)
        names = self.endpoint_names
        repeated = sorted({each for each in names if names.count(each) > 1})
        rule = "must name each endpoint once"
        check.require(not repeated, "endpoints", rule, ", ".join(repeated))
        lasts = self.session_duration
        fits = lasts is None or (_SHORTEST <= lasts <= _LONGEST and not lasts.microseconds)
        rule = "must be 1 to 12 hours, in whole seconds"
        check.require(fits, "session_duration", rule, lasts)
        check.arn("permissions_boundary_arn", "the ARN of a managed policy, or a token")

    @property
    def endpoint_names(self) -> tuple[str, ...]:
        """Names of the endpoints that the user may open."""
        return tuple(each if isinstance(each, str) else each.name for each in self.endpoints)

    def kind(self, mode: AuthMode) -> IdentityKind:
        """Return the kind of the user in a Studio with a sign-in mode.

        Raises:
            ConfigError: If the mode has no such identities, the name breaks the rules of the kind,
                or an option does not apply to it.
        """
        check, kinds = Check(self), _KINDS[mode]
        kind = kinds.get(self.identity_type)
        if kind is None:
            types = " or ".join(f"IdentityType.{each.name}" for each in kinds if each)
            rule = f"must be {types} with auth_mode {mode.value!r}"
            check.require(False, "identity_type", rule, self.identity_type)
            check.raise_if_any()
        # Not None: the check has raised otherwise.
        found = kinds[self.identity_type]
        check.add(_name_problems(self.identity_name, found))
        created = found is IdentityKind.FEDERATED_ROLE
        rule = f"is for roles that are created for an identity provider, and this is an {found}"
        lasts, boundary = self.session_duration, self.permissions_boundary_arn
        check.require(created or lasts is None, "session_duration", rule, lasts)
        check.require(created or boundary is None, "permissions_boundary_arn", rule, boundary)
        check.raise_if_any()
        return found


def identity_key(kind: IdentityKind, name: str) -> tuple[str, str]:
    """Return the key that must be unique among the identities of one Studio.

    Names of IAM are unique regardless of case. A role to create clashes with an existing role of
    the same name.
    """
    if kind in (IdentityKind.SSO_USER, IdentityKind.SSO_GROUP):
        return (kind, name)
    family = IdentityKind.IAM_ROLE if kind is IdentityKind.FEDERATED_ROLE else kind
    return (family, name.casefold())


def _name_problems(name: str, kind: IdentityKind) -> tuple[ConfigProblem, ...]:
    limit = _NAME_LIMITS[kind]
    if kind in (IdentityKind.SSO_USER, IdentityKind.SSO_GROUP):
        fits, letters = _CONTROL.search(name) is None, "characters without control characters"
    else:
        fits, letters = bool(_IAM_NAME.fullmatch(name)), "letters, digits, _+=,.@-"
    if fits and len(name) <= limit:
        return ()
    article = "an" if kind[0] in "IA" else "a"
    rule = f"must be the name of {article} {kind}: 1 to {limit} {letters}"
    return (ConfigProblem(field="identity_name", rule=rule, got=name),)


# ---- users of one platform


def check_sign_in(where: str, studio: StudioSpec) -> None:
    """Check that a Studio can restrict its users to their endpoints.

    A session policy narrows the Studio's user role for an assigned user. With an optional
    assignment, other users have the whole user role.

    Raises:
        ConfigError: If the Studio is not for EMR on EKS, or users of Identity Center need no
            assignment.
    """
    check = Check(where)
    check.require(studio.emr_on_eks, "studio.emr_on_eks", "must be True to open endpoints")
    auth = studio.auth
    open_to_all = (
        isinstance(auth, IdentityCenterAuth) and auth.user_assignment is UserAssignment.OPTIONAL
    )
    rule = (
        "must be REQUIRED: a user without assignment has no session policy, and so the endpoints "
        "of all users"
    )
    got = str(UserAssignment.OPTIONAL)
    check.require(not open_to_all, "studio.auth.user_assignment", rule, got)
    check.raise_if_any()


def check_users(
    where: str,
    mode: AuthMode,
    known: Sequence[NotebookUser],
    added: Sequence[NotebookUser],
) -> tuple[IdentityKind, ...]:
    """Return the kind of each added user.

    Args:
        where: What errors call the platform.
        mode: Sign-in mode of its Studio.
        known: Existing users of the platform.
        added: Users to add.

    Raises:
        ConfigError: If the mode has no such identities, a user is repeated, or there are more users
            than EMR assigns to a Studio.
    """
    users = [(user, user.kind(mode)) for user in (*known, *added)]
    kinds = tuple(kind for _, kind in users)
    check = Check(where)
    seen: set[tuple[str, str]] = set()
    for user, kind in users:
        key = identity_key(kind, user.identity_name)
        rule = f"must be unique, and another {kind} has the same name"
        fix = "give one user all the endpoints"
        check.require(key not in seen, "identity_name", rule, user.identity_name, fix)
        seen.add(key)
    for kind, limit in MAX_SSO.items():
        count = kinds.count(kind)
        rule = f"must have at most {limit} of {kind}s, as EMR assigns to one Studio"
        fix = "make a group of them" if kind is IdentityKind.SSO_USER else "make another Studio"
        check.require(count <= limit, "users", rule, count, fix)
    check.raise_if_any()
    return kinds[len(known) :]


def check_references(
    where: str, endpoints: Mapping[str, NotebookEndpoint], users: Sequence[NotebookUser]
) -> None:
    """Check that users name endpoints of the platform.

    Raises:
        ConfigError: If an endpoint does not exist.
    """
    check = Check(where)
    known = ", ".join(endpoints) or "none so far"
    for user in users:
        for name in user.endpoint_names:
            rule = f"of user {user.identity_name!r} must be endpoints of the platform ({known})"
            fix = "declare it with NotebookEndpoint(name=...)"
            check.require(name in endpoints, "endpoints", rule, name, fix)
    check.raise_if_any()
