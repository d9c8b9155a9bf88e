"""``NotebookAccess``: what one user of a Studio has in AWS."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, cast

from aws_cdk import CfnOutput, Duration, ReferenceStrength, Stack, Token
from aws_cdk import aws_emr as emr
from aws_cdk import aws_iam as iam
from constructs import Construct

from cdk_emr_eks.errors import refuse
from cdk_emr_eks.model.notebooks.notebook_user import IdentityKind, NotebookUser
from cdk_emr_eks.model.notebooks.studio import GitAccess, SamlAuth
from cdk_emr_eks.notebooks.studio import EmrStudio
from cdk_emr_eks.notebooks.user_policies import (
    MAX_POLICIES,
    POLICY_LIMIT,
    EndpointAccess,
    Statement,
    StudioAccess,
    any_endpoint,
    documents,
    endpoints,
    git_links,
    pass_service_role,
    sign_in,
    wildcards,
    workspaces,
)
from cdk_emr_eks.security.nag import accept, skip_checkov, wildcard
from cdk_emr_eks.tenants.claims import AppClaims

STUDIO_TAG: Final = "emr-eks/studio"
"""Tag of endpoints: the Studio whose people may be given them."""

_SSO: Final = {IdentityKind.SSO_USER: "USER", IdentityKind.SSO_GROUP: "GROUP"}
_UNNARROWED: Final = frozenset({"CreateWorkspaces", "Repositories"})
_HOSTS: Final = {
    "cn-": "console.amazonaws.cn",
    "us-gov-": "console.amazonaws-us-gov.com",
}
# Source: https://docs.aws.amazon.com/general/latest/gr/console-service.html


class NotebookAccess(Construct):
    """What one user of a Studio has in AWS: exactly the user's endpoints, and no other's.

    Resources made: for an IAM user, group or role one ``AWS::IAM::ManagedPolicy``, and more where
    its endpoints do not fit; for a federated role that role as well; for a user or group of
    Identity Center the session policy and an ``AWS::EMR::StudioSessionMapping``. Output:
    ``SignInUrl``.

    Attributes:
        user: Who it is.
        policies: The managed policies.
        role: The federated role. None: no role was made.
        sign_in_url: Where the user opens the Studio.

    Args:
        user: Who it is.
        kind: What the user is in the Studio.
        studio: The Studio.
        access: The user's endpoints.

    Raises:
        ConfigError: If the endpoints are too many for IAM, the name of a federated role is taken
            in the app, or the Studio has the user or group of Identity Center already.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        user: NotebookUser,
        kind: IdentityKind,
        studio: EmrStudio,
        access: Sequence[EndpointAccess],
    ) -> None:
        statements = user_statements(user, kind, studio_access(studio), access)
        written = policy_documents(user, kind, statements)
        super().__init__(scope, id)
        self.user = user
        self._claim(kind, studio)
        self.policies = tuple(
            self._policy(f"Policy{number or ''}", document, kind)
            for number, document in enumerate(written)
        )
        for policy in self.policies:
            # ARNs from other stacks are read at each deployment, which only a change brings about.
            policy.add_metadata("emr-eks/endpoints", " ".join(each.version for each in access))
        accepted = wildcards(statements)
        accept(self, {wildcard(self, resource): why for resource, why in accepted.items()})
        self.role = self._role(studio) if kind is IdentityKind.FEDERATED_ROLE else None
        if kind in _SSO:
            emr.CfnStudioSessionMapping(
                self,
                "Mapping",
                studio_id=studio.id,
                identity_name=user.identity_name,
                identity_type=_SSO[kind],
                session_policy_arn=self.policies[0].ref,
            )
        self.sign_in_url = _sign_in_url(self, studio, kind)
        CfnOutput(
            self,
            "SignInUrl",
            value=self.sign_in_url,
            description=f"Where {user.identity_name} ({kind}) opens notebooks"[:1024],
        )

    def _claim(self, kind: IdentityKind, studio: EmrStudio) -> None:
        name, claims, field = self.user.identity_name, AppClaims.of(self), "identity_name"
        if kind is IdentityKind.FEDERATED_ROLE:
            rule = "must be the name of one role"
            claims.take(self, "role", name, field=field, rule=rule, in_all_regions=True)
        if kind in _SSO:
            rule = "must be assigned to a Studio once"
            claims.take(self, "studio-member", studio.node.path, kind, name, field=field, rule=rule)

    def _policy(self, id: str, document: Statement, kind: IdentityKind) -> iam.CfnManagedPolicy:
        name = self.user.identity_name
        policy = iam.CfnManagedPolicy(
            self,
            id,
            description=f"Notebooks of {kind} {name}"[:1000],
            policy_document=document,
            users=[name] if kind is IdentityKind.IAM_USER else None,
            groups=[name] if kind is IdentityKind.IAM_GROUP else None,
            roles=[name] if kind is IdentityKind.IAM_ROLE else None,
        )
        _skip_unnarrowed(policy, document)
        return policy

    def _role(self, studio: EmrStudio) -> iam.Role:
        auth = cast(SamlAuth, studio.spec.auth)
        user = self.user
        provider = iam.SamlProvider.from_saml_provider_arn(self, "Provider", auth.provider_arn)
        lasts, boundary = user.session_duration, user.permissions_boundary_arn
        seconds = int(lasts.total_seconds()) if lasts else 3600
        role = iam.Role(
            self,
            "Role",
            role_name=user.identity_name,
            description=f"Notebooks of EMR Studio {studio.spec.name}"[:1000],
            # Whom the provider gives it to, and to nobody but for the console of this partition.
            assumed_by=iam.SamlConsolePrincipal(provider),
            max_session_duration=Duration.seconds(seconds),
            permissions_boundary=(
                iam.ManagedPolicy.from_managed_policy_arn(self, "Boundary", boundary)
                if boundary
                else None
            ),
        )
        resource = cast(iam.CfnRole, role.node.default_child)
        resource.managed_policy_arns = [policy.ref for policy in self.policies]
        return role


