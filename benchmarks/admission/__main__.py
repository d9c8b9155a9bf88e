"""Time of making a pod with and without the policies, in turn, on one API server.

Each pair makes one pod in a namespace under the policies and one in a namespace that is not, so
that a slow moment of the machine meets both. Nothing else differs: limits and Pod Security
admission are those of a tenant in both.
"""

from __future__ import annotations

import time
from statistics import median, quantiles
from typing import Any

import click
from kubernetes import client
from rich.console import Console
from rich.table import Table

from cdk_emr_eks.model.admission.admission import Admission, AdmissionMode
from cdk_emr_eks.model.admission.cluster_policies import ADMISSION_POLICIES
from cdk_emr_eks.model.tenants.tenant import Tenant
from cdk_emr_eks.model.workloads.catalog import SHARED
from cdk_emr_eks.simulation.control_plane.plane import Plane
from cdk_emr_eks.simulation.programs.binaries import binaries
from tests.simulation import admission_actors as actors
from tests.simulation.guarded_tenant import make_tenant

BAR_MS = 5.0
_MODES = {"with policies": AdmissionMode.ENFORCE, "without": AdmissionMode.OFF}


@click.command()
@click.option("--pairs", default=500, show_default=True, help="Pods made in each namespace.")
def main(pairs: int) -> None:
    """Print what admission adds to making an executor's pod."""
    with Plane(binaries()) as plane:
        _prepare(plane)
        times: dict[str, list[float]] = {name: [] for name in _MODES}
        with plane.client() as api:
            core: Any = client.CoreV1Api(api)
            for number in range(pairs + 50):
                for name, mode in _MODES.items():
                    pod = actors.executor(SHARED, "emr-bench", f"executor-{number}")
                    pod["spec"]["serviceAccountName"] = "default"
                    began = time.perf_counter()
                    core.create_namespaced_pod(f"bench-{mode}", pod, dry_run="All")
                    # The first pods meet cold caches of client and server.
                    if number >= 50:
                        times[name].append((time.perf_counter() - began) * 1000)
    _print(times)


def _prepare(plane: Plane) -> None:
    actors.make(plane, *[dict(each) for each in SHARED.priority_classes()])
    for policy in ADMISSION_POLICIES:
        actors.make(plane, *policy.manifests())
    for mode in _MODES.values():
        make_tenant(plane, Tenant(name=f"bench-{mode}", admission=Admission(mode=mode)))
    time.sleep(3)  # The controller manager makes the default service accounts.
    bad = actors.executor(SHARED, "emr-bench", "bad")
    bad["spec"]["containers"][0]["image"] = "docker.io/library/miner:1"
    bad["spec"]["serviceAccountName"] = "default"
    path = "/api/v1/namespaces/bench-enforce/pods"
    refused = actors.call(plane, None, "POST", path, bad, dryRun="All")
    if refused.allowed:
        raise click.ClickException("the policies are not at work, so there is nothing to measure")


def _print(times: dict[str, list[float]]) -> None:
    table = Table("milliseconds", "p50", "p95")
    for name, found in times.items():
        table.add_row(name, f"{median(found):.2f}", f"{quantiles(found, n=20)[18]:.2f}")
    pairs = zip(*times.values(), strict=True)
    added = median(policies - without for policies, without in pairs)
    table.add_row("added, median of pairs", f"{added:.2f}", "")
    console = Console()
    console.print(table)
    held = "held" if added < BAR_MS else "NOT held"
    console.print(f"Bar: at most {BAR_MS:g} ms at p50: {held}.")


if __name__ == "__main__":
    main()
