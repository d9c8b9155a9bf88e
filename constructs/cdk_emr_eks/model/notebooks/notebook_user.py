"""Who may open notebooks: identities of IAM, of an identity provider, or of Identity Center."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Final

from cdk_emr_eks.errors import ConfigProblem, Problems
from cdk_emr_eks.field_types import check_types
from cdk_emr_eks.model.notebooks.notebook_endpoint import NotebookEndpoint
from cdk_emr_eks.model.notebooks.studio_auth import AuthMode
from cdk_emr_eks.tokens import has_token, is_arn

_LONGEST: Final = timedelta(hours=12)
_SHORTEST: Final = timedelta(hours=1)
_IAM_NAME: Final = re.compile(r"[\w+=,.@-]+", re.ASCII)
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f]")


class IdentityType(StrEnum):
    """What an identity's name is the name of."""

    USER = "USER"
    """A user of IAM, or of Identity Center."""
    GROUP = "GROUP"
    """A group of IAM, or of Identity Center."""
    ROLE = "ROLE"
    """A role of IAM that is there already."""


class IdentityKind(StrEnum):
    """What a user is, once it is known how a Studio's people sign in."""

    IAM_USER = "IAM user"
    IAM_GROUP = "IAM group"
    IAM_ROLE = "IAM role"
    FEDERATED_ROLE = "federated IAM role"
    """A role that is made, for an identity provider to give to its people."""
    SSO_USER = "Identity Center user"
    SSO_GROUP = "Identity Center group"


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


@dataclass(frozen=True, kw_only=True, slots=True)
class NotebookUser:
    """Somebody who opens notebooks, and the endpoints that they may attach to: these and no others.

    Args:
        identity_name: Name of the user, group or role, known at synth. With ``IAM`` sign-in it is
            there already, and gets managed policies; with ``SSO`` it is a user or group of Identity
            Center; with ``IAM_FEDERATED`` it becomes the name of a role that the identity provider
            gives to its people, unless ``identity_type`` says that it is there already.
        endpoints: What the user may open: endpoints, or names of endpoints that others declare.
        identity_type: What the name is the name of. None: a user for ``IAM``, a role to make for
            ``IAM_FEDERATED``; ``SSO`` needs it.
        collaboration: Whether the user may share workspaces, and open those that others share. Off
            by default, and then the user can open own workspaces only. Switch it on for people of
            one level of trust: who opens another's workspace runs code with what it is attached to.
        session_duration: How long a federated role's credentials last, 1 to 12 hours. None: 1 hour.
        permissions_boundary_arn: Managed policy that bounds a federated role. None: no boundary.

    Raises:
        ConfigError: If the name is empty, a token, or not one of its kind's, no endpoint is named
            or one twice, or the duration is out of range.

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

    def __post_init__(self) -> None:
        where = f"Notebook user {self.identity_name!r}"
        check_types(where, self)
        problems = Problems(where)
        name = self.identity_name
        problems.require(bool(name.strip()), "identity_name", "must not be empty", name)
        rule = "must be known at synth, not a token"
        problems.require(not has_token(name), "identity_name", rule, name)
        rule = "must name at least one endpoint: a workspace without one runs nothing"
        problems.require(bool(self.endpoints), "endpoints", rule)
        names = self.endpoint_names
        repeated = sorted({each for each in names if names.count(each) > 1})
        rule = "must name each endpoint once"
        problems.require(not repeated, "endpoints", rule, ", ".join(repeated))
        lasts = self.session_duration
        rule = "must be 1 to 12 hours, in whole seconds"
        holds = lasts is None or (
            _SHORTEST <= lasts <= _LONGEST and lasts.total_seconds().is_integer()
        )
        problems.require(holds, "session_duration", rule, str(lasts))
        arn = self.permissions_boundary_arn
        holds = arn is None or is_arn(arn)
        rule = "must be the ARN of a managed policy, or a token"
        problems.require(holds, "permissions_boundary_arn", rule, arn)
        problems.raise_if_any()

    @property
    def endpoint_names(self) -> tuple[str, ...]:
        """Names of the endpoints that the user may open."""
        return tuple(each if isinstance(each, str) else each.name for each in self.endpoints)

    def kind(self, mode: AuthMode) -> IdentityKind:
        """Return what the user is in a Studio with this way to sign in.

        Raises:
            ConfigError: If the Studio has no such identities, the name is none of theirs, or an
                option is of no use to them.
        """
        problems = Problems(f"Notebook user {self.identity_name!r}")
        kinds = _KINDS[mode]
        kind = kinds.get(self.identity_type)
        if kind is None:
            words = " or ".join(f"IdentityType.{each.name}" for each in kinds if each)
            rule = f"must be {words} with auth_mode {mode.value!r}"
            got = None if self.identity_type is None else str(self.identity_type)
            problems.require(False, "identity_type", rule, got)
            problems.raise_if_any()
        chosen = kinds[self.identity_type]
        problems.extend(_name_problems(self.identity_name, chosen))
        made = chosen is IdentityKind.FEDERATED_ROLE
        rule = f"is for roles that are made for an identity provider, and this is an {chosen}"
        lasts = self.session_duration
        problems.require(made or lasts is None, "session_duration", rule, str(lasts))
        boundary = self.permissions_boundary_arn
        problems.require(made or boundary is None, "permissions_boundary_arn", rule, boundary)
        problems.raise_if_any()
        return chosen


def identity_key(kind: IdentityKind, name: str) -> tuple[str, str]:
    """Return what two identities of one Studio may not have in common.

    IAM tells names apart regardless of case, and a role that is made from one that is there not at
    all.
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
