"""What tenants may make beside pods: services that stay inside, and little else."""

from __future__ import annotations

from typing import Final

from cdk_emr_eks.model.admission.identities import (
    BY_CODE,
    BY_CONTROLLER,
    BY_EMR,
    BY_FOREIGN_JOB,
    BY_JOB_CONTROLLER,
    BY_TENANT,
    FOR_TENANT,
    OF_CONTROLLER,
)
from cdk_emr_eks.model.admission.policy import AdmissionPolicy, Rule

_MADE: Final = ("pods", "services", "configmaps", "persistentvolumeclaims", "secrets", "events")


def _type(of: str) -> str:
    return f"{of}.spec.?type.orValue('ClusterIP')"


SERVICES: Final = AdmissionPolicy(
    name="emr-eks-services",
    resources={"": ("services",)},
    operations=("CREATE", "UPDATE", "DELETE"),
    rules=(
        Rule(
            # EMR's load balancers may be mended by the platform's people.
            expression=f"request.operation == 'DELETE' || {_type('object')} == 'ClusterIP' || "
            f"request.operation == 'UPDATE' && {_type('object')} == {_type('oldObject')}",
            message="services must be of the type ClusterIP",
            subject=_type("object"),
        ),
        Rule(
            expression="request.operation == 'DELETE' || "
            "object.spec.?externalIPs.orValue([]).size() == 0",
            message="services must not have external IPs",
        ),
        Rule(
            expression=f"request.operation == 'CREATE' || !({BY_TENANT}) || "
            f"{_type('oldObject')} == 'ClusterIP'",
            message="code in a pod may change and delete services of the type ClusterIP only",
            subject=_type("oldObject"),
        ),
    ),
    # EMR makes the load balancers of managed endpoints; their controller writes into them.
    conditions={"not-emr": f"!({BY_EMR} || {BY_CONTROLLER})"},
)
"""A service with another address draws the traffic of others to itself, or opens the cluster."""

SECRETS: Final = AdmissionPolicy(
    name="emr-eks-secrets",
    resources={"": ("secrets",)},
    operations=("CREATE", "UPDATE"),
    rules=(
        Rule(
            expression="object.?type.orValue('') != 'kubernetes.io/service-account-token'",
            message="secrets must hold what their maker writes, not tokens of service accounts",
        ),
    ),
    # Not only for a tenant: rights over all namespaces are given by mistake, too.
    conditions={"by-code": BY_CODE},
)
"""Kubernetes fills such a secret with a lasting token of any account of the namespace."""

_KUBERNETES_OWN: Final = ("foregroundDeletion", "orphan", "kubernetes.io/pvc-protection")
_FINALIZERS: Final = "metadata.?finalizers.orValue([])"

FINALIZERS: Final = AdmissionPolicy(
    name="emr-eks-finalizers",
    resources={"": tuple(each for each in _MADE if each != "events")},
    operations=("CREATE", "UPDATE"),
    variables={
        "before": f"request.operation == 'CREATE' ? [] : oldObject.{_FINALIZERS}",
        "own": f"[{', '.join(map(repr, _KUBERNETES_OWN))}]",
        "controller": OF_CONTROLLER,
    },
    rules=(
        Rule(
            expression=f"!{FOR_TENANT} || object.{_FINALIZERS}"
            ".all(f, f in variables.own || f in variables.before)",
            message="what code makes must have no finalizers but Kubernetes' own",
        ),
        Rule(
            expression=f"!{FOR_TENANT} || variables.before.all(f, f in object.{_FINALIZERS})",
            message="finalizers must be taken away by those who set them only",
        ),
    ),
    conditions={"by-code": BY_CODE},
)
"""An object with a finalizer that nobody takes away keeps its namespace from going."""

_LISTED: Final = (
    "(request.resource.group in ['', 'events.k8s.io'] && "
    f"request.resource.resource in [{', '.join(map(repr, _MADE))}] && "
    "request.?subResource.orValue('') == '')"
)
_OPERATOR_GROUP: Final = "sparkoperator.k8s.io"

OTHERS: Final = AdmissionPolicy(
    name="emr-eks-others",
    resources={"*": ("*/*",)},
    operations=("CREATE", "UPDATE", "DELETE", "CONNECT"),
    variables={"controller": OF_CONTROLLER},
    rules=(
        Rule(
            expression=f"!({BY_TENANT}) || {_LISTED}",
            message=f"code in a pod may make and change only {', '.join(_MADE)}",
        ),
        Rule(
            # An ingress opens the cluster, a Job's pods pass for EMR's, a budget holds a node.
            expression=f"!({BY_JOB_CONTROLLER}) || {_LISTED} || "
            f"request.resource.group == '{_OPERATOR_GROUP}'",
            message=f"controllers of jobs may make and change only {', '.join(_MADE)} and their "
            "own kinds",
        ),
        Rule(
            # EMR's guide gives drivers of its operator rights over all namespaces.
            expression=f"!{BY_FOREIGN_JOB}",
            message="jobs and controllers of others must make and change nothing here",
            subject="request.userInfo.username",
        ),
    ),
    conditions={"by-code": BY_CODE},
)
"""Not controllers, whose pods would pass for EMR's own; nor accounts, rights, routes, policies, nor
what enters, binds or evicts pods. It holds whatever rights the code was given by mistake."""
