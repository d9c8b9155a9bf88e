"""When a platform that is simulated is as one that has been running: a scenario begins then.

To a pod that comes before Karpenter has node pools ready it finds none, and looks again after ten
seconds; to a job that comes before the rooms of warm capacity are there, they are of no use.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from kubernetes import client
from tenacity import Retrying, retry_if_result, stop_after_delay, wait_fixed

from cdk_emr_eks.assembly.paths import mapping, sequence
from cdk_emr_eks.model.nodes.capacity_buffers import API_VERSION as BUFFERS
from cdk_emr_eks.simulation.control_plane.plane import Plane

_KARPENTER: Final = "karpenter.sh/v1"
_THERE: Final = "FitsExistingCapacity"
"""Reason of Karpenter's condition ``Provisioning`` when nodes have the room of a buffer."""
_SILENT: Final = "Karpenter has said nothing of it"
_POOL_SECONDS: Final = 60.0
_ROOM_SECONDS: Final = 300.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Rooms:
    """Warm capacity before the first job.

    Args:
        nodes: Nodes that hold it; as many stay after the last job.
        missing: What is wrong with rooms that are not there, in words.
    """

    nodes: int = 0
    missing: tuple[str, ...] = ()


def wait_for_pools(plane: Plane) -> tuple[str, ...]:
    """Wait until every node pool is ready, for a minute at most.

    Args:
        plane: The control plane, with Karpenter running.

    Returns:
        What is wrong with those that are not, in words.
    """
    with plane.client() as api:
        return _wait(lambda: _told(api, _KARPENTER, "nodepools", _of_pool), _POOL_SECONDS)


def wait_for_rooms(plane: Plane) -> Rooms:
    """Wait until nodes have the room that every capacity buffer asks for, for 5 minutes at most.

    Args:
        plane: The control plane, with Karpenter running.
    """
    with plane.client() as api:
        missing = _wait(lambda: _told(api, BUFFERS, "capacitybuffers", _of_buffer), _ROOM_SECONDS)
        nodes = len(_listed(api, _KARPENTER, "nodeclaims"))
    return Rooms(nodes=nodes, missing=missing)


def _wait(told: Callable[[], tuple[str, ...]], seconds: float) -> tuple[str, ...]:
    """Ask until nothing is told any more; return what is told at the end of the time."""
    left: tuple[str, ...] = Retrying(
        retry=retry_if_result(bool),
        wait=wait_fixed(0.2),
        stop=stop_after_delay(seconds),
        retry_error_callback=lambda state: state.outcome and state.outcome.result(),
    )(told)
    return left


def _told(
    api: client.ApiClient,
    version: str,
    plural: str,
    of_one: Callable[[Mapping[str, object]], str],
) -> tuple[str, ...]:
    return tuple(told for each in _listed(api, version, plural) if (told := of_one(each)))


def _listed(api: client.ApiClient, version: str, plural: str) -> list[Mapping[str, object]]:
    group, _, number = version.partition("/")
    custom: Any = client.CustomObjectsApi(api)
    return list(custom.list_cluster_custom_object(group, number, plural)["items"])


def _of_pool(pool: Mapping[str, object]) -> str:
    ready = _condition(pool, "Ready")
    if ready.get("status") == "True":
        return ""
    return f"NodePool {_name(pool)} is not ready: {ready.get('message') or _SILENT}"


def _of_buffer(buffer: Mapping[str, object]) -> str:
    reason = _condition(buffer, "Provisioning").get("reason")
    if reason == _THERE or not mapping(buffer["spec"]).get("replicas"):
        return ""
    return f"no warm capacity for capacity buffer {_name(buffer)}: {reason or _SILENT}"


def _name(item: Mapping[str, object]) -> str:
    return str(mapping(item["metadata"])["name"])


def _condition(item: Mapping[str, object], kind: str) -> Mapping[str, object]:
    """Return the condition of a type that Karpenter set; empty where it did not yet."""
    conditions = map(mapping, sequence(mapping(item.get("status")).get("conditions")))
    return next((each for each in conditions if each.get("type") == kind), {})
