"""CEL expressions for the caller of the API server in a tenant's namespace.

EMR's service accounts end with the account id and the role's name in base36, so two of them with
one end belong to one execution role. The policies separate the roles of a namespace by it.

Source: https://docs.aws.amazon.com/emr/latest/EMR-on-EKS-DevelopmentGuide/iam-execution-role.html
"""

from __future__ import annotations

from typing import Final

from cdk_emr_eks.model.admission.admission import CONTROLLERS, SYSTEM_NAMESPACES, listed

# Kubernetes users of the EMR service: by ``aws-auth``, and by the access entry that EMR creates.
EMR_USERS: Final = ("emr-containers", "EmrContainersUser")

# Service account of Livy's servers, each in a separate namespace.
LIVY_SERVER: Final = "emr-containers-sa-livy"

# Service account of Livy's sessions, in the tenant's namespace.
LIVY_SESSION: Final = "emr-container-sa-spark-livy"

_USER: Final = "request.userInfo.username"
_ACCOUNTS: Final = "system:serviceaccount:"

# The caller is the EMR service.
BY_EMR: Final = f"{_USER} in [{', '.join(repr(user) for user in EMR_USERS)}]"

# The caller is a controller of Kubernetes or an add-on of the platform, and not a component that
# acts for users of EMR.
BY_CONTROLLER: Final = (
    f"({_USER}.startsWith('{_ACCOUNTS}kube-system:') && !{_USER}.contains(':emr-container'))"
)

# The caller is another service account: code of the namespace, or of another one.
BY_CODE: Final = f"{_USER}.startsWith('{_ACCOUNTS}') && !{BY_CONTROLLER}"

# The caller is code in a pod of the namespace.
BY_TENANT: Final = f"{_USER}.startsWith('{_ACCOUNTS}' + request.namespace + ':')"

# The caller is EMR's gateway of a managed endpoint: EMR's code, in a pod without code of users.
BY_GATEWAY: Final = (
    f"{_USER}.matches('^system:serviceaccount:' + request.namespace + "
    "':emr-containers-sa-spark-jeg-[0-9]{12}-[0-9a-z]+$')"
)

# The caller is a Livy server, which acts for its users.
BY_LIVY: Final = f"{_USER}.matches('^system:serviceaccount:[a-z0-9-]+:{LIVY_SERVER}$')"

# The entries of the namespace for the calling job controller, one for each of its roles. It is the
# variable ``controller`` of policies, and empty for any other caller.
OF_CONTROLLER: Final = (
    f"{listed(CONTROLLERS)}.filter(c, ('{_ACCOUNTS}' + c).startsWith({_USER} + ':'))"
)

# The caller is a controller that may create pods of the tenant's jobs, and acts for its users.
BY_JOB_CONTROLLER: Final = "variables.controller.size() > 0"

# The caller acts for the tenant's users or code. Needs the variable ``controller``.
FOR_TENANT: Final = f"({BY_TENANT} || {BY_LIVY} || {BY_JOB_CONTROLLER})"

# The caller is EMR's part of the tenant's jobs and sessions, which creates executors of users.
_BY_SYSTEM: Final = (
    f"{listed(SYSTEM_NAMESPACES)}"
    f".exists(n, {_USER}.startsWith('{_ACCOUNTS}' + n + ':emr-containers-sa-'))"
)

# The caller is code of another namespace that the tenant does not name. Needs ``controller``.
BY_STRANGER: Final = f"({BY_CODE} && !({FOR_TENANT} || {_BY_SYSTEM}))"

# The caller is a job, a session or a controller of EMR of another tenant.
BY_FOREIGN_JOB: Final = (
    f"({BY_STRANGER} && {_USER}.matches('^{_ACCOUNTS}[^:]+:emr-containers?-sa-'))"
)

# The calling service account of the namespace; empty for any other caller.
CREATOR: Final = f"{BY_TENANT} ? {_USER}.split(':')[3] : ''"

# The ``account`` of a pod belongs to a role that the tenant lets its ``controller`` use.
BY_ITS_ROLES: Final = (
    "variables.controller.exists(c, variables.account.matches("
    "'^emr-containers-sa-spark-(driver|executor)-[0-9]{12}-' + c.split(':')[2] + '$'))"
)

_ROLE_END: Final = "find('-[0-9]{12}-[0-9a-z]+$')"


def same_role(account: str, other: str) -> str:
    """Return CEL: whether two service accounts are equal or belong to one execution role."""
    ends = f"{account}.{_ROLE_END}"
    return f"({account} == {other} || ({ends} != '' && {ends} == {other}.{_ROLE_END}))"
