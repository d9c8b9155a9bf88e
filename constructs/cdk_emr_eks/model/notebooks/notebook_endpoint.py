"""Managed endpoints of a notebook platform, with the permissions of their code."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields, replace

from cdk_emr_eks.checks import Check
from cdk_emr_eks.errors import refuse
from cdk_emr_eks.model.access.execution_role import (
    ExecutionRoleSpec,
    IamPermission,
    RoleUse,
    default_role_name,
)
from cdk_emr_eks.model.notebooks.managed_endpoint import ManagedEndpointSpec
from cdk_emr_eks.names import namespace_problems, role_name
from cdk_emr_eks.values import value


@value
class NotebookEndpoint(ManagedEndpointSpec):
    """A managed endpoint that notebooks attach to, with the permissions of its code.

    All users of an endpoint share its execution role, and all code in a namespace can use each
    execution role of that namespace, since its pods may name each service account. So code with
    different permissions needs different namespaces. A namespace that a platform creates has one
    execution role. An endpoint with other permissions is refused there: give it another
    ``namespace``.

    It has all options of ``ManagedEndpointSpec``, and the following ones.

    Args:
        permissions: What notebooks may do in addition to writing logs. An execution role is created
            with them.
        role: An execution role to create, or the name of one of the tenant's, if the platform was
            given a tenant with roles. None: a role is created with ``permissions``; with a tenant
            that has roles, its first role for endpoints.
        namespace: Namespace of the endpoint. It is created, as a copy of the platform's tenant,
            unless the platform was given a tenant for it. None: the platform's.

    Raises:
        ConfigError: As ``ManagedEndpointSpec``, and if a tenant may not have the namespace, the
            role is not for endpoints, or permissions are given in addition to a role.

    Example:
        >>> NotebookEndpoint(name="analysts", namespace="analysts").needs_role
        False
    """

    permissions: tuple[IamPermission, ...] = ()
    role: ExecutionRoleSpec | str | None = None
    namespace: str | None = None

    def _rules(self, check: Check) -> None:
        # super() does not work in a slotted dataclass of Python 3.11.
        ManagedEndpointSpec._rules(self, check)  # noqa: SLF001
        check.passes("namespace", namespace_problems)
        if self.role is not None:
            fix = "put the permissions into the role"
            check.require(not self.permissions, "permissions", "must be empty with a role", fix=fix)
        if isinstance(self.role, str):
            check.add(role_name("role", self.role))
        elif self.role is not None:
            able = RoleUse.ENDPOINTS in self.role.uses
            fix = (
                f"write ExecutionRoleSpec(name={self.role.name!r}, uses=(RoleUse.ENDPOINTS,), ...)"
            )
            check.require(able, "role", "must have the use 'endpoints'", self.role.name, fix)
            if self.release_label is not None:
                check.add(self.role.release_problems(self.release_label))

    @property
    def where(self) -> str:
        """What errors call the endpoint."""
        return f"Notebook endpoint {self.name!r}"

    @property
    def needs_role(self) -> bool:
        """Whether it needs a new role, which a tenant with roles cannot get."""
        return bool(self.permissions) or isinstance(self.role, ExecutionRoleSpec)

    def role_to_create(self, cluster_name: str, namespace: str) -> ExecutionRoleSpec:
        """Return the execution role to create for it in a namespace without roles.

        Args:
            cluster_name: Literal name of the cluster.
            namespace: Namespace of the endpoint.

        Raises:
            ConfigError: If it names a role, since the namespace has none.
        """
        if isinstance(self.role, str):
            rule = f"must exist, and namespace {namespace!r} has no execution roles"
            fix = "give permissions, or give the platform a tenant that has the role"
            raise refuse(self.where, "role", rule, self.role, fix)
        if self.role is not None:
            return self.role
        # Named after the namespace: its endpoints have equal permissions and share the role.
        return ExecutionRoleSpec(
            name=default_role_name(f"nb-{namespace}", cluster_name, namespace),
            permissions=self.permissions,
            uses=(RoleUse.ENDPOINTS,),
        )

    def differences(self, other: NotebookEndpoint) -> tuple[str, ...]:
        """Return the fields in which two endpoints with one name differ."""
        names = (each.name for each in fields(self))
        return tuple(name for name in names if getattr(self, name) != getattr(other, name))


# ---- endpoints of one platform


def merge_endpoints(
    where: str,
    home: str,
    known: Mapping[str, NotebookEndpoint],
    asked: Iterable[NotebookEndpoint],
) -> dict[str, NotebookEndpoint]:
    """Return endpoints by name, each once and with its namespace, existing ones first.

    Args:
        where: What errors call the platform.
        home: The platform's namespace.
        known: Existing endpoints of the platform.
        asked: Endpoints of its users.

    Raises:
        ConfigError: If two endpoints with one name differ.
    """
    check = Check(where)
    found = dict(known)
    for wanted in asked:
        endpoint = replace(wanted, namespace=wanted.namespace or home)
        first = found.setdefault(endpoint.name, endpoint)
        unlike = endpoint.differences(first)
        rule = f"of endpoint {endpoint.name!r} must be the same for all its users"
        for field in unlike:
            got = f"{_short(getattr(first, field))} and {_short(getattr(endpoint, field))}"
            check.require(False, field, rule, got, "give one of them another name")
    check.raise_if_any()
    return found


def check_rights(
    where: str,
    endpoints: Iterable[NotebookEndpoint],
    given: Mapping[str, Sequence[str]],
) -> None:
    """Check that no endpoint's code can use permissions of another endpoint.

    Args:
        where: What errors call the platform.
        endpoints: All its endpoints, each with its namespace.
        given: Names of the execution roles for endpoints, by namespaces that have roles.

    Raises:
        ConfigError: If an endpoint names a role that its namespace does not have, or needs other
            permissions than its namespace has.
    """
    check = Check(where)
    first: dict[str, NotebookEndpoint] = {}
    for endpoint in endpoints:
        namespace = endpoint.namespace or ""
        proposal = endpoint.name.lower().replace("_", "-").strip("-")
        apart = f"set namespace={proposal!r}"
        if namespace in given:
            roles = ", ".join(given[namespace])
            rule = f"of endpoint {endpoint.name!r} must be one of the tenant's ({roles or 'none'})"
            # Without a name, the endpoint uses the tenant's first role.
            known = roles if endpoint.role is None else endpoint.role in given[namespace]
            fix = "give the tenant ExecutionRoleSpec(name=..., uses=(RoleUse.ENDPOINTS,))"
            named = bool(known) or endpoint.needs_role
            check.require(named, "role", rule, endpoint.role, "" if roles else fix)
            rule = (
                f"of endpoint {endpoint.name!r} must have no execution roles yet: all code there "
                "could use the new role"
            )
            fix = f"{apart}, or name a role of the tenant"
            check.require(not endpoint.needs_role, "namespace", rule, namespace, fix)
            continue
        rule = f"of endpoint {endpoint.name!r} must exist, and namespace {namespace!r} has no roles"
        fix = "give permissions, or give the platform a tenant that has the role"
        check.require(not isinstance(endpoint.role, str), "role", rule, endpoint.role, fix)
        other = first.setdefault(namespace, endpoint)
        same = (endpoint.role, endpoint.permissions) == (other.role, other.permissions)
        rule = (
            f"of endpoint {endpoint.name!r} must be another one than that of {other.name!r}, which "
            "has other rights: code of a namespace can use each of its roles"
        )
        check.require(same, "namespace", rule, namespace, f"{apart}, or give both the same rights")
    check.raise_if_any()


def _short(value: object) -> str:
    if isinstance(value, tuple):
        return f"{len(value)} permissions" if value else "none"
    return repr(getattr(value, "name", value))
