"""Paths, errors and users of the Kubernetes API, for both clients of the simulation.

``kube_api`` is the asynchronous client for thousands of objects; ``kube_client`` is the official
client, for typed calls and for tests of users.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

Object: TypeAlias = Mapping[str, object]
EventType: TypeAlias = Literal["ADDED", "MODIFIED", "DELETED"]

PODS: Final = "/api/v1/pods"
NODES: Final = "/api/v1/nodes"
NODE_CLAIMS: Final = "/apis/karpenter.sh/v1/nodeclaims"
NODE_POOLS: Final = "/apis/karpenter.sh/v1/nodepools"
NODE_CLASSES: Final = "/apis/karpenter.k8s.aws/v1/ec2nodeclasses"
EVENTS: Final = "/api/v1/events"

# Label of the nodes that KWOK simulates, with the value that those of Karpenter's fleet have.
SIMULATED_NODES: Final = ("kwok.x-k8s.io/node", "fake")

_NOT_FOUND: Final = 404
_CONFLICT: Final = 409


class RefusedError(RuntimeError):
    """The API server refused a request.

    Attributes:
        status: HTTP status.
        reason: Reason of Kubernetes, such as ``Forbidden``.
    """

    def __init__(self, status: int, reason: str, message: str) -> None:
        self.status = status
        self.reason = reason
        super().__init__(message)

    @property
    def is_not_found(self) -> bool:
        """Whether the object does not exist."""
        return self.status == _NOT_FOUND

    @property
    def already_exists(self) -> bool:
        """Whether an object of this name exists."""
        return self.status == _CONFLICT and self.reason == "AlreadyExists"

    @property
    def is_conflict(self) -> bool:
        """Whether the request can succeed if it is sent again.

        Kubernetes answers so if it counts two pods in one quota at the same time.
        """
        return self.status == _CONFLICT and self.reason == "Conflict"


@dataclass(frozen=True, kw_only=True, slots=True)
class ImpersonatedUser:
    """User that an administrator impersonates in a request.

    Args:
        user: User name.
        groups: Groups of the user. Service accounts need none with a real token, and all of theirs
            with impersonation.
    """

    user: str
    groups: tuple[str, ...] = ()

    @classmethod
    def of_service_account(cls, namespace: str, name: str) -> ImpersonatedUser:
        """Return the user and the groups that the API server gives a service account."""
        prefix = "system:serviceaccount"
        groups = (f"{prefix}s", f"{prefix}s:{namespace}", "system:authenticated")
        return cls(user=f"{prefix}:{namespace}:{name}", groups=groups)

    @property
    def headers(self) -> list[tuple[str, str]]:
        """Headers of impersonation, one for each group."""
        groups = [("Impersonate-Group", group) for group in self.groups]
        return [("Impersonate-User", self.user), *groups]


def namespaced(namespace: str, plural: str, name: str = "", *, group: str = "") -> str:
    """Return the path of objects in a namespace; ``group`` has the form ``batch/v1``."""
    root = f"/apis/{group}" if group else "/api/v1"
    return f"{root}/namespaces/{namespace}/{plural}" + (f"/{name}" if name else "")
