"""Secrets that a tenant's jobs read from Secrets Manager at run time."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from cdk_emr_eks.errors import ConfigProblem, Problems
from cdk_emr_eks.field_types import check_types
from cdk_emr_eks.model.access.execution_role import ExecutionRoleSpec, IamPermission
from cdk_emr_eks.tokens import is_arn

_NAME: Final = re.compile(r"[A-Za-z0-9/_+=.@-]{1,512}")
_ARN: Final = "arn:${AWS::Partition}:secretsmanager:${AWS::Region}:${AWS::AccountId}:secret:"
_SUFFIX: Final = "-??????"


@dataclass(frozen=True, kw_only=True, slots=True)
class TenantSecret:
    """A secret of Secrets Manager, in the account and region of the tenant, for one tenant alone.

    Its execution roles may read it, by EKS Pod Identity or IRSA: jobs call ``GetSecretValue`` when
    they run. Nothing of its value is in templates, pod templates, environments or on disks, and no
    driver for volumes runs on the nodes.

    Args:
        name: Name of the secret in Secrets Manager, such as ``analytics/warehouse``.
        kms_key_arn: ARN of the key of your own that encrypts it; a token passes. None: Secrets
            Manager's ``aws/secretsmanager``, which needs no right.
        roles: Names of the tenant's execution roles that may read it. Empty: all of them.

    Raises:
        ConfigError: If the name is none of Secrets Manager's, or the key is not told by its ARN.

    Source: https://docs.aws.amazon.com/secretsmanager/latest/userguide/auth-and-access_iam-policies.html
    """

    name: str
    kms_key_arn: str | None = None
    roles: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        where = f"Secret {self.name!r}"
        check_types(where, self)
        problems = Problems(where)
        rule = "must be the name of a secret (letters, digits and /_+=.@-, at most 512), not an ARN"
        problems.require(bool(_NAME.fullmatch(self.name)), "name", rule, self.name)
        key = self.kms_key_arn
        holds = key is None or is_arn(key)
        problems.require(holds, "kms_key_arn", "must be the ARN of a key, or a token", key)
        problems.raise_if_any()

    def permissions(self) -> tuple[IamPermission, ...]:
        """Return what a role needs to read the secret."""
        # Secrets Manager ends ARNs with a hyphen and six characters of its own choice; six of them
        # match no secret of another name.
        arn = f"{_ARN}{self.name}{_SUFFIX}"
        read = IamPermission(actions=("secretsmanager:GetSecretValue",), resources=(arn,))
        if self.kms_key_arn is None:
            return (read,)
        # The key may encrypt the secrets of others as well.
        only = {"StringLike": {"kms:EncryptionContext:SecretARN": arn}}
        resources = (self.kms_key_arn,)
        return (read, IamPermission(actions=("kms:Decrypt",), resources=resources, conditions=only))

    def is_for(self, role: ExecutionRoleSpec) -> bool:
        """Tell whether an execution role may read the secret."""
        return not self.roles or role.name in self.roles


def with_secrets(role: ExecutionRoleSpec, secrets: Sequence[TenantSecret]) -> ExecutionRoleSpec:
    """Return an execution role that may read those of its tenant's secrets that are for it."""
    more = [each for secret in secrets if secret.is_for(role) for each in secret.permissions()]
    return replace(role, permissions=(*role.permissions, *more)) if more else role


def secret_problems(
    secrets: Sequence[TenantSecret], roles: Sequence[str]
) -> tuple[ConfigProblem, ...]:
    """Check the secrets of a tenant against the names of the execution roles that it was given."""
    names = [secret.name for secret in secrets]
    found = [
        ConfigProblem(field="secrets", rule="must have each secret once", got=name)
        for name in sorted({name for name in names if names.count(name) > 1})
    ]
    known = ", ".join(roles) or "none is given"
    for secret in secrets:
        for role in secret.roles:
            if role not in roles:
                rule = f"must be for execution roles of the tenant ({known})"
                found.append(ConfigProblem(field="secrets", rule=rule, got=role))
    return tuple(found)
