"""A set of rules as a ValidatingAdmissionPolicy, bound to the tenants' namespaces.

Native to the API server: no webhook that could be down, no controller to run, no image to trust.

Source: https://kubernetes.io/docs/reference/access-authn-authz/validating-admission-policy/
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from cdk_emr_eks.labels import MANAGED_BY
from cdk_emr_eks.model.admission.tenant_values import MODE, AdmissionMode
from cdk_emr_eks.model.namespaces.namespace import MANAGER

_API: Final = "admissionregistration.k8s.io/v1"
_ACTIONS: Final = {
    AdmissionMode.ENFORCE: ("Deny",),
    AdmissionMode.AUDIT: ("Warn", "Audit"),
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Rule:
    """One thing that must hold.

    Args:
        expression: A CEL expression that is true for what is allowed.
        message: What the API server answers otherwise.
        subject: A CEL expression that names the offender, such as a container; it is appended to
            the message. Empty: the message is all.
    """

    expression: str
    message: str
    subject: str = ""

    def manifest(self) -> dict[str, object]:
        """Return the validation."""
        made: dict[str, object] = {"expression": self.expression, "message": self.message}
        if self.subject:
            # CEL reads texts in double quotes as JSON has them.
            made["messageExpression"] = f"{json.dumps(self.message + ': ')} + {self.subject}"
        return made


@dataclass(frozen=True, kw_only=True, slots=True)
class AdmissionPolicy:
    """Rules for some operations on some resources, in every tenant's namespace.

    Args:
        name: Name of the policy; its bindings have the mode behind it.
        resources: Resources and subresources by API group.
        operations: ``CREATE``, ``UPDATE``, ``DELETE``, ``CONNECT``.
        rules: What must hold.
        variables: CEL expressions by name, for the rules and for variables after them.
        conditions: CEL expressions by name: what does not meet all of them is not looked at.
    """

    name: str
    resources: Mapping[str, tuple[str, ...]]
    operations: tuple[str, ...]
    rules: tuple[Rule, ...]
    variables: Mapping[str, str] = field(default_factory=dict)
    conditions: Mapping[str, str] = field(default_factory=dict)

    def manifests(self) -> tuple[dict[str, object], ...]:
        """Return the policy, and a binding for each mode that a namespace may be under."""
        constraints = {
            "resourceRules": [
                {
                    "apiGroups": [group],
                    "apiVersions": ["*"],
                    "operations": list(self.operations),
                    "resources": list(resources),
                    # Else a wildcard would hold for what is in no namespace, and so in no tenant's.
                    "scope": "Namespaced",
                }
                for group, resources in self.resources.items()
            ]
        }
        spec: dict[str, object] = {
            # What cannot be judged is refused.
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
