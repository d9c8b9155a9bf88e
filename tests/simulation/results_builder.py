"""Results of a small invented simulation, with overrides."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any, Final

from cdk_emr_eks.simulation.jobs.record import JobOutcome
from cdk_emr_eks.simulation.observe.timeline import Sample
from cdk_emr_eks.simulation.report.results import JobResult, PackingResult, Results
from cdk_emr_eks.simulation.scenario import JobGroup, Scenario

ZONES: Final = ("us-east-1a", "us-east-1b", "us-east-1c")


def job(number: int = 0, **changes: Any) -> JobResult:
    """A job that succeeded in one zone."""
    made = JobResult(
        id=f"job-{number}",
        tenant="analytics",
        workload="shared",
        outcome=JobOutcome.SUCCEEDED,
        reason="",
        submitted=float(number),
        driver_running=number + 20.0,
        all_running=number + 30.0 + number,
        ended=number + 90.0,
        attempts=1,
        zones=(ZONES[number % 3],),
        capacity_types=("spot",),
        driver_on_spot=False,
        lost_drivers=(),
        lost_executors=0,
        refused={},
        cost=0.02,
    )
    return replace(made, **changes)


def sample(at: float) -> Sample:
    """The cluster at one moment: nodes start, work and end."""
    count = int(min(at, 60, 120 - at) // 10)
    return Sample(
        at=at,
        nodes={(zone, kind): count for zone in ZONES for kind in ("spot", "on-demand") if count},
        pending={"executor": max(0, 30 - int(at)), "driver": 0},
        executors=count * 6,
        jobs=6 if at < 90 else 0,
        cost_per_hour=count * 3.5,
        requested={"shared": count * 14.0},
        allocatable={"shared": count * 15.0},
    )


def results(**changes: Any) -> Results:
    """A good run of six jobs."""
    made = Results(
        scenario=Scenario(
            name="small",
            description="A small one",
            jobs=(JobGroup(count=6),),
            settle=timedelta(seconds=60),
        ),
        jobs=tuple(job(number) for number in range(6)),
        samples=tuple(sample(float(at)) for at in range(0, 121, 2)),
        packing={"shared": PackingResult(peak=0.95, mean=0.93)},
        cost=0.12,
        nodes=9,
        driver_zones=dict.fromkeys(ZONES, 2),
        gone_after=31.0,
        faults=((50.0, "notice for 3 spot nodes"),),
        warnings=(("FailedScheduling: 0/3 nodes <are> available", 4),),
        phases={"control plane": 4.2},
        peak_memory={"kube-apiserver": 400},
        not_simulated=("AWS::Lambda::Function: no Lambda is run",),
    )
    return replace(made, **changes)
