"""EMR's rights in a namespace, for clusters that let it in through ``aws-auth``."""

from __future__ import annotations

from typing import Final

_NAME: Final = "emr-containers"
_USER: Final = "emr-containers"

# AWS lists "describe", "edit", "annotate" and "label", too; these are kubectl's commands, no verbs
# of Kubernetes, and a rule with them grants nothing more.
_WRITE: Final = ("get", "list", "watch", "create", "delete", "patch")
_WRITE_ALL: Final = (*_WRITE, "deletecollection")

# API group, resources, verbs.
_RULES: Final = (
    ("", ("namespaces",), ("get",)),
    (
        "",
        ("serviceaccounts", "services", "configmaps", "events", "pods", "pods/log"),
        _WRITE_ALL,
    ),
    # EMR writes secrets and never reads one.
    ("", ("secrets",), ("create", "patch", "delete", "watch")),
    ("apps", ("statefulsets", "deployments"), _WRITE),
    ("batch", ("jobs",), _WRITE),
    ("extensions", ("ingresses",), _WRITE),
    ("networking.k8s.io", ("ingresses",), _WRITE),
    ("rbac.authorization.k8s.io", ("roles", "rolebindings"), _WRITE_ALL),
    # eksctl's own list lacks these two groups, so that jobs with volumes fail under it.
    ("", ("persistentvolumeclaims",), _WRITE_ALL),
)


def emr_role_manifests(namespace: str) -> tuple[dict[str, object], ...]:
    """Return the Role and the RoleBinding that let EMR's Kubernetes user work in a namespace.

    Source: https://docs.aws.amazon.com/emr/latest/EMR-on-EKS-DevelopmentGuide/setting-up-cluster-access.html
    """
    group = "rbac.authorization.k8s.io"
    metadata = {"name": _NAME, "namespace": namespace}
    rules = [
        {"apiGroups": [api_group], "resources": list(resources), "verbs": list(verbs)}
        for api_group, resources, verbs in _RULES
    ]
    role: dict[str, object] = {
        "apiVersion": f"{group}/v1",
        "kind": "Role",
        "metadata": metadata,
        "rules": rules,
    }
    binding: dict[str, object] = {
        "apiVersion": f"{group}/v1",
        "kind": "RoleBinding",
        "metadata": metadata,
        "subjects": [{"kind": "User", "name": _USER, "apiGroup": group}],
        "roleRef": {"kind": "Role", "name": _NAME, "apiGroup": group},
    }
    return role, binding


def aws_auth_entry(partition: str, account: str) -> str:
    """Return the entry of ``mapRoles`` in the ConfigMap ``aws-auth``, as YAML.

    The ARN is without the path ``aws-service-role/``, since ``aws-auth`` does not match paths.
    """
    arn = f"arn:{partition}:iam::{account}:role/AWSServiceRoleForAmazonEMRContainers"
    return f"- rolearn: {arn}\n  username: {_USER}\n"
