"""Kubernetes objects around a Livy server: accounts, rights, who may reach it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, cast

from cdk_emr_eks.model.namespaces.namespace import MANAGER, NamespaceOwner, namespace_manifest
from cdk_emr_eks.model.notebooks.livy import PORT

SERVER_ACCOUNT: Final = "emr-containers-sa-livy"
RELEASE: Final = "livy"
_RBAC: Final = "rbac.authorization.k8s.io"
# User and group of EMR's images, as EMR itself runs them.
_CONTAINER_SECURITY: Final[Mapping[str, object]] = {
    "runAsNonRoot": True,
    "runAsUser": 999,
    "runAsGroup": 1000,
    "privileged": False,
    "allowPrivilegeEscalation": False,
    "capabilities": {"drop": ["ALL"]},
}
_POD_SECURITY: Final[Mapping[str, object]] = {
    # Lets that user read the token of its service account.
    "fsGroup": 65534,
    "seccompProfile": {"type": "RuntimeDefault"},
}
_LB: Final = "service.beta.kubernetes.io/aws-load-balancer-"
_LOOK: Final = ("get", "list", "watch")
_WRITE: Final = (*_LOOK, "create", "update", "patch", "delete", "deletecollection")

# Resources and verbs in the tenant's namespace. EMR's guide lists more: its server may make service
# accounts, and its sessions may read secrets and enter any pod, also those of another role.
# Source: https://docs.aws.amazon.com/emr/latest/EMR-on-EKS-DevelopmentGuide/job-runs-apache-livy-rbac.html
_SERVER_RULES: Final = (
    (("namespaces",), ("get",)),
    (("services", "configmaps", "pods", "persistentvolumeclaims"), _WRITE),
    (("serviceaccounts", "events", "pods/log"), _LOOK),
    (("secrets",), ("create", "patch", "delete", "watch")),
)
_SESSION_RULES: Final = (
    (("services", "configmaps", "pods", "persistentvolumeclaims"), _WRITE),
    (("pods/log",), _LOOK),
)


def livy_objects(
    *,
    server_namespace: str,
    namespace: str,
    tenant: str,
    session_account: str,
    session_role_arn: str | None,
    client_cidrs: Sequence[str],
    certificate_arn: str | None,
    policies: Sequence[Mapping[str, object]],
) -> tuple[dict[str, object], ...]:
    """Return what must be there before the chart, in order.

    Args:
        server_namespace: Namespace of the server.
        namespace: The tenant's namespace, where sessions run.
        tenant: Value of the server's namespace's label ``emr-eks/tenant``.
        session_account: Name of the sessions' service account.
        session_role_arn: Role of that account, for IRSA. None: Pod Identity.
        client_cidrs: Ranges outside the cluster that reach the server.
        certificate_arn: Certificate of the load balancer.
        policies: Network policies of server and sessions.
    """
    account = _object("v1", "ServiceAccount", session_account, namespace)
    if session_role_arn is not None:
        annotation = {"eks.amazonaws.com/role-arn": session_role_arn}
        account["metadata"] = {**_metadata(session_account, namespace), "annotations": annotation}
    objects = [
        namespace_manifest(server_namespace, NamespaceOwner(tenant=tenant)),
        _object("v1", "ServiceAccount", SERVER_ACCOUNT, server_namespace),
        account,
        *_rights("livy-server", namespace, _SERVER_RULES, SERVER_ACCOUNT, server_namespace),
        *_rights("livy-session", namespace, _SESSION_RULES, session_account, namespace),
        *map(dict, policies),
    ]
    if client_cidrs:
        objects.append(_service(server_namespace, client_cidrs, str(certificate_arn)))
    return tuple(objects)


def hardened(template: Mapping[str, object]) -> dict[str, object]:
    """Return a pod template with what EMR's job submitter would add, which Livy does not.

    The tenant's namespace takes no pod without it.
    """
    spec = dict(cast(Mapping[str, object], template["spec"]))
    containers = cast(Sequence[Mapping[str, object]], spec["containers"])
    spec["containers"] = [{**each, "securityContext": _CONTAINER_SECURITY} for each in containers]
    spec["securityContext"] = _POD_SECURITY
    return {**template, "spec": spec}


def _rights(
    name: str,
    namespace: str,
    rules: Sequence[tuple[Sequence[str], Sequence[str]]],
    account: str,
    account_namespace: str,
) -> tuple[dict[str, object], dict[str, object]]:
    role = _object(f"{_RBAC}/v1", "Role", name, namespace)
    role["rules"] = [
        {"apiGroups": [""], "resources": list(resources), "verbs": list(verbs)}
        for resources, verbs in rules
    ]
    binding = _object(f"{_RBAC}/v1", "RoleBinding", name, namespace)
    subject = {"kind": "ServiceAccount", "name": account, "namespace": account_namespace}
    binding["subjects"] = [subject]
    binding["roleRef"] = {"apiGroup": _RBAC, "kind": "Role", "name": name}
    return role, binding


def _service(
    server_namespace: str, client_cidrs: Sequence[str], certificate_arn: str
) -> dict[str, object]:
    """Return the load balancer. Ours, not the chart's: with TLS, and the client's address kept.

    Targets are nodes and traffic stays on the pod's node, so the network policy sees the client's
    address, and the load balancer asks kube-proxy for the pod's health, not the pod.

    Source: https://kubernetes-sigs.github.io/aws-load-balancer-controller/latest/guide/service/annotations/
    """
    service = _object("v1", "Service", "livy-clients", server_namespace)
    service["metadata"] = {
        **_metadata("livy-clients", server_namespace),
        "annotations": {
            f"{_LB}scheme": "internal",
            f"{_LB}nlb-target-type": "instance",
            f"{_LB}backend-protocol": "tcp",
            f"{_LB}ssl-cert": certificate_arn,
            f"{_LB}ssl-ports": str(PORT),
            f"{_LB}ssl-negotiation-policy": "ELBSecurityPolicy-TLS13-1-2-2021-06",
        },
    }
    service["spec"] = {
        "type": "LoadBalancer",
        "loadBalancerClass": "service.k8s.aws/nlb",
        "loadBalancerSourceRanges": list(client_cidrs),
        "externalTrafficPolicy": "Local",
        "selector": {"app.kubernetes.io/instance": RELEASE},
        "ports": [{"name": "https", "protocol": "TCP", "port": PORT, "targetPort": PORT}],
    }
    return service


def _object(api: str, kind: str, name: str, namespace: str) -> dict[str, object]:
    return {"apiVersion": api, "kind": kind, "metadata": _metadata(name, namespace)}


def _metadata(name: str, namespace: str) -> Mapping[str, object]:
    labels = {"app.kubernetes.io/managed-by": MANAGER}
    return {"name": name, "namespace": namespace, "labels": labels}
