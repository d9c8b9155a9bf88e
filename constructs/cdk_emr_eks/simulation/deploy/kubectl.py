"""Deploy manifests and Helm charts, as the CDK's kubectl handler does.

The available charts are those that came with the programs: Karpenter's and the one of its CRDs. No
other chart is downloaded, since the simulation has no images that it could run. Each available
chart has one version, which replaces other versions; the outcome says so.
"""

from __future__ import annotations

import contextlib
import json
import math
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from cdk_emr_eks.assembly.evaluation import ResourceValues
from cdk_emr_eks.assembly.paths import mapping, sequence, text
from cdk_emr_eks.simulation.control_plane.karpenter import KarpenterLaunch
from cdk_emr_eks.simulation.deploy.model import (
    Deployed,
    DeployOutcome,
    DeployTarget,
    NotSimulatedError,
    Request,
    physical_name,
)
from cdk_emr_eks.simulation.errors import DeploymentFailedError
from cdk_emr_eks.units import quantity
from cdk_emr_eks.versions import KARPENTER as KARPENTER_VERSION

# Name of Karpenter's chart, of its process, and of its Deployment.
KARPENTER: Final = "karpenter"

# Pods of a chart run as soon as they are scheduled, but two busy cores can be slow.
_TIMEOUT: Final = "300s"


# ---- manifests


def deploy_manifest(request: Request, target: DeployTarget) -> Deployed:
    """Create the objects of a manifest.

    Raises:
        DeploymentFailedError: If the manifest is not JSON, or the API server refuses an object.
    """
    try:
        content = json.loads(request.text("Manifest"))
    except ValueError as error:
        reasons = (f"the manifest is not JSON: {error}",)
        raise DeploymentFailedError(request.stack, request.logical_id, reasons) from error
    objects: list[Mapping[str, object]] = [mapping(item) for item in sequence(content)]
    created = target.objects.create(
        objects,
        overwrite=_is_true(request, "Overwrite"),
        validate=not _is_true(request, "SkipValidation"),
    )
    # A kind may be unknown only because the simulation did not install its chart.
    excused = created.unknown if target.missing_charts else ()
    failed = (*created.refused, *(() if excused else created.unknown))
    if failed:
        raise DeploymentFailedError(request.stack, request.logical_id, failed)

    def undo(seconds: float) -> tuple[str, ...]:
        return target.objects.delete(objects, seconds)

    warnings = f"; the API server warns: {'; '.join(created.warnings)}" if created.warnings else ""
    return Deployed(
        values=ResourceValues(ref=physical_name(request), attributes={}),
        outcome=DeployOutcome.NOT_SIMULATED if excused else DeployOutcome.APPLIED,
        why=f"{len(objects) - len(excused)} objects{_without(excused, target)}{warnings}",
        undo=undo,
    )


def _without(unknown: tuple[str, ...], target: DeployTarget) -> str:
    if not unknown:
        return ""
    charts = ", ".join(target.missing_charts)
    return f"; without those whose chart ({charts}) is not available: {'; '.join(unknown)}"


def _is_true(request: Request, name: str) -> bool:
    return request.text(name, "false").lower() == "true"


# ---- charts


def deploy_chart(request: Request, target: DeployTarget) -> Deployed:
    """Install a chart with helm.

    Raises:
        NotSimulatedError: If the chart is not available.
        DeploymentFailedError: If helm fails.
    """
    try:
        chart = _available_chart(request, target)
    except NotSimulatedError:
        target.missing_charts.append(request.text("Release"))
        raise
    release, namespace = request.text("Release"), request.text("Namespace", "default")
    arguments = ["upgrade", release, str(chart), "--install", f"--namespace={namespace}"]
    if _is_true(request, "CreateNamespace"):
        arguments.append("--create-namespace")
    if _is_true(request, "Wait"):
        arguments += ["--wait", f"--timeout={_TIMEOUT}"]
    with tempfile.NamedTemporaryFile("w", suffix=".json") as values:
        values.write(request.text("Values", "{}"))
        values.flush()
        problem = _helm(target, [*arguments, f"--values={values.name}"])
    if problem:
        raise DeploymentFailedError(request.stack, request.logical_id, (problem,))
    is_karpenter = chart.name == KARPENTER
    if is_karpenter:
        target.karpenter = karpenter_launch(target, release, namespace)

    def undo(seconds: float) -> tuple[str, ...]:
        if is_karpenter:
            _stop_karpenter(target)
        wait = f"--timeout={max(int(seconds), 1)}s"
        arguments = ["uninstall", release, f"--namespace={namespace}", "--wait", wait]
        problem = _helm(target, arguments)
        return (f"chart {release}: {problem}",) if problem else ()

    return Deployed(
        values=ResourceValues(ref=release, attributes={}),
        outcome=DeployOutcome.APPLIED,
        why=_chart_note(request, chart.name),
        undo=undo,
    )


