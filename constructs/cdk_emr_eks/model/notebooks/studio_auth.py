"""How people sign in to an EMR Studio: as IAM identities, through an IdP, or Identity Center."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from cdk_emr_eks.errors import Problems, refuse
from cdk_emr_eks.field_types import check_types
from cdk_emr_eks.tokens import has_token

_URL: Final = re.compile(r"https://[0-9a-zA-Z]([-.\w]*[0-9a-zA-Z])(:[0-9]*)*([?/#].*)?", re.ASCII)
_URL_LIMIT: Final = 4096
_RELAY_STATE_LIMIT: Final = 256
# Source: the resource schema of AWS::EMR::Studio,
# https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-emr-studio.html
_PROVIDER: Final = re.compile(r"arn:[\w-]+:iam::\d{12}:saml-provider/[\w._-]{1,128}", re.ASCII)
_INSTANCE: Final = re.compile(r"arn:[\w-]+:sso:::instance/(sso)?ins-[a-zA-Z0-9-.]{16}", re.ASCII)
# Source: https://docs.aws.amazon.com/singlesignon/latest/APIReference/API_InstanceMetadata.html


class AuthMode(StrEnum):
    """Who people are when they open a Studio. It can't be changed for a Studio that is there.

    Source: https://docs.aws.amazon.com/emr/latest/ManagementGuide/emr-studio-authentication.html
    """

    IAM = "IAM"
    """IAM users and roles of the account."""
    IAM_FEDERATED = "IAM_FEDERATED"
    """Roles of the account that an identity provider gives its people by SAML 2.0."""
    SSO = "SSO"
    """People and groups of IAM Identity Center."""


class UserAssignment(StrEnum):
    """Whether people of Identity Center need an assignment before they may open a Studio."""

    REQUIRED = "REQUIRED"
    """Only who was assigned, each with a session policy."""
    OPTIONAL = "OPTIONAL"
    """Everybody of the instance, with all that the Studio's user role may do."""


@dataclass(frozen=True, kw_only=True, slots=True)
class IamAuth:
    """People sign in as IAM users, or take roles of the account by themselves.

    Example:
        >>> IamAuth().mode.value
        'IAM'
    """

    @property
    def mode(self) -> AuthMode:
        """The mode, for messages and outputs."""
        return AuthMode.IAM


@dataclass(frozen=True, kw_only=True, slots=True)
class SamlAuth:
    """People sign in at an identity provider, which gives them a role of the account by SAML 2.0.

    Args:
        provider_arn: ARN of the account's SAML provider, ``arn:…:saml-provider/NAME``; may be a
            token. The roles of people trust it.
        idp_auth_url: Where a Studio's URL sends people to sign in. None: people begin at the
            provider's own portal, since the Studio's URL does not know it.
        relay_state_parameter: What the provider calls its RelayState, ``TargetResource`` for
            PingFederate and PingOne. Ignored without ``idp_auth_url``.

    Raises:
        ConfigError: If the ARN is no SAML provider's, or the URL is not https.

    Source: https://docs.aws.amazon.com/emr/latest/ManagementGuide/emr-studio-create-studio.html
    """

    provider_arn: str
    idp_auth_url: str | None = None
    relay_state_parameter: str = "RelayState"

    def __post_init__(self) -> None:
        check_types("SamlAuth", self)
        problems = Problems("SamlAuth")
        rule = "must be the ARN of a SAML provider, arn:aws:iam::ACCOUNT:saml-provider/NAME"
        arn = self.provider_arn
        problems.require(_fits(arn, _PROVIDER), "provider_arn", rule, arn)
        if self.idp_auth_url is not None:
            url = self.idp_auth_url
            rule = f"must be an https:// URL of at most {_URL_LIMIT} characters"
            problems.require(_fits(url, _URL) and len(url) <= _URL_LIMIT, "idp_auth_url", rule, url)
        name = self.relay_state_parameter
        rule = f"must have 1 to {_RELAY_STATE_LIMIT} characters"
        fits = 1 <= len(name) <= _RELAY_STATE_LIMIT
        problems.require(fits, "relay_state_parameter", rule, name)
        problems.raise_if_any()

    @property
    def mode(self) -> AuthMode:
        """The mode, for messages and outputs."""
        return AuthMode.IAM_FEDERATED


