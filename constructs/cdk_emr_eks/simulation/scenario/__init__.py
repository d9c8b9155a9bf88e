"""Scenarios: jobs that arrive over time, and faults."""

from cdk_emr_eks.simulation.faults import (
    BUSIEST,
    FAULTS,
    ControlPlaneProcess,
    Crash,
    Drift,
    Fault,
    NeverRegisters,
    NoCapacity,
    PoolLimit,
    SpotInterruption,
    ZoneLoss,
)
from cdk_emr_eks.simulation.scenario.model import (
    EACH,
    Arrival,
    AtOnce,
    AtTimes,
    Every,
    JobGroup,
    Poisson,
    Scenario,
    SparkStage,
    Submission,
)
from cdk_emr_eks.simulation.scenario.reader import (
    parse_scenario,
    read_scenario,
    shipped_scenarios,
)

__all__ = [
    "BUSIEST",
    "EACH",
    "FAULTS",
    "Arrival",
    "AtOnce",
    "AtTimes",
    "ControlPlaneProcess",
    "Crash",
    "Drift",
    "Every",
    "Fault",
    "JobGroup",
    "NeverRegisters",
    "NoCapacity",
    "Poisson",
    "PoolLimit",
    "Scenario",
    "SparkStage",
    "SpotInterruption",
    "Submission",
    "ZoneLoss",
    "parse_scenario",
    "read_scenario",
    "shipped_scenarios",
]
