"""Helm charts: installed by helm where the chart is at hand, as CDK's handler installs them.

At hand are the charts that came with the binaries: Karpenter's and that of its CRDs. No other chart
is downloaded, for what would run of it is images that the simulation does not have. Karpenter's
are at hand in one version; it stands for others, and the outcome says so.
"""

from __future__ import annotations

import contextlib
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from cdk_emr_eks.simulation.deploy.launch import KARPENTER, karpenter_launch
from cdk_emr_eks.simulation.deploy.outcome import (
    Deployed,
    DeploymentFailedError,
    NotSimulatedError,
    Outcome,
    Request,
)
from cdk_emr_eks.simulation.deploy.resolve import Made
from cdk_emr_eks.simulation.deploy.site import Site
from cdk_emr_eks.versions import KARPENTER as KARPENTER_VERSION

_TIMEOUT: Final = "300s"
# Pods of a chart run as soon as they are scheduled; but two loaded cores can be slow about it.


def deploy_chart(request: Request, site: Site) -> Deployed:
    """Install a chart.

    Raises:
        NotSimulatedError: If the chart is not at hand.
        DeploymentFailedError: If helm fails.
    """
    try:
        chart = _at_hand(request, site)
    except NotSimulatedError:
        site.missing_charts.append(request.text("Release"))
        raise
    release, namespace = request.text("Release"), request.text("Namespace", "default")
    arguments = ["upgrade", release, str(chart), "--install", f"--namespace={namespace}"]
    if request.text("CreateNamespace").lower() == "true":
        arguments.append("--create-namespace")
    if request.text("Wait").lower() == "true":
        arguments += ["--wait", f"--timeout={_TIMEOUT}"]
    with tempfile.NamedTemporaryFile("w", suffix=".json") as values:
        values.write(request.text("Values", "{}"))
        values.flush()
        failed = _helm(site, [*arguments, f"--values={values.name}"])
    if failed:
        raise DeploymentFailedError(request.stack, request.logical_id, (failed,))
    runs = chart.name == KARPENTER
    if runs:
        site.karpenter = karpenter_launch(site, release, namespace)

    def undo(seconds: float) -> tuple[str, ...]:
        if runs:
            _stop(site)
        wait = f"--timeout={max(int(seconds), 1)}s"
        problem = _helm(site, ["uninstall", release, f"--namespace={namespace}", "--wait", wait])
        return (f"chart {release}: {problem}",) if problem else ()

    return Deployed(
        made=Made(ref=release, attributes={}),
        outcome=Outcome.APPLIED,
        why=_why(request, chart.name),
        undo=undo,
    )


def _at_hand(request: Request, site: Site) -> Path:
    if "ChartAssetURL" in request.properties:
        raise NotSimulatedError("its chart is an asset of the assembly: these are not installed")
    name = request.text("Chart") or request.text("Repository").rpartition("/")[2]
    chart = site.plane.binaries.charts / name
    if not (chart / "Chart.yaml").is_file():
        raise NotSimulatedError(f"the chart {name} {request.text('Version')} is not at hand")
    return chart


def _why(request: Request, chart: str) -> str:
    # The version that the binaries were built from: a chart in the repository does not know its
    # own, which is written into it when it is published.
    why = f"installed by helm from the chart {chart} {KARPENTER_VERSION}"
    wanted = request.text("Version").removeprefix("v")
    if wanted and wanted != KARPENTER_VERSION:
        why += f", which stands for {wanted}: that one is not at hand"
    return why + ("; its controller is a process of this machine" if chart == KARPENTER else "")


def _helm(site: Site, arguments: list[str]) -> str:
    """Run helm; return what it says if it fails, else nothing."""
    home = site.plane.directory / "helm"
    # Nothing of the user's own helm: no repositories, plugins or contexts.
    environment: Mapping[str, str] = {
        "HOME": str(home),
        "HELM_CONFIG_HOME": str(home / "config"),
        "HELM_CACHE_HOME": str(home / "cache"),
        "HELM_DATA_HOME": str(home / "data"),
    }
    command = [str(site.plane.binaries.helm), *arguments]
    command.append(f"--kubeconfig={site.plane.kubeconfig}")
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    return "" if done.returncode == 0 else (done.stderr or done.stdout).strip()


def _stop(site: Site) -> None:
    """Stop Karpenter, as its Deployment's pods would be."""
    with contextlib.suppress(KeyError):  # the caller never started it
        site.plane.kill(KARPENTER)
    site.karpenter = None
