"""All admission policies of tenants' namespaces."""

from __future__ import annotations

from typing import Final

from cdk_emr_eks.model.admission.claims import CLAIMS
from cdk_emr_eks.model.admission.objects import FINALIZERS, OTHERS, SECRETS, SERVICES
from cdk_emr_eks.model.admission.pod_changes import POD_ACCESS, POD_CHANGES, POD_OWNERS
from cdk_emr_eks.model.admission.pods import PODS
from cdk_emr_eks.model.admission.policy import AdmissionPolicy

ADMISSION_POLICIES: Final[tuple[AdmissionPolicy, ...]] = (
    *(PODS, POD_CHANGES, POD_OWNERS, POD_ACCESS),
    *(SERVICES, SECRETS, CLAIMS, FINALIZERS, OTHERS),
)
"""In every cluster of the platform; a namespace is under them by its tenant label."""
