"""Deploy access to the cluster: access entries, Pod Identity, and the rights of EMR."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from cdk_emr_eks.assembly.evaluation import ResourceValues
from cdk_emr_eks.assembly.paths import mapping, sequence, text
from cdk_emr_eks.model.tenants.emr_access import emr_role_manifests
from cdk_emr_eks.simulation.deploy.account import tags
from cdk_emr_eks.simulation.deploy.model import (
    ClusterIdentity,
    Deployed,
    DeployOutcome,
    DeployTarget,
    Request,
)
from cdk_emr_eks.simulation.deploy.objects import describe
from cdk_emr_eks.simulation.errors import DeploymentFailedError

_RBAC: Final = "rbac.authorization.k8s.io"
# The ClusterRole of Kubernetes that is similar to each access policy, as AWS documents it.
# Source: https://docs.aws.amazon.com/eks/latest/userguide/access-policy-permissions.html
_CLUSTER_ROLES: Final = {
    "AmazonEKSClusterAdminPolicy": "cluster-admin",
    "AmazonEKSAdminPolicy": "admin",
    "AmazonEKSEditPolicy": "edit",
    "AmazonEKSViewPolicy": "view",
}
_NODE_TYPES: Final = frozenset({"EC2_LINUX", "EC2_WINDOWS", "EC2", "HYBRID_LINUX"})
_SERVICE_ROLE: Final = "AWSServiceRoleForAmazonEMRContainers"
_EMR_USER: Final = "emr-containers"


# ---- access entries and Pod Identity


def deploy_access_entry(request: Request, target: DeployTarget) -> Deployed:
    """Give an IAM role access, with the rights of its access policies as bindings."""
    principal = request.text("PrincipalArn")
    kind = request.text("Type", "STANDARD")
    user = request.text("Username") or _session_user(principal)
    groups = [str(group) for group in sequence(request.properties, "KubernetesGroups")]
    if kind in _NODE_TYPES:
        groups += ["system:nodes", "system:bootstrappers"]
    bindings, rights, left_out = _bindings(request, user)
    created = target.objects.create(bindings, overwrite=False, validate=True)
    if created.refused:
        raise DeploymentFailedError(request.stack, request.logical_id, created.refused)
    identity = ClusterIdentity(
        principal=principal,
        kind="access entry",
        user=user,
        groups=tuple(groups),
        rights=tuple(rights),
    )
    target.identities.append(identity)

    def undo(seconds: float) -> tuple[str, ...]:
        target.identities.remove(identity)
        return target.objects.delete(bindings, seconds)

    why = ", ".join(describe(binding) for binding in bindings)
    outcome = DeployOutcome.APPLIED if bindings else DeployOutcome.RECORDED
    if left_out:
        why += f"; without the rights of {', '.join(left_out)}"
        outcome = DeployOutcome.NOT_SIMULATED
    name = f"{target.cluster}|{principal}"
    arn = f"arn:{target.aws.partition}:eks:::access-entry/{name}"
    return Deployed(
        values=ResourceValues(ref=name, attributes={"AccessEntryArn": arn}),
        outcome=outcome,
        why=why or f"as a user of {', '.join(groups) or 'no group'}",
        undo=undo,
    )


def deploy_pod_identity(request: Request, target: DeployTarget) -> Deployed:
    """Record the IAM role of a service account. No pod of the simulation calls AWS."""
    account = f"{request.text('Namespace')}:{request.text('ServiceAccount')}"
    identity = pod_identity(request.text("RoleArn"), account)
    target.identities.append(identity)

    def undo(_: float) -> tuple[str, ...]:
        target.identities.remove(identity)
        return ()

    name = f"a-{request.logical_id[:40].lower()}"
    attributes = {
        "AssociationId": name,
        "AssociationArn": f"arn:{target.aws.partition}:eks:::association/{name}",
    }
    return Deployed(
        values=ResourceValues(ref=name, attributes=attributes),
        outcome=DeployOutcome.RECORDED,
        why=f"{account} has {identity.principal.rpartition('/')[2]}; no pod here calls AWS",
        undo=undo,
    )


def pod_identity(role: str, account: str) -> ClusterIdentity:
    """Return the identity of the pods of a service account, given as ``namespace:name``."""
    return ClusterIdentity(
        principal=role, kind="pod identity", user=f"system:serviceaccount:{account}"
    )


def _session_user(principal: str) -> str:
    """Return the Kubernetes user that EKS gives a role; the caller chooses the session name."""
    assumed = principal.replace(":iam::", ":sts::").replace(":role/", ":assumed-role/")
    return f"{assumed}/simulation"


def _bindings(
    request: Request, user: str
) -> tuple[list[Mapping[str, object]], list[str], list[str]]:
    bindings: list[Mapping[str, object]] = []
    rights: list[str] = []
    left_out: list[str] = []
    for policy in sequence(request.properties, "AccessPolicies"):
        name = text(policy, "PolicyArn").rpartition("/")[2]
        role = _CLUSTER_ROLES.get(name)
        if role is None:
            left_out.append(name)
            continue
        scope = mapping(policy, "AccessScope")
        namespaces = sequence(scope, "Namespaces") if text(scope, "Type") == "namespace" else []
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


# ---- EMR


def deploy_virtual_cluster(request: Request, target: DeployTarget) -> Deployed:
    """Create a virtual cluster, and give EMR its rights in the namespace.

    With access entries, EKS gives EMR these rights when the virtual cluster is created. If the
    template creates EMR's Role (``aws-auth``), that Role is kept.

    Raises:
        DeploymentFailedError: If the namespace does not exist: EMR refuses the virtual cluster.
    """
    provider = mapping(request.properties, "ContainerProvider")
    namespace = text(provider, "Info", "EksInfo", "Namespace") or "default"
    _require_namespace(request, target, namespace)
    emr = target.aws.client("emr-containers")
    created = emr.create_virtual_cluster(
        name=request.text("Name"),
        containerProvider={
            "id": text(provider, "Id"),
            "type": "EKS",
            "info": {"eksInfo": {"namespace": namespace}},
        },
        clientToken=request.logical_id[:64],
        tags=tags(request),
    )
    rights = [each for each in emr_role_manifests(namespace) if target.objects.read(each) is None]
    refused = target.objects.create(rights, overwrite=False, validate=True).refused
    if refused:
        raise DeploymentFailedError(request.stack, request.logical_id, refused)
    identity = ClusterIdentity(
        principal=f"arn:{target.aws.partition}:iam::{target.aws.account}:role/{_SERVICE_ROLE}",
        kind="EMR",
        user=_EMR_USER,
        rights=(f"{_EMR_USER} in {namespace}",),
    )
    target.identities.append(identity)

    def undo(seconds: float) -> tuple[str, ...]:
        target.identities.remove(identity)
        emr.delete_virtual_cluster(id=created["id"])
        return target.objects.delete(rights, seconds)

    attributes = {"Id": created["id"], "Arn": created["arn"]}
    return Deployed(
        values=ResourceValues(ref=created["id"], attributes=attributes),
        outcome=DeployOutcome.EMULATED,
        why=f"EMR's user has its rights in {namespace}",
        undo=undo,
    )


def _require_namespace(request: Request, target: DeployTarget, namespace: str) -> None:
    wanted = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}}
    if target.objects.read(wanted) is None:
        reason = f"the namespace {namespace} does not exist when the virtual cluster is created"
        raise DeploymentFailedError(request.stack, request.logical_id, (reason,))
