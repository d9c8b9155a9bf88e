"""What a tenant is: a namespace with a quota, a virtual cluster, execution roles and logs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from cdk_emr_eks import versions
from cdk_emr_eks.errors import ConfigError, ConfigProblem, Problems, refuse
from cdk_emr_eks.field_types import check_types, hold_mappings
from cdk_emr_eks.labels import TENANT, SparkRole
from cdk_emr_eks.model.access.execution_role import (
    ExecutionRoleSpec,
    JobIdentity,
    JobLogs,
    RoleUse,
    default_role_name,
)
from cdk_emr_eks.model.access.lake_formation import LakeFormation, with_lake_formation
from cdk_emr_eks.model.access.tenant_secret import TenantSecret, secret_problems, with_secrets
from cdk_emr_eks.model.admission.tenant_values import Admission, AdmissionMode
from cdk_emr_eks.model.images.image_uri import image_uri
from cdk_emr_eks.model.jobs.spark_encryption import SparkEncryption
from cdk_emr_eks.model.namespaces.namespace import LimitDefaults, NamespaceOwner
from cdk_emr_eks.model.namespaces.network_rules import tenant_policies
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
from cdk_emr_eks.names import dns_label, namespace_problems
from cdk_emr_eks.releases import release_label


@dataclass(frozen=True, kw_only=True, slots=True)
class Tenant:
    """A team on the platform, with all that makes its namespace its own.

    Args:
        name: Name of the tenant, a DNS label.
        namespace: Kubernetes namespace. None: the tenant's name. One tenant, one namespace.
        virtual_cluster_name: Name in EMR. None: the tenant's name.
        workloads: Names of the platform's workloads the tenant may use. Empty: all of them; none
            where it has ``dedicated`` ones.
        dedicated: Workloads of its own, on nodes that no other tenant's pods get to.
        quota: Most that its jobs may request at a time. None: no quota.
        limit_defaults: Requests of containers that name none.
        admission: What its pods may be, whoever makes them. Default: enforced, EMR's images only.
        network: Whom its pods may talk to; by default nobody but one another, DNS, the API server
            and AWS. None: no network policies, so that everybody in the cluster is reached.
        execution_roles: Job execution roles. Empty: one role without permissions but templates and
            logs, named ``emr-TENANT-`` and six characters that tell cluster and namespace apart.
        secrets: Secrets of Secrets Manager that its jobs read. One secret, one tenant.
        logs: Where jobs log.
        release_label: EMR release of the job configurations; jobs may name another one.
        image: Image that driver and executors of its jobs run, unless a job names another one: by
            digest, or a token such as ``SparkImage.uri``. None: the release's.
        spark_encryption: Spark's own encryption in its jobs and sessions. None: Spark's default,
            which is none.
        lake_formation: Jobs read tables as far as Lake Formation lets their role; roles have IRSA,
            and there are no sessions and no own images. None: roles read what IAM lets them.
        virtual_cluster: Options of its virtual cluster: EMR's access to the namespace, sessions for
            Spark Connect, limits on job runs.
        tags: AWS tags of what the tenant has, beside ``emr-eks/tenant``: for cost allocation.

    Raises:
        ConfigError: If a name, label or tag breaks a rule, two roles share a name, a role needs
            a newer EMR release, the image has no digest or is none that the tenant's pods may run,
            or something else is asked for that does not go with Lake Formation.
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

    def __post_init__(self) -> None:
        check_types(f"Tenant {self.name!r}", self)
        hold_mappings(self)
        problems = Problems(f"Tenant {self.name!r}")
        problems.extend(dns_label("name", self.name))
        problems.extend(namespace_problems("namespace", self.resolved_namespace))
        label = release_label("release_label", self.release_label)
        problems.extend(label)
        problems.extend(tag_problems("tags", self.all_tags))
        problems.extend(self.image_problems(self.image))
        problems.extend(self._peer_problems())
        problems.extend(self._bound_problems())
        own = (*self.workloads, *(each.workload.name for each in self.dedicated))
        seen: set[str] = set()
        for role in self.execution_roles:
            rule = "must have a name of its own for each role"
            problems.require(role.name not in seen, "execution_roles", rule, role.name)
            seen.add(role.name)
            unknown = set(role.workloads) - set(own) if own else set()
            rule = f"must use workloads of the tenant only ({', '.join(own)})"
            problems.require(not unknown, "execution_roles", rule, ", ".join(sorted(unknown)))
            if not label:
                problems.extend(role.release_problems(self.release_label))
        if self.spark_encryption is not None and not label:
            problems.extend(self.spark_encryption.release_problems(self.release_label))
        if self.lake_formation is not None:
            sessions = ("session_enabled", "security_configuration", "security_configuration_id")
            options = self.virtual_cluster
            given = [f"virtual_cluster.{each}" for each in sessions if getattr(options, each)]
            problems.extend(self.lake_formation.problems_beside(self.resolved_namespace, given))
            problems.extend(self.lake_formation.role_problems(self.execution_roles))
            problems.extend(
                () if label else self.lake_formation.release_problems(self.release_label)
            )
        if not label and not self.execution_roles:
            problems.extend(self._default_role("default").release_problems(self.release_label))
        problems.extend(secret_problems(self.secrets, [role.name for role in self.execution_roles]))
        problems.raise_if_any()
        # Raises for what EMR does not accept, in the virtual cluster's own words.
        self.virtual_cluster_spec  # noqa: B018

    @property
    def resolved_namespace(self) -> str:
        """The namespace, with its default applied."""
        return self.name if self.namespace is None else self.namespace

    @property
    def all_tags(self) -> dict[str, str]:
        """The user's tags and the tenant's own, which wins: costs are told apart by it."""
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
        """Return the execution roles, with the default role where none is given."""
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
        """Return what is wrong with an image for jobs of the tenant."""
        if image is None:
            return ()
        if self.lake_formation is not None:
            return self.lake_formation.image_problems(image)
        return image_uri("image", image) or self.admission.image_problems("image", image)

    def chosen(self, workloads: Mapping[str, Workload]) -> tuple[Workload, ...]:
        """Return the tenant's workloads: those out of the platform's, then its own.

        Raises:
            ConfigError: If the platform does not have one of them.
        """
        own = tuple(each.workload_with_limits for each in self.dedicated)
        if own and not self.workloads:
            return own
        return (*choose(f"Tenant {self.name!r}", self.workloads, workloads), *own)

    def owner(self, workloads: Sequence[Workload]) -> NamespaceOwner:
        """Return what the namespace says of its tenant.

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
        """Return the Kubernetes objects that bound the namespace.

        Args:
            cluster: Address ranges of the cluster. None: they are not known.
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
        beside = self.virtual_cluster.own_security_configuration or self.lake_formation
        return (beside.resolved_system_namespace(self.resolved_namespace),) if beside else ()

    def _bound_problems(self) -> tuple[ConfigProblem, ...]:
        found = [*self.admission.controller_problems(self.resolved_namespace)]
        if self.dedicated and self.admission.mode is not AdmissionMode.ENFORCE:
            rule = "must be enforced with dedicated pools: nothing else keeps pods to them"
            found.append(
                ConfigProblem(field="admission.mode", rule=rule, got=str(self.admission.mode))
            )
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


