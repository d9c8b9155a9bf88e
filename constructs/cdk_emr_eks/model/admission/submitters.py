"""What EMR leaves out of its job submitters: they are spread over zones, and have a priority.

EMR writes a submitter's pod itself and takes neither an affinity nor a priority class for it.
Without the one, Karpenter buys the first nodes all in one zone, and drivers follow submitters onto
these nodes. Without the other, a driver that finds no room pushes submitters out, those of other
tenants as well, and their jobs fail. So the API server adds both, by Kubernetes' own
MutatingAdmissionPolicy: no webhook, nothing that could be down.

Source: https://kubernetes.io/docs/reference/access-authn-authz/mutating-admission-policy/
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from cdk_emr_eks import labels
from cdk_emr_eks.labels import SparkRole
from cdk_emr_eks.model.admission.job_zone import HAS_ID, TO_DRAWN_ZONE, draw
from cdk_emr_eks.model.admission.mutation import WORKLOAD, cel, mutation

_MADE_FOR_A_JOB: Final = (
    "request.userInfo.username == 'system:serviceaccount:kube-system:job-controller'"
)


def _others() -> Mapping[str, object]:
    """Select what of the workload is no executor: submitters and drivers."""
    no_executor = {
        "key": labels.SPARK_ROLE,
        "operator": "NotIn",
        "values": [str(SparkRole.EXECUTOR)],
    }
    return {"matchLabels": {labels.WORKLOAD: "WORKLOAD"}, "matchExpressions": [no_executor]}


def _affinity(zones: Sequence[str]) -> str:
    """Return the affinity as CEL: away from the zones of others, and to the zone of its job."""
    term = {
        "weight": 100,
        "podAffinityTerm": {
            "topologyKey": labels.ZONE,
            "namespaceSelector": {},  # selects all
            "labelSelector": _others(),
        },
    }
    apart = _of_workload({"preferredDuringSchedulingIgnoredDuringExecution": [term]})
    alone = f"{{'podAntiAffinity': dyn({apart})}}"
    if not zones:
        return alone
    both = f"{{'podAntiAffinity': dyn({apart}), 'nodeAffinity': dyn({TO_DRAWN_ZONE})}}"
    return f"({HAS_ID} ? {both} : {alone})"


def _spread() -> str:
    """Return the spread as CEL: evenly over zones, of the tenant's own.

    Karpenter takes preferences for rules and drops them one by one where they cannot be met. The
    affinity goes as soon as every zone has a pod, so it alone would put the nodes of a hundred jobs
    at once into one zone; the spread can always be met, and it is what Karpenter drops last.

    Source: https://karpenter.sh/docs/concepts/scheduling/#preferences
    """
    evenly = {
        "topologyKey": labels.ZONE,
        "maxSkew": 1,
        "whenUnsatisfiable": "ScheduleAnyway",
        "nodeTaintsPolicy": "Honor",
        "labelSelector": _others(),
    }
    return _of_workload([evenly])


def _of_workload(value: object) -> str:
    """Write a value as CEL, with the pod's own workload."""
    return cel(value).replace('"WORKLOAD"', WORKLOAD)


def submitter_spread(zones: Sequence[str]) -> tuple[dict[str, object], dict[str, object]]:
    """Return the policy that spreads them, and its binding.

    Args:
        zones: Names of the zones that node pools are in. Empty: they are not known, and only the
            jobs of one tenant are spread.
    """
    patch = (
        f"[JSONPatch{{op: 'add', path: '/spec/affinity', value: {_affinity(zones)}}}, "
        "JSONPatch{op: 'add', path: '/spec/topologySpreadConstraints', "
        f"value: {_spread()}}}]"
    )
    conditions = {
        "made-for-a-job": _MADE_FOR_A_JOB,
        "without-affinity": "!has(object.spec.affinity)",
        "without-spread": "!has(object.spec.topologySpreadConstraints)",
    }
    variables = draw(zones) if zones else {}
    return mutation("emr-eks-submitters", conditions, patch, variables=variables)


def submitter_priority() -> tuple[dict[str, object], dict[str, object]]:
    """Return the policy that gives them the priority of their workload's drivers, and its binding.

    A submitter stands on a node for drivers, and its job goes with it. With their priority no
    driver pushes it out. Kubernetes looks the class up once more after the policy, and refuses a
    number that is there already: so the number goes.
    """
    name = f"{WORKLOAD} + '-{SparkRole.DRIVER}'"
    patch = (
        f"[JSONPatch{{op: 'add', path: '/spec/priorityClassName', value: {name}}}]"
        " + (has(object.spec.priority) ? [JSONPatch{op: 'remove', path: '/spec/priority'}] : [])"
        " + (has(object.spec.preemptionPolicy)"
        " ? [JSONPatch{op: 'remove', path: '/spec/preemptionPolicy'}] : [])"
    )
    conditions = {
        "made-for-a-job": _MADE_FOR_A_JOB,
        "without-priority": "object.spec.?priorityClassName.orValue('') == ''",
    }
    return mutation("emr-eks-submitter-priority", conditions, patch)
