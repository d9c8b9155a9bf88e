"""What EC2 has none of: a file that the simulated fleet reads before it starts an instance."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Final

from cdk_emr_eks.errors import Problems

CAPACITY_VARIABLE: Final = "SIMULATION_CAPACITY_FILE"
"""Environment variable by which the fleet is told where the file is."""


class Capacity:
    """Says which instances EC2 cannot give, and which never become a node.

    The fleet reads the file at each request, so a change holds from the next request on. Karpenter
    itself takes what was refused as unavailable for three minutes, as it does in AWS.

    Args:
        file: The file; its folder must be there.
    """

    def __init__(self, file: Path) -> None:
        self.file = file
        self._exhausted: list[dict[str, str | None]] = []
        self._never_register = 0
        self._write()

    def exhaust(
        self,
        *,
        zone: str | None = None,
        capacity_type: str | None = None,
        family: str | None = None,
    ) -> None:
        """Let EC2 have none of these from now on; what is left out means all.

        Args:
            zone: Name of an Availability Zone.
            capacity_type: ``spot`` or ``on-demand``.
            family: Instance family, such as ``m7g``.

        Raises:
            ConfigError: If the capacity type is another, or the family is an instance type.
        """
        problems = Problems("Capacity.exhaust")
        known = capacity_type in (None, "spot", "on-demand")
        problems.require(known, "capacity_type", "must be spot or on-demand", capacity_type)
        rule = "must be a family such as 'm7g', without a size"
        problems.require("." not in (family or ""), "family", rule, family)
        problems.raise_if_any()
        self._exhausted.append({"zone": zone, "capacityType": capacity_type, "family": family})
        self._write()

    def never_register(self, count: int) -> None:
        """Let the next ``count`` instances start and be paid for, but never become nodes.

        Raises:
            ConfigError: If the count is below 1.
        """
        problems = Problems("Capacity.never_register")
        problems.require(count >= 1, "count", "must be at least 1", count)
        problems.raise_if_any()
        self._never_register += count
        self._write()

    def restore(self) -> None:
        """Let EC2 have everything again. Instances that did not register stay as they are."""
        self._exhausted.clear()
        self._write()

    def _write(self) -> None:
        content = {"exhausted": self._exhausted, "neverRegister": self._never_register}
        # Renamed into place: the fleet must never read half a file.
        draft = self.file.with_suffix(".draft")
        draft.write_text(json.dumps(content), encoding="utf-8")
        draft.replace(self.file)
