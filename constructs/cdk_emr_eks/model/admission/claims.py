"""What tenants may claim as volumes, by a claim of their own or within a pod.

A storage class says which disks, with whose key and how fast; a claim that names a volume or a
source takes what was somebody else's. The EBS driver also takes speed and tags from annotations.

Source: https://github.com/kubernetes-sigs/aws-ebs-csi-driver/blob/master/docs/modify-volume.md
"""

from __future__ import annotations

from typing import Final

from cdk_emr_eks.model.admission.identities import BY_CODE, FOR_TENANT, OF_CONTROLLER
from cdk_emr_eks.model.admission.policy import AdmissionPolicy, Rule
from cdk_emr_eks.model.admission.tenant_values import STORAGE_CLASSES, listed
from cdk_emr_eks.model.nodes.storage_class import EXECUTOR_STORAGE_CLASS

_CHOSEN: Final = (
    *("volumeName", "selector", "dataSource", "dataSourceRef"),
    "volumeAttributesClassName",
)
_DRIVER: Final = "ebs.csi.aws.com"
CLASSES: Final = f"['{EXECUTOR_STORAGE_CLASS}'] + {listed(STORAGE_CLASSES)}"
"""CEL: names of the storage classes that a tenant may use; the variable ``classes`` of policies."""

_MESSAGE: Final = (
    f"claims must be of the storage class {EXECUTOR_STORAGE_CLASS} or one of the tenant's, and "
    "name no volume, selector, source or attributes class"
)
_ANNOTATED: Final = f"claims must have no annotations of {_DRIVER}"


def _of_class(spec: str) -> str:
    free = " && ".join(f"!has({spec}.{field})" for field in _CHOSEN)
    return f"{spec}.?storageClassName.orValue('') in variables.classes && {free}"


def _plain(metadata: str) -> str:
    return f"{metadata}.?annotations.orValue({{}}).all(k, !k.startsWith('{_DRIVER}/'))"


def _of_volumes(condition: str, message: str) -> Rule:
    volumes = "object.spec.?volumes.orValue([])"
    return Rule(expression=f"{volumes}.all(v, !has(v.ephemeral) || {condition})", message=message)


IN_PODS: Final = (
    _of_volumes(f"({_of_class('v.ephemeral.volumeClaimTemplate.spec')})", _MESSAGE),
    _of_volumes(
        f"v.ephemeral.volumeClaimTemplate.?metadata.?annotations.orValue({{}})"
        f".all(k, !k.startsWith('{_DRIVER}/'))",
        _ANNOTATED,
    ),
)
"""The same of claims that Kubernetes makes for a pod."""

CLAIMS: Final = AdmissionPolicy(
    name="emr-eks-claims",
    resources={"": ("persistentvolumeclaims",)},
    operations=("CREATE", "UPDATE"),
    variables={"classes": CLASSES, "controller": OF_CONTROLLER},
    rules=(
        Rule(
            # Kubernetes writes the volume into a claim that is bound.
            expression=f"!{FOR_TENANT} || (request.operation == 'UPDATE' "
            f"? object.spec == oldObject.spec : {_of_class('object.spec')})",
            message=f"{_MESSAGE}; they stay as they were made",
        ),
        Rule(
            expression=f"!{FOR_TENANT} || {_plain('object.metadata')}",
            message=_ANNOTATED,
        ),
    ),
    conditions={"by-code": BY_CODE},
)
"""What code of tenants claims; people of the platform may claim anything for them."""
