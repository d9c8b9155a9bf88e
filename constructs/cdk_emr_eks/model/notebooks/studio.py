"""EMR Studios: their names, sign-in, Git access, workspace storage and options."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import field
from datetime import timedelta
from enum import StrEnum
from typing import Final

from cdk_emr_eks.checks import Check
from cdk_emr_eks.errors import refuse
from cdk_emr_eks.model.namespaces.tenant_network import cidr_problems
from cdk_emr_eks.tokens import has_token
from cdk_emr_eks.values import value

# Subnets that a Studio may have.
# Source: https://docs.aws.amazon.com/emr/latest/ManagementGuide/emr-studio-considerations.html
MAX_SUBNETS: Final = 5

# Rules of the resource schema of AWS::EMR::Studio.
# Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-emr-studio.html
_TEXT_LIMIT: Final = 256
_NAME: Final = re.compile(rf"[a-zA-Z0-9_-]{{1,{_TEXT_LIMIT}}}")
_TAG_KEY: Final = re.compile(r"(?!aws:)[a-zA-Z+-=._:/]{1,128}")
_TAG_VALUE: Final = re.compile(r"[a-zA-Z+-=._:/ ]{1,256}")
_URL: Final = re.compile(r"https://[0-9a-zA-Z]([-.\w]*[0-9a-zA-Z])(:[0-9]*)*([?/#].*)?", re.ASCII)
_URL_LIMIT: Final = 4096
_RELAY_STATE_LIMIT: Final = 256

_PROVIDER: Final = re.compile(r"arn:[\w-]+:iam::\d{12}:saml-provider/[\w._-]{1,128}", re.ASCII)

# Source: https://docs.aws.amazon.com/singlesignon/latest/APIReference/API_InstanceMetadata.html
_INSTANCE: Final = re.compile(r"arn:[\w-]+:sso:::instance/(sso)?ins-[a-zA-Z0-9-.]{16}", re.ASCII)

# Rules of a security group, as quotas allow.
# Source: https://docs.aws.amazon.com/vpc/latest/userguide/amazon-vpc-limits.html
_MIN_RULES: Final = 2
_MAX_RULES: Final = 1000

_EVERYWHERE: Final = "0.0.0.0/0"
_PREFIX_LIST: Final = re.compile(r"pl-[0-9a-f]{8,17}")
_FOLDER: Final = re.compile(r"[\w.-]+(/[\w.-]+)*", re.ASCII)


# ---- sign-in


class AuthMode(StrEnum):
    """How people sign in to a Studio. The mode of an existing Studio cannot be changed.

    Attributes:
        IAM: As IAM users and roles of the account.
        IAM_FEDERATED: With roles of the account that an identity provider gives them by SAML 2.0.
        SSO: As users and groups of IAM Identity Center.

    Source: https://docs.aws.amazon.com/emr/latest/ManagementGuide/emr-studio-authentication.html
    """

    IAM = "IAM"
    IAM_FEDERATED = "IAM_FEDERATED"
    SSO = "SSO"


class UserAssignment(StrEnum):
    """Whether users of Identity Center need an assignment to open a Studio.

    Attributes:
        REQUIRED: Only assigned users can open it, each with a session policy.
        OPTIONAL: All users of the instance can open it, with all permissions of the Studio's user
            role.
    """

    REQUIRED = "REQUIRED"
    OPTIONAL = "OPTIONAL"


@value
class IamAuth:
    """People sign in as IAM users, or assume roles of the account.

    Example:
        >>> IamAuth().mode.value
        'IAM'
    """

    @property
    def mode(self) -> AuthMode:
        """The mode, for messages and outputs."""
        return AuthMode.IAM


@value
class SamlAuth:
    """People sign in at an identity provider, which gives them a role of the account by SAML 2.0.

    Args:
        provider_arn: ARN of the account's SAML provider, ``arn:…:saml-provider/NAME``; may be a
            token. The roles of users trust it.
        idp_auth_url: URL where a Studio sends people to sign in. None: people start at the
            provider's portal, since the Studio has no sign-in URL.
        relay_state_parameter: The provider's name for its RelayState, ``TargetResource`` for
            PingFederate and PingOne. Ignored without ``idp_auth_url``.

    Raises:
        ConfigError: If the ARN is not that of a SAML provider, or the URL is not https.

    Source: https://docs.aws.amazon.com/emr/latest/ManagementGuide/emr-studio-create-studio.html
    """

    provider_arn: str
    idp_auth_url: str | None = None
    relay_state_parameter: str = "RelayState"

    def _rules(self, check: Check) -> None:
        rule = "must be the ARN of a SAML provider, arn:aws:iam::ACCOUNT:saml-provider/NAME"
        arn, url = self.provider_arn, self.idp_auth_url
        check.require(_fits(arn, _PROVIDER), "provider_arn", rule, arn)
        if url is not None:
            rule = f"must be an https:// URL of at most {_URL_LIMIT} characters"
            check.require(_fits(url, _URL) and len(url) <= _URL_LIMIT, "idp_auth_url", rule, url)
        check.length("relay_state_parameter", 1, _RELAY_STATE_LIMIT)

    @property
    def mode(self) -> AuthMode:
        """The mode, for messages and outputs."""
        return AuthMode.IAM_FEDERATED


@value
class IdentityCenterAuth:
    """Users and groups of IAM Identity Center, which is enabled in the Region of the Studio.

    EMR assigns at most 100 users and 5 groups to a Studio.

    Args:
        instance_arn: ARN of the Identity Center instance, ``arn:…:sso:::instance/ssoins-…``; may
            be a token.
        user_assignment: Whether users must be assigned to the Studio. Default: required.
        trusted_identity_propagation: Whether the user's identity is passed on to data services. EMR
            supports it only for clusters on EC2: see ``StudioSpec.emr_on_eks``. Default False.

    Raises:
        ConfigError: If the ARN is not that of an instance.

    Source: https://docs.aws.amazon.com/emr/latest/ManagementGuide/how-emr-studio-works.html
    """

    instance_arn: str
    user_assignment: UserAssignment = UserAssignment.REQUIRED
    trusted_identity_propagation: bool = False

    def _rules(self, check: Check) -> None:
        rule = "must be the ARN of an Identity Center instance, arn:aws:sso:::instance/ssoins-…"
        arn = self.instance_arn
        check.require(_fits(arn, _INSTANCE), "instance_arn", rule, arn)

    @property
    def mode(self) -> AuthMode:
        """The mode, for messages and outputs."""
        return AuthMode.SSO


# One of the three ways to sign in.
StudioAuth = IamAuth | SamlAuth | IdentityCenterAuth


def studio_auth(
    mode: AuthMode | str,
    *,
    idp_arn: str | None = None,
    idp_auth_url: str | None = None,
    idp_relay_state_parameter: str | None = None,
    instance_arn: str | None = None,
) -> StudioAuth:
    """Return the sign-in of a Studio from the name of its mode and flat settings.

    It is for settings files. In code, use ``IamAuth``, ``SamlAuth`` or ``IdentityCenterAuth``.

    Args:
        mode: ``IAM``, ``IAM_FEDERATED`` or ``SSO``.
        idp_arn: ARN of the SAML provider; ``IAM_FEDERATED`` needs it.
        idp_auth_url: The provider's sign-in URL, for ``IAM_FEDERATED``.
        idp_relay_state_parameter: The provider's name for its RelayState. None: ``RelayState``.
        instance_arn: ARN of the Identity Center instance; ``SSO`` needs it.

    Raises:
        ConfigError: If the mode is unknown, a setting is missing, or one of another mode is given.
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
    used = {
        AuthMode.IAM: (),
        AuthMode.IAM_FEDERATED: ("idp_arn", "idp_auth_url", "idp_relay_state_parameter"),
        AuthMode.SSO: ("instance_arn",),
    }[AuthMode(mode)]
    check = Check(where)
    if needed is not None:
        rule = f"is needed by auth_mode {str(mode)!r}"
        check.require(given[needed] is not None, needed, rule)
    for name, setting in given.items():
        holds = setting is None or name in used
        check.require(holds, name, f"is of no use with auth_mode {str(mode)!r}", setting)
    check.raise_if_any()
    if instance_arn is not None:
        return IdentityCenterAuth(instance_arn=instance_arn)
    if idp_arn is not None:
        return SamlAuth(
            provider_arn=idp_arn,
            idp_auth_url=idp_auth_url,
            relay_state_parameter=idp_relay_state_parameter or "RelayState",
        )
    return IamAuth()


