"""The objects that make and bound a tenant's namespace."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from cdk_emr_eks.errors import Problems
from cdk_emr_eks.field_types import check_types
from cdk_emr_eks.labels import MANAGED_BY, TENANT
from cdk_emr_eks.units import Cpu, Memory

MANAGER: Final = "cdk-emr-eks"
_SIDECAR_CPU: Final = Cpu(10)
_SIDECAR_MEMORY: Final = Memory(200)

# Every container of EMR meets "baseline"; "restricted" refuses all of EMR's pods, since they set no
# seccomp profile. Source: https://kubernetes.io/docs/concepts/security/pod-security-standards/
_POD_SECURITY: Final = "baseline"


@dataclass(frozen=True, kw_only=True, slots=True)
class LimitDefaults:
    """Requests of containers that name none, such as EMR's logging sidecar.

    They are always set: with a quota on CPU requests, Kubernetes refuses a container without one.
    No CPU limit is ever set by default, since executors ask for several cores and would be refused
    against a limit below that.

    Args:
        cpu: CPU request, 10 millicores by default: small, so that the sidecars of a full node fit
            beside executors that were sized to fill it.
        memory: Memory request, 200 MiB by default.
        ephemeral_storage: Request for the node's disk, which no container of EMR names. It is
            needed for ``Quota.ephemeral_storage``, and the scheduler counts it. None: no request.

    Raises:
        ConfigError: If an amount is zero.

    Source: https://kubernetes.io/docs/concepts/policy/limit-range/
    """

    cpu: Cpu = _SIDECAR_CPU
    memory: Memory = _SIDECAR_MEMORY
    ephemeral_storage: Memory | None = None

    def __post_init__(self) -> None:
        check_types("LimitDefaults", self)
        problems = Problems("LimitDefaults")
        rule = "must be more than 0"
        problems.require(self.cpu > Cpu(0), "cpu", rule, self.cpu.kubernetes)
        for name, size in (("memory", self.memory), ("ephemeral_storage", self.ephemeral_storage)):
            if size is not None:
                problems.require(size > Memory(0), name, rule, size.kubernetes)
        problems.raise_if_any()

    def manifest(self, namespace: str) -> dict[str, object]:
        """Return the ``v1`` LimitRange."""
        requests = {"cpu": self.cpu.kubernetes, "memory": self.memory.kubernetes}
        if self.ephemeral_storage is not None:
            requests["ephemeral-storage"] = self.ephemeral_storage.kubernetes
        limits = [{"type": "Container", "defaultRequest": requests}]
        return namespaced("LimitRange", "tenant", namespace, {"limits": limits})


@dataclass(frozen=True, kw_only=True, slots=True)
class NamespaceOwner:
    """Whose a namespace is, and what admission policies read of it.

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
    """Return an object of a namespace, of the API ``v1``."""
    metadata = {"name": name, "namespace": namespace, "labels": {MANAGED_BY: MANAGER}}
    return {"apiVersion": "v1", "kind": kind, "metadata": metadata, "spec": spec}
