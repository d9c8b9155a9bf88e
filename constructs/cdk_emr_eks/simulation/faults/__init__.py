"""Kinds of faults that a scenario can have, one module each.

To add a kind, write a module with a subclass of `Fault`, and import it here.
"""

from cdk_emr_eks.simulation.faults.crash import ControlPlaneProcess, Crash
from cdk_emr_eks.simulation.faults.drift import Drift
from cdk_emr_eks.simulation.faults.fault import BUSIEST, FAULTS, Fault
from cdk_emr_eks.simulation.faults.never_registers import NeverRegisters
from cdk_emr_eks.simulation.faults.no_capacity import NoCapacity
from cdk_emr_eks.simulation.faults.pool_limit import PoolLimit
from cdk_emr_eks.simulation.faults.spot_interruption import SpotInterruption
from cdk_emr_eks.simulation.faults.zone_loss import ZoneLoss

__all__ = [
    "BUSIEST",
    "FAULTS",
    "ControlPlaneProcess",
    "Crash",
    "Drift",
    "Fault",
    "NeverRegisters",
    "NoCapacity",
    "PoolLimit",
    "SpotInterruption",
    "ZoneLoss",
]
