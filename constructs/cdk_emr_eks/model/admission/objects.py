"""What tenants' code may create in addition to pods: inner services, volume claims, little else.

A storage class determines the disks of a volume, their encryption key and their speed. A claim
that names a volume or a source could use data of another tenant. The EBS driver also takes speed
and tags from annotations.

Source: https://github.com/kubernetes-sigs/aws-ebs-csi-driver/blob/master/docs/modify-volume.md
"""

from __future__ import annotations

from typing import Final

from cdk_emr_eks.model.admission.admission import STORAGE_CLASSES, listed
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
from cdk_emr_eks.model.nodes.storage_class import EXECUTOR_STORAGE_CLASS

_CREATED: Final = ("pods", "services", "configmaps", "persistentvolumeclaims", "secrets", "events")


def _type(of: str) -> str:
    return f"{of}.spec.?type.orValue('ClusterIP')"


# A service with an external address attracts the traffic of others, or opens the cluster.
SERVICES: Final = AdmissionPolicy(
    name="emr-eks-services",
    resources={"": ("services",)},
    operations=("CREATE", "UPDATE", "DELETE"),
    rules=(
        Rule(
            # Platform engineers may repair EMR's load balancers.
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
    # EMR creates the load balancers of managed endpoints, and their controller updates them.
    conditions={"not-emr": f"!({BY_EMR} || {BY_CONTROLLER})"},
)

# Kubernetes fills a secret of this type with a lasting token of any account of the namespace.
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
    # Any code, not only the tenant's: RBAC may grant permissions for all namespaces by mistake.
    conditions={"by-code": BY_CODE},
)

_OWN_CHOICES: Final = (
    *("volumeName", "selector", "dataSource", "dataSourceRef"),
    "volumeAttributesClassName",
)
_DRIVER: Final = "ebs.csi.aws.com"

# CEL: names of the storage classes that a tenant may use; the variable ``classes`` of policies.
CLASSES: Final = f"['{EXECUTOR_STORAGE_CLASS}'] + {listed(STORAGE_CLASSES)}"

_MESSAGE: Final = (
    f"claims must be of the storage class {EXECUTOR_STORAGE_CLASS} or one of the tenant's, and "
    "name no volume, selector, source or attributes class"
)
_ANNOTATED: Final = f"claims must have no annotations of {_DRIVER}"


def _allowed_class(spec: str) -> str:
    free = " && ".join(f"!has({spec}.{field})" for field in _OWN_CHOICES)
    return f"{spec}.?storageClassName.orValue('') in variables.classes && {free}"


def _without_driver_annotations(metadata: str) -> str:
    return f"{metadata}.?annotations.orValue({{}}).all(k, !k.startsWith('{_DRIVER}/'))"


def _volume_rule(condition: str, message: str) -> Rule:
    volumes = "object.spec.?volumes.orValue([])"
    return Rule(expression=f"{volumes}.all(v, !has(v.ephemeral) || {condition})", message=message)


# The rules for claims that Kubernetes creates for a pod.
IN_PODS: Final = (
    _volume_rule(f"({_allowed_class('v.ephemeral.volumeClaimTemplate.spec')})", _MESSAGE),
    _volume_rule(
        f"v.ephemeral.volumeClaimTemplate.?metadata.?annotations.orValue({{}})"
        f".all(k, !k.startsWith('{_DRIVER}/'))",
        _ANNOTATED,
    ),
)

# Volume claims by code of tenants. Platform engineers may create any claim.
CLAIMS: Final = AdmissionPolicy(
    name="emr-eks-claims",
    resources={"": ("persistentvolumeclaims",)},
    operations=("CREATE", "UPDATE"),
    variables={"classes": CLASSES, "controller": OF_CONTROLLER},
    rules=(
        Rule(
            # Kubernetes writes the name of the volume into a bound claim.
            expression=f"!{FOR_TENANT} || (request.operation == 'UPDATE' "
            f"? object.spec == oldObject.spec : {_allowed_class('object.spec')})",
            message=f"{_MESSAGE}; they stay as they were made",
        ),
        Rule(
            expression=f"!{FOR_TENANT} || {_without_driver_annotations('object.metadata')}",
            message=_ANNOTATED,
        ),
    ),
    conditions={"by-code": BY_CODE},
)

_KUBERNETES_OWN: Final = ("foregroundDeletion", "orphan", "kubernetes.io/pvc-protection")
_FINALIZERS: Final = "metadata.?finalizers.orValue([])"

# An object with a finalizer that no program removes blocks the deletion of its namespace.
FINALIZERS: Final = AdmissionPolicy(
    name="emr-eks-finalizers",
    resources={"": tuple(each for each in _CREATED if each != "events")},
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

_LISTED: Final = (
    "(request.resource.group in ['', 'events.k8s.io'] && "
    f"request.resource.resource in [{', '.join(map(repr, _CREATED))}] && "
    "request.?subResource.orValue('') == '')"
)
_OPERATOR_GROUP: Final = "sparkoperator.k8s.io"

# Code may not create controllers, whose pods would pass for EMR's, nor accounts, permissions,
# routes and policies, and may not enter, bind or evict pods, even if RBAC grants it by mistake.
OTHERS: Final = AdmissionPolicy(
    name="emr-eks-others",
    resources={"*": ("*/*",)},
    operations=("CREATE", "UPDATE", "DELETE", "CONNECT"),
    variables={"controller": OF_CONTROLLER},
    rules=(
        Rule(
            expression=f"!({BY_TENANT}) || {_LISTED}",
            message=f"code in a pod may make and change only {', '.join(_CREATED)}",
        ),
        Rule(
            # An ingress opens the cluster, a Job's pods pass for EMR's, a budget blocks a drain.
            expression=f"!({BY_JOB_CONTROLLER}) || {_LISTED} || "
            f"request.resource.group == '{_OPERATOR_GROUP}'",
            message=f"controllers of jobs may make and change only {', '.join(_CREATED)} and their "
            "own kinds",
        ),
        Rule(
            # EMR's guide gives drivers of its Spark operator permissions for all namespaces.
            expression=f"!{BY_FOREIGN_JOB}",
            message="jobs and controllers of others must make and change nothing here",
            subject="request.userInfo.username",
        ),
    ),
    conditions={"by-code": BY_CODE},
)
