"""The admission policies that a cluster needs once, and which app installs them."""

from __future__ import annotations

import re
from typing import Final

from cdk_emr_eks.checks import Check
from cdk_emr_eks.model.admission.objects import CLAIMS, FINALIZERS, OTHERS, SECRETS, SERVICES
from cdk_emr_eks.model.admission.pods import POD_ACCESS, POD_CHANGES, POD_OWNERS, PODS
from cdk_emr_eks.model.admission.policy import AdmissionPolicy
from cdk_emr_eks.values import value

# The validating policies of every cluster. A namespace is subject to them by its tenant label.
ADMISSION_POLICIES: Final[tuple[AdmissionPolicy, ...]] = (
    *(PODS, POD_CHANGES, POD_OWNERS, POD_ACCESS),
    *(SERVICES, SECRETS, CLAIMS, FINALIZERS, OTHERS),
)

_VERSION: Final = re.compile(r"1\.(\d{2})")

# First version with a stable ValidatingAdmissionPolicy.
# Source: https://kubernetes.io/docs/reference/access-authn-authz/validating-admission-policy/
_OLDEST_MINOR: Final = 30


@value
class ClusterPolicies:
    """Whether this app installs the objects that a cluster needs once for all tenants.

    These are the admission policies of tenants' namespaces, the policies that place job submitters
    and set their priority, and the storage class of workloads with volumes. Install them in one app
    only: deleting that app removes them for all tenants of the cluster.

    Args:
        install: Whether this app installs them. False: another app does, with ``EmrEksCluster`` or
            with its import of the cluster. Default True.
        kubernetes: Version of the cluster, such as ``1.36``: from that version on, job submitters
            are spread over zones and get the priority of drivers. None: unknown, so they are not.

    Raises:
        ConfigError: If it is not a version, is older than 1.30, whose API servers lack admission
            policies, or is given with ``install=False``.
    """

    install: bool = True
    kubernetes: str | None = None

    def _rules(self, check: Check) -> None:
        if self.kubernetes is None:
            return
        match = _VERSION.fullmatch(self.kubernetes)
        known = match is not None and int(match[1]) >= _OLDEST_MINOR
        rule = f"must be a version of EKS such as '1.36', 1.{_OLDEST_MINOR} or newer"
        check.require(known, "kubernetes", rule, self.kubernetes)
        rule = "must be left out with install=False: the app that installs them says it"
        check.require(self.install, "kubernetes", rule, self.kubernetes)