def studio_access(studio: EmrStudio) -> StudioAccess:
    """Return what policies name of a Studio."""
    return StudioAccess(
        arn=studio.arn,
        service_role_arn=studio.service_role.role_arn,
        git=studio.spec.git_access,
    )


def user_statements(
    user: NotebookUser,
    kind: IdentityKind,
    studio: StudioAccess,
    access: Sequence[EndpointAccess],
) -> list[Statement]:
    """Return all that a user may do, of which nothing is another user's."""
    return [
        *([] if kind in _SSO else [sign_in(studio)]),
        *workspaces(collaboration=user.collaboration),
        pass_service_role(studio),
        *git_links(studio.git),
        *endpoints(access),
    ]


def check_size(
    user: NotebookUser,
    kind: IdentityKind,
    *,
    git: GitAccess | None,
    homes: Mapping[str, str],
    roles: Mapping[str, str],
) -> None:
    """Check that a user's policies will hold the user's endpoints, before any of them is made.

    Args:
        user: Who it is.
        kind: What the user is.
        git: What the Studio's workspaces reach of Git.
        homes: Namespace of each endpoint, by its name.
        roles: Name of its execution role, by its name.

    Raises:
        ConfigError: If they do not.
    """
    # Stand-ins that are the same where ARNs will be, and count as the longest.
    found: dict[str, str] = {}

    def arn(kind: str, name: str) -> str:
        return found.setdefault(f"{kind} {name}", f"${{Token[ARN.{len(found)}]}}")

    studio = StudioAccess(arn=arn("studio", ""), service_role_arn=arn("service", ""), git=git)
    access = [
        EndpointAccess(
            arn=arn("endpoint", name),
            virtual_cluster_arn=arn("cluster", homes[name]),
            role_arn=arn("role", roles[name]),
        )
        for name in user.endpoint_names
    ]
    policy_documents(user, kind, user_statements(user, kind, studio, access))


def policy_documents(
    user: NotebookUser, kind: IdentityKind, statements: Sequence[Statement]
) -> list[Statement]:
    """Spread a user's statements over policies.

    Raises:
        ConfigError: If they are more than IAM attaches, or for Identity Center more than one.
    """
    written = documents(statements)
    # EMR takes one session policy for a user.
    most = 1 if kind in _SSO else MAX_POLICIES
    if len(written) > most:
        rule = f"must fit {most} managed {'policy' if most == 1 else 'policies'} of {POLICY_LIMIT}"
        fix = "let endpoints share an execution role and a namespace, or split the user"
        where = f"Notebook user {user.identity_name!r}"
        raise refuse(where, "endpoints", f"{rule} characters", len(user.endpoints), fix)
    return written


def bound_user_role(scope: Construct, studio: EmrStudio) -> None:
    """Give a Studio's user role what its people may do at most, so that session policies narrow it.

    EMR gives each person what both the role and the person's session policy allow.
    """
    if studio.user_role is None:
        return
    access = studio_access(studio)
    statements = [
        *workspaces(collaboration=True),
        pass_service_role(access),
        *git_links(access.git),
        *any_endpoint({STUDIO_TAG: studio.spec.name}),
    ]
    for number, document in enumerate(documents(statements)):
        policy = iam.CfnManagedPolicy(
            scope,
            f"UserRolePolicy{number or ''}",
            description=f"What people of EMR Studio {studio.spec.name} may do at most"[:1000],
            policy_document=document,
            roles=[studio.user_role.role_name],
        )
        found = wildcards(cast(list[Statement], document["Statement"]))
        accept(policy, {wildcard(scope, resource): why for resource, why in found.items()})
        _skip_unnarrowed(policy, document)


def _skip_unnarrowed(policy: iam.CfnManagedPolicy, document: Statement) -> None:
    statements = cast(list[Statement], document["Statement"])
    if any(each["Sid"] in _UNNARROWED for each in statements):
        why = "Workspaces and repositories that are not there yet have no ARN to be told by"
        skip_checkov(policy, {"CKV_AWS_111": why})


def _sign_in_url(scope: Construct, studio: EmrStudio, kind: IdentityKind) -> str:
    auth = studio.spec.auth
    through_idp = kind is IdentityKind.FEDERATED_ROLE and isinstance(auth, SamlAuth)
    if kind in _SSO or (through_idp and cast(SamlAuth, auth).idp_auth_url):
        # The Studio knows where its people sign in.
        return Stack.consume_reference(studio.url, ReferenceStrength.WEAK)
    stack = Stack.of(scope)
    known = "" if Token.is_unresolved(stack.region) else stack.region
    hosts = [host for prefix, host in _HOSTS.items() if known.startswith(prefix)]
    host = hosts[0] if hosts else "console.aws.amazon.com"
    # Read when the stack is deployed: nothing more depends on it.
    id = Stack.consume_reference(studio.id, ReferenceStrength.WEAK)
    return f"https://{host}/emr/home?region={stack.region}#studio/{id}/start"
