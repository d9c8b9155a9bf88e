"""Orders to the EC2 fleet that Karpenter's process plays: capacity, boot time, faults.

The fleet reads them from a file each time it is asked, so they hold from the next launch on, and
over a restart of Karpenter.
"""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Iterable
from pathlib import Path
from typing import Final

__all__ = ["BOOT_SECONDS", "Fleet"]

BOOT_SECONDS: Final = 30.0
"""From the launch of an instance to its node, unless told otherwise."""

Selector = dict[str, str]


class Fleet:
    """What EC2 can give, and what befalls its instances.

    Args:
        directory: Folder of the fleet: ``orders.json`` of this class, and the fleet's own
            ``instances.jsonl``.
    """

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self._exhausted: list[Selector] = []
        self._mute: list[Selector] = []
        self._reclaimed: list[str] = []
        self._boot_seconds = BOOT_SECONDS
        self._lock = threading.Lock()
        self._write()

    def exhaust(
        self,
        zone: str | None = None,
        capacity_type: str | None = None,
        family: str | None = None,
    ) -> None:
        """Let EC2 answer InsufficientInstanceCapacity to what is asked for from now on.

        Several calls add up. None means all of them: ``exhaust()`` leaves nothing.

        Args:
            zone: Zone name, such as ``us-east-1a``.
            capacity_type: ``spot`` or ``on-demand``.
            family: Family of instance types, such as ``m7g``.
        """
        with self._lock:
            self._exhausted.append(_selector(zone, capacity_type, family))
            self._write()

    def restore(self) -> None:
        """Let EC2 have capacity again everywhere. Karpenter remembers its lack for 3 minutes."""
        with self._lock:
            self._exhausted = []
            self._write()

    def mute(
        self,
        zone: str | None = None,
        capacity_type: str | None = None,
        family: str | None = None,
    ) -> None:
        """Let instances that boot from now on never register a node; the arguments select them.

        Karpenter gives such an instance 15 minutes from the time that the condition ``Registered``
        of its NodeClaim has; who cannot wait may set that time back.
        """
        with self._lock:
            self._mute.append(_selector(zone, capacity_type, family))
            self._write()

    def unmute(self) -> None:
        """Let instances that boot from now on register their nodes again."""
        with self._lock:
            self._mute = []
            self._write()

    def boot(self, seconds: float) -> None:
        """Set the seconds from the launch of an instance to its node.

        Raises:
            ValueError: If they are negative.
        """
        if seconds < 0:
            raise ValueError(f"an instance cannot boot in {seconds} seconds")
        with self._lock:
            self._boot_seconds = seconds
            self._write()

    def reclaim(self, instances: Iterable[str]) -> None:
        """Take instances away within a second, as EC2 does at the end of an interruption's notice.

        Their nodes go within the next five, as a cloud's node controller has it.
        """
        with self._lock:
            self._reclaimed.extend(instances)
            self._write()

    def _write(self) -> None:
        self.directory.mkdir(parents=True, exist_ok=True)
        orders = {
            "exhausted": self._exhausted,
            "mute": self._mute,
            "bootSeconds": self._boot_seconds,
            "reclaimed": self._reclaimed,
        }
        written = self.directory / "orders.json.new"
        written.write_text(json.dumps(orders), encoding="utf-8")
        # The fleet never sees half a file.
        os.replace(written, self.directory / "orders.json")  # noqa: PTH105 (atomic, and says so)


def _selector(zone: str | None, capacity_type: str | None, family: str | None) -> Selector:
    pairs = (("zone", zone), ("capacityType", capacity_type), ("family", family))
    return {name: value for name, value in pairs if value is not None}
