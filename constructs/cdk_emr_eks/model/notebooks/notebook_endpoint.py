"""A managed endpoint as users of notebooks ask for it: with the rights that its code has."""

from __future__ import annotations

from dataclasses import dataclass, fields

from cdk_emr_eks.errors import Problems, refuse
from cdk_emr_eks.model.access.execution_role import (
    ExecutionRoleSpec,
    IamPermission,
    RoleUse,
    default_role_name,
)
from cdk_emr_eks.model.notebooks.managed_endpoint import ManagedEndpointSpec
from cdk_emr_eks.names import namespace_problems, role_name


@dataclass(frozen=True, kw_only=True, slots=True)
class NotebookEndpoint(ManagedEndpointSpec):
    """A managed endpoint that notebooks attach to, with the rights that its code has.

    All who may open an endpoint share its execution role, and all code of a namespace can take on
    any execution role of that namespace: its pods may name each other's service accounts. So the
    rule is one namespace for each level of trust. A namespace that a platform makes has one
    execution role; an endpoint with other rights is refused there, and moves out with
    ``namespace``.

    It has all options of ``ManagedEndpointSpec``, and these beside them.

    Args:
        permissions: What notebooks may do beyond their logs. An execution role is made of them.
        role: An execution role to make, or the name of one of the tenant's, where the platform was
            given a tenant with roles. None: a role is made of ``permissions``; with a tenant that
            has roles, its first role for endpoints.
        namespace: Namespace that the endpoint lives in; it is made, as a copy of the platform's own
            tenant, unless it was given to the platform. None: the platform's own.

    Raises:
        ConfigError: As ``ManagedEndpointSpec``, and if the namespace is none that a tenant may
            have, the role is not for endpoints, or permissions are given beside a role.

    Example:
        >>> NotebookEndpoint(name="analysts", namespace="analysts").makes_role
        False
    """

    permissions: tuple[IamPermission, ...] = ()
    role: ExecutionRoleSpec | str | None = None
    namespace: str | None = None

    def __post_init__(self) -> None:
        # By name: without arguments, super() does not find the class that ``slots`` made anew.
        ManagedEndpointSpec.__post_init__(self)
        problems = Problems(self.where)
        if self.namespace is not None:
            problems.extend(namespace_problems("namespace", self.namespace))
        if self.role is not None:
            fix = "put the permissions into the role"
            beside = not self.permissions
            problems.require(beside, "permissions", "must be empty with a role", fix=fix)
        if isinstance(self.role, str):
            problems.extend(role_name("role", self.role))
        elif self.role is not None:
            able = RoleUse.ENDPOINTS in self.role.uses
            fix = (
                f"write ExecutionRoleSpec(name={self.role.name!r}, uses=(RoleUse.ENDPOINTS,), ...)"
            )
            problems.require(able, "role", "must have the use 'endpoints'", self.role.name, fix)
            if self.release_label is not None:
                problems.extend(self.role.release_problems(self.release_label))
        problems.raise_if_any()

    @property
    def where(self) -> str:
        """The endpoint in the words of errors."""
        return f"Notebook endpoint {self.name!r}"

    @property
    def makes_role(self) -> bool:
        """Whether it asks for rights of its own, which a tenant's roles cannot have."""
        return bool(self.permissions) or isinstance(self.role, ExecutionRoleSpec)

    def role_to_make(self, cluster_name: str, namespace: str) -> ExecutionRoleSpec:
        """Return the execution role that a namespace without roles gets for it.

        Args:
            cluster_name: Literal name of the cluster.
            namespace: Where the endpoint lives.

        Raises:
            ConfigError: If it names a role, which such a namespace does not have.
        """
        if isinstance(self.role, str):
            rule = (
                f"must be there already: namespace {namespace!r} has no execution roles of its own"
            )
            fix = "give permissions, or give the platform a tenant that has the role"
            raise refuse(self.where, "role", rule, self.role, fix)
        if self.role is not None:
            return self.role
        # Named after the namespace, since that has one role: endpoints of equal rights share it.
        return ExecutionRoleSpec(
            name=default_role_name(f"nb-{namespace}", cluster_name, namespace),
            permissions=self.permissions,
            uses=(RoleUse.ENDPOINTS,),
        )

    def differences(self, other: NotebookEndpoint) -> tuple[str, ...]:
        """Return the fields in which two endpoints of one name are not the same."""
        names = (each.name for each in fields(self))
        return tuple(name for name in names if getattr(self, name) != getattr(other, name))
