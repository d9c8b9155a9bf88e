"""ARNs of what is in the account and region that a stack is deployed to."""

from __future__ import annotations

from aws_cdk import Aws


def regional_arn(service: str, resource: str) -> str:
    """Return an ARN in the stack's own partition, region and account.

    Args:
        service: Service, such as ``logs``.
        resource: What comes after the account.
    """
    return f"arn:{Aws.PARTITION}:{service}:{Aws.REGION}:{Aws.ACCOUNT_ID}:{resource}"
