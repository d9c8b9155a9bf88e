"""What may become of a pod of a tenant that is there: little, and by its own role only."""

from __future__ import annotations

from typing import Final

from cdk_emr_eks import labels
from cdk_emr_eks.model.admission.identities import BY_CONTROLLER, BY_TENANT, CREATOR, same_role
from cdk_emr_eks.model.admission.pods import MAX_GRACE_SECONDS
from cdk_emr_eks.model.admission.policy import AdmissionPolicy, Rule

_KEPT_LABELS: Final = (labels.SPARK_ROLE, labels.SPARK_APP_SELECTOR, labels.WORKLOAD, labels.TENANT)


def _same(path: str, key: str) -> str:
    return f"object.metadata.?{path}[?'{key}'] == oldObject.metadata.?{path}[?'{key}']"


POD_CHANGES: Final = AdmissionPolicy(
    name="emr-eks-pod-changes",
    resources={"": ("pods", "pods/resize")},
    operations=("UPDATE",),
    rules=(
        Rule(
            # Kubernetes itself lets images, tolerations and, by resize, resources be changed.
            expression="object.spec == oldObject.spec",
            message="the spec of a pod must stay as it was made",
        ),
        Rule(
            expression=" && ".join(
                [
                    *(_same("labels", key) for key in _KEPT_LABELS),
                    _same("annotations", labels.DO_NOT_DISRUPT),
                ]
            ),
            message="labels and annotations that placement and cost rely on must stay",
        ),
    ),
    conditions={"not-a-controller": f"!({BY_CONTROLLER})"},
)
"""A pod that runs is no way around the rules for making one."""

POD_OWNERS: Final = AdmissionPolicy(
    name="emr-eks-pod-owners",
    resources={"": ("pods",)},
    operations=("UPDATE", "DELETE"),
    variables={
        "creator": CREATOR,
        "account": "oldObject.spec.?serviceAccountName.orValue('')",
    },
    rules=(
        Rule(
            expression=same_role("variables.creator", "variables.account"),
            message="pods of another execution role must be left alone",
        ),
        Rule(
            # It may be longer than the pod's own, and its node waits for it.
            expression="request.operation != 'DELETE' || "
            f"request.options.?gracePeriodSeconds.orValue(0) <= {MAX_GRACE_SECONDS}",
            message=f"the grace period must be at most {MAX_GRACE_SECONDS} seconds",
        ),
    ),
    conditions={"by-a-pod": BY_TENANT},
)
"""Code in a pod may change and delete pods of its own execution role only."""

POD_ACCESS: Final = AdmissionPolicy(
    name="emr-eks-pod-access",
    resources={"": ("pods/ephemeralcontainers",)},
    operations=("UPDATE",),
    rules=(Rule(expression="false", message="pods must not get ephemeral containers"),),
)
"""Nobody puts a container into a tenant's pod that runs."""
