"""Kubernetes permissions of the EMR service, as Roles and ClusterRoles."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from cdk_emr_eks.model.admission.identities import EMR_USERS

_NAME: Final = "emr-containers"
_USER: Final = "emr-containers"
_GROUP: Final = "rbac.authorization.k8s.io"

# AWS's list also has "describe", "edit", "annotate" and "label". These are commands of kubectl and
# not verbs of Kubernetes: a rule with them grants nothing more.
_WRITE: Final = ("get", "list", "watch", "create", "delete", "patch")
_WRITE_ALL: Final = (*_WRITE, "deletecollection")

# API group, resources, verbs.
_Rule = tuple[str, tuple[str, ...], tuple[str, ...]]
_RULES: Final[tuple[_Rule, ...]] = (
    ("", ("namespaces",), ("get",)),
    (
        "",
        ("serviceaccounts", "services", "configmaps", "events", "pods", "pods/log"),
        _WRITE_ALL,
    ),
    # EMR writes secrets and does not read them.
    ("", ("secrets",), ("create", "patch", "delete", "watch")),
    ("apps", ("statefulsets", "deployments"), _WRITE),
    ("batch", ("jobs",), _WRITE),
    ("extensions", ("ingresses",), _WRITE),
    ("networking.k8s.io", ("ingresses",), _WRITE),
    ("rbac.authorization.k8s.io", ("roles", "rolebindings"), _WRITE_ALL),
    # eksctl's list lacks roles, role bindings and claims, so jobs with volumes fail under it.
    ("", ("persistentvolumeclaims",), _WRITE_ALL),
)


def emr_role_manifests(namespace: str) -> tuple[dict[str, object], ...]:
    """Return the Role and the RoleBinding that let EMR's Kubernetes user work in a namespace.

    Source: https://docs.aws.amazon.com/emr/latest/EMR-on-EKS-DevelopmentGuide/setting-up-cluster-access.html
    """
    metadata = {"name": _NAME, "namespace": namespace}
    role: dict[str, object] = {
        "apiVersion": f"{_GROUP}/v1",
        "kind": "Role",
        "metadata": metadata,
        "rules": _rules(_RULES),
    }
    binding: dict[str, object] = {
        "apiVersion": f"{_GROUP}/v1",
        "kind": "RoleBinding",
        "metadata": metadata,
        "subjects": [{"kind": "User", "name": _USER, "apiGroup": _GROUP}],
        "roleRef": {"kind": "Role", "name": _NAME, "apiGroup": _GROUP},
    }
    return role, binding


def emr_cluster_role_manifests(namespace: str) -> tuple[dict[str, object], ...]:
    """Return the ClusterRole and binding that let EMR's part of a job work across namespaces.

    Kubernetes lets no user grant permissions that the user lacks, so EMR has all of them in the
    whole cluster. The names contain the tenant's namespace, so the objects are created and deleted
    with the tenant. Both users of EMR are bound.

    Args:
        namespace: Namespace of the tenant whose jobs have two parts.

    Source: https://docs.aws.amazon.com/emr/latest/EMR-on-EKS-DevelopmentGuide/security_iam_fgac-lf-enable.html
    """
    name = f"{_NAME}-{namespace}"
    wide = (
        *_RULES,
        (_GROUP, ("clusterroles", "clusterrolebindings"), _WRITE_ALL),
        # Without Kyverno in the cluster the rule has no effect.
        ("kyverno.io", ("clusterpolicies",), ("create", "delete")),
    )
    role: dict[str, object] = {
        "apiVersion": f"{_GROUP}/v1",
        "kind": "ClusterRole",
        "metadata": {"name": name},
        "rules": _rules(wide),
    }
    binding: dict[str, object] = {
        "apiVersion": f"{_GROUP}/v1",
        "kind": "ClusterRoleBinding",
        "metadata": {"name": name},
        "subjects": [{"kind": "User", "name": user, "apiGroup": _GROUP} for user in EMR_USERS],
        "roleRef": {"kind": "ClusterRole", "name": name, "apiGroup": _GROUP},
    }
    return role, binding


def _rules(rules: Sequence[_Rule]) -> list[dict[str, object]]:
    return [
        {"apiGroups": [group], "resources": list(resources), "verbs": list(verbs)}
        for group, resources, verbs in rules
    ]


def aws_auth_entry(partition: str, account: str) -> str:
    """Return the entry of ``mapRoles`` in the ConfigMap ``aws-auth``, as YAML.

    The ARN is without the path ``aws-service-role/``, since ``aws-auth`` does not match paths.
    """
    arn = f"arn:{partition}:iam::{account}:role/AWSServiceRoleForAmazonEMRContainers"
    return f"- rolearn: {arn}\n  username: {_USER}\n"
