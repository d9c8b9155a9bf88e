"""Scenarios: jobs that arrive over time, and what goes wrong meanwhile."""

from cdk_emr_eks.simulation.scenario.arrival import Arrival, AtOnce, AtTimes, Every, Poisson
from cdk_emr_eks.simulation.scenario.fault import (
    BUSIEST,
    FAULTS,
    Component,
    Crash,
    Drift,
    Fault,
    NeverRegisters,
    NoCapacity,
    PoolLimit,
    SpotInterruption,
    ZoneLoss,
)
from cdk_emr_eks.simulation.scenario.model import EACH, JobGroup, Scenario, Stage, Submission
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
    "Component",
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
    "SpotInterruption",
    "Stage",
    "Submission",
    "ZoneLoss",
    "parse_scenario",
    "read_scenario",
    "shipped_scenarios",
]
