"""Jobs that Step Functions runs in a separate namespace and virtual cluster each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import cast

from aws_cdk import Annotations, Aws, RemovalPolicy, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_logs as logs
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from cdk_emr_eks.ephemeral.roles import (
    LOG_DELIVERY,
    TRACES,
    EphemeralRights,
    ephemeral_role,
    service_accounts,
)
from cdk_emr_eks.ephemeral.watch import ExecutionWatch
from cdk_emr_eks.errors import refuse
from cdk_emr_eks.field_types import check_argument
from cdk_emr_eks.model.access.execution_role import ExecutionRoleSpec
from cdk_emr_eks.model.ephemeral.clean import EphemeralCleaner
from cdk_emr_eks.model.ephemeral.job import (
    EPHEMERAL,
    EphemeralJobSpec,
    placeholder,
)
from cdk_emr_eks.model.ephemeral.namespace_stack import (
    ASSOCIATION_TYPE,
    MANIFEST_TYPE,
    MAX_TEMPLATE_BYTES,
    namespace_template,
)
from cdk_emr_eks.model.ephemeral.run import EphemeralRun
from cdk_emr_eks.model.ephemeral.states import pascal_case
from cdk_emr_eks.model.namespaces.namespace import namespace_manifest
from cdk_emr_eks.model.tenants.tenant import check_tenant
from cdk_emr_eks.model.tenants.virtual_cluster import EmrAccess, VirtualClusterOptions
from cdk_emr_eks.security.iam_statements import Statement
from cdk_emr_eks.security.suppressions import skip_checkov, suppress, wildcard
from cdk_emr_eks.tenants.claims import AppClaims
from cdk_emr_eks.tenants.tenant import EmrEksTenant


class EphemeralJobs(Construct):
    """Run a tenant's job in a namespace that exists for one execution only.

    An execution creates the namespace with the tenant's restrictions (quota, admission, network
    policies), a virtual cluster in it and the job. It then deletes all of it, whether the job
    succeeds, fails or takes too long. If an execution is stopped, EventBridge starts a second state
    machine that deletes what is left.

    Start the job with ``aws stepfunctions start-execution``. The input may be
    ``{"arguments": ["--day", "2026-11-21"]}``; other fields are ignored.

    Resources: two ``AWS::StepFunctions::StateMachine``, each with a role and a log group; the
    job's execution role, the role of the namespaces' stacks; an ``AWS::Events::Rule`` with a role
    and a queue for events that could not be delivered, and the queue's policy.

    Attributes:
        spec: The job as declared.
        state_machine_arn: ARN of the state machine to start, a token.
        cleaner_arn: ARN of the state machine that cleans up, a token. If an execution of it fails,
            resources are left.
        role: Execution role of the job, to grant it more permissions.

    Args:
        tenant: Tenant of the job. Its workloads, logs, image and restrictions apply.
        spec: The job.

    Raises:
        ConfigError: If the tenant does not have the workload, the quota is too small for the job,
            the name is taken in the app, or the tenant uses ``aws-auth``.
    """

    def __init__(
        self, scope: Construct, id: str, *, tenant: EmrEksTenant, spec: EphemeralJobSpec
    ) -> None:
        check_argument("EphemeralJobs", "tenant", EmrEksTenant, tenant)
        check_argument("EphemeralJobs", "spec", EphemeralJobSpec, spec)
        configuration = tenant.job_configuration(spec.workload, image=spec.image)
        bounds = _bounds(tenant, spec)
        super().__init__(scope, id)
        self.spec = spec
        self._tenant = tenant
        self._cluster_name = cluster = tenant.context.cluster_name
        rule = "must be unique"
        AppClaims.of(self).claim(self, "ephemeral", cluster, spec.name, field="name", rule=rule)
        job_role = ExecutionRoleSpec(
            name=spec.role_name(cluster),
            permissions=spec.permissions,
            permissions_boundary_arn=spec.permissions_boundary_arn,
            workloads=(spec.workload,),
        )
        self.role = ephemeral_role(self, tenant=tenant, job=spec, role=job_role)
        stack_role = iam.CfnRole(self, "NamespaceRole", assume_role_policy_document={})
        self._rights = EphemeralRights(
            spec=spec,
            cluster_name=cluster,
            job_role=self.role.role_arn,
            stack_role=stack_role.attr_arn,
        )
        stack_role.assume_role_policy_document = self._rights.stack_trust()
        token = self._service_token()
        self._allow(stack_role, self._rights.namespaces(token))
        template = self._template(bounds, token, job_role)
        cleaner = EphemeralCleaner(name=spec.name, partition=Aws.PARTITION, cluster_name=cluster)
        clean = self._machine("Clean", 1, cleaner.definition(), self._rights.cleaner())
        self.cleaner_arn = clean.attr_arn
        run = self._run(template, stack_role.attr_arn, self._job(configuration))
        machine = self._machine("Run", 0, run.definition(), self._rights.runner())
        self.state_machine_arn = machine.attr_arn
        ExecutionWatch(self, "Watch", watched=self.state_machine_arn, cleaner=self.cleaner_arn)
        for number, warning in enumerate(job_role.warnings()):
            Annotations.of(self).add_warning_v2(f"cdk-emr-eks:role-name-{number}", warning)

    def grant_run(self, grantee: iam.IGrantable) -> iam.Grant:
        """Let an IAM identity run the job, follow executions and stop them.

        The caller chooses the arguments, but not namespace, role or image.
        """
        grants = [
            iam.Grant.add_to_principal(
                grantee=grantee,
                actions=cast(list[str], statement["Action"]),
                resource_arns=[cast(str, statement["Resource"])],
            )
            for statement in self._rights.submitter()
        ]
        return grants[0].combine(grants[1])

    def _service_token(self) -> str:
        provider = self._tenant.context.cluster.kubectl_provider
        if provider is None:
            rule = "must be on a cluster with a kubectl provider"
            raise refuse(self.spec.where, "tenant", rule)
        return provider.service_token

    def _template(
        self, objects: list[Mapping[str, object]], token: str, role: ExecutionRoleSpec
    ) -> str:
        text = namespace_template(
            objects=objects,
            placeholder=placeholder(self.spec.name),
            service_token=token,
            cluster_name=self._cluster_name,
            role_arn=self.role.role_arn,
            service_accounts=service_accounts(role),
        )
        if len(text) > MAX_TEMPLATE_BYTES:
            rule = f"must fit a template of {MAX_TEMPLATE_BYTES} bytes with its bounds"
            fix = "give it fewer network peers"
            raise refuse(self.spec.where, "tenant", rule, len(text), fix)
        return text

    def _run(self, template: str, stack_role: str, job: Mapping[str, object]) -> EphemeralRun:
        spec = self.spec
        tags = {**self._tenant.tenant.all_tags, **spec.tags, EPHEMERAL: spec.name}
        return EphemeralRun(
            name=spec.name,
            partition=Aws.PARTITION,
            cluster_name=self._cluster_name,
            template=template,
            stack={
                "RoleARN": stack_role,
                # Named here, since the runner's permissions are restricted to these types.
                "ResourceTypes": [MANIFEST_TYPE, ASSOCIATION_TYPE],
                "Tags": [{"Key": key, "Value": value} for key, value in tags.items()],
            },
            job={**job, "Tags": tags},
            arguments=spec.arguments,
            timeout_minutes=spec.timeout_minutes,
            cleaner=self.cleaner_arn,
            tags=tags,
        )

    def _job(self, configuration: Mapping[str, object]) -> Mapping[str, object]:
        spec, driver = self.spec, {"EntryPoint": self.spec.entry_point}
        if spec.submit_parameters:
            driver["SparkSubmitParameters"] = spec.submit_parameters
        return {
            "Name": spec.name,
            "ExecutionRoleArn": self.role.role_arn,
            "ReleaseLabel": self._tenant.tenant.release_label,
            "JobDriver": {"SparkSubmitJobDriver": driver},
            "ConfigurationOverrides": pascal_case(configuration),
        }

    def _machine(
        self, id: str, number: int, definition: Mapping[str, object], rights: list[Statement]
    ) -> sfn.CfnStateMachine:
        name = self.spec.machine_names(self._cluster_name)[number]
        trust = self._rights.machine_trust(number)
        role = iam.CfnRole(self, f"{id}Role", assume_role_policy_document=trust)
        self._allow(role, rights)
        group = logs.CfnLogGroup(
            self,
            f"{id}Logs",
            # Log groups with this prefix need no entry in the resource policy of CloudWatch Logs,
            # which has a size limit.
            log_group_name=f"/aws/vendedlogs/states/{name}",
            retention_in_days=self._tenant.tenant.logs.retention_days,
        )
        group.apply_removal_policy(RemovalPolicy.DESTROY)
        why = "CloudWatch's own key: names of states and times, without the executions' data"
        skip_checkov(group, {"CKV_AWS_158": why})
        destination = sfn.CfnStateMachine.LogDestinationProperty(
            cloud_watch_logs_log_group=sfn.CfnStateMachine.CloudWatchLogsLogGroupProperty(
                log_group_arn=group.attr_arn
            )
        )
        return sfn.CfnStateMachine(
            self,
            id,
            state_machine_name=name,
            role_arn=role.attr_arn,
            definition_string=Stack.of(self).to_json_string(definition),
            logging_configuration=sfn.CfnStateMachine.LoggingConfigurationProperty(
                level="ALL", include_execution_data=False, destinations=[destination]
            ),
            tracing_configuration=sfn.CfnStateMachine.TracingConfigurationProperty(enabled=True),
        )

    def _allow(self, role: iam.CfnRole, rights: list[Statement]) -> None:
        role.policies = [
            iam.CfnRole.PolicyProperty(
                policy_name="Ephemeral",
                policy_document={"Version": "2012-10-17", "Statement": rights},
            )
        ]
        resources = {
            resource
            for statement in rights
            for resource in _listed(statement["Resource"])
            if "*" in resource
        }
        why = (
            f"Ids are AWS's, within what is named and tagged {EPHEMERAL}; {LOG_DELIVERY}; {TRACES}"
        )
        if resources:
            suppress(role, {wildcard(self, resource): why for resource in sorted(resources)})


def _bounds(tenant: EmrEksTenant, spec: EphemeralJobSpec) -> list[Mapping[str, object]]:
    """Return the namespace with the tenant's restrictions, for the placeholder of its name."""
    context, where = tenant.context, spec.where
    access = tenant.tenant.virtual_cluster.access
    if access is not EmrAccess.ACCESS_ENTRY:
        rule = "must let EMR in by access entries: aws-auth needs objects of a namespace"
        raise refuse(where, "tenant", rule, access)
    if tenant.tenant.lake_formation is not None:
        rule = "must be without lake_formation: its role would read data in a namespace without it"
        raise refuse(where, "tenant", rule, tenant.tenant.name)
    quota = spec.quota or tenant.tenant.quota
    own = replace(
        tenant.tenant,
        namespace=placeholder(spec.name),
        quota=quota,
        workloads=(spec.workload,),
        execution_roles=(),
        virtual_cluster=VirtualClusterOptions(),
    )
    check_tenant(own, context.workloads, context.network)
    owner = own.owner(own.selected_workloads(context.workloads))
    return [namespace_manifest(placeholder(spec.name), owner), *own.policies(context.network)]


def _listed(value: object) -> list[str]:
    return [value] if isinstance(value, str) else cast(list[str], value)
