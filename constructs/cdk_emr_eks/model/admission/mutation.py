"""Mutating admission policies: a zone for drivers, placement and priority for job submitters.

The API server applies them itself: there is no webhook that could be down.

EMR creates the pod of a job submitter and takes neither an affinity nor a priority class for it.
Without affinity, Karpenter launches the first nodes all in one zone, and drivers follow the
submitters onto these nodes. Without priority, a driver that needs room preempts submitters, also
those of other tenants, and their jobs fail.

Kubernetes spreads the pods of one namespace. Forty tenants with one job each are forty namespaces
in which every zone is equally good, and Karpenter then takes its first node pool, in one zone for
nearly all of them. So the random id of a job selects a zone. It is a preference: the spread within
a namespace and an existing node have precedence.

Source: https://kubernetes.io/docs/reference/access-authn-authz/mutating-admission-policy/,
https://karpenter.sh/docs/concepts/scheduling/#preferences
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Final

from cdk_emr_eks import labels
from cdk_emr_eks.labels import MANAGED_BY, SparkRole
from cdk_emr_eks.model.namespaces.namespace import MANAGER

# First version of Kubernetes, and of EKS, with a stable MutatingAdmissionPolicy.
OLDEST_KUBERNETES: Final = (1, 36)

_API: Final = "admissionregistration.k8s.io/v1"
_HAS_WORKLOAD: Final = f"object.metadata.?labels[?'{labels.WORKLOAD}'].hasValue()"

# CEL: the workload of a pod that has one.
_WORKLOAD: Final = f"object.metadata.labels[{json.dumps(labels.WORKLOAD)}]"
_WORKLOAD_PLACEHOLDER: Final = "WORKLOAD"

_JOB_ID: Final = f"object.metadata.labels['{labels.JOB_ID}']"
_DIGITS: Final = "'0123456789abcdefghijklmnopqrstuvwxyz'"

# Name of the CEL variable with the zone of a job.
_ZONE: Final = "drawn"

# CEL: whether a pod has the id of a job.
_HAS_JOB_ID: Final = (
    f"object.metadata.?labels[?'{labels.JOB_ID}'].orValue('').matches('[0-9a-z][0-9a-z]$')"
)
_CREATED_FOR_A_JOB: Final = (
    "request.userInfo.username == 'system:serviceaccount:kube-system:job-controller'"
)


def supports_mutation(kubernetes: str) -> bool:
    """Return whether a version of Kubernetes, such as ``1.36``, has these policies."""
    return tuple(map(int, kubernetes.split("."))) >= OLDEST_KUBERNETES


def submitter_spread(zones: Sequence[str]) -> tuple[dict[str, object], dict[str, object]]:
    """Return the policy that spreads job submitters over the zones, and its binding.

    Args:
        zones: Names of the node pools' zones. Empty: unknown, and only the jobs of one tenant are
            spread.
    """
    patch = (
        f"[JSONPatch{{op: 'add', path: '/spec/affinity', value: {_affinity(zones)}}}, "
        "JSONPatch{op: 'add', path: '/spec/topologySpreadConstraints', "
        f"value: {_spread()}}}]"
    )
    conditions = {
        "made-for-a-job": _CREATED_FOR_A_JOB,
        "without-affinity": "!has(object.spec.affinity)",
        "without-spread": "!has(object.spec.topologySpreadConstraints)",
    }
    variables = _zone_variable(zones) if zones else {}
    return _mutation("emr-eks-submitters", conditions, patch, variables=variables)


def submitter_priority() -> tuple[dict[str, object], dict[str, object]]:
    """Return the policy that gives job submitters the priority of drivers, and its binding.

    A submitter runs on a node for drivers, and its job fails with it. With the priority of drivers
    no driver preempts it. Kubernetes looks the class up again after the policy and refuses an
    existing number, so the policy removes the number.
    """
    name = f"{_WORKLOAD} + '-{SparkRole.DRIVER}'"
    patch = (
        f"[JSONPatch{{op: 'add', path: '/spec/priorityClassName', value: {name}}}]"
        " + (has(object.spec.priority) ? [JSONPatch{op: 'remove', path: '/spec/priority'}] : [])"
        " + (has(object.spec.preemptionPolicy)"
        " ? [JSONPatch{op: 'remove', path: '/spec/preemptionPolicy'}] : [])"
    )
    conditions = {
        "made-for-a-job": _CREATED_FOR_A_JOB,
        "without-priority": "object.spec.?priorityClassName.orValue('') == ''",
    }
    return _mutation("emr-eks-submitter-priority", conditions, patch)


def driver_zone(zones: Sequence[str]) -> tuple[dict[str, object], dict[str, object]]:
    """Return the policy that lets drivers prefer the zone of their job, and its binding.

    Args:
        zones: Names of the zones, at least one.
    """
    preference = _zone_preference()
    patch = (
        "[has(object.spec.affinity) "
        f"? JSONPatch{{op: 'add', path: '/spec/affinity/nodeAffinity', value: {preference}}} "
        ": JSONPatch{op: 'add', path: '/spec/affinity', "
        f"value: {{'nodeAffinity': dyn({preference})}}}}]"
    )
    conditions = {
        "a-driver": f"object.metadata.labels[?'{labels.SPARK_ROLE}'].orValue('') "
        f"== '{SparkRole.DRIVER}'",
        "of-a-job": _HAS_JOB_ID,
        "without-node-affinity": "!has(object.spec.affinity) "
        "|| !has(object.spec.affinity.nodeAffinity)",
    }
    return _mutation("emr-eks-driver-zone", conditions, patch, variables=_zone_variable(zones))


# ---- the zone of a job


def _zone_variable(zones: Sequence[str]) -> Mapping[str, str]:
    """Return the CEL variable with the zone that a job's id selects.

    The sum of two digits to base 36 is equally often 0, 1 or 2 modulo three, and nearly so modulo
    four or five.
    """
    digits = (
        f"{_DIGITS}.indexOf({_JOB_ID}.charAt({_JOB_ID}.size() - {place}))" for place in (1, 2)
    )
    names = ", ".join(f"'{zone}'" for zone in zones)
    return {_ZONE: f"[{names}][({' + '.join(digits)}) % {len(zones)}]"}


def _zone_preference() -> str:
    """Return the node affinity that prefers the zone of a job, as CEL with ``_zone_variable``."""
    in_zone = {"key": labels.ZONE, "operator": "In", "values": [_ZONE]}
    term = {"weight": 100, "preference": {"matchExpressions": [in_zone]}}
    affinity = to_cel({"preferredDuringSchedulingIgnoredDuringExecution": [term]})
    return affinity.replace(f'"{_ZONE}"', f"variables.{_ZONE}")


# ---- submitters


def _affinity(zones: Sequence[str]) -> str:
    """Return the affinity as CEL: away from other submitters' zones, to the zone of the job."""
    term = {
        "weight": 100,
        "podAffinityTerm": {
            "topologyKey": labels.ZONE,
            # Selects all namespaces.
            "namespaceSelector": {},
            "labelSelector": _not_executors(),
        },
    }
    apart = _for_workload({"preferredDuringSchedulingIgnoredDuringExecution": [term]})
    alone = f"{{'podAntiAffinity': dyn({apart})}}"
    if not zones:
        return alone
    both = f"{{'podAntiAffinity': dyn({apart}), 'nodeAffinity': dyn({_zone_preference()})}}"
    return f"({_HAS_JOB_ID} ? {both} : {alone})"


