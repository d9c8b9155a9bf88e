"""Deploy rights for users of notebooks: the app's policies, attached to the app's users only."""

from __future__ import annotations

from functools import cache

import pytest

from tests.synth.deploy_policy.deploy_app import Statement, statements_of
from tests.synth.iam_decisions import Request, allows
from tests.synth.platforms.notebook_app import notebooks

IAM = "arn:aws:iam::111122223333"
OWN = f"{IAM}:policy/Iam-NotebooksIamUserannPolicy56FF79E0-ABC"


@cache
def statements() -> list[Statement]:
    return statements_of(notebooks().folder)


def may(action: str, resource: str, policy: str = OWN) -> bool:
    keys = {"iam:PolicyARN": policy}
    return allows(statements(), Request(action=action, resource=resource, keys=keys))


@pytest.mark.parametrize("verb", ["Attach", "Detach"])
def test_the_users_of_the_app_get_its_policies(verb: str) -> None:
    for noun, name in (("User", "ann"), ("Group", "analysts"), ("Role", "Partner")):
        action = f"iam:{verb}{noun}Policy"
        assert may(action, f"{IAM}:{noun.lower()}/{name}")
        assert may(action, f"{IAM}:{noun.lower()}/people/{name}")
        if noun != "Role":  # The app's own roles are many.
            assert not may(action, f"{IAM}:{noun.lower()}/admin")
            assert not may(action, f"{IAM}:{noun.lower()}/{name}-2")


def test_policies_of_others_are_attached_to_no_one() -> None:
    admin = "arn:aws:iam::aws:policy/AdministratorAccess"
    assert not may("iam:AttachUserPolicy", f"{IAM}:user/ann", admin)
    assert not may("iam:AttachGroupPolicy", f"{IAM}:group/analysts", admin)
    assert not may("iam:AttachRolePolicy", f"{IAM}:role/Partner", admin)


def test_people_of_identity_center_can_be_assigned() -> None:
    studio = "arn:aws:elasticmapreduce:eu-west-1:111122223333:studio/es-1"
    assert may("elasticmapreduce:CreateStudioSessionMapping", studio)
    other = "arn:aws:elasticmapreduce:us-east-1:111122223333:studio/es-1"
    assert not may("elasticmapreduce:CreateStudioSessionMapping", other)
