"""Read the form of each tenant's jobs from a cloud assembly.

Job configurations come from the outputs of the stacks. Pod templates are the assets that the
configurations name: the files that EMR would read.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Final

import yaml

from cdk_emr_eks import labels
from cdk_emr_eks.assembly.job_configurations import JobConfiguration, job_configurations
from cdk_emr_eks.assembly.paths import mapping, sequence, text
from cdk_emr_eks.assembly.reader import Assembly, AssemblyError
from cdk_emr_eks.errors import refuse
from cdk_emr_eks.plan.model import TenantPlan
from cdk_emr_eks.plan.tenants import tenant_plans
from cdk_emr_eks.simulation.scenario import EACH

_TENANT_LABEL: Final = f"spark.kubernetes.driver.label.{labels.TENANT}"
_WORKLOAD_SELECTOR: Final = f"jobsubmitter.node.selector.{labels.WORKLOAD}"
_TEMPLATE_FILE: Final = "spark.kubernetes.{role}.podTemplateFile"


@dataclass(frozen=True, kw_only=True, slots=True)
class Blueprint:
    """Form of the jobs of one tenant on one workload.

    Args:
        tenant: Name of the tenant.
        workload: Name of the workload.
        namespace: Namespace of the tenant.
        execution_role: Name of the execution role of the jobs.
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


def read_blueprints(assembly: Assembly) -> tuple[Blueprint, ...]:
    """Read the blueprint of every tenant and workload of a cloud assembly.

    Raises:
        AssemblyError: If no stack output has a job configuration, or a pod template that one names
            is not among the assets.
    """
    tenants, assets = tenant_plans(assembly), assembly.file_assets()
    found = tuple(
        _blueprint(configuration, tenants, assets)
        for stack in assembly.stacks
        for configuration in job_configurations(stack)
    )
    if not found:
        raise AssemblyError(
            f"The cloud assembly '{assembly.folder}' has no stack output with a job configuration, "
            "so no job can run; a Tenant of this library writes one for each workload."
        )
    return found


def choose_blueprints(
    blueprints: Iterable[Blueprint], *, tenant: str, workload: str
) -> tuple[Blueprint, ...]:
    """Return the blueprints of a tenant and a workload; each of them may be ``*``.

    Raises:
        ConfigError: If there are none.
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


def _blueprint(
    configuration: JobConfiguration, tenants: Iterable[TenantPlan], assets: Mapping[str, Path]
) -> Blueprint:
    stack = configuration.stack
    classes = {
        text(item, "classification"): {
            key: str(value) for key, value in mapping(item, "properties").items()
        }
        for item in sequence(configuration.overrides, "applicationConfiguration")
    }
    spark = classes.get("spark-defaults", {})
    submitter = classes.get("emr-job-submitter", {})
    defaults = classes.get("emr-containers-defaults", {})
    name = spark.get(_TENANT_LABEL, "")
    for tenant in tenants:
        # The output is in the stack of the tenant, or in a parent of that stack.
        if tenant.name == name and f"{tenant.stack} / ".startswith(f"{stack.name} / "):
            break
    else:
        raise AssemblyError(
            f"Stack '{stack.name}' has a job configuration of the tenant '{name}', "
            "but no namespace or virtual cluster of that tenant."
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


def _template(
    spark: Mapping[str, str], role: str, assets: Mapping[str, Path]
) -> Mapping[str, object]:
    uri = spark.get(_TEMPLATE_FILE.format(role=role), "")
    file = assets.get(uri.rpartition("/")[2])
    if file is None:
        raise AssemblyError(f"The pod template '{uri}' is not among the assets of the assembly.")
    return mapping(yaml.safe_load(file.read_text(encoding="utf-8")))
