"""``EmrEksTenant``: namespace, virtual cluster, execution roles, logs and outputs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from aws_cdk import RemovalPolicy, Tags
from aws_cdk import aws_iam as iam
from aws_cdk import aws_logs as logs
from constructs import Construct

from cdk_emr_eks.errors import ConfigError, refuse
from cdk_emr_eks.field_types import check_argument
from cdk_emr_eks.labels import TENANT
from cdk_emr_eks.model.access.execution_role import RoleUse
from cdk_emr_eks.model.jobs.job_config import with_image
from cdk_emr_eks.model.jobs.spark_encryption import with_encryption
from cdk_emr_eks.model.tenants.tenant import Tenant, check_tenant
from cdk_emr_eks.model.workloads.workload import Workload
from cdk_emr_eks.security.suppressions import skip_checkov
from cdk_emr_eks.tenants.claims import AppClaims
from cdk_emr_eks.tenants.context import TenancyContext
from cdk_emr_eks.tenants.dedicated_capacity import check_dedicated_capacity, with_dedicated
from cdk_emr_eks.tenants.execution_role import ExecutionRole, JobRole
from cdk_emr_eks.tenants.lake_formation import TenantLakeFormation, trust_engine
from cdk_emr_eks.tenants.outputs import tenant_outputs
from cdk_emr_eks.tenants.shared_role import SharedExecutionRole, SharedRoleUse, check_shared_role
from cdk_emr_eks.tenants.team_access import grant_team
from cdk_emr_eks.tenants.virtual_cluster import EmrVirtualCluster


class EmrEksTenant(Construct):
    """The resources of one tenant, on a cluster of this stack, of another one, or of another app.

    CloudFormation creates the virtual cluster after the namespace, the log group and the roles, and
    deletes it before them.

    Resources with one role and Pod Identity: seven (Kubernetes objects, virtual cluster, log
    group, role, three associations); with IRSA: four; with a shared role alone: six. Dedicated
    pools are one more. Lake Formation adds three: the objects of the system namespace, the query
    engine role and a security configuration.

    Stack outputs, prefixed with the tenant's name in PascalCase: ``VirtualClusterId``,
    ``ExecutionRoleArn``, ``<Workload>Config`` for each workload (for
    ``--configuration-overrides``), and, with a role for jobs, ``StartJobRun``, a command to paste.

    Attributes:
        tenant: As given.
        virtual_cluster: The virtual cluster.
        roles: The execution roles by name.
        log_group_name: Name of the jobs' log group, a literal.
        context: The platform, with the workloads of the tenant.

    Args:
        context: The platform.
        tenant: Name and options of the tenant.
        shared_role: Execution role that it shares with other tenants, in addition to
            ``tenant.execution_roles``. With it the tenant gets no default role. None: no shared
            role.

    Raises:
        ConfigError: If the platform lacks a workload of the tenant, the quota is too small for a
            job, its network rules name another tenant's namespace or a range that only pods have,
            the namespace or a role name is used in the app, or another tenant has one of its
            secrets or overlapping logs in S3.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        context: TenancyContext,
        tenant: Tenant,
        shared_role: SharedExecutionRole | None = None,
    ) -> None:
        check_tenant(tenant, context.workloads, context.network)
        check_dedicated_capacity(context, tenant)
        if shared_role is not None:
            check_shared_role(tenant, context.cluster_name, shared_role)
        super().__init__(scope, id)
        workloads = tenant.selected_workloads(context.workloads)
        context = with_dedicated(self, context, tenant)
        self.tenant = tenant
        self.log_group_name = context.log_group_prefix + tenant.resolved_namespace
        self.context = context
        if location := tenant.logs.s3_location:
            rule = "must be apart from the logs of other tenants, which jobs could read and forge"
            AppClaims.of(self).claim_folder(self, *location, field="logs.s3_uri", rule=rule)
        for secret in tenant.secrets:
            rule = "must be secrets of this tenant only"
            AppClaims.of(self).claim(self, "secret", secret.name, field="secrets", rule=rule)
        self._lake = self._lake_formation()
        spec = tenant.virtual_cluster_spec
        if self._lake is not None:
            options = replace(spec.options, security_configuration_id=self._lake.id)
            spec = replace(spec, options=options)
        self.virtual_cluster = EmrVirtualCluster(
            self,
            "VirtualCluster",
            context=context,
            spec=spec,
            objects=tenant.policies(context.network),
            owner=tenant.owner(workloads),
        )
        self._claim_namespace()
        self.virtual_cluster.resource.add_resource_dependency(self._log_group())
        self.roles = self._roles(shared_role)
        self._configurations = {item.name: self._configuration(item) for item in workloads}
        tenant_outputs(
            self,
            cluster_name=context.cluster_name,
            tenant=tenant,
            virtual_cluster_id=self.virtual_cluster.id,
            roles=self.roles,
            configurations=self._configurations,
        )
        tags = Tags.of(self)
        for key, value in tenant.all_tags.items():
            tags.add(key, value)

    @property
    def role(self) -> JobRole:
        """The first execution role for jobs.

        Raises:
            ConfigError: If the tenant has no such role.
        """
        return self.role_for(RoleUse.JOBS)

    def role_for(self, use: RoleUse, name: str | None = None) -> JobRole:
        """Return an execution role of the tenant for a use.

        Args:
            use: Use of the role.
            name: Its name. None: the first role for the use.

        Raises:
            ConfigError: If the tenant does not have the role, or it is not for the use.
        """
        able = [key for key, role in self.roles.items() if use in role.spec.uses]
        if (name is None and able) or name in able:
            return self.roles[name or able[0]]
        rule = f"must be an execution role with the use {str(use)!r}"
        rule += f", one of {', '.join(able)}" if able else "; the tenant has none"
        fix = f"add ExecutionRoleSpec(name=..., uses=(RoleUse.{use.name},)) to execution_roles"
        raise refuse(f"Tenant {self.tenant.name!r}", "role", rule, name, "" if able else fix)

    def job_configuration(self, workload: str, *, image: str | None = None) -> Mapping[str, object]:
        """Return the ``configurationOverrides`` of a workload, as StartJobRun accepts them.

        Args:
            workload: Name of the workload.
            image: URI of the image of driver and executors, by digest or as a token such as
                ``SparkImage.uri``. None: ``tenant.image``, by default the EMR release's image.

        Raises:
            ConfigError: If the tenant does not have the workload, or the image has no digest or is
                not allowed for the tenant's pods.
        """
        where = f"Tenant {self.tenant.name!r}"
        if workload not in self._configurations:
            rule = f"must be one of {', '.join(self._configurations)}"
            raise refuse(where, "workload", rule, workload)
        check_argument(where, "image", str | None, image)
        if problems := self.tenant.image_problems(image):
            raise ConfigError(where, problems)
        return with_image(where, self._configurations[workload], image)

    def grant_start_job_run(self, grantee: iam.IGrantable, *, role: str | None = None) -> iam.Grant:
        """Allow a role or user to run jobs of this tenant with one of its roles.

        Args:
            grantee: Role or user that submits jobs.
            role: Name of the execution role. None: the first role for jobs.

        Raises:
            ConfigError: If the tenant does not have the role, or it is not for jobs.
        """
        chosen = self.role_for(RoleUse.JOBS, role)
        return chosen.grant_start_job_run(grantee, virtual_cluster=self.virtual_cluster)

    def grant_team_access(self, grantee: iam.IGrantable) -> iam.Grant:
        """Allow the tenant's team to run, describe and cancel its jobs, and to read its logs.

        Jobs can use every role of the tenant for jobs, so the team has the permissions of these
        roles. The team gets no permission in Kubernetes: a user who can create pods or change
        ConfigMaps in the namespace has its roles without these limits. For endpoints, use
        ``NotebookPlatform.add_user``.

        Args:
            grantee: Role, group or user of the team.

        Raises:
            ConfigError: If the tenant has no role for jobs.
        """
        self.role_for(RoleUse.JOBS)
        able = [role.arn for role in self.roles.values() if RoleUse.JOBS in role.spec.uses]
        return grant_team(
            grantee,
            tenant=self.tenant,
            virtual_cluster_arn=self.virtual_cluster.arn,
            roles=able,
            log_group=self.log_group_name,
        )

    def _claim_namespace(self) -> None:
        claims, network = AppClaims.of(self), self.tenant.network
        what = ("tenant", self.context.cluster_name)
        own = self.tenant.resolved_namespace
        claims.claim(self, *what, own, field="namespace", rule="must have one tenant only")
        for peer in (*network.egress, *network.ingress) if network else ():
            if peer.namespace:
                rule = "must not name the namespace of another tenant"
                claims.reserve(self, *what, peer.namespace, field="network", rule=rule)

    def _log_group(self) -> logs.CfnLogGroup:
        wanted = self.tenant.logs
        key = self.context.log_key
        group = logs.CfnLogGroup(
            self,
            "Logs",
            log_group_name=self.log_group_name,
            retention_in_days=wanted.retention_days,
            kms_key_id=key.key_arn if key else None,
        )
        if key is None:
            why = "CloudWatch's own key: the platform has no key for jobs' logs"
            skip_checkov(group, {"CKV_AWS_158": why})
        if wanted.keep:
            group.apply_removal_policy(RemovalPolicy.RETAIN)
        return group

    def _roles(self, shared: SharedExecutionRole | None) -> dict[str, JobRole]:
        tenant, context = self.tenant, self.context
        own = () if shared and not tenant.execution_roles else tenant.roles(context.cluster_name)
        roles: list[JobRole] = [
            ExecutionRole(
                self,
                f"Role{number or ''}",
                context=context,
                namespace=tenant.resolved_namespace,
                spec=spec,
                log_group=self.log_group_name,
                logs=tenant.logs,
                trusts=self._trusts(),
            )
            for number, spec in enumerate(own)
        ]
        if shared is not None:
            use = SharedRoleUse(self, "SharedRole", context=context, shared=shared, tenant=tenant)
            roles.append(use)
        for role in roles:
            role.delete_after(self.virtual_cluster)
            if self._lake is not None:
                # IAM refuses a trust policy that names a role that does not exist.
                role.node.add_dependency(self._lake)
        return {role.spec.name: role for role in roles}

    def _lake_formation(self) -> TenantLakeFormation | None:
        wanted = self.tenant.lake_formation
        if wanted is None:
            return None
        return TenantLakeFormation(
            self, "LakeFormation", context=self.context, tenant=self.tenant, lake_formation=wanted
        )

    def _trusts(self) -> tuple[Mapping[str, object], ...]:
        wanted = self.tenant.lake_formation
        if wanted is None or self._lake is None:
            return ()
        return trust_engine(wanted, self._lake.query_engine_arn)

    def _configuration(self, workload: Workload) -> Mapping[str, object]:
        configuration = self.context.job_configuration(
            workload,
            log_group=self.log_group_name,
            log_uri=self.tenant.logs.s3_uri,
            release_label=self.tenant.release_label,
            # Split cost allocation imports this label once it is an active cost allocation tag.
            pod_labels={TENANT: self.tenant.name},
        )
        where = f"Tenant {self.tenant.name!r}"
        encrypted = with_encryption(
            where, configuration, self.tenant.spark_encryption, self.tenant.release_label
        )
        return with_image(where, encrypted, self.tenant.image)
