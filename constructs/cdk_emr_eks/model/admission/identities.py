"""Who asks the API server in a tenant's namespace, in terms of CEL.

EMR's service accounts end with the account and the role's name in base36, so two of them with one
end belong to one execution role. That is what keeps the roles of a namespace apart.

Source: https://docs.aws.amazon.com/emr/latest/EMR-on-EKS-DevelopmentGuide/iam-execution-role.html
"""

from __future__ import annotations

from typing import Final

from cdk_emr_eks.model.admission.tenant_values import (
    CONTROLLERS,
    SYSTEM_NAMESPACES,
    listed,
)

EMR_USERS: Final = ("emr-containers", "EmrContainersUser")
"""Kubernetes users of the EMR service: by ``aws-auth``, and by the access entry it makes."""

LIVY_SERVER: Final = "emr-containers-sa-livy"
"""Service account of Livy's servers, each in a namespace of its own."""
LIVY_SESSION: Final = "emr-container-sa-spark-livy"
"""Service account of Livy's sessions, in the tenant's namespace."""

_USER: Final = "request.userInfo.username"
_ACCOUNTS: Final = "system:serviceaccount:"

BY_EMR: Final = f"{_USER} in [{', '.join(repr(user) for user in EMR_USERS)}]"
"""The EMR service itself asks."""

BY_CONTROLLER: Final = (
    f"({_USER}.startsWith('{_ACCOUNTS}kube-system:') && !{_USER}.contains(':emr-container'))"
)
"""One of Kubernetes' own controllers asks, or an add-on of the platform; nobody that does what
users of EMR say, wherever it was installed."""

BY_CODE: Final = f"{_USER}.startsWith('{_ACCOUNTS}') && !{BY_CONTROLLER}"
"""A service account asks that is none of those: code of the namespace, or of another one."""

BY_TENANT: Final = f"{_USER}.startsWith('{_ACCOUNTS}' + request.namespace + ':')"
"""Code in a pod of the namespace asks, with its service account."""

BY_GATEWAY: Final = (
    f"{_USER}.matches('^system:serviceaccount:' + request.namespace + "
    "':emr-containers-sa-spark-jeg-[0-9]{12}-[0-9a-z]+$')"
)
"""EMR's gateway of a managed endpoint asks: EMR's code, in a pod without a user's."""

BY_LIVY: Final = f"{_USER}.matches('^system:serviceaccount:[a-z0-9-]+:{LIVY_SERVER}$')"
"""A server of Livy asks, which does what its users tell it."""

OF_CONTROLLER: Final = (
    f"{listed(CONTROLLERS)}.filter(c, ('{_ACCOUNTS}' + c).startsWith({_USER} + ':'))"
)
"""CEL: what the namespace says of the job controller that asks, one entry for each of its roles;
the variable ``controller`` of policies. Empty for anybody else."""

BY_JOB_CONTROLLER: Final = "variables.controller.size() > 0"
"""A controller asks that the tenant lets make pods of jobs, and does what its users tell it."""

FOR_TENANT: Final = f"({BY_TENANT} || {BY_LIVY} || {BY_JOB_CONTROLLER})"
"""Somebody asks who does what a tenant's people or code say. Needs ``controller``."""

# EMR's own part of the tenant's jobs and sessions, which makes executors of the user's part.
_BY_SYSTEM: Final = (
    f"{listed(SYSTEM_NAMESPACES)}"
    f".exists(n, {_USER}.startsWith('{_ACCOUNTS}' + n + ':emr-containers-sa-'))"
)

BY_STRANGER: Final = f"({BY_CODE} && !({FOR_TENANT} || {_BY_SYSTEM}))"
"""Code of another namespace asks that the tenant did not name. Needs ``controller``."""

BY_FOREIGN_JOB: Final = (
    f"({BY_STRANGER} && {_USER}.matches('^{_ACCOUNTS}[^:]+:emr-containers?-sa-'))"
)
"""A job, a session or a controller of EMR asks that belongs to somebody else."""

CREATOR: Final = f"{BY_TENANT} ? {_USER}.split(':')[3] : ''"
"""Service account of the namespace that asks; empty for anybody else."""

BY_ITS_ROLES: Final = (
    "variables.controller.exists(c, variables.account.matches("
    "'^emr-containers-sa-spark-(driver|executor)-[0-9]{12}-' + c.split(':')[2] + '$'))"
)
"""CEL: the ``account`` of a pod is of a role that the tenant lets its ``controller`` use."""

_ROLE_END: Final = "find('-[0-9]{12}-[0-9a-z]+$')"


def same_role(account: str, other: str) -> str:
    """Return an expression: two service accounts are one, or have one execution role."""
    ends = f"{account}.{_ROLE_END}"
    return f"({account} == {other} || ({ends} != '' && {ends} == {other}.{_ROLE_END}))"
