"""Job submitters spread over zones: their zone becomes that of the whole job.

EMR writes a submitter's pod itself and takes no affinity for it. Without one, Karpenter buys the
first nodes all in one zone, and drivers follow submitters onto these nodes. So the API server adds
the affinity, by Kubernetes' own MutatingAdmissionPolicy: no webhook, nothing that could be down.

Source: https://kubernetes.io/docs/reference/access-authn-authz/mutating-admission-policy/
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Final

from cdk_emr_eks import labels
from cdk_emr_eks.labels import MANAGED_BY, Role
from cdk_emr_eks.spec.namespace import MANAGER

OLDEST_KUBERNETES: Final = (1, 36)
"""First version with MutatingAdmissionPolicy as a stable API, which EKS then has."""

_NAME: Final = "emr-eks-submitters"
_API: Final = "admissionregistration.k8s.io/v1"
_LABEL: Final = json.dumps(labels.WORKLOAD)


def _affinity() -> str:
    """Return the affinity as CEL, with the pod's own workload."""
    # Whatever of the workload is no executor: submitters and drivers, of all tenants ({} selects
    # all of them).
    no_executor = {"key": labels.SPARK_ROLE, "operator": "NotIn", "values": [str(Role.EXECUTOR)]}
    term = {
        "weight": 100,
        "podAffinityTerm": {
            "topologyKey": labels.ZONE,
            "namespaceSelector": {},
            "labelSelector": {
                "matchLabels": {labels.WORKLOAD: "WORKLOAD"},
                "matchExpressions": [no_executor],
            },
        },
    }
    affinity = {"podAntiAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": [term]}}
    return _cel(affinity).replace('"WORKLOAD"', f"object.metadata.labels[{_LABEL}]")


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
    """Tell whether a version of Kubernetes, such as ``1.36``, can add the affinity."""
    return tuple(map(int, kubernetes.split("."))) >= OLDEST_KUBERNETES


def submitter_spread() -> tuple[dict[str, object], dict[str, object]]:
    """Return the policy and its binding.

    It is a preference, and where it cannot be applied the pod is made without it: a job that runs
    in the wrong zone is better than one that does not.
    """
    metadata = {"name": _NAME, "labels": {MANAGED_BY: MANAGER}}
    pods = {
        "apiGroups": [""],
        "apiVersions": ["v1"],
        "operations": ["CREATE"],
        "resources": ["pods"],
    }
    tenants = {"matchExpressions": [{"key": labels.TENANT, "operator": "Exists"}]}
    label = f"object.metadata.?labels[?'{labels.WORKLOAD}'].hasValue()"
    conditions = {
        "made-for-a-job": "request.userInfo.username == "
        "'system:serviceaccount:kube-system:job-controller'",
        "of-a-workload": label,
        "without-affinity": "!has(object.spec.affinity)",
    }
    policy = {
        "apiVersion": _API,
        "kind": "MutatingAdmissionPolicy",
        "metadata": metadata,
        "spec": {
            "failurePolicy": "Ignore",
            "reinvocationPolicy": "Never",
            "matchConstraints": {"resourceRules": [pods], "namespaceSelector": tenants},
            "matchConditions": [
                {"name": name, "expression": text} for name, text in conditions.items()
            ],
            "mutations": [
                {
                    # An apply configuration may not write lists without keys, as this one is.
                    "patchType": "JSONPatch",
                    "jsonPatch": {
                        "expression": "[JSONPatch{op: 'add', path: '/spec/affinity', "
                        f"value: {_affinity()}}}]"
                    },
                }
            ],
        },
    }
    binding = {
        "apiVersion": _API,
        "kind": "MutatingAdmissionPolicyBinding",
        "metadata": metadata,
        "spec": {"policyName": _NAME},
    }
    return policy, binding
