"""Who asks the API server in a tenant's namespace, in terms of CEL.

EMR's service accounts end with the account and the role's name in base36, so two of them with one
end belong to one execution role. That is what keeps the roles of a namespace apart.

Source: https://docs.aws.amazon.com/emr/latest/EMR-on-EKS-DevelopmentGuide/iam-execution-role.html
"""

from __future__ import annotations

from typing import Final

EMR_USERS: Final = ("emr-containers", "EmrContainersUser")
"""Kubernetes users of the EMR service: by ``aws-auth``, and by the access entry it makes."""

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
"""EMR's gateway of an interactive endpoint asks: EMR's code, in a pod without a user's."""

CREATOR: Final = f"{BY_TENANT} ? {_USER}.split(':')[3] : ''"
"""Service account of the namespace that asks; empty for anybody else."""

_ROLE_END: Final = "find('-[0-9]{12}-[0-9a-z]+$')"


def same_role(account: str, other: str) -> str:
    """Return an expression: two service accounts are one, or have one execution role."""
    ends = f"{account}.{_ROLE_END}"
    return f"({account} == {other} || ({ends} != '' && {ends} == {other}.{_ROLE_END}))"
