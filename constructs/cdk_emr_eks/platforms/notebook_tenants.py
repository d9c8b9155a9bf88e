"""``NotebookTenants``: the tenants of a notebook platform, created with their first endpoint."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace

from constructs import Construct

from cdk_emr_eks.checks import Check
from cdk_emr_eks.errors import refuse
from cdk_emr_eks.model.access.execution_role import ExecutionRoleSpec, RoleUse
from cdk_emr_eks.model.notebooks.managed_endpoint import OLDEST_RELEASE
from cdk_emr_eks.model.notebooks.notebook_endpoint import NotebookEndpoint, check_rights
from cdk_emr_eks.model.tenants.tenant import Tenant
from cdk_emr_eks.model.workloads.catalog import NOTEBOOK
from cdk_emr_eks.platforms.tenant_host import TenantHost
from cdk_emr_eks.tenants.tenant import EmrEksTenant


class NotebookTenants:
    """Finds the tenant of an endpoint, and creates it the first time.

    Args:
        where: The platform, for errors.
        cluster: The cluster of the tenants.
        home: The platform's default tenant. Tenants of other namespaces are copies of it.
    """

    def __init__(self, where: str, cluster: TenantHost, home: Tenant | EmrEksTenant) -> None:
        self._where = where
        self._cluster = cluster
        self._home = _spec(home)
        self._declared: dict[str, Tenant] = {}
        self._created: dict[str, EmrEksTenant] = {}
        # The roles for endpoints, for namespaces that have roles before their first endpoint.
        self._roles: dict[str, tuple[ExecutionRoleSpec, ...]] = {}
        self.adopt(home)

    @property
    def home(self) -> str:
        """The platform's default namespace."""
        return self._home.resolved_namespace

    @property
    def created(self) -> Mapping[str, EmrEksTenant]:
        """The existing tenants, by namespace."""
        return self._created

    def adopt(self, tenant: Tenant | EmrEksTenant) -> None:
        """Use a tenant for the endpoints of its namespace.

        Raises:
            ConfigError: If the namespace has another tenant already, or the tenant is of another
                cluster.
        """
        spec = _spec(tenant)
        namespace = spec.resolved_namespace
        if namespace in self._declared or namespace in self._created:
            rule = "must be of a namespace that the platform does not have yet"
            raise refuse(self._where, "tenant", rule, namespace)
        roles = spec.execution_roles
        if isinstance(tenant, EmrEksTenant):
            theirs, ours = tenant.context.cluster_name, self._cluster.context.cluster_name
            if theirs != ours:
                rule = f"must be on the platform's cluster {ours!r}"
                raise refuse(self._where, "tenant", rule, theirs)
            self._created[namespace] = tenant
            roles = tuple(role.spec for role in tenant.roles.values())
        if roles:
            able = (role for role in roles if RoleUse.ENDPOINTS in role.uses)
            self._roles[namespace] = tuple(able)
        self._declared[namespace] = spec

    def check(self, endpoints: Iterable[NotebookEndpoint]) -> None:
        """Check that endpoints can be in their namespaces.

        Raises:
            ConfigError: If the code of an endpoint could use permissions of another endpoint, or
                its tenant lacks the workload, the role, or the registry of its kernels' images.
        """
        every = tuple(endpoints)
        names = {key: tuple(role.name for role in roles) for key, roles in self._roles.items()}
        check_rights(self._where, every, names)
        workloads = self._cluster.context.workloads
        for endpoint in every:
            tenant = self._tenant(endpoint)
            known = {each.name: each for each in tenant.selected_workloads(workloads)}
            if endpoint.workload not in known:
                rule = f"must be one of its tenant's ({', '.join(known)})"
                raise refuse(endpoint.where, "workload", rule, endpoint.workload)
            endpoint.check_workload(known[endpoint.workload])
            check = Check(endpoint.where)
            label = endpoint.release_label or tenant.release_label
            check.add(OLDEST_RELEASE.problems(label))
            check.add(self.role_of(endpoint).release_problems(label))
            check.add(endpoint.image_problems(tenant.admission))
            check.raise_if_any()

    def role_of(self, endpoint: NotebookEndpoint) -> ExecutionRoleSpec:
        """Return the execution role of a checked endpoint."""
        namespace = endpoint.namespace or self.home
        if namespace not in self._roles:
            return endpoint.role_to_create(self._cluster.context.cluster_name, namespace)
        roles = self._roles[namespace]
        return next((each for each in roles if each.name == endpoint.role), roles[0])

    def tenant_of(self, endpoint: NotebookEndpoint, scope: Construct) -> EmrEksTenant:
        """Return the tenant of an endpoint, creating it in ``scope`` the first time."""
        namespace = endpoint.namespace or self.home
        if namespace not in self._created:
            tenant = self._tenant(endpoint)
            self._created[namespace] = self._cluster.add_tenant(tenant, scope=scope)
        return self._created[namespace]

    def _tenant(self, endpoint: NotebookEndpoint) -> Tenant:
        """Return the options of the tenant of an endpoint's namespace, created or not."""
        namespace = endpoint.namespace or self.home
        if namespace in self._created:
            return self._created[namespace].tenant
        declared = self._declared.get(namespace) or _copy(self._home, namespace)
        if declared.execution_roles:
            return declared
        return replace(declared, execution_roles=(self.role_of(endpoint),))


def default_home(studio: str, workloads: Iterable[str]) -> Tenant:
    """Return the default tenant of a platform, named after the Studio."""
    name = re.sub(r"[^a-z0-9]+", "-", studio.lower()).strip("-")[:50].strip("-") or "studio"
    # A tenant has pod templates and an output for each workload; notebooks need one workload.
    chosen = tuple(each for each in workloads if each == NOTEBOOK.name)
    return Tenant(name=f"{name}-notebooks", workloads=chosen)


def _copy(home: Tenant, namespace: str) -> Tenant:
    uri = home.logs.s3_uri
    # Next to the home's folder and not in it: a writer of one must not read the other.
    logs = replace(home.logs, s3_uri=f"{uri.rstrip('/')}-{namespace}") if uri else home.logs
    return replace(
        home,
        name=namespace,
        namespace=namespace,
        virtual_cluster_name=None,
        execution_roles=(),
        logs=logs,
    )


def _spec(tenant: Tenant | EmrEksTenant) -> Tenant:
    return tenant.tenant if isinstance(tenant, EmrEksTenant) else tenant
