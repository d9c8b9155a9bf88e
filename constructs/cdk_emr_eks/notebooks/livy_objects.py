"""The Kubernetes objects of a Livy server: service accounts, permissions, and a load balancer.

They are written with cdk8s-plus-27, whose import takes a third of a second. So only ``Livy``
imports this module.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, cast

import cdk8s
import cdk8s_plus_27 as kplus

from cdk_emr_eks.labels import MANAGED_BY
from cdk_emr_eks.model.namespaces.namespace import MANAGER
from cdk_emr_eks.model.notebooks.livy import PORT, RELEASE, SERVER_ACCOUNT

_LB: Final = "service.beta.kubernetes.io/aws-load-balancer-"
_READ: Final = ("get", "list", "watch")
_WRITE: Final = (*_READ, "create", "update", "patch", "delete", "deletecollection")

# Verbs on resources of the tenant's namespace. EMR's guide lists more: its server may create
# service accounts, and its sessions may read secrets and enter any pod, also those of another role.
# Source: https://docs.aws.amazon.com/emr/latest/EMR-on-EKS-DevelopmentGuide/job-runs-apache-livy-rbac.html
_SERVER_RULES: Final[Mapping[str, Sequence[str]]] = {
    "namespaces": ("get",),
    **dict.fromkeys(("services", "configmaps", "pods", "persistentvolumeclaims"), _WRITE),
    **dict.fromkeys(("serviceaccounts", "events", "pods/log"), _READ),
    "secrets": ("create", "patch", "delete", "watch"),
}
_SESSION_RULES: Final[Mapping[str, Sequence[str]]] = {
    **dict.fromkeys(("services", "configmaps", "pods", "persistentvolumeclaims"), _WRITE),
    "pods/log": _READ,
}


class LivyChart(cdk8s.Chart):
    """The objects that Livy's own chart needs and does not create.

    Args:
        server_namespace: Namespace of the server.
        namespace: The tenant's namespace, where sessions run.
        session_account: Name of the sessions' service account.
        session_role_arn: Role of that account, for IRSA. None: Pod Identity.
        client_cidrs: Ranges outside the cluster that reach the server. Empty: no load balancer.
        certificate_arn: Certificate of the load balancer.
    """

    def __init__(
        self,
        *,
        server_namespace: str,
        namespace: str,
        session_account: str,
        session_role_arn: str | None,
        client_cidrs: Sequence[str],
        certificate_arn: str | None,
    ) -> None:
        super().__init__(cdk8s.App(), "Livy", labels={MANAGED_BY: MANAGER})
        server = self._account("Server", SERVER_ACCOUNT, server_namespace)
        session = self._account("Session", session_account, namespace, session_role_arn)
        self._permissions("ServerRole", "livy-server", namespace, _SERVER_RULES, server)
        self._permissions("SessionRole", "livy-session", namespace, _SESSION_RULES, session)
        if client_cidrs:
            self._load_balancer(server_namespace, client_cidrs, str(certificate_arn))

    def _account(
        self, id: str, name: str, namespace: str, role_arn: str | None = None
    ) -> kplus.ServiceAccount:
        annotations = {} if role_arn is None else {"eks.amazonaws.com/role-arn": role_arn}
        metadata = cdk8s.ApiObjectMetadata(
            name=name, namespace=namespace, annotations=annotations or None
        )
        # Server and sessions call the API server with the token.
        return kplus.ServiceAccount(self, id, metadata=metadata, automount_token=True)

    def _permissions(
        self,
        id: str,
        name: str,
        namespace: str,
        rules: Mapping[str, Sequence[str]],
        account: kplus.ServiceAccount,
    ) -> None:
        metadata = cdk8s.ApiObjectMetadata(name=name, namespace=namespace)
        role = kplus.Role(self, id, metadata=metadata)
        for resource, verbs in rules.items():
            kind = kplus.ApiResource.custom(api_group="", resource_type=resource)
            # jsii's types make no ApiResource an IApiResource.
            role.allow(list(verbs), cast(kplus.IApiResource, kind))
        binding = kplus.RoleBinding(self, f"{id}Binding", metadata=metadata, role=role)
        binding.add_subjects(account)

    def _load_balancer(
        self, namespace: str, client_cidrs: Sequence[str], certificate_arn: str
    ) -> None:
        """Create a load balancer with TLS that keeps the client's address, unlike the chart's.

        Targets are nodes and traffic stays on the pod's node, so the network policy sees the
        client's address, and the load balancer asks kube-proxy for the pod's health, not the pod.

        Source: https://kubernetes-sigs.github.io/aws-load-balancer-controller/latest/guide/service/annotations/
        """
        service = kplus.Service(
            self,
            "Clients",
            metadata=cdk8s.ApiObjectMetadata(
                name="livy-clients",
                namespace=namespace,
                annotations={
                    f"{_LB}scheme": "internal",
                    f"{_LB}nlb-target-type": "instance",
                    f"{_LB}backend-protocol": "tcp",
                    f"{_LB}ssl-cert": certificate_arn,
                    f"{_LB}ssl-ports": str(PORT),
                    f"{_LB}ssl-negotiation-policy": "ELBSecurityPolicy-TLS13-1-2-2021-06",
                },
            ),
            type=kplus.ServiceType.LOAD_BALANCER,
            load_balancer_source_ranges=list(client_cidrs),
            selector=kplus.Pods.select(
                self, "Servers", labels={"app.kubernetes.io/instance": RELEASE}
            ),
            ports=[
                kplus.ServicePort(
                    name="https", port=PORT, target_port=PORT, protocol=kplus.Protocol.TCP
                )
            ],
        )
        # cdk8s-plus has no properties for these two.
        cdk8s.ApiObject.of(service).add_json_patch(
            cdk8s.JsonPatch.add("/spec/loadBalancerClass", "service.k8s.aws/nlb"),
            cdk8s.JsonPatch.add("/spec/externalTrafficPolicy", "Local"),
        )
