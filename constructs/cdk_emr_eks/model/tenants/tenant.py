"""A tenant: a namespace with a quota, a virtual cluster, execution roles and logs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import field

from cdk_emr_eks import versions
from cdk_emr_eks.checks import Check
from cdk_emr_eks.errors import ConfigError, ConfigProblem, refuse
from cdk_emr_eks.labels import TENANT, SparkRole
from cdk_emr_eks.model.access.execution_role import (
    ExecutionRoleSpec,
    JobIdentity,
    JobLogs,
    RoleUse,
    default_role_name,
)
from cdk_emr_eks.model.access.lake_formation import LakeFormation, with_lake_formation
from cdk_emr_eks.model.access.tenant_secrets import TenantSecret, secret_problems, with_secrets
from cdk_emr_eks.model.admission.admission import Admission, AdmissionMode
from cdk_emr_eks.model.images.image_uri import image_uri
from cdk_emr_eks.model.jobs.spark_encryption import SparkEncryption
from cdk_emr_eks.model.namespaces.namespace import LimitDefaults, NamespaceOwner
from cdk_emr_eks.model.namespaces.network_policies import tenant_policies
from cdk_emr_eks.model.namespaces.quota import Quota
from cdk_emr_eks.model.namespaces.tenant_network import ClusterNetwork, TenantNetwork
from cdk_emr_eks.model.nodes.dedicated import DedicatedPools, check_dedicated
from cdk_emr_eks.model.tenants.job_size import check_fit
from cdk_emr_eks.model.tenants.virtual_cluster import (
    VirtualClusterOptions,
    VirtualClusterSpec,
    tag_problems,
)
from cdk_emr_eks.model.workloads.workload import Workload
from cdk_emr_eks.names import namespace_problems
from cdk_emr_eks.releases import release_label
from cdk_emr_eks.values import value


@value
class Tenant:
    """A team on the platform, with a separate namespace.

    Args:
        name: Name of the tenant, a DNS label.
        namespace: Kubernetes namespace. None: the tenant's name. One tenant, one namespace.
        virtual_cluster_name: Name in EMR. None: the tenant's name.
        workloads: Names of the platform's workloads that the tenant may use. Empty: all of them, or
            only ``dedicated`` ones if it has any.
        dedicated: Workloads on nodes that run no other tenant's pods.
        quota: Limits on the requests of its jobs at a time. None: no quota.
        limit_defaults: Requests of containers that set none.
        admission: Rules for its pods. Default: enforced, and only EMR's images.
        network: Network access of its pods. Default: only to one another, DNS, the API server and
            AWS. None: no network policies, so the pods reach the whole cluster.
        execution_roles: Job execution roles. Empty: one role that can only read pod templates and
            write logs, named ``emr-TENANT-`` and six characters that depend on cluster and
            namespace.
        secrets: Secrets of Secrets Manager that its jobs read. A secret belongs to one tenant.
        logs: Where jobs write logs.
        release_label: EMR release of the job configurations; a job may name another one.
        image: Image of driver and executors of its jobs, unless a job names another one: by digest,
            or a token such as ``SparkImage.uri``. None: the release's.
        spark_encryption: Spark's own encryption in its jobs and sessions. None: Spark's default,
            which is no encryption.
        lake_formation: Jobs read tables as far as Lake Formation grants it to their role; roles
            have IRSA, and there are no sessions and no own images. None: IAM decides what roles
            read.
        virtual_cluster: Options of its virtual cluster: EMR's access to the namespace, sessions for
            Spark Connect, limits on job runs.
        tags: AWS tags of the tenant's resources, in addition to ``emr-eks/tenant``: for cost
            allocation.

    Raises:
        ConfigError: If a name, label or tag breaks a rule, two roles have one name, a role needs
            a newer EMR release, the image has no digest or the tenant's pods may not run it, or an
            option excludes Lake Formation.
    """

    name: str
    namespace: str | None = None
    virtual_cluster_name: str | None = None
    workloads: tuple[str, ...] = ()
    dedicated: tuple[DedicatedPools, ...] = ()
    quota: Quota | None = None
    limit_defaults: LimitDefaults = field(default_factory=LimitDefaults)
    admission: Admission = field(default_factory=Admission)
    network: TenantNetwork | None = field(default_factory=TenantNetwork)
    execution_roles: tuple[ExecutionRoleSpec, ...] = ()
    secrets: tuple[TenantSecret, ...] = ()
    logs: JobLogs = field(default_factory=JobLogs)
    release_label: str = versions.EMR_RELEASE
    image: str | None = None
    spark_encryption: SparkEncryption | None = None
    lake_formation: LakeFormation | None = None
    virtual_cluster: VirtualClusterOptions = field(default_factory=VirtualClusterOptions)
    tags: Mapping[str, str] = field(default_factory=dict)

    def _rules(self, check: Check) -> None:
        check.dns_label("name")
        check.add(namespace_problems("namespace", self.resolved_namespace))
        label = release_label("release_label", self.release_label)
        check.add(label)
        check.add(tag_problems("tags", self.all_tags))
        check.add(self.image_problems(self.image))
        check.add(self._peer_problems())
        check.add(self._admission_problems())
        self._check_roles(check)
        check.add(self._lake_formation_problems())
        if not label:
            check.add(self._release_problems())
        check.add(secret_problems(self.secrets, [role.name for role in self.execution_roles]))
        check.raise_if_any()
        # Raises the problems of the virtual cluster, under the virtual cluster's name.
        self.virtual_cluster_spec  # noqa: B018

    @property
    def resolved_namespace(self) -> str:
        """The namespace, with its default applied."""
        return self.name if self.namespace is None else self.namespace

    @property
    def all_tags(self) -> dict[str, str]:
        """The user's tags and the tag ``emr-eks/tenant``, for cost allocation."""
        return {**self.tags, TENANT: self.name}

    @property
    def virtual_cluster_spec(self) -> VirtualClusterSpec:
        """The tenant's virtual cluster, with its names."""
        return VirtualClusterSpec(
            name=self.name if self.virtual_cluster_name is None else self.virtual_cluster_name,
            namespace=self.resolved_namespace,
            options=self.virtual_cluster,
        )

    def roles(self, cluster_name: str) -> tuple[ExecutionRoleSpec, ...]:
        """Return the execution roles, or the default role if none is given."""
        name = default_role_name(self.name, cluster_name, self.resolved_namespace)
        roles = self.execution_roles or (self._default_role(name),)
        return tuple(
            with_lake_formation(with_secrets(role, self.secrets), self.lake_formation)
            for role in roles
        )

    def _default_role(self, name: str) -> ExecutionRoleSpec:
        sessions = self.virtual_cluster.session_enabled
        uses = (RoleUse.JOBS, RoleUse.ENDPOINTS) if sessions else (RoleUse.JOBS,)
        identity = JobIdentity.IRSA if self.lake_formation else JobIdentity.POD_IDENTITY
        return ExecutionRoleSpec(name=name, uses=uses, identity=identity)

    def image_problems(self, image: str | None) -> tuple[ConfigProblem, ...]:
        """Check that the tenant's pods may run an image."""
        if image is None:
            return ()
        if self.lake_formation is not None:
            return self.lake_formation.image_problems(image)
        return image_uri("image", image) or self.admission.image_problems("image", image)

    def selected_workloads(self, workloads: Mapping[str, Workload]) -> tuple[Workload, ...]:
        """Return the tenant's workloads: those of the platform, then dedicated ones.

        Raises:
            ConfigError: If the platform does not have one of them.
        """
        own = tuple(each.workload_with_limits for each in self.dedicated)
        if own and not self.workloads:
            return own
        return (*select_workloads(f"Tenant {self.name!r}", self.workloads, workloads), *own)

    def owner(self, workloads: Sequence[Workload]) -> NamespaceOwner:
        """Return the owner of the namespace, with its labels and annotations.

        Args:
            workloads: The workloads that the tenant may use.
        """
        names = [workload.name for workload in workloads]
        kept = [workload.name for workload in workloads if workload.keeps_executors]
        return NamespaceOwner(
            tenant=self.name,
            labels=self.admission.labels(),
            annotations=self.admission.annotations(names, kept, self._partners),
        )

    def policies(self, cluster: ClusterNetwork | None = None) -> tuple[dict[str, object], ...]:
        """Return the limit range, quotas and network policies of the namespace.

        Args:
            cluster: Address ranges of the cluster. None: unknown.
        """
        namespace = self.resolved_namespace
        bounds = [self.limit_defaults.manifest(namespace)]
        if self.quota is not None:
            bounds += self.quota.manifests(namespace)
        if self.network is not None:
            ranges = cluster or ClusterNetwork()
            bounds += tenant_policies(namespace, self.network, ranges, self._partners)
        return tuple(bounds)

    @property
    def _partners(self) -> tuple[str, ...]:
        part = self.virtual_cluster.own_security_configuration or self.lake_formation
        return (part.resolved_system_namespace(self.resolved_namespace),) if part else ()

    def _check_roles(self, check: Check) -> None:
        own = (*self.workloads, *(each.workload.name for each in self.dedicated))
        check.unique("execution_roles", by="name")
        for role in self.execution_roles:
            unknown = set(role.workloads) - set(own) if own else set()
            rule = f"must use workloads of the tenant only ({', '.join(own)})"
            check.require(not unknown, "execution_roles", rule, ", ".join(sorted(unknown)))

    def _release_problems(self) -> tuple[ConfigProblem, ...]:
        """Check that the EMR release has the features that the tenant uses."""
        roles = self.execution_roles or (self._default_role("default"),)
        features = (self.spark_encryption, self.lake_formation)
        users = (*roles, *(each for each in features if each is not None))
        return tuple(each for user in users for each in user.release_problems(self.release_label))

    def _lake_formation_problems(self) -> tuple[ConfigProblem, ...]:
        if self.lake_formation is None:
            return ()
        sessions = ("session_enabled", "security_configuration", "security_configuration_id")
        options = self.virtual_cluster
        given = [f"virtual_cluster.{each}" for each in sessions if getattr(options, each)]
        return (
            *self.lake_formation.tenant_problems(self.resolved_namespace, given),
            *self.lake_formation.role_problems(self.execution_roles),
        )

    def _admission_problems(self) -> tuple[ConfigProblem, ...]:
        found = [*self.admission.controller_problems(self.resolved_namespace)]
        if self.dedicated and self.admission.mode is not AdmissionMode.ENFORCE:
            rule = "must be enforced with dedicated pools: only admission keeps pods on them"
            mode = str(self.admission.mode)
            found.append(ConfigProblem(field="admission.mode", rule=rule, got=mode))
        disk = self.quota.ephemeral_storage if self.quota else None
        if disk is not None and self.limit_defaults.ephemeral_storage is None:
            rule = "must be given with quota.ephemeral_storage: no container of EMR requests any"
            found.append(ConfigProblem(field="limit_defaults.ephemeral_storage", rule=rule))
        return tuple(found)

    def _peer_problems(self) -> tuple[ConfigProblem, ...]:
        rule = "must not name the tenant's own namespace, which is open to itself"
        return tuple(
            ConfigProblem(field=f"network.{field}", rule=rule, got=peer.namespace)
            for field in ("egress", "ingress")
            for peer in (getattr(self.network, field) if self.network else ())
            if peer.namespace == self.resolved_namespace
        )


