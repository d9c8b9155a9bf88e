"""Validating admission policies, bound to tenants' namespaces.

The API server evaluates them itself: no webhook that could be down, no controller, no image.

Source: https://kubernetes.io/docs/reference/access-authn-authz/validating-admission-policy/
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import field
from typing import Final

from cdk_emr_eks.labels import MANAGED_BY
from cdk_emr_eks.model.admission.admission import MODE, AdmissionMode
from cdk_emr_eks.model.namespaces.namespace import MANAGER
from cdk_emr_eks.values import value

_API: Final = "admissionregistration.k8s.io/v1"
_ACTIONS: Final = {
    AdmissionMode.ENFORCE: ("Deny",),
    AdmissionMode.AUDIT: ("Warn", "Audit"),
}


@value
class Rule:
    """One rule of a policy.

    Args:
        expression: A CEL expression that is true for allowed objects.
        message: What the API server answers otherwise.
        subject: A CEL expression that names the offender, such as a container. Its value follows
            the message. Empty: only the message.
    """

    expression: str
    message: str
    subject: str = ""

    def manifest(self) -> dict[str, object]:
        """Return the validation."""
        found: dict[str, object] = {"expression": self.expression, "message": self.message}
        if self.subject:
            # CEL reads text in double quotes as JSON does.
            found["messageExpression"] = f"{json.dumps(self.message + ': ')} + {self.subject}"
        return found


@value
class AdmissionPolicy:
    """Rules for operations on resources in every tenant's namespace.

    Args:
        name: Name of the policy; the name of a binding ends with its mode.
        resources: Resources and subresources by API group.
        operations: ``CREATE``, ``UPDATE``, ``DELETE``, ``CONNECT``.
        rules: The rules.
        variables: CEL expressions by name, for the rules and for later variables.
        conditions: CEL expressions by name. The policy applies only if all of them are true.
    """

    name: str
    resources: Mapping[str, tuple[str, ...]]
    operations: tuple[str, ...]
    rules: tuple[Rule, ...]
    variables: Mapping[str, str] = field(default_factory=dict)
    conditions: Mapping[str, str] = field(default_factory=dict)

    def manifests(self) -> tuple[dict[str, object], ...]:
        """Return the policy, and a binding for each admission mode of a namespace."""
        constraints = {
            "resourceRules": [
                {
                    "apiGroups": [group],
                    "apiVersions": ["*"],
                    "operations": list(self.operations),
                    "resources": list(resources),
                    # Otherwise a wildcard would include objects outside of namespaces.
                    "scope": "Namespaced",
                }
                for group, resources in self.resources.items()
            ]
        }
        spec: dict[str, object] = {
            # The API server refuses a request if it cannot evaluate a rule.
            "failurePolicy": "Fail",
            "matchConstraints": constraints,
            "validations": [rule.manifest() for rule in self.rules],
        }
        if self.variables:
            spec["variables"] = _named(self.variables)
        if self.conditions:
            spec["matchConditions"] = _named(self.conditions)
        policy = _object("ValidatingAdmissionPolicy", self.name, spec)
        return (policy, *(self._binding(mode, actions) for mode, actions in _ACTIONS.items()))

    def _binding(self, mode: AdmissionMode, actions: tuple[str, ...]) -> dict[str, object]:
        spec = {
            "policyName": self.name,
            "validationActions": list(actions),
            "matchResources": {"namespaceSelector": {"matchLabels": {MODE: str(mode)}}},
        }
        return _object("ValidatingAdmissionPolicyBinding", f"{self.name}-{mode}", spec)


def _object(kind: str, name: str, spec: object) -> dict[str, object]:
    metadata = {"name": name, "labels": {MANAGED_BY: MANAGER}}
    return {"apiVersion": _API, "kind": kind, "metadata": metadata, "spec": spec}


def _named(expressions: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"name": name, "expression": text} for name, text in expressions.items()]