@dataclass(frozen=True, kw_only=True, slots=True)
class IdentityCenterAuth:
    """People and groups of IAM Identity Center, enabled in the region of the Studio.

    EMR takes at most 100 people and 5 groups for a Studio.

    Args:
        instance_arn: ARN of the Identity Center instance, ``arn:…:sso:::instance/ssoins-…``; may
            be a token.
        user_assignment: Whether people must be assigned to the Studio.
        trusted_identity_propagation: Whether the person's identity reaches the data. EMR lets such
            a Studio use clusters on EC2 only: see ``StudioSpec.emr_on_eks``.

    Raises:
        ConfigError: If the ARN is no instance's.

    Source: https://docs.aws.amazon.com/emr/latest/ManagementGuide/how-emr-studio-works.html
    """

    instance_arn: str
    user_assignment: UserAssignment = UserAssignment.REQUIRED
    trusted_identity_propagation: bool = False

    def __post_init__(self) -> None:
        check_types("IdentityCenterAuth", self)
        problems = Problems("IdentityCenterAuth")
        rule = "must be the ARN of an Identity Center instance, arn:aws:sso:::instance/ssoins-…"
        arn = self.instance_arn
        problems.require(_fits(arn, _INSTANCE), "instance_arn", rule, arn)
        problems.raise_if_any()

    @property
    def mode(self) -> AuthMode:
        """The mode, for messages and outputs."""
        return AuthMode.SSO


StudioAuth = IamAuth | SamlAuth | IdentityCenterAuth
"""One of the three ways to sign in."""


def studio_auth(
    mode: AuthMode | str,
    *,
    idp_arn: str | None = None,
    idp_auth_url: str | None = None,
    idp_relay_state_parameter: str | None = None,
    instance_arn: str | None = None,
) -> StudioAuth:
    """Return the way to sign in that a mode's name and flat settings stand for.

    ``IamAuth``, ``SamlAuth`` and ``IdentityCenterAuth`` say the same with types.

    Args:
        mode: ``IAM``, ``IAM_FEDERATED`` or ``SSO``.
        idp_arn: ARN of the SAML provider; ``IAM_FEDERATED`` needs it.
        idp_auth_url: The provider's sign-in URL, for ``IAM_FEDERATED``.
        idp_relay_state_parameter: What the provider calls its RelayState. None: ``RelayState``.
        instance_arn: ARN of the Identity Center instance; ``SSO`` needs it.

    Raises:
        ConfigError: If the mode is unknown, lacks a setting, or is given one of another mode.
    """
    where = "Authentication of a Studio"
    known = [each.value for each in AuthMode]
    if mode not in known:
        near = [each for each in known if isinstance(mode, str) and each == mode.upper()]
        fix = f"write {near[0]!r}" if near else ""
        raise refuse(where, "auth_mode", f"must be one of {', '.join(known)}", mode, fix)
    given = {
        "idp_arn": idp_arn,
        "idp_auth_url": idp_auth_url,
        "idp_relay_state_parameter": idp_relay_state_parameter,
        "instance_arn": instance_arn,
    }
    needed = {AuthMode.IAM_FEDERATED: "idp_arn", AuthMode.SSO: "instance_arn"}.get(AuthMode(mode))
    taken = {
        AuthMode.IAM: (),
        AuthMode.IAM_FEDERATED: ("idp_arn", "idp_auth_url", "idp_relay_state_parameter"),
        AuthMode.SSO: ("instance_arn",),
    }[AuthMode(mode)]
    problems = Problems(where)
    if needed is not None:
        rule = f"is needed by auth_mode {str(mode)!r}"
        problems.require(given[needed] is not None, needed, rule)
    for field, value in given.items():
        holds = value is None or field in taken
        problems.require(holds, field, f"is of no use with auth_mode {str(mode)!r}", value)
    problems.raise_if_any()
    if instance_arn is not None:
        return IdentityCenterAuth(instance_arn=instance_arn)
    if idp_arn is not None:
        return SamlAuth(
            provider_arn=idp_arn,
            idp_auth_url=idp_auth_url,
            relay_state_parameter=idp_relay_state_parameter or "RelayState",
        )
    return IamAuth()


def _fits(text: str, pattern: re.Pattern[str]) -> bool:
    return has_token(text) or pattern.fullmatch(text) is not None
