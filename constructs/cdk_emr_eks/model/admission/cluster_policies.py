"""Who puts the platform's policies on a cluster that another app made."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from cdk_emr_eks.errors import Problems
from cdk_emr_eks.field_types import check_types

_VERSION: Final = re.compile(r"1\.(\d{2})")
_OLDEST_MINOR: Final = 30
# ValidatingAdmissionPolicy is stable from there on.
# Source: https://kubernetes.io/docs/reference/access-authn-authz/validating-admission-policy/


@dataclass(frozen=True, kw_only=True, slots=True)
class ClusterPolicies:
    """What a cluster needs once for all its tenants, and whether this app installs it.

    That is the admission policies of tenants' namespaces, those that spread job submitters and give
    them a priority, and the storage class of workloads with volumes. They are the cluster's:
    install them in one app, for whoever removes that app removes them for all tenants.

    Args:
        install: Whether this app installs them. False: another app does, with ``EmrEksCluster`` or
            an import of its own. Default True.
        kubernetes: Version of the cluster, such as ``1.36``: from there on job submitters are
            spread over zones and have the priority of drivers. None: not known, so they are not.

    Raises:
        ConfigError: If the version is none, is older than 1.30, whose API servers lack admission
            policies, or is given although another app installs them.
    """

    install: bool = True
    kubernetes: str | None = None

    def __post_init__(self) -> None:
        check_types("ClusterPolicies", self)
        if self.kubernetes is None:
            return
        problems = Problems("ClusterPolicies")
        match = _VERSION.fullmatch(self.kubernetes)
        known = match is not None and int(match[1]) >= _OLDEST_MINOR
        rule = f"must be a version of EKS such as '1.36', 1.{_OLDEST_MINOR} or newer"
        problems.require(known, "kubernetes", rule, self.kubernetes)
        rule = "must be left out with install=False: the app that installs them says it"
        problems.require(self.install, "kubernetes", rule, self.kubernetes)
        problems.raise_if_any()
