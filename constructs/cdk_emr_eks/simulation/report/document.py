"""The report as JSON. Its fields are documented in docs/reference/simulation.md."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict
from typing import Final

from cdk_emr_eks.simulation.observe.timeline import Sample
from cdk_emr_eks.simulation.report.findings import findings
from cdk_emr_eks.simulation.report.results import JobResult, Results, quantile

# Increased when a field is removed or changes its meaning, not for new fields.
SCHEMA_VERSION: Final = 1


def document(results: Results, failures: tuple[str, ...] = ()) -> dict[str, object]:
    """Return the report as JSON values.

    Args:
        results: Results of the simulation.
        failures: Failed gates.
    """
    starts = [job.start_seconds for job in results.jobs if job.start_seconds is not None]
    return {
        "schema_version": SCHEMA_VERSION,
        "scenario": {
            "name": results.scenario.name,
            "description": results.scenario.description,
            "speed": results.scenario.speed,
            "boot_seconds": results.scenario.boot_time.total_seconds(),
        },
        "findings": [asdict(each) for each in findings(results)],
        "failures": list(failures),
        "summary": {
            "jobs": len(results.jobs),
            "outcomes": dict(Counter(str(job.outcome) for job in results.jobs)),
            "jobs_across_zones": sum(len(job.zones) > 1 for job in results.jobs),
            "jobs_by_zone": dict(results.driver_zones),
            "drivers_on_spot": sum(job.driver_on_spot for job in results.jobs),
            "drivers_lost": sum(len(job.lost_drivers) for job in results.jobs),
            "drivers_disrupted": sum(
                bool(each.by_choice) for job in results.jobs for each in job.lost_drivers
            ),
            "executors_lost": sum(job.lost_executors for job in results.jobs),
            "start_seconds": {
                "median": quantile(starts, 0.5),
                "p95": quantile(starts, 0.95),
                "max": max(starts),
            }
            if starts
            else None,
            "cost_usd": results.cost,
            "cost_per_hour_peak_usd": max(
                (sample.cost_per_hour for sample in results.samples), default=0.0
            ),
            "nodes": results.nodes,
            "nodes_peak": max((sum(s.nodes.values()) for s in results.samples), default=0),
            "nodes_gone_after_seconds": results.gone_after,
            "nodes_with_buffers": results.buffer_nodes,
            "packing": {name: asdict(each) for name, each in results.packing.items()},
        },
        "jobs": [_job(job) for job in results.jobs],
        "series": [_sample(sample) for sample in results.samples],
        "faults": [{"at": at, "what": what} for at, what in results.faults],
        "warnings": [{"text": text, "count": count} for text, count in results.warnings],
        "phases_seconds": dict(results.phases),
        "peak_memory_mib": dict(results.peak_memory),
        "not_simulated": list(results.not_simulated),
        "problems": list(results.problems),
    }


def _job(job: JobResult) -> dict[str, object]:
    return {**asdict(job), "outcome": str(job.outcome), "refused": dict(job.refused)}


def _sample(sample: Sample) -> dict[str, object]:
    return {
        "at": round(sample.at, 2),
        "nodes": [
            {"zone": zone, "capacity_type": capacity_type, "count": count}
            for (zone, capacity_type), count in sorted(sample.nodes.items())
        ],
        "pending": dict(sample.pending),
        "executors": sample.executors,
        "jobs": sample.jobs,
        "cost_per_hour_usd": round(sample.cost_per_hour, 4),
        "requested_cores": {key: round(value, 3) for key, value in sample.requested.items()},
        "allocatable_cores": {key: round(value, 3) for key, value in sample.allocatable.items()},
    }
