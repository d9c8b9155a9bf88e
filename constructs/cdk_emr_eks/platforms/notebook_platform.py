"""``NotebookPlatform``: a Studio, its users, and the endpoints that each user can open."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from hashlib import sha256

from aws_cdk import CrossStackReferences, ReferenceStrength, Stack, Tags
from aws_cdk import aws_kms as kms
from constructs import Construct

from cdk_emr_eks.errors import refuse
from cdk_emr_eks.field_types import check_argument
from cdk_emr_eks.model.notebooks.notebook_endpoint import NotebookEndpoint, merge_endpoints
from cdk_emr_eks.model.notebooks.notebook_user import (
    IdentityKind,
    NotebookUser,
    check_references,
    check_sign_in,
    check_users,
)
from cdk_emr_eks.model.notebooks.studio import AuthMode, StudioAuth, StudioSpec, studio_auth
from cdk_emr_eks.model.tenants.tenant import Tenant
from cdk_emr_eks.notebooks.managed_endpoint import ManagedEndpoint
from cdk_emr_eks.notebooks.studio import EmrStudio
from cdk_emr_eks.notebooks.studio_network import StudioNetwork
from cdk_emr_eks.notebooks.user_policies import EndpointAccess
from cdk_emr_eks.notebooks.users import (
    STUDIO_TAG,
    NotebookAccess,
    bound_user_role,
    check_size,
)
from cdk_emr_eks.platforms.notebook_tenants import NotebookTenants, default_home
from cdk_emr_eks.platforms.tenant_host import TenantHost
from cdk_emr_eks.tenants.tenant import EmrEksTenant


class NotebookPlatform(Construct):
    """An EMR Studio, managed endpoints, and the users with the endpoints they can open.

    Endpoints are in namespaces of the cluster. Code in a namespace can assume every execution role
    of the namespace, so a namespace is a level of trust. Endpoints with other permissions are in
    another namespace: see ``NotebookEndpoint.namespace``.

    An app and a cluster can have several platforms, each with a separate Studio.

    Resources: those of ``EmrStudio``; with the first endpoint of a namespace those of a
    tenant; for each endpoint itself and two security group rules; for each user those of
    ``NotebookAccess``.

    Args:
        cluster: The cluster of the endpoints: an ``EmrEksCluster`` or an imported one.
        studio_name: Name of the Studio, as a short form of ``studio=StudioSpec(name=...)``.
        auth_mode: Sign-in of the Studio, with ``studio_name``: ``IAM``, or ``SamlAuth(...)`` or
            ``IdentityCenterAuth(...)``, which need more than a name. None: ``IAM``.
        studio: Options of a new Studio, or an existing Studio. None: a new one named
            ``studio_name``.
        tenant: Options of the platform's default tenant, which is created with the first endpoint,
            or an existing tenant. None: a tenant ``STUDIO-notebooks`` with the notebook workload.
        network: VPC and subnets of the Studio. None: those of the cluster; required for an imported
            cluster.
        key: Encrypts the workspaces' files. None: a new key. Refused with an existing Studio.

    Attributes:
        studio: The Studio.
        endpoints: The endpoints by name.
        users: The access of each user, in the order in which they were added.

    Raises:
        ConfigError: If the Studio is given twice or not at all, the sign-in is unknown or would
            give all users all endpoints, the cluster does not support endpoints, or no network is
            known.

    Source: https://docs.aws.amazon.com/emr/latest/ManagementGuide/emr-studio.html
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        cluster: TenantHost,
        studio_name: str | None = None,
        auth_mode: StudioAuth | AuthMode | str | None = None,
        studio: StudioSpec | EmrStudio | None = None,
        tenant: Tenant | EmrEksTenant | None = None,
        network: StudioNetwork | None = None,
        key: kms.IKey | None = None,
    ) -> None:
        where = f"NotebookPlatform {id!r}"
        check_argument(where, "cluster", TenantHost, cluster)
        check_argument(where, "studio_name", str | None, studio_name)
        check_argument(where, "auth_mode", StudioAuth | str | None, auth_mode)
        check_argument(where, "studio", StudioSpec | EmrStudio | None, studio)
        check_argument(where, "tenant", Tenant | EmrEksTenant | None, tenant)
        check_argument(where, "network", StudioNetwork | None, network)
        check_argument(where, "key", kms.IKey | None, key)
        spec = _studio_spec(where, studio_name, auth_mode, studio)
        check_sign_in(where, spec)
        context = cluster.context
        if context.endpoints is None:
            rule = "must have the AWS Load Balancer Controller and gateway nodes"
            fix = "on an imported cluster that has them, write ImportedPlatform(endpoints=True)"
            raise refuse(where, "cluster", rule, context.cluster_name, fix)
        if isinstance(studio, EmrStudio):
            for field, value in (("network", network), ("key", key)):
                if value is not None:
                    rule = "must be absent with an existing Studio"
                    raise refuse(where, field, rule, type(value).__name__)
        else:
            network = network or _cluster_network(where, cluster)
        home = tenant or default_home(spec.name, context.workloads)
        self._tenants = NotebookTenants(where, cluster, home)
        super().__init__(scope, id)
        self._where = where
        self._cluster = cluster
        self._declared: dict[str, NotebookEndpoint] = {}
        if isinstance(studio, EmrStudio):
            self.studio = studio
        else:
            assert network is not None  # Refused above.
            self.studio = EmrStudio(self, "Studio", spec=spec, network=network, key=key)
        bound_user_role(self, self.studio)
        self.endpoints: dict[str, ManagedEndpoint] = {}
        self._versions: dict[str, str] = {}
        self.users: list[NotebookAccess] = []

    @property
    def tenants(self) -> Mapping[str, EmrEksTenant]:
        """The created and the given tenants, by namespace."""
        return self._tenants.created

    def add_tenant(self, tenant: Tenant | EmrEksTenant) -> None:
        """Use a tenant for the endpoints of its namespace.

        Args:
            tenant: Options of a tenant, which is created with its first endpoint, or an existing
                tenant.

        Raises:
            ConfigError: If the namespace has a tenant already, or the tenant is of another cluster.
        """
        check_argument(self._where, "tenant", Tenant | EmrEksTenant, tenant)
        self._tenants.adopt(tenant)

    def add_endpoints(
        self, endpoints: Sequence[NotebookEndpoint], *, scope: Construct | None = None
    ) -> None:
        """Create endpoints, which users can then name.

        Args:
            endpoints: The endpoints. An equal endpoint that exists is not created again.
            scope: Scope of the endpoints and their tenants. None: the platform.

        Raises:
            ConfigError: If a different endpoint has the same name, or the code of an endpoint could
                use permissions of another endpoint.
        """
        check_argument(self._where, "endpoints", Sequence[NotebookEndpoint], endpoints)
        check_argument(self._where, "scope", Construct | None, scope)
        self._create(self._plan(endpoints), scope or self)

    def add_user(self, user: NotebookUser, *, scope: Construct | None = None) -> NotebookAccess:
        """Add one user, as ``add_users`` does."""
        return self.add_users([user], scope=scope)[0]

    def add_users(
        self, users: Sequence[NotebookUser], *, scope: Construct | None = None
    ) -> tuple[NotebookAccess, ...]:
        """Add users with their endpoints, and create the endpoints that do not exist yet.

        All users are checked before anything is created.

        Args:
            users: The users. Users who name the same endpoint share it.
            scope: Scope of users, new endpoints and their tenants. None: the platform.

        Returns:
            The access of each user.

        Raises:
            ConfigError: If a user exists already, is of another sign-in than the Studio, shares an
                endpoint with different options, or has more endpoints than IAM's policies can hold;
                if an endpoint does not exist, or its code could use permissions of another
                endpoint.
        """
        check_argument(self._where, "scope", Construct | None, scope)
        plan, kinds = self._check(users)
        place = scope or self
        self._create(plan, place)
        added = [self._user(user, kind, place) for user, kind in zip(users, kinds, strict=True)]
        self.users += added
        return tuple(added)

    def check_users(self, users: Sequence[NotebookUser]) -> None:
        """Check users together, as ``add_users`` does, and create nothing.

        Raises:
            ConfigError: As in ``add_users``.
        """
        self._check(users)

    def _check(
        self, users: Sequence[NotebookUser]
    ) -> tuple[dict[str, NotebookEndpoint], tuple[IdentityKind, ...]]:
        check_argument(self._where, "users", Sequence[NotebookUser], users)
        mode = self.studio.spec.auth.mode
        kinds = check_users(self._where, mode, [each.user for each in self.users], users)
        asked = [e for user in users for e in user.endpoints if isinstance(e, NotebookEndpoint)]
        plan = self._plan(asked)
        check_references(self._where, plan, users)
        for user, kind in zip(users, kinds, strict=True):
            self._check_user(user, kind, plan)
        return plan, kinds

    def _plan(self, asked: Iterable[NotebookEndpoint]) -> dict[str, NotebookEndpoint]:
        plan = merge_endpoints(self._where, self._tenants.home, self._declared, asked)
        self._tenants.check(plan.values())
        self.studio.require_room(len(plan) - len(self.endpoints))
        return plan

    def _create(self, plan: Mapping[str, NotebookEndpoint], scope: Construct) -> None:
        for name, endpoint in plan.items():
            if name in self.endpoints:
                continue
            tenant = self._tenants.tenant_of(endpoint, scope)
            role = self._tenants.role_of(endpoint)
            managed = ManagedEndpoint(
                tenant, f"Endpoint-{name}", tenant=tenant, spec=endpoint, role=role.name
            )
            Tags.of(managed).add(STUDIO_TAG, self.studio.spec.name)
            # An export in use cannot change, and a replaced endpoint has another ARN.
            CrossStackReferences.of(managed.resource).produce(ReferenceStrength.WEAK)
            # In the scope of the endpoint, because the rules name its security group.
            group = managed.resource.attr_security_group
            self.studio.connect_endpoint(f"{endpoint.namespace}.{name}", group, scope=managed)
            self.endpoints[name] = managed
            self._versions[name] = _version(managed)
        self._declared = dict(plan)

    def _check_user(
        self, user: NotebookUser, kind: IdentityKind, plan: Mapping[str, NotebookEndpoint]
    ) -> None:
        if user.collaboration and not self.studio.spec.collaborates:
            rule = "must be False: the Studio has no collaboration"
            where = f"Notebook user {user.identity_name!r}"
            raise refuse(where, "collaboration", rule, True, "set StudioSpec(collaboration=True)")
        tenants = self._tenants
        roles = {name: tenants.role_of(plan[name]).name for name in user.endpoint_names}
        homes = {name: plan[name].namespace or tenants.home for name in roles}
        check_size(user, kind, git=self.studio.spec.git_access, homes=homes, roles=roles)

    def _user(self, user: NotebookUser, kind: IdentityKind, scope: Construct) -> NotebookAccess:
        access = [
            EndpointAccess(
                arn=endpoint.arn,
                virtual_cluster_arn=endpoint.tenant.virtual_cluster.arn,
                role_arn=endpoint.role.arn,
                version=self._versions[endpoint.spec.name],
            )
            for endpoint in (self.endpoints[name] for name in user.endpoint_names)
        ]
        words = "".join(word.title() for word in kind.split())
        id = f"{words}-{user.identity_name}"
        if scope is not self:
            id = f"{self.studio.spec.name}-{id}"
        return NotebookAccess(scope, id, user=user, kind=kind, studio=self.studio, access=access)


