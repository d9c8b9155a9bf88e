"""Check every IAM statement of a template against AWS's own list of actions.

A misspelt action, a resource type that the action does not take or a condition key that its request
never carries is accepted by CloudFormation and grants nothing; ``*`` where the action could be
narrowed grants too much. Neither shows before something fails, or is abused, in an account.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from tests.static.arn_overlap import overlaps
from tests.static.service_data import Action, expand
from tests.static.statements import OPAQUE, Statement, statements

# Keys that every request carries, or that services set when they call for you.
# Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html
GLOBAL_KEYS: Final = frozenset(
    """
    aws:CalledVia aws:CalledViaFirst aws:CalledViaLast aws:CurrentTime aws:EpochTime
    aws:FederatedProvider aws:MultiFactorAuthAge aws:MultiFactorAuthPresent aws:PrincipalAccount
    aws:PrincipalArn aws:PrincipalIsAWSService aws:PrincipalOrgID aws:PrincipalOrgPaths
    aws:PrincipalServiceName aws:PrincipalServiceNamesList aws:PrincipalType aws:RequestedRegion
    aws:ResourceAccount aws:ResourceOrgID aws:ResourceOrgPaths aws:SecureTransport
    aws:SourceAccount aws:SourceArn aws:SourceIdentity aws:SourceIp aws:SourceOrgID
    aws:SourceOrgPaths aws:SourceVpc aws:SourceVpce aws:TokenIssueTime aws:UserAgent
    aws:ViaAWSService aws:VpcSourceIp aws:userid aws:username
    """.lower().split()
)
_GLOBAL_PREFIXES: Final = ("aws:principaltag/",)

# Documents whose Resource is the very resource that has them.
# Source: https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-overview.html
_SELF_TYPES: Final = ("AWS::KMS::Key", "AWS::EC2::VPCEndpoint")


@dataclass(frozen=True, kw_only=True, slots=True)
class IamReport:
    """What was found in one template.

    Attributes:
        problems: One sentence each.
        used: Exceptions that were needed: a table of exceptions can be checked for stale entries.
        actions: Actions granted.
    """

    problems: tuple[str, ...]
    used: frozenset[str]
    actions: frozenset[str]


def check_iam(template: Mapping[str, object], exceptions: Mapping[str, str]) -> IamReport:
    """Check every statement of a template.

    Args:
        template: The synthesized template.
        exceptions: Why a statement may have ``*`` as its resource though its actions could be
            narrowed: reason by the statement's Sid, or by ``service:Action``.
    """
    problems: list[str] = []
    used: set[str] = set()
    actions: set[str] = set()
    for statement in statements(template):
        name = f"{statement.where}, statement {statement.sid or '/'.join(statement.actions)}"
        found = _actions(statement)
        problems += [f"{name}: {text}" for text in _spelling(statement)]
        problems += [f"{name}: {text}" for text in _resources(statement, found)]
        problems += [f"{name}: {text}" for text in _keys(statement, found)]
        for text, excuses in _stars(statement, found):
            granted = excuses & exceptions.keys()
            used |= granted
            if not granted:
                problems.append(f"{name}: {text}")
        if statement.effect == "Allow":
            actions |= {action.name for action in found}
    return IamReport(problems=tuple(problems), used=frozenset(used), actions=frozenset(actions))


def _actions(statement: Statement) -> tuple[Action, ...]:
    return tuple(action for pattern in statement.actions for action in expand(pattern))


def _spelling(statement: Statement) -> Iterator[str]:
    for pattern in statement.actions:
        if pattern == "*":
            if statement.effect == "Allow":
                yield "grants every action of AWS"
        elif not expand(pattern):
            yield f"no action of AWS is called {pattern}"
    for text in statement.written:
        if re.match(r"arn:aws(-cn|-us-gov)?:", text):
            yield f"{text} names a partition; use the stack's"
    for key in statement.other:
        yield f"{key} is not used in this project: it grants what no list names"


def _takes_resources(statement: Statement) -> bool:
    # A trust policy has no Resource.
    return bool(statement.resources) and statement.resource_type not in _SELF_TYPES


def _resources(statement: Statement, actions: tuple[Action, ...]) -> Iterator[str]:
    """Yield actions and resources of one statement that have nothing to do with each other."""
    named = [r for r in statement.resources if r != "*"]
    if not _takes_resources(statement) or "*" in statement.resources:
        return
    if any(resource.startswith(OPAQUE) for resource in named):
        return
    exact = [a for pattern in statement.actions if "*" not in pattern for a in expand(pattern)]
    for action in exact:
        if not action.types:
            yield f"{action.name} cannot be narrowed to a resource, so {named} grants nothing"
        elif not any(overlaps(r, arn) for r in named for arn in action.types.values()):
            yield f"{action.name} takes {sorted(action.types)}, so {named} grants nothing"
    for resource in named:
        if actions and not any(overlaps(resource, t) for a in actions for t in a.types.values()):
            yield f"{resource} is no resource of any of its actions"


def _stars(
    statement: Statement, actions: tuple[Action, ...]
) -> Iterator[tuple[str, frozenset[str]]]:
    """Yield what has ``*`` though it could be narrowed, with the names that may excuse it."""
    if statement.effect != "Allow" or not _takes_resources(statement):
        return
    if "*" not in statement.resources:
        return
    for action in actions:
        if action.types:
            text = f"{action.name} can be narrowed to {sorted(action.types)}, but has '*'"
            yield text, frozenset({statement.sid, action.name})


def _keys(statement: Statement, actions: tuple[Action, ...]) -> Iterator[str]:
    """Yield condition keys that the request of an action never carries."""
    for operator, key in statement.conditions:
        lower = key.lower()
        if lower in GLOBAL_KEYS or lower.startswith(_GLOBAL_PREFIXES):
            continue
        if operator == "Null" or operator.endswith("IfExists") or operator.startswith("ForAll"):
            # True without the key: it need not be carried by each action, but by one.
            if actions and not any(_carries(a, statement, lower) for a in actions):
                yield f"no action of it carries the condition key {key}"
            continue
        if "sts:assumerolewithwebidentity" in (a.name.lower() for a in actions):
            # The keys of a token are named after its issuer.
            continue
        for pattern in statement.actions:
            # A pattern names more than is meant: one action that carries the key is enough.
            named = expand(pattern)
            if named and not any(_carries(action, statement, lower) for action in named):
                yield f"{pattern} does not carry the condition key {key}"


def _carries(action: Action, statement: Statement, key: str) -> bool:
    for kind, keys in action.keys.items():
        applies = (
            kind == ""
            or not statement.resources
            or any(
                resource == "*"
                or resource.startswith(OPAQUE)
                or overlaps(resource, action.types[kind])
                for resource in statement.resources
            )
        )
        if applies and any(_same_key(key, known.lower()) for known in keys):
            return True
    return False


def _same_key(key: str, known: str) -> bool:
    head, mark, _ = known.partition("${")
    return key.startswith(head) if mark else key == known
