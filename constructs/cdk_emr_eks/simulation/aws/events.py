"""Check whether a queue allows EventBridge to send. Moto delivers without this check."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from cdk_emr_eks.assembly.paths import mapping, text

if TYPE_CHECKING:
    from botocore.client import BaseClient

_EVENTS = "events.amazonaws.com"


def close_refused_targets(events: BaseClient, queues: BaseClient) -> tuple[str, ...]:
    """Remove the targets that the policy of their queue refuses, and return their names.

    In AWS, delivery to such a target fails, and only a metric shows it.

    Source: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-use-resource-based.html
    """
    refused: list[str] = []
    policies: dict[str, Mapping[str, object]] = {}
    for rule in events.list_rules()["Rules"]:
        targets = events.list_targets_by_rule(Rule=rule["Name"])["Targets"]
        for target in targets:
            arn = str(target["Arn"])
            if ":sqs:" not in arn:
                continue
            if arn not in policies:
                policies[arn] = _policy(queues, arn)
            if not admits(policies[arn], queue=arn, rule=str(rule["Arn"])):
                events.remove_targets(Rule=rule["Name"], Ids=[target["Id"]])
                refused.append(f"{rule['Name']} -> {arn.rpartition(':')[2]}")
    return tuple(refused)


def admits(policy: Mapping[str, object], *, queue: str, rule: str) -> bool:
    """Return whether the policy of a queue allows EventBridge to send for a rule.

    The request has the ARN and the account of the source, and TLS. A condition on another key is
    not met, neither in a statement that allows nor in one that denies, since EventBridge's delivery
    has no such key.
    """
    account = rule.split(":")[4]
    facts = {"aws:sourcearn": rule, "aws:sourceaccount": account, "aws:securetransport": "true"}
    matching = [
        str(statement.get("Effect"))
        for statement in _items(policy.get("Statement"))
        if isinstance(statement, Mapping)
        and _principal(statement.get("Principal"))
        and _any("sqs:SendMessage".lower(), statement.get("Action"))
        and _any(queue.lower(), statement.get("Resource"))
        and _conditions(statement.get("Condition"), facts)
    ]
    return "Allow" in matching and "Deny" not in matching


def _policy(queues: BaseClient, arn: str) -> Mapping[str, object]:
    url = queues.get_queue_url(QueueName=arn.rpartition(":")[2])["QueueUrl"]
    answer = queues.get_queue_attributes(QueueUrl=url, AttributeNames=["Policy"])
    return mapping(json.loads(text(answer, "Attributes", "Policy") or "{}"))


def _principal(principal: object) -> bool:
    if principal == "*":
        return True
    services = _items(mapping(principal).get("Service"))
    return _EVENTS in services or "*" in _items(mapping(principal).get("AWS"))


def _any(value: str, patterns: object) -> bool:
    return any(fnmatchcase(value, str(pattern).lower()) for pattern in _items(patterns))


def _conditions(conditions: object, facts: Mapping[str, str]) -> bool:
    return all(
        key.lower() in facts and _met(operator, facts[key.lower()], wanted)
        for operator, keys in mapping(conditions).items()
        for key, wanted in mapping(keys).items()
    )


def _met(operator: str, fact: str, wanted: object) -> bool:
    values = [str(item) for item in _items(wanted)]
    match operator:
        case "StringEquals" | "Bool":
            return fact in values
        case "ArnEquals" | "ArnLike" | "StringLike":
            # For ARNs, both operators are the same.
            return any(fnmatchcase(fact, value) for value in values)
    return False


def _items(value: object) -> Iterator[object]:
    if isinstance(value, list):
        yield from value
    elif value is not None:
        yield value
