"""What the API server adds to pods of jobs: Kubernetes' own MutatingAdmissionPolicy, no webhook.

Source: https://kubernetes.io/docs/reference/access-authn-authz/mutating-admission-policy/
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from cdk_emr_eks import labels
from cdk_emr_eks.labels import MANAGED_BY
from cdk_emr_eks.model.namespaces.namespace import MANAGER

OLDEST_KUBERNETES: Final = (1, 36)
"""First version with MutatingAdmissionPolicy as a stable API, which EKS then has."""

WORKLOAD: Final = f"object.metadata.labels[{json.dumps(labels.WORKLOAD)}]"
"""The workload of a pod that ``OF_A_WORKLOAD`` holds for, in CEL."""

OF_A_WORKLOAD: Final = f"object.metadata.?labels[?'{labels.WORKLOAD}'].hasValue()"

_API: Final = "admissionregistration.k8s.io/v1"


def adds_to_pods(kubernetes: str) -> bool:
    """Tell whether a version of Kubernetes, such as ``1.36``, can add to pods of jobs."""
    return tuple(map(int, kubernetes.split("."))) >= OLDEST_KUBERNETES


def cel(value: object) -> str:
    """Write a value as CEL: as JSON, but every part as ``dyn``, since CEL's maps have one type."""
    if isinstance(value, Mapping):
        return f"{{{', '.join(f'{json.dumps(key)}: dyn({cel(it)})' for key, it in value.items())}}}"
    if isinstance(value, list):
        return f"[{', '.join(f'dyn({cel(item)})' for item in value)}]"
    return json.dumps(value)


def mutation(
    name: str,
    conditions: Mapping[str, str],
    patch: str,
    *,
    variables: Mapping[str, str] = MappingProxyType({}),
) -> tuple[dict[str, object], dict[str, object]]:
    """Return a policy for pods of tenants as they are made, and its binding.

    Where it cannot be applied the pod is made without it: a job that runs in the wrong zone is
    better than one that does not.

    Args:
        name: Of both.
        conditions: What must hold of a pod, as CEL, by name.
        patch: A JSON patch, as CEL: an apply configuration may not write lists without keys, such
            as tolerations and affinities are.
        variables: What the patch has as ``variables.<name>``, as CEL. Default none.
    """
    metadata = {"name": name, "labels": {MANAGED_BY: MANAGER}}
    pods = {
        "apiGroups": [""],
        "apiVersions": ["v1"],
        "operations": ["CREATE"],
        "resources": ["pods"],
    }
    tenants = {"matchExpressions": [{"key": labels.TENANT, "operator": "Exists"}]}
    expressions = {"of-a-workload": OF_A_WORKLOAD, **conditions}
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
