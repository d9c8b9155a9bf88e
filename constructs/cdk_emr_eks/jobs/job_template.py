"""An EMR job template: a tenant's job, declared once and started by its id."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

from aws_cdk import CfnTag
from aws_cdk import aws_emrcontainers as emrcontainers
from constructs import Construct

from cdk_emr_eks.errors import refuse
from cdk_emr_eks.field_types import check_argument
from cdk_emr_eks.model.access.execution_role import RoleUse
from cdk_emr_eks.model.jobs.job_template import JobTemplateSpec
from cdk_emr_eks.tenants.tenant import EmrEksTenant

_Template = emrcontainers.CfnJobTemplate


class JobTemplate(Construct):
    """A job template with a workload's configuration, for one execution role of a tenant.

    The role is fixed: a template that takes the role as a parameter lets whoever starts it choose
    any role. Everything in it, its tags too, is immutable: a change replaces the template.

    Resources made: one ``AWS::EMRContainers::JobTemplate``.

    Attributes:
        id: Id for ``aws emr-containers start-job-run --job-template-id``, a token.
        arn: ARN, for ``ExecutionRole.grant_start_job_run(..., job_templates=[...])``.

    Args:
        tenant: Whose job it is.
        spec: The job.
        role: Name of the tenant's execution role. None: its first for jobs.

    Raises:
        ConfigError: If the tenant has no such workload or role, or the configuration has what a
            job template cannot hold.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        tenant: EmrEksTenant,
        spec: JobTemplateSpec,
        role: str | None = None,
    ) -> None:
        check_argument("Job template", "spec", JobTemplateSpec, spec)
        check_argument(f"Job template {spec.name!r}", "tenant", EmrEksTenant, tenant)
        configuration = tenant.job_configuration(spec.workload, image=spec.image)
        execution_role = tenant.role_for(RoleUse.JOBS, role)
        overrides = _overrides(spec, configuration)
        super().__init__(scope, id)
        self.spec = spec
        parameters = {
            name: _Template.TemplateParameterConfigurationProperty(
                type=item.type.value, default_value=item.default
            )
            for name, item in spec.parameters.items()
        }
        self.resource = _Template(
            self,
            "Resource",
            name=spec.name,
            job_template_data=_Template.JobTemplateDataProperty(
                execution_role_arn=execution_role.arn,
                release_label=spec.release_label,
                job_driver=_Template.JobDriverProperty(
                    spark_submit_job_driver=_Template.SparkSubmitJobDriverProperty(
                        entry_point=spec.entry_point,
                        entry_point_arguments=list(spec.arguments) or None,
                        spark_submit_parameters=spec.submit_parameters or None,
                    )
                ),
                configuration_overrides=overrides,
                parameter_configuration=parameters or None,
                job_tags=dict(spec.tags) or None,
            ),
            tags=[CfnTag(key=key, value=value) for key, value in tenant.tenant.all_tags.items()],
        )
        self.id = self.resource.ref
        self.arn = self.resource.attr_arn


def _overrides(
    spec: JobTemplateSpec, configuration: Mapping[str, object]
) -> emrcontainers.CfnJobTemplate.ParametricConfigurationOverridesProperty:
    """Turn StartJobRun's configuration into CloudFormation's, refusing what it lacks."""
    monitoring = _mapping(configuration.get("monitoringConfiguration"))
    known = {
        "cloudWatchMonitoringConfiguration",
        "s3MonitoringConfiguration",
        "persistentAppUI",
    }
    unknown = sorted(set(monitoring) - known)
    if unknown:
        fix = "give it when the job is started"
        rule = "must not be in a job template"
        where = f"Job template {spec.name!r}"
        raise refuse(where, "monitoringConfiguration", rule, ", ".join(unknown), fix)
    watch = _mapping(monitoring.get("cloudWatchMonitoringConfiguration"))
    store = _mapping(monitoring.get("s3MonitoringConfiguration"))
    interface = monitoring.get("persistentAppUI")
    applications = cast(list[Mapping[str, object]], configuration["applicationConfiguration"])
    return _Template.ParametricConfigurationOverridesProperty(
        application_configuration=[_classification(item) for item in applications],
        monitoring_configuration=_Template.ParametricMonitoringConfigurationProperty(
            cloud_watch_monitoring_configuration=(
                _Template.ParametricCloudWatchMonitoringConfigurationProperty(
                    log_group_name=str(watch["logGroupName"]),
                    log_stream_name_prefix=cast(str | None, watch.get("logStreamNamePrefix")),
                )
                if watch
                else None
            ),
            s3_monitoring_configuration=(
                _Template.ParametricS3MonitoringConfigurationProperty(log_uri=str(store["logUri"]))
                if store
                else None
            ),
            persistent_app_ui=str(interface) if interface else None,
        ),
    )


def _classification(
    item: Mapping[str, object],
) -> emrcontainers.CfnJobTemplate.ConfigurationProperty:
    nested = cast(list[Mapping[str, object]], item.get("configurations", []))
    properties = cast(Mapping[str, str], item.get("properties", {}))
    return _Template.ConfigurationProperty(
        classification=str(item["classification"]),
        properties=dict(properties) or None,
        configurations=[_classification(inner) for inner in nested] or None,
    )


def _mapping(value: object) -> Mapping[str, object]:
    return cast(Mapping[str, object], value or {})
