"""Service accounts and rights that EMR creates in a namespace for an execution role.

EMR creates them as its Kubernetes user when the first job of a role starts. The simulation does the
same, so a platform that does not allow EMR to create them fails as it does in AWS.

Source: https://github.com/aws/aws-emr-containers-best-practices/tree/main/tools/k8s-rbac-policies
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from cdk_emr_eks.model.access.execution_role import Component, service_account
from cdk_emr_eks.simulation.control_plane.kube_api import KubeApi
from cdk_emr_eks.simulation.control_plane.kube_types import (
    ImpersonatedUser,
    RefusedError,
    namespaced,
)
from cdk_emr_eks.simulation.jobs.blueprint import Blueprint

# Kubernetes user of EMR's service.
EMR: Final = ImpersonatedUser(user="emr-containers", groups=("system:authenticated",))

_RBAC: Final = "rbac.authorization.k8s.io"
_ALL: Final = ["get", "list", "watch", "create", "delete", "patch", "deletecollection"]
# Component of the job, resources of the core group, verbs.
_RULES: Final = (
    (Component.CLIENT, ["pods", "services", "configmaps", "persistentvolumeclaims"], _ALL),
    (Component.CLIENT, ["pods/log"], ["get", "list", "watch"]),
    (Component.CLIENT, ["secrets"], ["create", "patch", "delete", "watch"]),
    (Component.DRIVER, ["pods", "services", "configmaps", "persistentvolumeclaims"], _ALL),
)


async def create_identities(api: KubeApi, blueprint: Blueprint, account: str) -> None:
    """Create the service accounts, roles and bindings of an execution role in its namespace.

    Raises:
        RefusedError: If the cluster does not allow EMR to create them.
    """
    for path, content in identity_objects(blueprint, account):
        try:
            await api.create(path, content, identity=EMR)
        except RefusedError as refused:
            if not refused.already_exists:
                raise


def identity_objects(
    blueprint: Blueprint, account: str
) -> Iterator[tuple[str, Mapping[str, object]]]:
    """Yield path and content of each object."""
    namespace, role = blueprint.namespace, blueprint.execution_role
    for component in (Component.CLIENT, Component.DRIVER, Component.EXECUTOR):
        name = service_account(component, account, role)
        metadata = {"name": name, "namespace": namespace}
        yield (
            namespaced(namespace, "serviceaccounts"),
            {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": metadata},
        )
        rules = [
            {"apiGroups": [""], "resources": resources, "verbs": verbs}
            for owner, resources, verbs in _RULES
            if owner is component
        ]
        if not rules:
            continue
        bound = {"name": name.replace("-sa-", "-role-"), "namespace": namespace}
        yield (
            namespaced(namespace, "roles", group=f"{_RBAC}/v1"),
            {"apiVersion": f"{_RBAC}/v1", "kind": "Role", "metadata": bound, "rules": rules},
        )
        yield (
            namespaced(namespace, "rolebindings", group=f"{_RBAC}/v1"),
            {
                "apiVersion": f"{_RBAC}/v1",
                "kind": "RoleBinding",
                "metadata": bound,
                "subjects": [{"kind": "ServiceAccount", **metadata}],
                "roleRef": {"kind": "Role", "name": bound["name"], "apiGroup": _RBAC},
            },
        )