# ---- Git and storage


class GitSecrets(StrEnum):
    """Who reads the secrets with the credentials of Git repositories.

    Attributes:
        NONE: No role, for repositories without credentials.
        USER: Each user, the secrets that the user created: EMR's recommendation.
        SERVICE: The Studio's service role, for all users: each secret with EMR's tag.

    Source: https://docs.aws.amazon.com/emr/latest/ManagementGuide/emr-studio-user-permissions.html
    """

    NONE = "none"
    USER = "user"
    SERVICE = "service"


@value
class GitAccess:
    """Lets the workspaces of a Studio link Git repositories, over HTTPS.

    Args:
        destinations: Addresses of the repositories: IPv4 or IPv6 blocks, or ids of managed prefix
            lists (``pl-…``, which may be tokens). Default: all addresses, as EMR documents, since
            the public Git services publish no short and stable list.
        secrets: Who reads the repositories' credentials. Default: each user.

    Raises:
        ConfigError: If there is no destination, or one is neither a block nor a prefix list.

    Source: https://docs.aws.amazon.com/emr/latest/ManagementGuide/emr-studio-security-groups.html
    """

    destinations: tuple[str, ...] = (_EVERYWHERE,)
    secrets: GitSecrets = GitSecrets.USER

    def _rules(self, check: Check) -> None:
        check.not_empty("destinations")
        check.unique("destinations")
        rule = "must be address blocks such as '140.82.112.0/20', or prefix lists 'pl-…'"
        for each in self.destinations:
            found = () if is_prefix_list(each) else cidr_problems("destinations", each)
            for problem in found:
                check.require(False, "destinations", rule, each, problem.fix)


