"""The namespace of a tenant, and default requests of its containers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from typing import Final

from cdk_emr_eks.checks import Check
from cdk_emr_eks.labels import MANAGED_BY, TENANT
from cdk_emr_eks.units import Cpu, Memory
from cdk_emr_eks.values import value

MANAGER: Final = "cdk-emr-eks"
_SIDECAR_CPU: Final = Cpu(10)
_SIDECAR_MEMORY: Final = Memory(200)

# EMR's pods satisfy "baseline". "restricted" refuses them all, since they set no seccomp profile.
# Source: https://kubernetes.io/docs/concepts/security/pod-security-standards/
_POD_SECURITY: Final = "baseline"


@value
class LimitDefaults:
    """Requests of containers that set none, such as EMR's logging sidecar.

    They are always set: with a quota on CPU requests, Kubernetes refuses a container without a
    request. There is no default CPU limit, since an executor that requests more cores would be
    refused.

    Args:
        cpu: CPU request, 10 millicores by default: small, so that the sidecars of a full node fit
            next to executors that fill it.
        memory: Memory request, 200 MiB by default.
        ephemeral_storage: Request for the node's disk, which EMR's containers do not set.
            ``Quota.ephemeral_storage`` needs it, and the scheduler counts it. None: no request.

    Raises:
        ConfigError: If an amount is zero.

    Source: https://kubernetes.io/docs/concepts/policy/limit-range/
    """

    cpu: Cpu = _SIDECAR_CPU
    memory: Memory = _SIDECAR_MEMORY
    ephemeral_storage: Memory | None = None

    def _rules(self, check: Check) -> None:
        check.more_than("cpu", Cpu(0))
        check.more_than("memory", Memory(0))
        check.more_than("ephemeral_storage", Memory(0))

    def manifest(self, namespace: str) -> dict[str, object]:
        """Return the ``v1`` LimitRange."""
        requests = {"cpu": self.cpu.kubernetes, "memory": self.memory.kubernetes}
        if self.ephemeral_storage is not None:
            requests["ephemeral-storage"] = self.ephemeral_storage.kubernetes
        limits = [{"type": "Container", "defaultRequest": requests}]
        return namespaced("LimitRange", "tenant", namespace, {"limits": limits})


@value
class NamespaceOwner:
    """Owner of a namespace, with the labels and annotations that admission policies read.

    Args:
        tenant: Value of the label ``emr-eks/tenant``.
        labels: Further labels.
        annotations: Annotations.
    """

    tenant: str
    labels: Mapping[str, str] = field(default_factory=dict)
    annotations: Mapping[str, str] = field(default_factory=dict)


def namespace_manifest(name: str, owner: NamespaceOwner) -> dict[str, object]:
    """Return the ``v1`` Namespace, labelled with its tenant and its Pod Security level."""
    metadata: dict[str, object] = {
        "name": name,
        "labels": {
            MANAGED_BY: MANAGER,
            TENANT: owner.tenant,
            "pod-security.kubernetes.io/enforce": _POD_SECURITY,
            "pod-security.kubernetes.io/warn": _POD_SECURITY,
            **owner.labels,
        },
    }
    if owner.annotations:
        metadata["annotations"] = dict(owner.annotations)
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": metadata}


def namespaced(kind: str, name: str, namespace: str, spec: object) -> dict[str, object]:
    """Return an object of the API ``v1`` in a namespace."""
    metadata = {"name": name, "namespace": namespace, "labels": {MANAGED_BY: MANAGER}}
    return {"apiVersion": "v1", "kind": kind, "metadata": metadata, "spec": spec}
