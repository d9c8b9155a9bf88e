"""Node pools of a platform that is simulated: a scenario begins when Karpenter has them ready.

To a pod that comes before, Karpenter finds no pool, and looks again after ten seconds: no job waits
for that where Karpenter has been running for days.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from kubernetes import client
from tenacity import Retrying, retry_if_result, stop_after_delay, wait_fixed

from cdk_emr_eks.plan.intrinsics import mapping, sequence
from cdk_emr_eks.simulation.control_plane.plane import Plane

_SECONDS: Final = 60.0


def wait_for_pools(plane: Plane) -> tuple[str, ...]:
    """Wait until every node pool is ready, for a minute at most.

    Args:
        plane: The control plane, with Karpenter running.

    Returns:
        What is wrong with those that are not.
    """
    with plane.client() as api:
        custom: Any = client.CustomObjectsApi(api)

        def unready() -> tuple[str, ...]:
            found = custom.list_cluster_custom_object("karpenter.sh", "v1", "nodepools")
            return tuple(told for each in found["items"] if (told := _told(each)))

        left: tuple[str, ...] = Retrying(
            retry=retry_if_result(bool),
            wait=wait_fixed(0.2),
            stop=stop_after_delay(_SECONDS),
            retry_error_callback=lambda state: state.outcome and state.outcome.result(),
        )(unready)
    return left


def _told(pool: Mapping[str, object]) -> str:
    """Return what Karpenter says of a pool that is not ready; nothing of one that is."""
    conditions = map(mapping, sequence(mapping(pool.get("status")).get("conditions")))
    ready = next((each for each in conditions if each.get("type") == "Ready"), {})
    if ready.get("status") == "True":
        return ""
    said = ready.get("message") or "Karpenter has said nothing of it"
    return f"NodePool {mapping(pool['metadata'])['name']} is not ready: {said}"