def _available_chart(request: Request, target: DeployTarget) -> Path:
    if "ChartAssetURL" in request.properties:
        raise NotSimulatedError("charts that are assets of the assembly are not installed")
    name = request.text("Chart") or request.text("Repository").rpartition("/")[2]
    chart = target.plane.binaries.charts / name
    if not (chart / "Chart.yaml").is_file():
        raise NotSimulatedError(f"the chart {name} {request.text('Version')} is not available")
    return chart


def _chart_note(request: Request, chart: str) -> str:
    # The version of the programs: a chart in Karpenter's repository does not have its version,
    # which is written into it when it is published.
    note = f"installed by helm from the chart {chart} {KARPENTER_VERSION}"
    wanted = request.text("Version").removeprefix("v")
    if wanted and wanted != KARPENTER_VERSION:
        note += f", which replaces {wanted}: that version is not available"
    return note + ("; its controller is a process of this machine" if chart == KARPENTER else "")


def _helm(target: DeployTarget, arguments: list[str]) -> str:
    """Run helm; return its message if it fails, else the empty text."""
    home = target.plane.directory / "helm"
    # Keeps out the user's helm settings: repositories, plugins and contexts.
    environment: Mapping[str, str] = {
        "HOME": str(home),
        "HELM_CONFIG_HOME": str(home / "config"),
        "HELM_CACHE_HOME": str(home / "cache"),
        "HELM_DATA_HOME": str(home / "data"),
    }
    command = [str(target.plane.binaries.helm), *arguments]
    command.append(f"--kubeconfig={target.plane.kubeconfig}")
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    return "" if done.returncode == 0 else (done.stderr or done.stdout).strip()


def _stop_karpenter(target: DeployTarget) -> None:
    """Stop Karpenter, as the deletion of its Deployment does."""
    # The caller may never have started it.
    with contextlib.suppress(KeyError):
        target.plane.kill(KARPENTER)
    target.karpenter = None


# ---- Karpenter's container


def karpenter_launch(target: DeployTarget, release: str, namespace: str) -> KarpenterLaunch:
    """Return how the chart's Deployment starts Karpenter, with the emulated account's address.

    Raises:
        NotSimulatedError: If the chart has no such Deployment, or a value of its container comes
            from a source that the simulation does not have.
    """
    path = f"/apis/apps/v1/namespaces/{namespace}/deployments"
    selector = f"app.kubernetes.io/instance={release},app.kubernetes.io/name={KARPENTER}"
    found, _ = target.objects.request("GET", path, query={"labelSelector": selector})
    deployments = sequence(found, "items")
    if len(deployments) != 1:
        raise NotSimulatedError(f"the release {release} has {len(deployments)} Deployments, not 1")
    pod = mapping(deployments[0], "spec", "template", "spec")
    container = mapping(pod, "containers", 0)
    return KarpenterLaunch(
        args=tuple(str(argument) for argument in sequence(container, "args")),
        env={
            # In a pod, Karpenter reads it from the files of its service account.
            "LEADER_ELECTION_NAMESPACE": namespace,
            **dict(_environment(container, namespace)),
            **target.aws.environment,
        },
        service_account=(namespace, text(pod, "serviceAccountName")),
    )


def _environment(container: Mapping[str, object], namespace: str) -> Iterator[tuple[str, str]]:
    for variable in map(mapping, sequence(container, "env")):
        name = text(variable, "name")
        match mapping(variable, "valueFrom"):
            case {"fieldRef": {"fieldPath": "metadata.namespace"}}:
                yield name, namespace
            case {"resourceFieldRef": Mapping() as field}:
                amount = _amount(container, mapping(field))
                if amount:
                    yield name, amount
            case {**rest} if rest:
                raise NotSimulatedError(f"Karpenter's {name} comes from {', '.join(rest)}")
            case _:
                yield name, text(variable, "value")


def _amount(container: Mapping[str, object], field: Mapping[str, object]) -> str:
    """Return a request or limit in units of the divisor, the empty text if the chart sets none."""
    kind, _, resource = text(field, "resource").partition(".")
    amounts = mapping(container, "resources", kind)
    if resource not in amounts:
        return ""
    # The divisor 0 means 1. Kubernetes rounds up.
    divisor = quantity(text(field, "divisor") or "1") or 1
    return str(math.ceil(quantity(str(amounts[resource])) / divisor))