def _studio_spec(
    where: str,
    name: str | None,
    mode: StudioAuth | AuthMode | str | None,
    studio: StudioSpec | EmrStudio | None,
) -> StudioSpec:
    if studio is None:
        if name is None:
            raise refuse(where, "studio_name", "or studio must be given")
        auth = studio_auth(mode or AuthMode.IAM) if isinstance(mode, str | None) else mode
        return StudioSpec(name=name, auth=auth)
    for field, value in (("studio_name", name), ("auth_mode", mode)):
        if value is not None:
            raise refuse(where, field, "is a part of studio, so give one of them", value)
    return studio.spec if isinstance(studio, EmrStudio) else studio


def _version(endpoint: ManagedEndpoint) -> str:
    """Return a hash of the properties whose change replaces an endpoint."""
    properties = [endpoint.resource.release_label, endpoint.resource.configuration_overrides]
    text = json.dumps(Stack.of(endpoint).resolve(properties), sort_keys=True)
    return sha256(text.encode()).hexdigest()[:8]


def _cluster_network(where: str, cluster: TenantHost) -> StudioNetwork:
    if cluster.network is not None:
        return StudioNetwork.of(cluster.network)
    fix = "write StudioNetwork(vpc=..., subnets=...) with the cluster's"
    raise refuse(where, "network", "must be given for an imported cluster", fix=fix)
