"""Warnings about a workload: what is legal but probably not meant, as sentences with figures."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from cdk_emr_eks.labels import Architecture
from cdk_emr_eks.model.instances.instances import Instances
from cdk_emr_eks.model.instances.packing import Packing
from cdk_emr_eks.model.workloads.shapes import NodePoolLimits
from cdk_emr_eks.model.workloads.storage import PersistentVolumes, Storage

MAX_ATTACHED_VOLUMES: Final = 24
"""EBS volumes of one node: 28 attachments less root volume and network interfaces.

Source: https://docs.aws.amazon.com/ec2/latest/instancetypes/ec2-nitro-instances.html
"""

SPOT_TYPES: Final = 15
"""Instance types that a spot pool should have at least.

Source: https://karpenter.sh/docs/concepts/disruption/#consolidation (spot to spot needs 15)
"""


def spot_warnings(
    where: str, architectures: Iterable[Architecture], instances: Instances
) -> Iterator[str]:
    """Yield a warning for each architecture whose spot pools have too few instance types."""
    for architecture in architectures:
        count = len(instances.types(architecture))
        if count < SPOT_TYPES:
            yield (
                f"{where}: its {architecture} spot pools have {count} instance types; with "
                f"fewer than {SPOT_TYPES} spot is reclaimed more often. Add families or "
                "sizes to executor_instances."
            )


def volume_warnings(where: str, storage: Storage, packing: Packing) -> tuple[str, ...]:
    """Return whether a full node would need more volumes than EC2 attaches."""
    if not isinstance(storage, PersistentVolumes):
        return ()
    most = max(packing.pods, key=lambda name: packing.pods[name])
    volumes = packing.pods[most] * storage.count
    if volumes <= MAX_ATTACHED_VOLUMES:
        return ()
    return (
        f"{where}: a full {most} would need {volumes} volumes; EC2 attaches at "
        f"most about {MAX_ATTACHED_VOLUMES}. Choose smaller sizes, larger executors or fewer "
        "volumes.",
    )


def size_warnings(
    where: str, executors: int, cores: int, limits: NodePoolLimits
) -> tuple[str, ...]:
    """Return whether one job may ask for more executors than a pool may have."""
    if executors * cores * 1000 <= limits.cpu.millicores:
        return ()
    return (
        f"{where}: one job may ask for {executors * cores} cores ({executors} executors), but a "
        f"pool is limited to {limits.cpu.kubernetes}. Raise executor_limits or lower "
        "max_executors.",
    )
