"""A control plane in its initial state for each module of tests."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from cdk_emr_eks.assembly.paths import mapping, sequence
from cdk_emr_eks.simulation.control_plane.plane import Plane
from cdk_emr_eks.simulation.deploy.objects import Objects
from tests.simulation.waiting import SECONDS

_ADMISSION: Final = "admissionregistration.k8s.io/v1"
_RBAC: Final = "rbac.authorization.k8s.io/v1"
# Objects that tests of a module could leave behind; policies first, since they refuse requests.
CLUSTER_WIDE: Final = (
    (_ADMISSION, "validatingadmissionpolicybindings", "ValidatingAdmissionPolicyBinding"),
    (_ADMISSION, "validatingadmissionpolicies", "ValidatingAdmissionPolicy"),
    (_ADMISSION, "mutatingadmissionpolicybindings", "MutatingAdmissionPolicyBinding"),
    (_ADMISSION, "mutatingadmissionpolicies", "MutatingAdmissionPolicy"),
    ("v1", "namespaces", "Namespace"),
    ("v1", "nodes", "Node"),
    (_RBAC, "clusterrolebindings", "ClusterRoleBinding"),
    (_RBAC, "clusterroles", "ClusterRole"),
    ("scheduling.k8s.io/v1", "priorityclasses", "PriorityClass"),
    ("storage.k8s.io/v1", "storageclasses", "StorageClass"),
    ("apiextensions.k8s.io/v1", "customresourcedefinitions", "CustomResourceDefinition"),
)

Name = tuple[str, str]


def swept(plane: Plane) -> Iterator[Plane]:
    """Yield the control plane, and delete new objects afterwards.

    Finalizers are respected: a module that leaves an object with a finalizer fails.
    """
    with plane.client() as api:
        objects = Objects(api)
        before = set(_found(objects))
        yield plane
        after = _found(objects)
        left = objects.delete([after[name] for name in after if name not in before], SECONDS)
        assert left == ()


def _found(objects: Objects) -> Mapping[Name, Mapping[str, object]]:
    found: dict[Name, Mapping[str, object]] = {}
    for version, plural, kind in CLUSTER_WIDE:
        root = "/apis" if "/" in version else "/api"
        answer, _ = objects.request("GET", f"{root}/{version}/{plural}")
        for item in map(mapping, sequence(answer["items"])):
            name = str(mapping(item["metadata"])["name"])
            found[kind, name] = {**item, "apiVersion": version, "kind": kind}
    return found
