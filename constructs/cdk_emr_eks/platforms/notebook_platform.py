"""``NotebookPlatform``: a Studio, its users, and exactly the endpoints that each may open."""

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
    """Notebooks for people: an EMR Studio, managed endpoints, and who may open which.

    Endpoints live in namespaces of the cluster. Code of a namespace can take on each execution role
    of that namespace, so that a namespace is a level of trust: endpoints of other rights have
    another one, which ``NotebookEndpoint.namespace`` makes.

    Several platforms may be in one app and on one cluster, each with a Studio of its own.

    Resources made: those of ``EmrStudio``; with the first endpoint of a namespace those of a
    tenant; for each endpoint itself and two security group rules; for each user those of
    ``NotebookAccess``.

    Args:
        cluster: Where the endpoints run: an ``EmrEksCluster``, or an imported one.
        studio_name: Name of the Studio, as a short form of ``studio=StudioSpec(name=...)``.
        auth_mode: How its people sign in, with ``studio_name``: ``IAM``, or ``SamlAuth(...)`` or
            ``IdentityCenterAuth(...)``, which need more than a name. None: ``IAM``.
        studio: A Studio to make, or one that is there. None: one named ``studio_name``.
        tenant: The platform's own tenant, to be made with the first endpoint, or one that is there.
            None: a tenant ``STUDIO-notebooks`` with the notebook workload.
        network: VPC and subnets of the Studio. None: the cluster's; an imported cluster has none.
        key: Encrypts the workspaces' files. None: a new key. Ignored by a Studio that is there, so
            refused with it.

    Attributes:
        studio: The Studio.
        endpoints: The endpoints by name.
        users: What each user has, in the order they came.

    Raises:
        ConfigError: If the Studio is told twice or not at all, the sign-in is unknown or would give
            everybody all endpoints, the cluster cannot have endpoints, or no network is known.

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
                    rule = "is of no use with a Studio that is there"
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
        """The tenants that have endpoints or were given, by namespace."""
        return self._tenants.made

    def add_tenant(self, tenant: Tenant | EmrEksTenant) -> None:
        """Have endpoints that name a namespace live with a tenant of your own.

        Args:
            tenant: A tenant to be made with its first endpoint, or one that is there.

        Raises:
            ConfigError: If the namespace has a tenant already, or the tenant is of another cluster.
        """
        check_argument(self._where, "tenant", Tenant | EmrEksTenant, tenant)
        self._tenants.adopt(tenant)

    def add_endpoints(
        self, endpoints: Sequence[NotebookEndpoint], *, scope: Construct | None = None
    ) -> None:
        """Make endpoints that users will name.

        Args:
            endpoints: The endpoints; one that is there with all the same is not made anew.
            scope: Where they and their tenants are made. None: under the platform.

        Raises:
            ConfigError: If an endpoint of the name is not the same, or an endpoint's code would get
                at rights that were meant for another's.
        """
        check_argument(self._where, "endpoints", Sequence[NotebookEndpoint], endpoints)
        check_argument(self._where, "scope", Construct | None, scope)
        self._make(self._plan(endpoints), scope or self)

    def add_user(self, user: NotebookUser, *, scope: Construct | None = None) -> NotebookAccess:
        """Add one user; see ``add_users``."""
        return self.add_users([user], scope=scope)[0]

    def add_users(
        self, users: Sequence[NotebookUser], *, scope: Construct | None = None
    ) -> tuple[NotebookAccess, ...]:
        """Give users their endpoints, which are made where they are not there yet.

        Everything is checked before anything is made.

        Args:
            users: The users. Those who name the same endpoint share it.
            scope: Where users, new endpoints and their tenants are made. None: under the platform.

        Returns:
            What each user has.

        Raises:
            ConfigError: If a user is there already, is none of the Studio's way to sign in, shares
                an endpoint that is not the same for all, or has more endpoints than IAM's policies
                hold; if an endpoint is not there, or its code would get at rights that were meant
                for another's.
        """
        check_argument(self._where, "scope", Construct | None, scope)
        plan, kinds = self._check(users)
        place = scope or self
        self._make(plan, place)
        added = [self._user(user, kind, place) for user, kind in zip(users, kinds, strict=True)]
        self.users += added
        return tuple(added)

    def check_users(self, users: Sequence[NotebookUser]) -> None:
        """Check users together, as ``add_users`` does, and make nothing.

        Raises:
            ConfigError: As ``add_users``.
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

    def _make(self, plan: Mapping[str, NotebookEndpoint], scope: Construct) -> None:
        for name, endpoint in plan.items():
            if name in self.endpoints:
                continue
            tenant = self._tenants.tenant_of(endpoint, scope)
            role = self._tenants.role_of(endpoint)
            made = ManagedEndpoint(
                tenant, f"Endpoint-{name}", tenant=tenant, spec=endpoint, role=role.name
            )
            Tags.of(made).add(STUDIO_TAG, self.studio.spec.name)
            # An export in use cannot change, and an endpoint that is replaced has another ARN.
            CrossStackReferences.of(made.resource).produce(ReferenceStrength.WEAK)
            # Beside the endpoint, whose security group the rules name.
            group = made.resource.attr_security_group
            self.studio.connect_endpoint(f"{endpoint.namespace}.{name}", group, scope=made)
            self.endpoints[name] = made
            self._versions[name] = _version(made)
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
                arn=made.arn,
                virtual_cluster_arn=made.tenant.virtual_cluster.arn,
                role_arn=made.role.arn,
                version=self._versions[made.spec.name],
            )
            for made in (self.endpoints[name] for name in user.endpoint_names)
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
    """Return what changes with the properties that CloudFormation replaces an endpoint for."""
    properties = [endpoint.resource.release_label, endpoint.resource.configuration_overrides]
    text = json.dumps(Stack.of(endpoint).resolve(properties), sort_keys=True)
    return sha256(text.encode()).hexdigest()[:8]


def _cluster_network(where: str, cluster: TenantHost) -> StudioNetwork:
    if cluster.network is not None:
        return StudioNetwork.of(cluster.network)
    fix = "write StudioNetwork(vpc=..., subnets=...) with the cluster's"
    raise refuse(where, "network", "must be given for an imported cluster", fix=fix)
