"""The rights of the deploy policy are held against CloudFormation's published handlers."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from typing import Any

import pytest
from policy_sentry.querying.actions import get_actions_for_service

from cdk_emr_eks.deploy_policy.grants import matches
from cdk_emr_eks.deploy_policy.narrowing import NARROWINGS, WITHOUT_RIGHTS
from cdk_emr_eks.deploy_policy.rights import PASS_ROLE, handler_actions
from tests.contract import refresh_handlers

# CloudFormation publishes no handlers for these, so their actions are from the service's guide.
WITHOUT_HANDLERS = {"AWS::CodeBuild::Project"}
# Names that CloudFormation generates: no property holds them.
GENERATED = {"AWS::CloudFormation::Stack": {"StackName"}, "AWS::SQS::QueuePolicy": {"QueueName"}}
# A role is passed only where one is used: the schema does not say which property holds it.
ROLE_IN_A_FEATURE = {"AWS::S3::Bucket", "AWS::ECR::PullThroughCacheRule"}


@cache
def schemas() -> Mapping[str, Mapping[str, Any]]:
    return {schema["typeName"]: schema for schema in refresh_handlers.schemas()}


def test_the_data_is_that_of_the_installed_schemas() -> None:
    """After an upgrade of cfn-lint: `make refresh-handlers`, then read the diff."""
    assert refresh_handlers.DATA.read_text() == refresh_handlers.render()


def test_the_data_covers_nearly_every_type() -> None:
    known = {kind for kind in schemas() if handler_actions(kind)}
    assert len(known) > 1_500
    assert {kind for kind in known if not kind.startswith("AWS::")} == set()


def test_every_narrowed_type_has_handlers() -> None:
    assert {kind for kind in NARROWINGS if not handler_actions(kind)} == WITHOUT_HANDLERS
    assert not any(handler_actions(kind) for kind in WITHOUT_RIGHTS)


@pytest.mark.parametrize("kind", sorted(NARROWINGS))
def test_every_pattern_of_a_narrowing_names_an_action(kind: str) -> None:
    """A pattern that names no action is a misspelling, or what the publisher took away."""
    narrowing = NARROWINGS[kind]
    added = {action for text in narrowing.added.values() for action in text.split()}
    assert not added & handler_actions(kind)
    known = {*handler_actions(kind), *added}
    texts = [
        *(grant.actions for grant in narrowing.grants),
        *narrowing.only_with.values(),
        *narrowing.omitted.values(),
    ]
    patterns = {pattern for text in texts for pattern in text.split()}
    assert {p for p in patterns if not any(matches(action, p) for action in known)} == set()


@pytest.mark.parametrize("kind", sorted(NARROWINGS))
def test_every_property_of_a_narrowing_exists(kind: str) -> None:
    narrowing = NARROWINGS[kind]
    texts = " ".join([narrowing.rest, *(grant.resource for grant in narrowing.grants)])
    names = set(re.findall(r"\$\{([A-Z]\w*)[\w.]*\}", texts.replace("${AWS::", "")))
    for text in (*narrowing.only_with, *narrowing.passed_to):
        names |= {name.partition(".")[0] for name in text.split()}
    assert names - set(schemas()[kind]["properties"]) == GENERATED.get(kind, set())


@pytest.mark.parametrize("kind", sorted(NARROWINGS))
def test_every_granted_action_exists(kind: str) -> None:
    narrowing = NARROWINGS[kind]
    texts = [*narrowing.added.values(), *(grant.actions for grant in narrowing.grants)]
    actions = {action for text in texts for action in text.split() if "*" not in action}
    for service in {action.partition(":")[0] for action in actions}:
        known = set(get_actions_for_service(service))
        assert {each for each in actions if each.startswith(f"{service}:")} <= known


def test_roles_are_passed_where_handlers_pass_them() -> None:
    passing = {kind for kind in NARROWINGS if PASS_ROLE in handler_actions(kind)}
    said = {
        kind
        for kind, narrowing in NARROWINGS.items()
        if narrowing.passed_to
        or any(PASS_ROLE in grant.actions.split() for grant in narrowing.grants)
    }
    assert passing - said == ROLE_IN_A_FEATURE
    assert said - passing == WITHOUT_HANDLERS
