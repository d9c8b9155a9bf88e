"""An EMR job template: a job of a tenant that is declared once and started by its id."""

from __future__ import annotations

from aws_cdk import CfnTag
from aws_cdk import aws_emrcontainers as emrcontainers
from constructs import Construct

from cdk_emr_eks.field_types import check_argument
from cdk_emr_eks.jobs.configuration_overrides import (
    JOB_TEMPLATE_OVERRIDES,
    configuration_overrides,
)
from cdk_emr_eks.model.access.execution_role import RoleUse
from cdk_emr_eks.model.jobs.job_template import JobTemplateSpec
from cdk_emr_eks.tenants.tenant import EmrEksTenant

_Template = emrcontainers.CfnJobTemplate


class JobTemplate(Construct):
    """Create a job template with a workload's configuration, for one execution role of a tenant.

    The role is fixed: with the role as a parameter, a user who starts the job could choose any
    role. EMR cannot change a template, so each change, also of a tag, replaces it.

    Resources: one ``AWS::EMRContainers::JobTemplate``.

    Attributes:
        id: Id for ``aws emr-containers start-job-run --job-template-id``, a token.
        arn: ARN, for ``ExecutionRole.grant_start_job_run(..., job_templates=[...])``.

    Args:
        tenant: Tenant of the job.
        spec: The job.
        role: Name of the tenant's execution role. None: the first one for jobs.

    Raises:
        ConfigError: If the tenant has no such workload or role, or the configuration has parts
            that a job template does not support.
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
        where = f"Job template {spec.name!r}"
        check_argument(where, "tenant", EmrEksTenant, tenant)
        configuration = tenant.job_configuration(spec.workload, image=spec.image)
        execution_role = tenant.role_for(RoleUse.JOBS, role)
        overrides = configuration_overrides(where, configuration, JOB_TEMPLATE_OVERRIDES)
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
