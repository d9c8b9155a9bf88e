"""Studios: their options and defaults, and refused values."""

from __future__ import annotations

from datetime import timedelta

import pytest

from cdk_emr_eks.errors import ConfigError
from cdk_emr_eks.model.notebooks.studio import (
    AuthMode,
    GitAccess,
    GitSecrets,
    IamAuth,
    IdentityCenterAuth,
    SamlAuth,
    StudioSpec,
    UserAssignment,
    WorkspaceStorage,
    is_prefix_list,
    studio_auth,
)
from tests.refusals import Call, refuses

CENTER = "arn:aws-us-gov:sso:::instance/ssoins-1234567890abcdef"
PROVIDER = "arn:aws:iam::111122223333:saml-provider/company"
TOKEN = "${Token[TOKEN.7]}"


def test_a_studio_has_no_git_access_by_default() -> None:
    spec = StudioSpec(name="research")
    assert spec.git_access is None
    assert not spec.propagates_identity
    assert spec.auth.mode is AuthMode.IAM
    assert spec.storage.keep
    assert StudioSpec(name="a", git=GitAccess(destinations=("10.0.0.0/8",))).git_access == (
        GitAccess(destinations=("10.0.0.0/8",))
    )


def test_git_credentials_belong_to_each_user_by_default() -> None:
    open_git = StudioSpec(name="a", git=True).git_access
    assert open_git is not None
    assert open_git.secrets is GitSecrets.USER
    assert open_git.destinations == ("0.0.0.0/0",)


def test_a_studio_with_propagation_has_neither_eks_nor_collaboration() -> None:
    auth = IdentityCenterAuth(instance_arn=CENTER, trusted_identity_propagation=True)
    with pytest.raises(ConfigError) as error:
        StudioSpec(name="a", auth=auth)
    assert error.value.fields == ("emr_on_eks",)
    assert "EMR attaches no EMR on EKS cluster" in str(error.value)
    assert not StudioSpec(name="a", auth=auth, emr_on_eks=False).collaborates
    assert StudioSpec(name="a").collaborates
    assert not StudioSpec(name="a", collaboration=False).collaborates


def test_sign_in_modes_by_name_give_the_same_values() -> None:
    assert studio_auth("IAM") == IamAuth()
    assert studio_auth(AuthMode.SSO, instance_arn=CENTER) == IdentityCenterAuth(
        instance_arn=CENTER, user_assignment=UserAssignment.REQUIRED
    )
    federated = studio_auth(
        "IAM_FEDERATED",
        idp_arn=PROVIDER,
        idp_auth_url="https://idp.example.com",
        idp_relay_state_parameter="TargetResource",
    )
    assert federated == SamlAuth(
        provider_arn=PROVIDER,
        idp_auth_url="https://idp.example.com",
        relay_state_parameter="TargetResource",
    )
    assert [each.mode.value for each in (IamAuth(), federated)] == ["IAM", "IAM_FEDERATED"]


def test_tokens_pass_as_arns_urls_and_prefix_lists() -> None:
    assert SamlAuth(provider_arn=TOKEN, idp_auth_url=TOKEN).provider_arn == TOKEN
    assert IdentityCenterAuth(instance_arn=TOKEN).instance_arn == TOKEN
    assert is_prefix_list(GitAccess(destinations=(TOKEN,)).destinations[0])


