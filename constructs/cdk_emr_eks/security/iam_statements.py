"""IAM policy statements as plain values, without the CDK."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

# Characters of a managed policy, without white space.
# Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
MAX_POLICY_CHARACTERS: Final = 6_144

Statement = dict[str, object]
Document = Mapping[str, object]


def allow(
    sid: str,
    actions: str | Sequence[str],
    resources: str | Sequence[str],
    condition: Mapping[str, object] | None = None,
) -> Statement:
    """Return a statement that allows actions on resources.

    Args:
        sid: Its name within the policy.
        actions: One action, or several; a list with one action stays a list.
        resources: ARNs, or ``*`` for actions that have no resource.
        condition: Keys and values by operator. None: no condition.
    """
    statement: Statement = {
        "Sid": sid,
        "Effect": "Allow",
        "Action": actions if isinstance(actions, str) else list(actions),
        "Resource": resources if isinstance(resources, str) else list(resources),
    }
    return {**statement, "Condition": dict(condition)} if condition else statement


def deny_http(queue_arn: str) -> Statement:
    """Return the statement of a queue's policy that refuses requests without TLS."""
    return {
        "Sid": "DenyHTTP",
        "Effect": "Deny",
        "Principal": "*",
        "Action": "sqs:*",
        "Resource": queue_arn,
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }
