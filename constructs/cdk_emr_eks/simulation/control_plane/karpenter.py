"""Start Karpenter as its chart says, and control the EC2 fleet that it launches instances from.

Karpenter's process contains the fleet, which simulates instances. It reads its orders from a file
with each request. So an order applies to the next launch, also after a restart of Karpenter.
"""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

# Default of the seconds from the launch of an instance to its node.
BOOT_SECONDS: Final = 30.0

Selector = dict[str, str]


@dataclass(frozen=True, kw_only=True, slots=True)
class KarpenterLaunch:
    """Karpenter's container in its rendered chart.

    Args:
        args: Arguments of the container.
        env: Its environment, with the values of the pod's fields, and the address of the emulated
            AWS: AWS_ENDPOINT_URL, AWS_REGION and credentials.
        service_account: Namespace and name of its service account. Karpenter gets a token of that
            account, and so only the rights that the chart gives it.
    """

    args: tuple[str, ...]
    env: Mapping[str, str]
    service_account: tuple[str, str]


def karpenter_environment(
    launch: KarpenterLaunch,
    *,
    kubeconfig: Path,
    fleet_kubeconfig: Path,
    fleet: Path,
    ports: tuple[int, int],
) -> Mapping[str, str]:
    """Return the environment of Karpenter's process.

    Args:
        launch: The container.
        kubeconfig: Kubeconfig with the token of its service account.
        fleet_kubeconfig: Kubeconfig for the simulated instances, which register their nodes.
        fleet: Folder of the fleet, see `Fleet`.
        ports: Ports for metrics and health, since several control planes share one machine.
    """
    metrics, health = ports
    return {
        **launch.env,
        "KUBECONFIG": str(kubeconfig),
        "FLEET_KUBECONFIG": str(fleet_kubeconfig),
        "FLEET_DIRECTORY": str(fleet),
        "METRICS_PORT": str(metrics),
        "HEALTH_PROBE_PORT": str(health),
        # The fleet does not support a dry run of RunInstances.
        "DISABLE_DRY_RUN": "true",
    }


class Fleet:
    """EC2's capacity, and what happens to its instances.

    Args:
        directory: Folder of the fleet. This class writes ``orders.json``; the fleet writes
            ``instances.jsonl``.
    """

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self._exhausted: list[Selector] = []
        self._unregistered: list[Selector] = []
        self._reclaimed: list[str] = []
        self._boot_seconds = BOOT_SECONDS
        self._lock = threading.Lock()
        self._write()

    def exhaust(
        self,
        zone: str | None = None,
        capacity_type: str | None = None,
        family: str | None = None,
    ) -> Selector:
        """Make EC2 answer InsufficientInstanceCapacity from now on.

        Several calls add up. None selects all: ``exhaust()`` leaves no capacity.

        Args:
            zone: Name of a zone, such as ``us-east-1a``.
            capacity_type: ``spot`` or ``on-demand``.
            family: Family of instance types, such as ``m7g``.

        Returns:
            The shortage, for ``restore``.
        """
        shortage = _selector(zone, capacity_type, family)
        with self._lock:
            self._exhausted.append(shortage)
            self._write()
        return shortage

    def restore(self, shortage: Selector | None = None) -> None:
        """End one shortage, or all of them. Karpenter remembers a shortage for 3 minutes.

        Args:
            shortage: What ``exhaust`` returned. Default: all shortages.

        Raises:
            ValueError: If this shortage is not current.
        """
        with self._lock:
            if shortage is None:
                self._exhausted.clear()
            else:
                self._exhausted.remove(shortage)
            self._write()

    def block_registration(
        self,
        zone: str | None = None,
        capacity_type: str | None = None,
        family: str | None = None,
    ) -> None:
        """Make instances that boot from now on never register a node. None selects all.

        Karpenter terminates such an instance 15 minutes after the time in the condition
        ``Registered`` of its NodeClaim. A caller that cannot wait can set that time back.
        """
        with self._lock:
            self._unregistered.append(_selector(zone, capacity_type, family))
            self._write()

    def allow_registration(self) -> None:
        """Let instances that boot from now on register their nodes again."""
        with self._lock:
            self._unregistered.clear()
            self._write()

    def boot(self, seconds: float) -> None:
        """Set the seconds from the launch of an instance to its node.

        Raises:
            ValueError: If the number is negative.
        """
        if seconds < 0:
            raise ValueError(f"an instance cannot boot in {seconds} seconds")
        with self._lock:
            self._boot_seconds = seconds
            self._write()

    def reclaim(self, instances: Iterable[str]) -> None:
        """Terminate instances within a second, as EC2 does two minutes after its notice.

        Their nodes are deleted within the next five seconds, as by a cloud's node controller.
        """
        with self._lock:
            self._reclaimed.extend(instances)
            self._write()

    def _write(self) -> None:
        self.directory.mkdir(parents=True, exist_ok=True)
        orders = {
            "exhausted": self._exhausted,
            "mute": self._unregistered,
            "bootSeconds": self._boot_seconds,
            "reclaimed": self._reclaimed,
        }
        written = self.directory / "orders.json.new"
        written.write_text(json.dumps(orders), encoding="utf-8")
        # The fleet never reads half a file.
        os.replace(written, self.directory / "orders.json")  # noqa: PTH105 (atomic, and says so)


def _selector(zone: str | None, capacity_type: str | None, family: str | None) -> Selector:
    pairs = (("zone", zone), ("capacityType", capacity_type), ("family", family))
    return {name: value for name, value in pairs if value is not None}
