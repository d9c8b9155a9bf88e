"""Policies of notebook users keep to IAM's sizes, and lose nothing when they are split."""

from __future__ import annotations

import json
from typing import Any

import pytest

from cdk_emr_eks.errors import ConfigError
from cdk_emr_eks.model.notebooks.notebook_user import IdentityType, NotebookUser
from cdk_emr_eks.model.notebooks.studio import IdentityCenterAuth, StudioSpec
from cdk_emr_eks.notebooks.user_policies import (
    MAX_POLICIES,
    EndpointAccess,
    documents,
    endpoints,
    size,
)
from cdk_emr_eks.security.iam_statements import MAX_POLICY_CHARACTERS
from tests.synth.platforms.notebook_app import INSTANCE, Parts, endpoint, user


def access(number: int, *, role: int | None = None) -> EndpointAccess:
    return EndpointAccess(
        arn=f"${{Token[TOKEN.{number}]}}",
        virtual_cluster_arn=f"${{Token[TOKEN.{1000 + number}]}}",
        role_arn=f"${{Token[TOKEN.{2000 + (number if role is None else role)}]}}",
    )


@pytest.mark.parametrize("role", [None, 1])
def test_many_endpoints_are_split_over_policies_and_none_is_lost(role: int | None) -> None:
    wanted = [access(number, role=role) for number in range(60)]
    written = documents(endpoints(wanted))
    assert 1 < len(written) <= MAX_POLICIES
    named: list[str] = []
    for document in written:
        statements: Any = document["Statement"]
        assert size(statements) <= MAX_POLICY_CHARACTERS
        assert len({each["Sid"] for each in statements}) == len(statements)
        for each in statements:
            if str(each["Sid"]).startswith("Endpoints"):
                named += each["Resource"]
    assert named == [each.arn for each in wanted]


def test_the_size_counted_is_never_less_than_iams() -> None:
    # With the longest partition, region and ids that AWS has, written out as they are deployed.
    longest = {
        "AWS::Partition": "aws-us-gov",
        "AWS::Region": "ap-southeast-1",
        "AWS::AccountId": "111122223333",
    }

    def deployed(value: Any) -> Any:
        match value:
            case {"Ref": str(name)}:
                return longest[name]
            case {"Fn::GetAtt": [str(), "Arn"]}:
                base = "arn:aws-us-gov:emr-containers:ap-southeast-1:111122223333"
                return f"{base}:/virtualclusters/{'v' * 64}/endpoints/{'e' * 64}"
            case {"Fn::Join": ["", list(parts)]}:
                return "".join(deployed(part) for part in parts)
            case dict():
                return {key: deployed(item) for key, item in value.items()}
            case list():
                return [deployed(item) for item in value]
        return value

    parts = Parts(studio_name=None, studio=StudioSpec(name="research", git=True))
    many = [endpoint(f"e{n}", namespace=f"n{n}") for n in range(12)]
    parts.platform.add_user(user("ann", *many, collaboration=True))
    policies = parts.resources("AWS::IAM::ManagedPolicy")
    assert len(policies) > 1
    for policy in policies:
        text = json.dumps(deployed(policy["PolicyDocument"]), separators=(",", ":"))
        assert len(text) <= MAX_POLICY_CHARACTERS
        assert policy["Users"] == ["ann"]


@pytest.mark.parametrize(
    ("apart", "git", "most"),
    [(True, False, 5), (True, True, 4), (False, False, 17), (False, True, 12)],
)
def test_identity_center_takes_one_session_policy_for_a_user(
    *, apart: bool, git: bool, most: int
) -> None:
    # The figures of docs/how-to/notebook-users.md.
    auth = IdentityCenterAuth(instance_arn=INSTANCE)
    parts = Parts(studio_name=None, studio=StudioSpec(name="research", auth=auth, git=git))

    def ann(count: int) -> NotebookUser:
        names = [f"e{number}" for number in range(count)]
        many = [endpoint(each, namespace=each if apart else None) for each in names]
        return user("ann", *many, identity_type=IdentityType.USER)

    parts.platform.check_users([ann(most)])
    said = f"must fit 1 managed policy of {MAX_POLICY_CHARACTERS} characters, got {most + 1}"
    with pytest.raises(ConfigError, match=said):
        parts.platform.check_users([ann(most + 1)])


def test_more_endpoints_than_iam_attaches_policies_are_refused() -> None:
    parts = Parts(
        studio_name=None, studio=StudioSpec(name="research", rules_per_security_group=200)
    )
    before = parts.made()
    many = [endpoint(f"e{n}", namespace=f"n{n}") for n in range(110)]
    said = (
        f"must fit {MAX_POLICIES} managed policies of {MAX_POLICY_CHARACTERS} characters, got 110"
    )
    with pytest.raises(ConfigError, match=said):
        parts.platform.add_user(user("ann", *many))
    assert parts.made() == before
