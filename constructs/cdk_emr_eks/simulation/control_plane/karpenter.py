"""How Karpenter is started: what its chart says, and what the simulation must add."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

__all__ = ["SIMULATED_NODES", "KarpenterLaunch", "karpenter_environment"]

SIMULATED_NODES: Final = ("kwok.x-k8s.io/node", "fake")
"""Label of the nodes that KWOK plays: those of Karpenter's fleet have it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class KarpenterLaunch:
    """Karpenter's container as its rendered chart has it.

    Args:
        args: Arguments of the container.
        env: Its environment, values that come from the pod's own fields filled in, and besides
            that where the emulated AWS is: AWS_ENDPOINT_URL, AWS_REGION and some credentials.
        service_account: Namespace and name of its service account: Karpenter gets a token of that
            account, and with it the rights that the chart gives it and no others.
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
        launch: What the chart says.
        kubeconfig: With the token of its service account.
        fleet_kubeconfig: For what is not Karpenter in a real cluster: the instances that register
            their nodes.
        fleet: Folder of the fleet's state and orders, see ``fleet.Fleet``.
        ports: Of its metrics and its health: several planes share one machine.
    """
    metrics, health = ports
    return {
        **launch.env,
        "KUBECONFIG": str(kubeconfig),
        "FLEET_KUBECONFIG": str(fleet_kubeconfig),
        "FLEET_DIRECTORY": str(fleet),
        "METRICS_PORT": str(metrics),
        "HEALTH_PROBE_PORT": str(health),
        # A dry run of RunInstances is what its fleet cannot play.
        "DISABLE_DRY_RUN": "true",
    }
