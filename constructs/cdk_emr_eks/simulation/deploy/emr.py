"""Virtual clusters, and the rights that EMR has in their namespaces."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cdk_emr_eks.assembly.paths import mapping
from cdk_emr_eks.model.tenants.emr_access import emr_role_manifests
from cdk_emr_eks.simulation.deploy.account import tags
from cdk_emr_eks.simulation.deploy.outcome import (
    Deployed,
    DeploymentFailedError,
    Outcome,
    Request,
)
from cdk_emr_eks.simulation.deploy.resolve import Made
from cdk_emr_eks.simulation.deploy.site import ClusterIdentity, Site

if TYPE_CHECKING:
    from collections.abc import Mapping

_SERVICE_ROLE: Final = "AWSServiceRoleForAmazonEMRContainers"
_USER: Final = "emr-containers"


def deploy_virtual_cluster(request: Request, site: Site) -> Deployed:
    """Make a virtual cluster, and let EMR work in its namespace as EKS would.

    With access entries it is EKS that lets EMR in when the virtual cluster is made; where the
    template has EMR's Role itself (``aws-auth``), that one is left as it is.

    Raises:
        DeploymentFailedError: If the namespace is not there: EMR refuses such a virtual cluster.
    """
    provider = mapping(request.properties.get("ContainerProvider"))
    eks = mapping(mapping(provider.get("Info")).get("EksInfo"))
    namespace = str(eks.get("Namespace") or "default")
    _require_namespace(request, site, namespace)
    emr = site.aws.client("emr-containers")
    made = emr.create_virtual_cluster(
        name=request.text("Name"),
        containerProvider={
            "id": str(provider.get("Id")),
            "type": "EKS",
            "info": {"eksInfo": {"namespace": namespace}},
        },
        clientToken=request.logical_id[:64],
        tags=tags(request),
    )
    rights = [each for each in emr_role_manifests(namespace) if site.objects.read(each) is None]
    refused = site.objects.create(rights, overwrite=False, validate=True).refused
    if refused:
        raise DeploymentFailedError(request.stack, request.logical_id, refused)
    identity = ClusterIdentity(
        principal=f"arn:{site.aws.partition}:iam::{site.aws.account}:role/{_SERVICE_ROLE}",
        kind="EMR",
        user=_USER,
        rights=(f"{_USER} in {namespace}",),
    )
    site.identities.append(identity)

    def undo(seconds: float) -> tuple[str, ...]:
        site.identities.remove(identity)
        emr.delete_virtual_cluster(id=made["id"])
        return site.objects.delete(rights, seconds)

    return Deployed(
        made=Made(ref=made["id"], attributes={"Id": made["id"], "Arn": made["arn"]}),
        outcome=Outcome.EMULATED,
        why=f"EMR's user may work in {namespace}",
        undo=undo,
    )


def _require_namespace(request: Request, site: Site, namespace: str) -> None:
    wanted: Mapping[str, object] = {
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": {"name": namespace},
    }
    if site.objects.read(wanted) is None:
        reason = f"the namespace {namespace} is not there when the virtual cluster is made"
        raise DeploymentFailedError(request.stack, request.logical_id, (reason,))