def is_prefix_list(destination: str) -> bool:
    """Return whether a destination is a managed prefix list and not an address block."""
    return has_token(destination) or _PREFIX_LIST.fullmatch(destination) is not None


@value
class WorkspaceStorage:
    """The S3 location where a Studio stores its workspaces.

    Args:
        prefix: Folder in the bucket, without slashes at its ends. None: the whole bucket.
        keep: Whether the created bucket and key are kept when the stack is deleted. Default True:
            they hold users' work, and a kept bucket cannot be read without its key. If False,
            CloudFormation still refuses to delete a bucket with objects.
        keep_old_versions: How long S3 keeps overwritten and deleted objects of a created bucket, in
            whole days. Default 30 days.

    Raises:
        ConfigError: If the prefix is not a plain folder, or the time is not whole days.
    """

    prefix: str | None = None
    keep: bool = True
    keep_old_versions: timedelta = timedelta(days=30)

    def _rules(self, check: Check) -> None:
        stripped = (self.prefix or "").strip("/")
        rule = "a folder such as 'studio/workspaces' (letters, digits, _ . - /)"
        check.matches("prefix", _FOLDER, rule, fix=f"try {stripped!r}" if stripped else "")
        check.whole_days("keep_old_versions")


# ---- the Studio


@value(kind="Studio")
class StudioSpec:
    """An EMR Studio, where people write and run notebooks.

    Args:
        name: Name of the Studio: 1 to 256 letters, digits, hyphens and underscores.
        auth: How people sign in. A change needs a new Studio.
        description: Text for users; at most 256 characters.
        git: Lets workspaces link Git repositories; True stands for ``GitAccess()``. Default False:
            workspaces reach only the endpoints that they are connected to.
        storage: Where the workspaces' files are stored.
        collaboration: Whether the service role may look up the users with whom a workspace is
            shared. EMR does not support it with trusted identity propagation. Default True.
        emr_on_eks: Whether workspaces use endpoints of EMR on EKS. It must be False in a Studio
            with trusted identity propagation, which EMR does not support there. Default True.
        tags: Tags of the Studio, in addition to those of its scope.
        rules_per_security_group: The account's quota of outbound rules for a security group,
            default 60. Each connected endpoint needs one rule.

    Raises:
        ConfigError: If EMR does not accept a name, text or tag, or trusted identity propagation is
            combined with EMR on EKS.

    Example:
        >>> StudioSpec(name="research", git=True).git_access.destinations
        ('0.0.0.0/0',)
    """

    name: str
    auth: StudioAuth = field(default_factory=IamAuth)
    description: str = ""
    git: GitAccess | bool = False
    storage: WorkspaceStorage = field(default_factory=WorkspaceStorage)
    collaboration: bool = True
    emr_on_eks: bool = True
    tags: Mapping[str, str] = field(default_factory=dict)
    rules_per_security_group: int = 60

    def _rules(self, check: Check) -> None:
        rule = f"1 to {_TEXT_LIMIT} letters, digits, '-' or '_'"
        proposal = re.sub(r"[^a-zA-Z0-9_-]+", "-", self.name)[:_TEXT_LIMIT].strip("-")
        check.matches("name", _NAME, rule, fix=f"try {proposal!r}" if proposal else "")
        check.length("description", 0, _TEXT_LIMIT)
        rule = (
            "must be False with trusted identity propagation: EMR attaches no EMR on EKS cluster "
            "to such a Studio"
        )
        fix = "set IdentityCenterAuth(trusted_identity_propagation=False)"
        holds = not (self.emr_on_eks and self.propagates_identity)
        check.require(holds, "emr_on_eks", rule, self.emr_on_eks, fix)
        self._check_tags(check)
        check.between("rules_per_security_group", _MIN_RULES, _MAX_RULES)

    @property
    def git_access(self) -> GitAccess | None:
        """The Git access of workspaces, or None without Git."""
        if isinstance(self.git, GitAccess):
            return self.git
        return GitAccess() if self.git else None

    @property
    def propagates_identity(self) -> bool:
        """Whether the Studio has trusted identity propagation."""
        auth = self.auth
        return isinstance(auth, IdentityCenterAuth) and auth.trusted_identity_propagation

    @property
    def collaborates(self) -> bool:
        """Whether users can share workspaces: requested, and supported by EMR."""
        return self.collaboration and not self.propagates_identity

    def _check_tags(self, check: Check) -> None:
        for key, text in self.tags.items():
            rule = "must have keys of 1 to 128 letters, digits, + - = . _ : / that are not 'aws:…'"
            check.require(_TAG_KEY.fullmatch(key) is not None, "tags", rule, key)
            rule = (
                f"must have 1 to {_TEXT_LIMIT} letters, digits, blanks, + - = . _ : / for {key!r}"
            )
            check.require(_TAG_VALUE.fullmatch(text) is not None, "tags", rule, text)


def _fits(text: str, pattern: re.Pattern[str]) -> bool:
    return has_token(text) or pattern.fullmatch(text) is not None
