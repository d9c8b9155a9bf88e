"""Secrets of a tenant: read from Secrets Manager at run time, never given as plain text."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Final

from cdk_emr_eks.checks import Check
from cdk_emr_eks.errors import ConfigProblem
from cdk_emr_eks.model.access.execution_role import ExecutionRoleSpec, IamPermission
from cdk_emr_eks.values import value

INSTEAD: Final = "give the tenant the secret (TenantSecret) and read it when the job runs"

_NAME: Final = re.compile(r"[A-Za-z0-9/_+=.@-]{1,512}")
_ARN: Final = "arn:${AWS::Partition}:secretsmanager:${AWS::Region}:${AWS::AccountId}:secret:"

# Secrets Manager ends ARNs with a hyphen and six random characters. A pattern of exactly six
# characters matches no secret with another name.
_SUFFIX: Final = "-??????"

# Last words of property names whose value is a secret.
_SECRET: Final = re.compile(
    r"(secret|password|passwd|passphrase|token|credentials?|(access|secret|api)[._-]?key)$",
    re.IGNORECASE,
)

# Properties that name a Kubernetes secret and do not contain its value.
_REFERENCES: Final = re.compile(r"spark\.kubernetes\.(driver|executor)\.(secrets|secretKeyRef)\..+")
_CONF: Final = re.compile(r"--conf(?:\s+|=)[\"']?(?P<key>[\w.-]+)=(?P<value>\S+)")


@value(kind="Secret")
class TenantSecret:
    """A secret of Secrets Manager that only one tenant can read.

    The secret is in the account and region of the tenant. The tenant's execution roles may read it,
    by EKS Pod Identity or IRSA: jobs call ``GetSecretValue`` when they run. Its value is never in
    templates, pod templates, environment variables or on disks, and the nodes run no driver for
    secret volumes.

    Args:
        name: Name of the secret in Secrets Manager, such as ``analytics/warehouse``.
        kms_key_arn: ARN of the customer managed key that encrypts it; a token passes. None: Secrets
            Manager's ``aws/secretsmanager``, which needs no permission.
        roles: Names of the tenant's execution roles that may read it. Empty: all of them.

    Raises:
        ConfigError: If the name is not a name of Secrets Manager, or the key is not an ARN.

    Source: https://docs.aws.amazon.com/secretsmanager/latest/userguide/auth-and-access_iam-policies.html
    """

    name: str
    kms_key_arn: str | None = None
    roles: tuple[str, ...] = ()

    def _rules(self, check: Check) -> None:
        rule = "the name of a secret (letters, digits and /_+=.@-, at most 512), not an ARN"
        check.matches("name", _NAME, rule)
        check.arn("kms_key_arn", "the ARN of a key, or a token")

    def permissions(self) -> tuple[IamPermission, ...]:
        """Return the permissions to read the secret."""
        arn = f"{_ARN}{self.name}{_SUFFIX}"
        read = IamPermission(actions=("secretsmanager:GetSecretValue",), resources=(arn,))
        if self.kms_key_arn is None:
            return (read,)
        # The key may encrypt other secrets, too.
        only = {"StringLike": {"kms:EncryptionContext:SecretARN": arn}}
        resources = (self.kms_key_arn,)
        return (read, IamPermission(actions=("kms:Decrypt",), resources=resources, conditions=only))

    def is_for(self, role: ExecutionRoleSpec) -> bool:
        """Return whether an execution role may read the secret."""
        return not self.roles or role.name in self.roles


def with_secrets(role: ExecutionRoleSpec, secrets: Sequence[TenantSecret]) -> ExecutionRoleSpec:
    """Return an execution role with the permissions to read its secrets of the tenant."""
    more = [each for secret in secrets if secret.is_for(role) for each in secret.permissions()]
    return replace(role, permissions=(*role.permissions, *more)) if more else role


def secret_problems(
    secrets: Sequence[TenantSecret], roles: Sequence[str]
) -> tuple[ConfigProblem, ...]:
    """Check the secrets of a tenant against the names of its execution roles."""
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


def is_secret_name(name: str) -> bool:
    """Return whether a Spark property or a variable of that name holds a secret."""
    return bool(_SECRET.search(name)) and not _REFERENCES.fullmatch(name)


def plain_secret_problems(field: str, parameters: str) -> Iterator[ConfigProblem]:
    """Find secrets in the parameters of ``spark-submit``.

    Args:
        field: Field of the problem. A problem never contains the secret's value.
        parameters: Such as ``--conf spark.a=b``. The ``${parameter}`` of a job template passes,
            since its value is given when the job starts.
    """
    for found in _CONF.finditer(parameters):
        if is_secret_name(found["key"]) and not found["value"].startswith("${"):
            rule = "must not hold a secret, which all readers of the job template could see"
            yield ConfigProblem(field=field, rule=rule, got=found["key"], fix=INSTEAD)
