"""Rules of AWS and Kubernetes for names, checked before deployment; and EMR's base36.

Each function returns the problems of a name, or an empty tuple.
"""

from __future__ import annotations

import re
from typing import Final

from cdk_emr_eks.errors import ConfigProblem
from cdk_emr_eks.tokens import has_token

_DNS_LABEL: Final = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?")
_ROLE_NAME: Final = re.compile(r"[\w+=,.@-]+", re.ASCII)
_EMR_NAME: Final = re.compile(r"[.\-_/#A-Za-z0-9]+")
_CLUSTER_NAME: Final = re.compile(r"[0-9A-Za-z][A-Za-z0-9\-_]*")
_BASE36: Final = "0123456789abcdefghijklmnopqrstuvwxyz"

# Namespaces that no tenant can have: they contain objects of other parties.
CONFUSABLE_NAMESPACES: Final = frozenset(
    {"kube-system", "kube-public", "kube-node-lease", "default"}
)

# Namespace in which EMR runs the router of all Spark Connect endpoints of a cluster.
# Source: https://docs.aws.amazon.com/emr/latest/EMR-on-EKS-DevelopmentGuide/emr-eks-spark-connect.html
ROUTER_NAMESPACE: Final = "spark-connect-router"


def dns_label(field: str, value: str, *, limit: int = 63) -> tuple[ConfigProblem, ...]:
    """Check a DNS label: lower-case letters, digits and hyphens, at most ``limit`` long.

    Source: https://kubernetes.io/docs/concepts/overview/working-with-objects/names/
    """
    rule = f"must be a DNS label (a-z, 0-9, '-', at most {limit} characters)"
    if not isinstance(value, str):
        return (ConfigProblem(field=field, rule=rule, got=value),)
    if has_token(value):
        return (ConfigProblem(field=field, rule="must be known at synth, not a token", got=value),)
    if len(value) <= limit and _DNS_LABEL.fullmatch(value):
        return ()
    proposal = re.sub(r"[^a-z0-9]+", "-", value.lower())[:limit].strip("-")
    fix = f"try {proposal!r}" if proposal else ""
    return (ConfigProblem(field=field, rule=rule, got=value, fix=fix),)


def namespace_problems(field: str, value: str) -> tuple[ConfigProblem, ...]:
    """Check a tenant's namespace: a DNS label, and no namespace with objects of other parties."""
    problems = dns_label(field, value)
    if not problems and value in CONFUSABLE_NAMESPACES:
        rule = "must not be one of Kubernetes' own namespaces"
        problems = (ConfigProblem(field=field, rule=rule, got=value),)
    if not problems and value == ROUTER_NAMESPACE:
        rule = "must not be the namespace of EMR's Spark Connect router"
        problems = (ConfigProblem(field=field, rule=rule, got=value),)
    return problems


def role_name(field: str, value: str) -> tuple[ConfigProblem, ...]:
    """Check an IAM role name that EMR will encode: literal, 1 to 64 characters.

    Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
    """
    return _literal(field, value, _ROLE_NAME, 64, "an IAM role name (letters, digits, _+=,.@-)")


def emr_name(field: str, value: str) -> tuple[ConfigProblem, ...]:
    """Check the name of a virtual cluster, job template or job: 1 to 64 characters.

    Source: https://docs.aws.amazon.com/emr-on-eks/latest/APIReference/API_CreateVirtualCluster.html
    """
    return _literal(field, value, _EMR_NAME, 64, "an EMR name (letters, digits, . - _ / #)")


def cluster_name(field: str, value: str) -> tuple[ConfigProblem, ...]:
    """Check an EKS cluster name: literal, 1 to 100 letters, digits, hyphens, underscores.

    It must be a literal, since Karpenter's IAM policies have it in condition keys.

    Source: https://docs.aws.amazon.com/eks/latest/APIReference/API_CreateCluster.html
    """
    return _literal(field, value, _CLUSTER_NAME, 100, "an EKS cluster name (letters, digits, - _)")


def base36(name: str) -> str:
    """Encode a role name as EMR does in the names of service accounts.

    The bytes of the name are one big-endian number, written with the digits 0-9a-z.

    Source: https://github.com/aws/aws-cli/blob/v2/awscli/customizations/emrcontainers/base36.py
    """
    number = int.from_bytes(name.encode(), "big")
    digits = ""
    while number:
        number, remainder = divmod(number, 36)
        digits = _BASE36[remainder] + digits
    return digits or "0"


def _literal(
    field: str, value: str, pattern: re.Pattern[str], limit: int, what: str
) -> tuple[ConfigProblem, ...]:
    if not isinstance(value, str):
        return (ConfigProblem(field=field, rule=f"must be {what}", got=value),)
    if has_token(value):
        return (ConfigProblem(field=field, rule="must be known at synth, not a token", got=value),)
    if 1 <= len(value) <= limit and pattern.fullmatch(value):
        return ()
    return (
        ConfigProblem(field=field, rule=f"must be {what} of 1 to {limit} characters", got=value),
    )
