"""Who asks the API server in a tenant's namespace, in terms of CEL.

EMR's service accounts end with the account and the role's name in base36, so two of them with one
end belong to one execution role. That is what keeps the roles of a namespace apart.

Source: https://docs.aws.amazon.com/emr/latest/EMR-on-EKS-DevelopmentGuide/iam-execution-role.html
"""

from __future__ import annotations

from typing import Final

EMR_USERS: Final = ("emr-containers", "EmrContainersUser")
"""Kubernetes users of the EMR service: by ``aws-auth``, and by the access entry it makes."""

LIVY_SERVER: Final = "emr-containers-sa-livy"
"""Service account of Livy's servers, each in a namespace of its own."""
LIVY_SESSION: Final = "emr-container-sa-spark-livy"
"""Service account of Livy's sessions, in the tenant's namespace."""

_USER: Final = "request.userInfo.username"

BY_EMR: Final = f"{_USER} in [{', '.join(repr(user) for user in EMR_USERS)}]"
"""The EMR service itself asks."""

BY_CONTROLLER: Final = f"{_USER}.startsWith('system:serviceaccount:kube-system:')"
"""One of Kubernetes' own controllers asks, or an add-on of the platform."""

BY_TENANT: Final = f"{_USER}.startsWith('system:serviceaccount:' + request.namespace + ':')"
"""Code in a pod of the namespace asks, with its service account."""

BY_GATEWAY: Final = (
    f"{_USER}.matches('^system:serviceaccount:' + request.namespace + "
    "':emr-containers-sa-spark-jeg-[0-9]{12}-[0-9a-z]+$')"
)
"""EMR's gateway of a managed endpoint asks: EMR's code, in a pod without a user's."""

BY_LIVY: Final = f"{_USER}.matches('^system:serviceaccount:[a-z0-9-]+:{LIVY_SERVER}$')"
"""A server of Livy asks, which does what its users tell it."""

FOR_TENANT: Final = f"{BY_TENANT} || {BY_LIVY}"
"""Somebody asks who does what a tenant's people or code say."""

CREATOR: Final = f"{BY_TENANT} ? {_USER}.split(':')[3] : ''"
"""Service account of the namespace that asks; empty for anybody else."""

_ROLE_END: Final = "find('-[0-9]{12}-[0-9a-z]+$')"


def same_role(account: str, other: str) -> str:
    """Return an expression: two service accounts are one, or have one execution role."""
    ends = f"{account}.{_ROLE_END}"
    return f"({account} == {other} || ({ends} != '' && {ends} == {other}.{_ROLE_END}))"
