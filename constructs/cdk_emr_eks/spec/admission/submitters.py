"""What EMR leaves out of its job submitters: they are spread over zones, and have a priority.

EMR writes a submitter's pod itself and takes neither an affinity nor a priority class for it.
Without the one, Karpenter buys the first nodes all in one zone, and drivers follow submitters onto
these nodes. Without the other, a driver that finds no room pushes submitters out, those of other
tenants as well, and their jobs fail. So the API server adds both, by Kubernetes' own
MutatingAdmissionPolicy: no webhook, nothing that could be down.

Source: https://kubernetes.io/docs/reference/access-authn-authz/mutating-admission-policy/
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Final

from cdk_emr_eks import labels
from cdk_emr_eks.labels import MANAGED_BY, Role
from cdk_emr_eks.spec.namespaces.namespace import MANAGER

OLDEST_KUBERNETES: Final = (1, 36)
"""First version with MutatingAdmissionPolicy as a stable API, which EKS then has."""

_API: Final = "admissionregistration.k8s.io/v1"
_LABEL: Final = json.dumps(labels.WORKLOAD)


def _others() -> Mapping[str, object]:
    """Select what of the workload is no executor: submitters and drivers."""
    no_executor = {"key": labels.SPARK_ROLE, "operator": "NotIn", "values": [str(Role.EXECUTOR)]}
    return {"matchLabels": {labels.WORKLOAD: "WORKLOAD"}, "matchExpressions": [no_executor]}


def _affinity() -> str:
    """Return the affinity as CEL: away from the zones of the others, of all tenants."""
    term = {
        "weight": 100,
        "podAffinityTerm": {
            "topologyKey": labels.ZONE,
            "namespaceSelector": {},  # selects all
            "labelSelector": _others(),
        },
    }
    affinity = {"podAntiAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": [term]}}
    return _of_workload(affinity)


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
    return _cel(value).replace('"WORKLOAD"', f"object.metadata.labels[{_LABEL}]")


def _cel(value: object) -> str:
    """Write a value as CEL: as JSON, but every part as ``dyn``, since CEL's maps have one type."""
    if isinstance(value, Mapping):
        return (
            f"{{{', '.join(f'{json.dumps(key)}: dyn({_cel(it)})' for key, it in value.items())}}}"
        )
    if isinstance(value, list):
        return f"[{', '.join(f'dyn({_cel(item)})' for item in value)}]"
    return json.dumps(value)


def spreads_submitters(kubernetes: str) -> bool:
    """Tell whether a version of Kubernetes, such as ``1.36``, can add to pods of submitters."""
    return tuple(map(int, kubernetes.split("."))) >= OLDEST_KUBERNETES


def submitter_spread() -> tuple[dict[str, object], dict[str, object]]:
    """Return the policy that spreads them, and its binding.

    It is a preference, and where it cannot be applied the pod is made without it: a job that runs
    in the wrong zone is better than one that does not.
    """
    # An apply configuration may not write lists without keys, as these are.
    patch = (
        f"[JSONPatch{{op: 'add', path: '/spec/affinity', value: {_affinity()}}}, "
        "JSONPatch{op: 'add', path: '/spec/topologySpreadConstraints', "
        f"value: {_spread()}}}]"
    )
    conditions = {
        "without-affinity": "!has(object.spec.affinity)",
        "without-spread": "!has(object.spec.topologySpreadConstraints)",
    }
    return _policy("emr-eks-submitters", conditions, patch)


def submitter_priority() -> tuple[dict[str, object], dict[str, object]]:
    """Return the policy that gives them the priority of their workload's drivers, and its binding.

    A submitter stands on a node for drivers, and its job goes with it. With their priority no
    driver pushes it out. Kubernetes looks the class up once more after the policy, and refuses a
    number that is there already: so the number goes.
    """
    name = f"object.metadata.labels[{_LABEL}] + '-{Role.DRIVER}'"
    patch = (
        f"[JSONPatch{{op: 'add', path: '/spec/priorityClassName', value: {name}}}]"
        " + (has(object.spec.priority) ? [JSONPatch{op: 'remove', path: '/spec/priority'}] : [])"
        " + (has(object.spec.preemptionPolicy)"
        " ? [JSONPatch{op: 'remove', path: '/spec/preemptionPolicy'}] : [])"
    )
    without = "object.spec.?priorityClassName.orValue('') == ''"
    return _policy("emr-eks-submitter-priority", {"without-priority": without}, patch)


def _policy(
    name: str, conditions: Mapping[str, str], patch: str
) -> tuple[dict[str, object], dict[str, object]]:
    metadata = {"name": name, "labels": {MANAGED_BY: MANAGER}}
    pods = {
        "apiGroups": [""],
        "apiVersions": ["v1"],
        "operations": ["CREATE"],
        "resources": ["pods"],
    }
    tenants = {"matchExpressions": [{"key": labels.TENANT, "operator": "Exists"}]}
    label = f"object.metadata.?labels[?'{labels.WORKLOAD}'].hasValue()"
    every = {
        "made-for-a-job": "request.userInfo.username == "
        "'system:serviceaccount:kube-system:job-controller'",
        "of-a-workload": label,
        **conditions,
    }
    policy: dict[str, object] = {
        "apiVersion": _API,
        "kind": "MutatingAdmissionPolicy",
        "metadata": metadata,
        "spec": {
            "failurePolicy": "Ignore",
            "reinvocationPolicy": "Never",
            "matchConstraints": {"resourceRules": [pods], "namespaceSelector": tenants},
            "matchConditions": [{"name": key, "expression": text} for key, text in every.items()],
            "mutations": [{"patchType": "JSONPatch", "jsonPatch": {"expression": patch}}],
        },
    }
    binding: dict[str, object] = {
        "apiVersion": _API,
        "kind": "MutatingAdmissionPolicyBinding",
        "metadata": metadata,
        "spec": {"policyName": name},
    }
    return policy, binding
