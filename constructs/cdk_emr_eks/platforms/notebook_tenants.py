"""The namespaces of a notebook platform: its own, those it was given, and those it makes."""

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
    """Finds the tenant that an endpoint lives with, and makes it the first time.

    Args:
        where: The platform, for errors.
        cluster: Where tenants live.
        home: The platform's own tenant; those that are made are copies of it.
    """

    def __init__(self, where: str, cluster: TenantHost, home: Tenant | EmrEksTenant) -> None:
        self._where = where
        self._cluster = cluster
        self._home = _spec(home)
        self._declared: dict[str, Tenant] = {}
        self._made: dict[str, EmrEksTenant] = {}
        # The roles for endpoints of those namespaces that have roles before any endpoint comes.
        self._roles: dict[str, tuple[ExecutionRoleSpec, ...]] = {}
        self.adopt(home)

    @property
    def home(self) -> str:
        """The platform's own namespace."""
        return self._home.resolved_namespace

    @property
    def made(self) -> Mapping[str, EmrEksTenant]:
        """The tenants that are there, by namespace."""
        return self._made

    def adopt(self, tenant: Tenant | EmrEksTenant) -> None:
        """Have endpoints of a namespace live with a tenant.

        Raises:
            ConfigError: If the namespace has another tenant already, or the tenant is another
                cluster's.
        """
        spec = _spec(tenant)
        namespace = spec.resolved_namespace
        if namespace in self._declared or namespace in self._made:
            rule = "must be of a namespace that the platform does not have yet"
            raise refuse(self._where, "tenant", rule, namespace)
        roles = spec.execution_roles
        if isinstance(tenant, EmrEksTenant):
            theirs, ours = tenant.context.cluster_name, self._cluster.context.cluster_name
            if theirs != ours:
                rule = f"must live on the platform's cluster {ours!r}"
                raise refuse(self._where, "tenant", rule, theirs)
            self._made[namespace] = tenant
            roles = tuple(role.spec for role in tenant.roles.values())
        if roles:
            able = (role for role in roles if RoleUse.ENDPOINTS in role.uses)
            self._roles[namespace] = tuple(able)
        self._declared[namespace] = spec

    def check(self, endpoints: Iterable[NotebookEndpoint]) -> None:
        """Check that endpoints can live where they ask to.

        Raises:
            ConfigError: If an endpoint's code would get at rights that were meant for another's, or
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
        """Return the execution role of an endpoint that was checked."""
        namespace = endpoint.namespace or self.home
        if namespace not in self._roles:
            return endpoint.role_to_create(self._cluster.context.cluster_name, namespace)
        roles = self._roles[namespace]
        return next((each for each in roles if each.name == endpoint.role), roles[0])

    def tenant_of(self, endpoint: NotebookEndpoint, scope: Construct) -> EmrEksTenant:
        """Return the tenant that an endpoint lives with, making it in ``scope`` the first time."""
        namespace = endpoint.namespace or self.home
        if namespace not in self._made:
            tenant = self._tenant(endpoint)
            self._made[namespace] = self._cluster.add_tenant(tenant, scope=scope)
        return self._made[namespace]

    def _tenant(self, endpoint: NotebookEndpoint) -> Tenant:
        """Return the tenant of an endpoint's namespace, as it is or as it would be made."""
        namespace = endpoint.namespace or self.home
        if namespace in self._made:
            return self._made[namespace].tenant
        declared = self._declared.get(namespace) or _copy(self._home, namespace)
        if declared.execution_roles:
            return declared
        return replace(declared, execution_roles=(self.role_of(endpoint),))


def default_home(studio: str, workloads: Iterable[str]) -> Tenant:
    """Return the own tenant of a platform that was given none, named after the Studio."""
    name = re.sub(r"[^a-z0-9]+", "-", studio.lower()).strip("-")[:50].strip("-") or "studio"
    # Tenants get pod templates and an output for each workload: notebooks need one of them.
    chosen = tuple(each for each in workloads if each == NOTEBOOK.name)
    return Tenant(name=f"{name}-notebooks", workloads=chosen)


def _copy(home: Tenant, namespace: str) -> Tenant:
    uri = home.logs.s3_uri
    # Beside the home's folder and not in it: who writes one may not read the other.
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
