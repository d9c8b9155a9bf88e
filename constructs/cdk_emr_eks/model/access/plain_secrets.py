"""Names that say a secret follows: its value would be in templates and outputs in clear."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from cdk_emr_eks.errors import ConfigProblem

INSTEAD: Final = "give the tenant the secret (TenantSecret) and read it when the job runs"

_SECRET: Final = re.compile(
    r"(secret|password|passwd|passphrase|token|credentials?|(access|secret|api)[._-]?key)$",
    re.IGNORECASE,
)
# They name a Kubernetes secret, and hold none.
_REFERENCES: Final = re.compile(r"spark\.kubernetes\.(driver|executor)\.(secrets|secretKeyRef)\..+")
_CONF: Final = re.compile(r"--conf(?:\s+|=)[\"']?(?P<key>[\w.-]+)=(?P<value>\S+)")


def names_secret(name: str) -> bool:
    """Tell whether a Spark property or a variable of that name holds a secret, by its last word."""
    return bool(_SECRET.search(name)) and not _REFERENCES.fullmatch(name)


def submitted_secrets(parameters: str, field: str) -> Iterator[ConfigProblem]:
    """Find secrets in parameters of ``spark-submit``.

    Args:
        parameters: Such as ``--conf spark.a=b``. A value that is a job template's ``${parameter}``
            is given when the job starts, and passes.
        field: Field of the problem, which never holds the value.
    """
    for found in _CONF.finditer(parameters):
        if names_secret(found["key"]) and not found["value"].startswith("${"):
            rule = "must not hold a secret, which everybody could read in the job template"
            yield ConfigProblem(field=field, rule=rule, got=found["key"], fix=INSTEAD)
