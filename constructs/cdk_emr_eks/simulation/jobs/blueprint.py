"""What jobs of each tenant and workload look like, read from a cloud assembly.

Job configurations are those of the stack outputs, pod templates those of the assets that the
configurations name: the very files that EMR would read.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Final

import yaml

from cdk_emr_eks import labels
from cdk_emr_eks.assembly.paths import mapping, sequence
from cdk_emr_eks.assembly.reader import AssemblyError, open_assembly
from cdk_emr_eks.assembly.stack import Stack
from cdk_emr_eks.errors import refuse
from cdk_emr_eks.plan.model import TenantPlan
from cdk_emr_eks.plan.tenants import tenant_plans
from cdk_emr_eks.simulation.scenario import EACH

_TENANT_LABEL: Final = f"spark.kubernetes.driver.label.{labels.TENANT}"
_WORKLOAD_SELECTOR: Final = f"jobsubmitter.node.selector.{labels.WORKLOAD}"
_TEMPLATE_FILE: Final = "spark.kubernetes.{role}.podTemplateFile"


@dataclass(frozen=True, kw_only=True, slots=True)
class Blueprint:
    """Jobs of one tenant on one workload.

    Args:
        tenant: Name of the tenant.
        workload: Name of the workload.
        namespace: The tenant's namespace.
        execution_role: Name of the execution role that the jobs run as.
        spark: Properties of the classification ``spark-defaults``.
        submitter: Properties of the classification ``emr-job-submitter``.
        start_timeout: How long EMR waits for the job to start.
        driver_template: Pod template of the driver.
        executor_template: Pod template of executors.
    """

    tenant: str
    workload: str
    namespace: str
    execution_role: str
    spark: Mapping[str, str]
    submitter: Mapping[str, str]
    start_timeout: timedelta
    driver_template: Mapping[str, object]
    executor_template: Mapping[str, object]


def read_blueprints(assembly: Path) -> tuple[Blueprint, ...]:
    """Read the blueprint of every tenant and workload of a cloud assembly.

    Raises:
        AssemblyError: If the folder is no cloud assembly, no stack output holds a job
            configuration, or a pod template that one names is not among the assets.
    """
    opened = open_assembly(assembly)
    stacks, tenants = opened.stacks, tenant_plans(opened)
    assets = dict(_assets(assembly))
    found = tuple(
        _blueprint(stack, overrides, tenants, assets)
        for stack in stacks
        for overrides in _configurations(stack)
    )
    if not found:
        raise AssemblyError(
            f"The cloud assembly '{assembly}' has no stack output with a job configuration, so "
            "there is no job to run; a Tenant of this library writes one for each workload."
        )
    return found


def choose_blueprints(
    blueprints: Iterable[Blueprint], *, tenant: str, workload: str
) -> tuple[Blueprint, ...]:
    """Return the blueprints of a tenant and a workload, each of which may be ``*``.

    Raises:
        ConfigError: If there is none.
    """
    known = tuple(blueprints)
    found = tuple(
        each
        for each in known
        if tenant in (EACH, each.tenant) and workload in (EACH, each.workload)
    )
    if not found:
        pairs = sorted({f"{each.tenant}/{each.workload}" for each in known})
        rule = f"must be a tenant and a workload of the platform ({', '.join(pairs)})"
        raise refuse("Scenario", "jobs", rule, f"{tenant}/{workload}")
    return found


def _configurations(stack: Stack) -> Iterator[Mapping[str, object]]:
    for output in mapping(stack.template.get("Outputs")).values():
        text = stack.text(mapping(output).get("Value"))
        if '"applicationConfiguration"' not in text:
            continue
        try:
            yield mapping(json.loads(text))
        except ValueError:
            continue  # a command that has a configuration among its arguments


def _blueprint(
    stack: Stack,
    overrides: Mapping[str, object],
    tenants: Iterable[TenantPlan],
    assets: Mapping[str, Path],
) -> Blueprint:
    classes = {
        str(item.get("classification")): _texts(item.get("properties"))
        for item in map(mapping, sequence(overrides.get("applicationConfiguration")))
    }
    spark = classes.get("spark-defaults", {})
    submitter = classes.get("emr-job-submitter", {})
    defaults = classes.get("emr-containers-defaults", {})
    name = spark.get(_TENANT_LABEL, "")
    for tenant in tenants:
        if (tenant.stack, tenant.name) == (stack.name, name):
            break
    else:
        raise AssemblyError(
            f"Stack '{stack.name}' has a job configuration of the tenant '{name}', "
            "but no namespace or virtual cluster of it."
        )
    return Blueprint(
        tenant=tenant.name,
        workload=submitter.get(_WORKLOAD_SELECTOR, ""),
        namespace=tenant.namespace,
        execution_role=tenant.roles[0].name if tenant.roles else tenant.name,
        spark=spark,
        submitter=submitter,
        start_timeout=timedelta(seconds=int(defaults.get("job-start-timeout", "900"))),
        driver_template=_template(spark, "driver", assets),
        executor_template=_template(spark, "executor", assets),
    )


def _texts(properties: object) -> dict[str, str]:
    return {key: str(value) for key, value in mapping(properties).items()}


def _assets(folder: Path) -> Iterator[tuple[str, Path]]:
    """Yield key in the asset bucket and file of each file asset."""
    for listing in sorted(folder.rglob("*.assets.json")):
        files = mapping(json.loads(listing.read_text(encoding="utf-8")).get("files"))
        for asset in map(mapping, files.values()):
            source = mapping(asset.get("source"))
            for destination in map(mapping, mapping(asset.get("destinations")).values()):
                if source.get("packaging") == "file":
                    key = str(destination.get("objectKey"))
                    yield key, listing.parent / str(source.get("path"))


def _template(
    spark: Mapping[str, str], role: str, assets: Mapping[str, Path]
) -> Mapping[str, object]:
    uri = spark.get(_TEMPLATE_FILE.format(role=role), "")
    key = uri.removeprefix("s3://").partition("/")[2]
    file = assets.get(key)
    if file is None:
        raise AssemblyError(f"The pod template '{uri}' is not among the assets of the assembly.")
    return mapping(yaml.safe_load(file.read_text(encoding="utf-8")))