def _spread() -> str:
    """Return the topology spread constraint as CEL: evenly over zones, within the namespace.

    Karpenter treats preferences as requirements and drops those that cannot be met, one by one. It
    drops the affinity as soon as every zone has a pod, so with the affinity alone the nodes of a
    hundred jobs at once would all be in one zone. The spread can always be met, and Karpenter drops
    it last.

    Source: https://karpenter.sh/docs/concepts/scheduling/#preferences
    """
    evenly = {
        "topologyKey": labels.ZONE,
        "maxSkew": 1,
        "whenUnsatisfiable": "ScheduleAnyway",
        "nodeTaintsPolicy": "Honor",
        "labelSelector": _not_executors(),
    }
    return _for_workload([evenly])


def _not_executors() -> Mapping[str, object]:
    """Select the submitters and drivers of the workload."""
    no_executor = {
        "key": labels.SPARK_ROLE,
        "operator": "NotIn",
        "values": [str(SparkRole.EXECUTOR)],
    }
    of_workload = {labels.WORKLOAD: _WORKLOAD_PLACEHOLDER}
    return {"matchLabels": of_workload, "matchExpressions": [no_executor]}


def _for_workload(value: object) -> str:
    """Write a value as CEL, with the pod's workload in place of the placeholder."""
    return to_cel(value).replace(f'"{_WORKLOAD_PLACEHOLDER}"', _WORKLOAD)


# ---- the objects


def to_cel(value: object) -> str:
    """Write a value as CEL: JSON with every part as ``dyn``, since CEL's maps have one type."""
    if isinstance(value, Mapping):
        return (
            f"{{{', '.join(f'{json.dumps(key)}: dyn({to_cel(it)})' for key, it in value.items())}}}"
        )
    if isinstance(value, list):
        return f"[{', '.join(f'dyn({to_cel(item)})' for item in value)}]"
    return json.dumps(value)


def _mutation(
    name: str,
    conditions: Mapping[str, str],
    patch: str,
    *,
    variables: Mapping[str, str] = MappingProxyType({}),
) -> tuple[dict[str, object], dict[str, object]]:
    """Return a policy that changes pods of tenants when they are created, and its binding.

    If the API server cannot apply the policy, it creates the pod unchanged: a job in the wrong zone
    is better than no job.

    Args:
        name: Name of both objects.
        conditions: Conditions on the pod, as CEL, by name.
        patch: A JSON patch, as CEL. An apply configuration may not write lists without keys, such
            as tolerations and affinities.
        variables: CEL expressions that the patch reads as ``variables.<name>``. Default none.
    """
    metadata = {"name": name, "labels": {MANAGED_BY: MANAGER}}
    pods = {
        "apiGroups": [""],
        "apiVersions": ["v1"],
        "operations": ["CREATE"],
        "resources": ["pods"],
    }
    tenants = {"matchExpressions": [{"key": labels.TENANT, "operator": "Exists"}]}
    expressions = {"of-a-workload": _HAS_WORKLOAD, **conditions}
    policy: dict[str, object] = {
        "apiVersion": _API,
        "kind": "MutatingAdmissionPolicy",
        "metadata": metadata,
        "spec": {
            "failurePolicy": "Ignore",
            "reinvocationPolicy": "Never",
            "matchConstraints": {"resourceRules": [pods], "namespaceSelector": tenants},
            "matchConditions": _named(expressions),
            **({"variables": _named(variables)} if variables else {}),
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


def _named(expressions: Mapping[str, str]) -> list[Mapping[str, str]]:
    return [{"name": name, "expression": text} for name, text in expressions.items()]