def select_workloads(
    where: str, names: Sequence[str], workloads: Mapping[str, Workload]
) -> tuple[Workload, ...]:
    """Return workloads by name; no names select all of them.

    Args:
        where: What errors call the selecting value.
        names: Names of workloads.
        workloads: Workloads of the platform, or of the tenant, by name.

    Raises:
        ConfigError: If a name is not the name of a workload.
    """
    unknown = sorted(set(names) - set(workloads))
    if unknown:
        rule = f"must name workloads of the platform ({', '.join(workloads)})"
        raise refuse(where, "workloads", rule, ", ".join(unknown))
    return tuple(workloads[name] for name in dict.fromkeys(names or workloads))


def check_tenant(
    tenant: Tenant, workloads: Mapping[str, Workload], network: ClusterNetwork | None = None
) -> None:
    """Check a tenant against the platform's workloads and network.

    Args:
        tenant: The tenant.
        workloads: Workloads of the platform by name.
        network: Address ranges of the cluster. None: unknown.

    Raises:
        ConfigError: If the tenant uses a workload that the platform lacks, a dedicated workload
            clashes with the platform's, its quota is for priority classes that it may not use or
            does not allow one job (submitter, driver and one executor) of a workload that it uses,
            or its network rules name ranges that only pods or Services have.
    """
    where = f"Tenant {tenant.name!r}"
    if tenant.network and (found := tenant.network.cluster_problems(network or ClusterNetwork())):
        raise ConfigError(where, found)
    check_dedicated(where, tenant.dedicated, workloads)
    selected = {each.name: each for each in tenant.selected_workloads(workloads)}
    if tenant.lake_formation and tenant.admission.mode is not AdmissionMode.OFF:
        kept = [name for name, each in selected.items() if each.keeps_executors]
        tenant.lake_formation.check_executors(where, kept)
    for role in tenant.execution_roles:
        select_workloads(f"Execution role {role.name!r}", role.workloads, selected)
    if tenant.quota is None:
        return
    check = Check(where)
    for workload in selected.values():
        check_fit(check, tenant.quota, workload, tenant.limit_defaults)
    classes = [f"{name}-{role}" for name in selected for role in SparkRole]
    rule = f"must be priority classes of the tenant's workloads ({', '.join(classes)})"
    for name in tenant.quota.priority_classes:
        check.require(name in classes, "quota.priority_classes", rule, name)
    check.raise_if_any()
