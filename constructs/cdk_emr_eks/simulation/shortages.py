"""What EC2 has none of, while several shortages come and go."""

from __future__ import annotations

from cdk_emr_eks.simulation.control_plane.fleet import Fleet
from cdk_emr_eks.simulation.scenario import NoCapacity


class Shortages:
    """Keeps the fleet short of what any of the shortages that last takes away.

    Args:
        fleet: EC2's fleet.
    """

    def __init__(self, fleet: Fleet) -> None:
        self._fleet = fleet
        self._lasting: list[NoCapacity] = []

    def begin(self, shortage: NoCapacity) -> None:
        """Let EC2 have none of this from now on."""
        self._lasting.append(shortage)
        self._tell()

    def end(self, shortage: NoCapacity) -> None:
        """Let EC2 have it again, unless another shortage takes it away, too."""
        self._lasting.remove(shortage)
        self._tell()

    def _tell(self) -> None:
        self._fleet.restore()
        for each in self._lasting:
            kind = None if each.capacity_type is None else str(each.capacity_type)
            self._fleet.exhaust(zone=each.zone, capacity_type=kind, family=each.family)
