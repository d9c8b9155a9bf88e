"""Who makes pods of jobs in a tenant's namespace from elsewhere: EMR's Spark operator above all.

Such a controller does what the objects say that its users write, and it is told there which service
account a driver has. So it is no bound between users, tenants or roles: the tenant says which
controller may make pods in its namespace, and as which execution roles.

Source: https://docs.aws.amazon.com/emr/latest/EMR-on-EKS-DevelopmentGuide/spark-operator-gs.html
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from cdk_emr_eks.errors import Problems
from cdk_emr_eks.field_types import check_types
from cdk_emr_eks.names import base36, dns_label, role_name

_ACCOUNT: Final = re.compile(r"[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?")
_SYSTEM: Final = "kube-system"


@dataclass(frozen=True, kw_only=True, slots=True)
class JobController:
    """A controller outside of a tenant's namespace that makes pods of jobs in it.

    By default EMR's Spark operator, as its chart installs it. This library installs none. It needs
    a namespace of its own, its drivers meet the rules for all pods of tenants, and it makes no
    ingresses, workloads or disruption budgets there. Whoever may make a ``SparkApplication`` in the
    namespace uses any of the roles.

    Args:
        roles: Names of execution roles that its pods may have, each known to the namespace as jobs
            have it.
        namespace: Its own namespace. Default ``spark-operator``.
        service_account: Its own service account. Default that of EMR's chart; the one of Kubeflow's
            own chart is ``spark-operator-controller``.

    Raises:
        ConfigError: If there is no role or one twice, a name is none, or it is in ``kube-system``.
    """

    roles: tuple[str, ...]
    namespace: str = "spark-operator"
    service_account: str = "emr-containers-sa-spark-operator"

    def __post_init__(self) -> None:
        check_types("JobController", self)
        problems = Problems("JobController")
        rule = "must name at least one execution role, each once"
        once = bool(self.roles) and len(set(self.roles)) == len(self.roles)
        problems.require(once, "roles", rule, ", ".join(self.roles))
        for name in self.roles:
            problems.extend(role_name("roles", name))
        problems.extend(dns_label("namespace", self.namespace))
        # Its accounts are those of Kubernetes' own controllers, of which less is asked.
        rule = f"must not be {_SYSTEM}, whose accounts pass for Kubernetes' own controllers"
        problems.require(self.namespace != _SYSTEM, "namespace", rule, self.namespace)
        rule = "must be a name of a service account (a-z, 0-9, '-', '.', at most 253 characters)"
        named = bool(_ACCOUNT.fullmatch(self.service_account))
        problems.require(named, "service_account", rule, self.service_account)
        problems.raise_if_any()

    @property
    def entries(self) -> tuple[str, ...]:
        """What the namespace says of it: ``namespace:account:role``, the role as EMR has it."""
        return tuple(
            f"{self.namespace}:{self.service_account}:{base36(role)}" for role in self.roles
        )
