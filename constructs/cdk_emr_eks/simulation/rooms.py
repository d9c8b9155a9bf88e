"""Warm capacity of a platform that is simulated: a scenario begins when its rooms are there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from kubernetes import client
from tenacity import Retrying, retry_if_result, stop_after_delay, wait_fixed

from cdk_emr_eks.plan.intrinsics import mapping, sequence
from cdk_emr_eks.simulation.control_plane.plane import Plane
from cdk_emr_eks.spec.capacity.capacity_buffers import API_VERSION

_THERE: Final = "FitsExistingCapacity"
"""Reason of Karpenter's condition ``Provisioning`` when nodes have the room of a buffer."""
_SECONDS: Final = 300.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Rooms:
    """Warm capacity before the first job.

    Args:
        nodes: Nodes that hold it; as many stay after the last job.
        missing: Capacity buffers that Karpenter had not made room for, with what it said of them.
    """

    nodes: int = 0
    missing: tuple[str, ...] = ()

    @property
    def problems(self) -> tuple[str, ...]:
        """What went wrong, in words."""
        return tuple(
            f"no warm capacity after {_SECONDS:.0f} s for capacity buffer {each}"
            for each in self.missing
        )


def wait_for_rooms(plane: Plane) -> Rooms:
    """Wait until nodes have the room that every capacity buffer asks for, for five minutes at most.

    Args:
        plane: The control plane, with Karpenter running.
    """
    with plane.client() as api:
        custom: Any = client.CustomObjectsApi(api)

        def missing() -> tuple[str, ...]:
            group, _, version = API_VERSION.partition("/")
            found = custom.list_cluster_custom_object(group, version, "capacitybuffers")
            told = {_name(each): _told(each) for each in found["items"] if _asked(each)}
            return tuple(f"{name}: {reason}" for name, reason in told.items() if reason != _THERE)

        left: tuple[str, ...] = Retrying(
            retry=retry_if_result(bool),
            wait=wait_fixed(0.5),
            stop=stop_after_delay(_SECONDS),
            retry_error_callback=lambda state: state.outcome and state.outcome.result(),
        )(missing)
        claims = custom.list_cluster_custom_object("karpenter.sh", "v1", "nodeclaims")["items"]
    return Rooms(nodes=len(claims), missing=left)


def _name(buffer: Mapping[str, object]) -> str:
    return str(mapping(buffer["metadata"])["name"])


def _asked(buffer: Mapping[str, object]) -> bool:
    return bool(mapping(buffer["spec"]).get("replicas"))


def _told(buffer: Mapping[str, object]) -> str:
    conditions = map(mapping, sequence(mapping(buffer.get("status")).get("conditions")))
    reasons = (str(each.get("reason")) for each in conditions if each.get("type") == "Provisioning")
    return next(reasons, "Karpenter has said nothing of it")
