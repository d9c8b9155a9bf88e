"""``NotebookAccess``: IAM policies, role and sign-in of one user of a Studio."""

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
    EndpointAccess,
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
from cdk_emr_eks.security.iam_statements import MAX_POLICY_CHARACTERS, Document, Statement
from cdk_emr_eks.security.suppressions import skip_checkov, suppress, wildcard
from cdk_emr_eks.tenants.claims import AppClaims

# Tag of endpoints: name of the Studio whose users may have them.
STUDIO_TAG: Final = "emr-eks/studio"

_SSO: Final = {IdentityKind.SSO_USER: "USER", IdentityKind.SSO_GROUP: "GROUP"}
_UNNARROWED: Final = frozenset({"CreateWorkspaces", "Repositories"})
# Source: https://docs.aws.amazon.com/general/latest/gr/console-service.html
_HOSTS: Final = {
    "cn-": "console.amazonaws.cn",
    "us-gov-": "console.amazonaws-us-gov.com",
}


class NotebookAccess(Construct):
    """Give one user of a Studio access to the user's endpoints only.

    Resources: for an IAM user, group or role one ``AWS::IAM::ManagedPolicy``, or several if
    the endpoints do not fit one; for a federated role the role as well; for a user or group of
    Identity Center the session policy and an ``AWS::EMR::StudioSessionMapping``. Output:
    ``SignInUrl``.

    Attributes:
        user: The user as declared.
        policies: The managed policies.
        role: The federated role. None: for other kinds of users.
        sign_in_url: URL where the user opens the Studio.

    Args:
        user: The user.
        kind: Kind of identity of the user.
        studio: The Studio.
        access: The user's endpoints.

    Raises:
        ConfigError: If there are too many endpoints for IAM's limits, the name of a federated role
            is taken in the app, or the user or group of Identity Center is already assigned.
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
            # CloudFormation reads ARNs of other stacks again only if the resource changes.
            policy.add_metadata("emr-eks/endpoints", " ".join(each.version for each in access))
        accepted = wildcards(statements)
        suppress(self, {wildcard(self, resource): why for resource, why in accepted.items()})
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
            claims.claim(self, "role", name, field=field, rule=rule, in_all_regions=True)
        if kind in _SSO:
            rule = "must be assigned to a Studio once"
            claims.claim(
                self, "studio-member", studio.node.path, kind, name, field=field, rule=rule
            )

    def _policy(self, id: str, document: Document, kind: IdentityKind) -> iam.CfnManagedPolicy:
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
            # For users of the provider, and for the console of this partition only.
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
    """Return the ARNs and options of a Studio for policies."""
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
    """Return all statements of a user."""
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
    """Check that a user's endpoints fit IAM's limits, before any resource is created.

    Args:
        user: The user.
        kind: Kind of identity of the user.
        git: Git services that workspaces of the Studio may reach.
        homes: Namespace of each endpoint, by name of the endpoint.
        roles: Name of its execution role, by name of the endpoint.

    Raises:
        ConfigError: If the endpoints do not fit.
    """
    # Placeholders for ARNs: equal where the ARNs will be equal, and counted as the longest.
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
) -> list[Document]:
    """Spread a user's statements over policies.

    Raises:
        ConfigError: If there are more policies than IAM attaches, or more than one for Identity
            Center.
    """
    written = documents(statements)
    # EMR supports one session policy for a user.
    most = 1 if kind in _SSO else MAX_POLICIES
    if len(written) > most:
        policies = "1 managed policy" if most == 1 else f"{most} managed policies"
        rule = f"must fit {policies} of {MAX_POLICY_CHARACTERS} characters"
        fix = "let endpoints share an execution role and a namespace, or split the user"
        where = f"Notebook user {user.identity_name!r}"
        raise refuse(where, "endpoints", rule, len(user.endpoints), fix)
    return written


def bound_user_role(scope: Construct, studio: EmrStudio) -> None:
    """Give a Studio's user role the permissions that session policies narrow.

    EMR gives each user the permissions that both the role and the user's session policy allow.
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
        suppress(policy, {wildcard(scope, resource): why for resource, why in found.items()})
        _skip_unnarrowed(policy, document)


def _skip_unnarrowed(policy: iam.CfnManagedPolicy, document: Document) -> None:
    statements = cast(list[Statement], document["Statement"])
    if any(each["Sid"] in _UNNARROWED for each in statements):
        why = "Workspaces and repositories that do not exist yet have no ARN"
        skip_checkov(policy, {"CKV_AWS_111": why})


def _sign_in_url(scope: Construct, studio: EmrStudio, kind: IdentityKind) -> str:
    auth = studio.spec.auth
    through_idp = kind is IdentityKind.FEDERATED_ROLE and isinstance(auth, SamlAuth)
    if kind in _SSO or (through_idp and cast(SamlAuth, auth).idp_auth_url):
        # The URL of the Studio redirects to the sign-in page.
        return Stack.consume_reference(studio.url, ReferenceStrength.WEAK)
    stack = Stack.of(scope)
    known = "" if Token.is_unresolved(stack.region) else stack.region
    hosts = [host for prefix, host in _HOSTS.items() if known.startswith(prefix)]
    host = hosts[0] if hosts else "console.aws.amazon.com"
    # Read when the stack is deployed, without an export.
    id = Stack.consume_reference(studio.id, ReferenceStrength.WEAK)
    return f"https://{host}/emr/home?region={stack.region}#studio/{id}/start"
