"""Manifests of a template, as CDK's kubectl handler treats them."""

from __future__ import annotations

import json
from collections.abc import Mapping

from cdk_emr_eks.assembly.paths import mapping, sequence
from cdk_emr_eks.simulation.deploy.names import physical_name
from cdk_emr_eks.simulation.deploy.outcome import (
    Deployed,
    DeploymentFailedError,
    Outcome,
    Request,
)
from cdk_emr_eks.simulation.deploy.resolve import Made
from cdk_emr_eks.simulation.deploy.site import Site


def deploy_manifest(request: Request, site: Site) -> Deployed:
    """Create the objects of a manifest.

    Raises:
        DeploymentFailedError: If the manifest is no JSON, or the API server refuses an object.
    """
    try:
        content = json.loads(request.text("Manifest"))
    except ValueError as error:
        reasons = (f"the manifest is no JSON: {error}",)
        raise DeploymentFailedError(request.stack, request.logical_id, reasons) from error
    objects: list[Mapping[str, object]] = [mapping(item) for item in sequence(content)]
    made = site.objects.create(
        objects,
        overwrite=_true(request, "Overwrite"),
        validate=not _true(request, "SkipValidation"),
    )
    # A kind may be unknown only because its chart is one that the simulation does not have.
    excused = made.unknown if site.missing_charts else ()
    failed = (*made.refused, *(() if excused else made.unknown))
    if failed:
        raise DeploymentFailedError(request.stack, request.logical_id, failed)

    def undo(seconds: float) -> tuple[str, ...]:
        return site.objects.delete(objects, seconds)

    warnings = f"; the API server warns: {'; '.join(made.warnings)}" if made.warnings else ""
    return Deployed(
        made=Made(ref=physical_name(request), attributes={}),
        outcome=Outcome.NOT_SIMULATED if excused else Outcome.APPLIED,
        why=f"{len(objects) - len(excused)} objects{_without(excused, site)}{warnings}",
        undo=undo,
    )


def _without(unknown: tuple[str, ...], site: Site) -> str:
    if not unknown:
        return ""
    charts = ", ".join(site.missing_charts)
    return f"; without those whose chart ({charts}) is not at hand: {'; '.join(unknown)}"


def _true(request: Request, name: str) -> bool:
    return request.text(name, "false").lower() == "true"
