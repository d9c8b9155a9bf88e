"""Access entries and Pod Identity: who an IAM role is in the cluster, and which role a pod has."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from cdk_emr_eks.assembly.paths import mapping, sequence
from cdk_emr_eks.simulation.deploy.objects import describe
from cdk_emr_eks.simulation.deploy.outcome import (
    Deployed,
    DeploymentFailedError,
    Outcome,
    Request,
)
from cdk_emr_eks.simulation.deploy.resolve import Made
from cdk_emr_eks.simulation.deploy.site import ClusterIdentity, Site

_RBAC: Final = "rbac.authorization.k8s.io"
_CLUSTER_ROLES: Final = {
    "AmazonEKSClusterAdminPolicy": "cluster-admin",
    "AmazonEKSAdminPolicy": "admin",
    "AmazonEKSEditPolicy": "edit",
    "AmazonEKSViewPolicy": "view",
}
"""Kubernetes' own role that AWS documents each access policy to be like.

Source: https://docs.aws.amazon.com/eks/latest/userguide/access-policy-permissions.html
"""
_NODE_TYPES: Final = frozenset({"EC2_LINUX", "EC2_WINDOWS", "EC2", "HYBRID_LINUX"})


def deploy_access_entry(request: Request, site: Site) -> Deployed:
    """Let an IAM role in, with the rights of its access policies as bindings."""
    principal = request.text("PrincipalArn")
    kind = request.text("Type", "STANDARD")
    user = request.text("Username") or _session(principal)
    groups = [str(group) for group in sequence(request.properties.get("KubernetesGroups"))]
    if kind in _NODE_TYPES:
        groups += ["system:nodes", "system:bootstrappers"]
    bindings, rights, left_out = _bindings(request, user)
    made = site.objects.create(bindings, overwrite=False, validate=True)
    if made.refused:
        raise DeploymentFailedError(request.stack, request.logical_id, made.refused)
    identity = ClusterIdentity(
        principal=principal,
        kind="access entry",
        user=user,
        groups=tuple(groups),
        rights=tuple(rights),
    )
    site.identities.append(identity)

    def undo(seconds: float) -> tuple[str, ...]:
        site.identities.remove(identity)
        return site.objects.delete(bindings, seconds)

    why = ", ".join(describe(each) for each in bindings)
    if left_out:
        why += f"; without the rights of {', '.join(left_out)}"
    outcome = Outcome.APPLIED if bindings else Outcome.RECORDED
    if left_out:
        outcome = Outcome.NOT_SIMULATED
    name = f"{site.cluster}|{principal}"
    attributes = {"AccessEntryArn": f"arn:{site.aws.partition}:eks:::access-entry/{name}"}
    return Deployed(
        made=Made(ref=name, attributes=attributes),
        outcome=outcome,
        why=why or f"as a user of {', '.join(groups) or 'no group'}",
        undo=undo,
    )


def deploy_pod_identity(request: Request, site: Site) -> Deployed:
    """Record which role the pods of a service account have; no pod here calls AWS."""
    account = f"{request.text('Namespace')}:{request.text('ServiceAccount')}"
    identity = pod_identity(request.text("RoleArn"), account)
    site.identities.append(identity)

    def undo(_: float) -> tuple[str, ...]:
        site.identities.remove(identity)
        return ()

    partition = site.aws.partition
    name = f"a-{request.logical_id[:40].lower()}"
    attributes = {
        "AssociationId": name,
        "AssociationArn": f"arn:{partition}:eks:::association/{name}",
    }
    return Deployed(
        made=Made(ref=name, attributes=attributes),
        outcome=Outcome.RECORDED,
        why=f"{account} has {identity.principal.rpartition('/')[2]}; no pod here calls AWS",
        undo=undo,
    )


def pod_identity(role: str, account: str) -> ClusterIdentity:
    """Return the identity of pods of a service account, ``namespace:name``."""
    return ClusterIdentity(
        principal=role, kind="pod identity", user=f"system:serviceaccount:{account}"
    )


def _session(principal: str) -> str:
    """Return the user that EKS makes of a role; its session's name is the caller's."""
    assumed = principal.replace(":iam::", ":sts::").replace(":role/", ":assumed-role/")
    return f"{assumed}/simulation"


def _bindings(
    request: Request, user: str
) -> tuple[list[Mapping[str, object]], list[str], list[str]]:
    bindings: list[Mapping[str, object]] = []
    rights: list[str] = []
    left_out: list[str] = []
    for policy in map(mapping, sequence(request.properties.get("AccessPolicies"))):
        name = str(policy.get("PolicyArn")).rpartition("/")[2]
        role = _CLUSTER_ROLES.get(name)
        if role is None:
            left_out.append(name)
            continue
        scope = mapping(policy.get("AccessScope"))
        namespaces = sequence(scope.get("Namespaces")) if scope.get("Type") == "namespace" else []
        for namespace in map(str, namespaces or [""]):
            bindings.append(_binding(request, user, role, namespace))
            rights.append(f"{role} in {namespace or 'all namespaces'}")
    return bindings, rights, left_out


def _binding(request: Request, user: str, role: str, namespace: str) -> Mapping[str, object]:
    name = f"access-entry-{request.stack}-{request.logical_id}-{role}".lower()
    metadata = {"name": name, **({"namespace": namespace} if namespace else {})}
    return {
        "apiVersion": f"{_RBAC}/v1",
        "kind": "RoleBinding" if namespace else "ClusterRoleBinding",
        "metadata": metadata,
        "subjects": [{"kind": "User", "name": user, "apiGroup": _RBAC}],
        "roleRef": {"kind": "ClusterRole", "name": role, "apiGroup": _RBAC},
    }