INVALID: dict[str, tuple[Call, str, str]] = {
    "empty name": (lambda: StudioSpec(name=""), "name", "must be 1 to 256"),
    "name with a blank": (lambda: StudioSpec(name="My Studio"), "name", "try 'My-Studio'"),
    "long name": (lambda: StudioSpec(name="a" * 257), "name", "must be 1 to 256"),
    "token as name": (lambda: StudioSpec(name=TOKEN), "name", "must be 1 to 256"),
    "long description": (
        lambda: StudioSpec(name="a", description="b" * 257),
        "description",
        "at most 256",
    ),
    "tag of AWS": (lambda: StudioSpec(name="a", tags={"aws:x": "y"}), "tags", "not 'aws:…'"),
    "tag with a blank": (lambda: StudioSpec(name="a", tags={"cost center": "y"}), "tags", "keys"),
    "empty tag": (lambda: StudioSpec(name="a", tags={"x": ""}), "tags", "for 'x'"),
    "quota": (
        lambda: StudioSpec(name="a", rules_per_security_group=1001),
        "rules_per_security_group",
        "must be from 2 to 1000",
    ),
    "auth as text": (
        lambda: StudioSpec(name="a", auth="SSO"),  # type: ignore[arg-type]
        "auth",
        "must be IamAuth or SamlAuth or IdentityCenterAuth",
    ),
    "git as text": (
        lambda: StudioSpec(name="a", git="github.com"),  # type: ignore[arg-type]
        "git",
        "must be GitAccess or True or False",
    ),
    "unknown mode": (
        lambda: studio_auth("LDAP"),
        "auth_mode",
        "must be one of IAM, IAM_FEDERATED, SSO, got 'LDAP'",
    ),
    "mode in small letters": (lambda: studio_auth("sso"), "auth_mode", "write 'SSO'"),
    "SSO without instance": (
        lambda: studio_auth("SSO"),
        "instance_arn",
        "is needed by auth_mode 'SSO'",
    ),
    "federation without provider": (
        lambda: studio_auth("IAM_FEDERATED", idp_auth_url="https://idp.example.com"),
        "idp_arn",
        "is needed by auth_mode 'IAM_FEDERATED'",
    ),
    "IAM with a provider": (
        lambda: studio_auth("IAM", idp_arn=PROVIDER),
        "idp_arn",
        "of no use with auth_mode 'IAM'",
    ),
    "SSO with a URL": (
        lambda: studio_auth("SSO", instance_arn=CENTER, idp_auth_url="https://x.example.com"),
        "idp_auth_url",
        "of no use with auth_mode 'SSO'",
    ),
    "role as provider": (
        lambda: SamlAuth(provider_arn="arn:aws:iam::111122223333:role/company"),
        "provider_arn",
        "must be the ARN of a SAML provider",
    ),
    "URL without TLS": (
        lambda: SamlAuth(provider_arn=PROVIDER, idp_auth_url="http://idp.example.com"),
        "idp_auth_url",
        "must be an https:// URL",
    ),
    "empty relay state": (
        lambda: SamlAuth(provider_arn=PROVIDER, relay_state_parameter=""),
        "relay_state_parameter",
        "1 to 256",
    ),
    "directory as instance": (
        lambda: IdentityCenterAuth(instance_arn="d-1234567890"),
        "instance_arn",
        "must be the ARN of an Identity Center instance",
    ),
    "Git nowhere": (lambda: GitAccess(destinations=()), "destinations", "must not be empty"),
    "Git by name": (lambda: GitAccess(destinations=("github.com",)), "destinations", "blocks"),
    "Git twice": (
        lambda: GitAccess(destinations=("10.0.0.0/8", "10.0.0.0/8")),
        "destinations",
        "must not repeat",
    ),
    "Git at a host": (
        lambda: GitAccess(destinations=("10.1.2.3/16",)),
        "destinations",
        "try '10.1.0.0/16'",
    ),
    "prefix with slashes": (
        lambda: WorkspaceStorage(prefix="/studio/"),
        "prefix",
        "try 'studio'",
    ),
    "prefix that IAM reads as a pattern": (
        lambda: WorkspaceStorage(prefix="studio/*"),
        "prefix",
        "must be a folder",
    ),
    "half a day": (
        lambda: WorkspaceStorage(keep_old_versions=timedelta(hours=36)),
        "keep_old_versions",
        "whole days",
    ),
}


@pytest.mark.parametrize(("call", "field", "words"), INVALID.values(), ids=INVALID)
def test_invalid_values_are_refused(call: Call, field: str, words: str) -> None:
    refuses(call, field, words)
