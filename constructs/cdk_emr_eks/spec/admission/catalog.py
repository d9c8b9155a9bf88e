"""All admission policies of tenants' namespaces."""

from __future__ import annotations

from typing import Final

from cdk_emr_eks.spec.admission.objects import CONTROLLERS, SERVICES
from cdk_emr_eks.spec.admission.pods import POD_ACCESS, POD_CHANGES, POD_OWNERS, PODS
from cdk_emr_eks.spec.admission.policy import AdmissionPolicy

ADMISSION_POLICIES: Final[tuple[AdmissionPolicy, ...]] = (
    *(PODS, POD_CHANGES, POD_OWNERS, POD_ACCESS),
    *(SERVICES, CONTROLLERS),
)
"""In every cluster of the platform; a namespace is under them by its tenant label."""