def choose(
    where: str, names: Sequence[str], workloads: Mapping[str, Workload]
) -> tuple[Workload, ...]:
    """Pick workloads by name; no names means all of them."""
    unknown = sorted(set(names) - set(workloads))
    if unknown:
        rule = f"must name workloads of the platform ({', '.join(workloads)})"
        raise refuse(where, "workloads", rule, ", ".join(unknown))
    return tuple(workloads[name] for name in dict.fromkeys(names or workloads))


def check_tenant(
    tenant: Tenant, workloads: Mapping[str, Workload], network: ClusterNetwork | None = None
) -> None:
    """Check a tenant against the platform's workloads, and against its network where that is known.

    Raises:
        ConfigError: If it uses a workload that the platform lacks, one of its own clashes with
            them, its quota is for priority classes that it may not use or is too small for one job
            (submitter, driver and one executor) of a workload that it uses, or its network rules
            name ranges that only pods or Services have.
    """
    where = f"Tenant {tenant.name!r}"
    if tenant.network and (found := tenant.network.problems_on(network or ClusterNetwork())):
        raise ConfigError(where, found)
    check_dedicated(where, tenant.dedicated, workloads)
    chosen = {each.name: each for each in tenant.chosen(workloads)}
    if tenant.lake_formation and tenant.admission.mode is not AdmissionMode.OFF:
        kept = [name for name, each in chosen.items() if each.keeps_executors]
        tenant.lake_formation.check_executors(where, kept)
    for role in tenant.execution_roles:
        choose(f"Execution role {role.name!r}", role.workloads, chosen)
    if tenant.quota is None:
        return
    problems = Problems(where)
    for workload in chosen.values():
        check_fit(problems, tenant.quota, workload, tenant.limit_defaults)
    classes = [f"{name}-{role}" for name in chosen for role in SparkRole]
    rule = f"must be priority classes of the tenant's workloads ({', '.join(classes)})"
    for name in tenant.quota.priority_classes:
        problems.require(name in classes, "quota.priority_classes", rule, name)
    problems.raise_if_any()
