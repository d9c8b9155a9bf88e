"""``EmrStudio``: a Studio with its security groups, bucket, key and roles."""

from __future__ import annotations

from aws_cdk import CfnOutput, CfnTag, Tags
from aws_cdk import aws_emr as emr
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_secretsmanager as secretsmanager
from constructs import Construct

from cdk_emr_eks.errors import refuse
from cdk_emr_eks.field_types import check_argument
from cdk_emr_eks.labels import EMR_MANAGED_TAG
from cdk_emr_eks.model.notebooks.studio import GitSecrets, IdentityCenterAuth, SamlAuth, StudioSpec
from cdk_emr_eks.notebooks.studio_network import (
    EndpointConnection,
    StudioNetwork,
    StudioSecurityGroups,
)
from cdk_emr_eks.notebooks.studio_roles import (
    StudioServiceRole,
    make_user_role,
    service_statements,
    wildcard_reasons,
)
from cdk_emr_eks.notebooks.workspace_bucket import WorkspaceBucket
from cdk_emr_eks.tenants.claims import AppClaims


class EmrStudio(Construct):
    """Create an EMR Studio with its security groups, workspace bucket, key and roles.

    An app, a stack and a VPC may have several Studios. Only the Studio itself has a fixed name.

    Resources: ``AWS::EMR::Studio``, two security groups with their rules, bucket with policy,
    key, service role with policy; with Identity Center a user role. Outputs: URL and id of the
    Studio, location of the workspaces.

    Args:
        spec: The Studio.
        network: VPC and subnets: ``StudioNetwork.of(cluster.network)``.
        bucket: Existing bucket for workspaces. None: a bucket is created.
        key: Key for the files of workspaces. None: the key of ``bucket``, or a new one. A key whose
            policy does not delegate to IAM must name the service role.
        access_logs: Bucket for the access logs of a bucket that is created here. None: no access
            logs.

    Attributes:
        spec: The Studio as declared.
        resource: The ``AWS::EMR::Studio``.
        id: Id of the Studio, a token.
        arn: ARN of the Studio.
        url: URL of the Studio.
        bucket: Bucket of workspaces.
        key: Key for the files of workspaces.
        service_role: Role of EMR Studio; users may pass it.
        user_role: Role of users of Identity Center, without permissions. None in the other modes.
        engine_security_group: Security group of clusters on EC2.
        workspace_security_group: Security group of workspaces.

    Raises:
        ConfigError: If an argument is of another type, or another Studio of the app has the name in
            the same account and region.

    Source: https://docs.aws.amazon.com/emr/latest/ManagementGuide/emr-studio-set-up.html
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        spec: StudioSpec,
        network: StudioNetwork,
        bucket: s3.IBucket | None = None,
        key: kms.IKey | None = None,
        access_logs: s3.IBucket | None = None,
    ) -> None:
        where = _check(spec, network, bucket, key)
        _check_access_logs(where, bucket, access_logs)
        super().__init__(scope, id)
        _claim(self, spec.name)
        self.spec = spec
        self._connections: set[str] = set()
        vpc_id = network.vpc.vpc_id
        # A VPC that is not looked up yet has none of the subnets that the app selects.
        subnets = network.subnets or network.vpc.private_subnets
        subnet_ids = [subnet.subnet_id for subnet in subnets]
        groups = StudioSecurityGroups(
            self, "SecurityGroups", vpc=network.vpc, studio=spec.name, git=spec.git_access
        )
        self.engine_security_group = groups.engine
        self.workspace_security_group = groups.workspace
        storage = WorkspaceBucket(
            self,
            "Workspaces",
            storage=spec.storage,
            bucket=bucket,
            key=key,
            access_logs=access_logs,
        )
        self.bucket, self.key = storage.bucket, storage.key
        self._service = _service(self, spec, storage, vpc_id, subnet_ids)
        self.service_role: iam.IRole = self._service.role
        self.user_role = (
            make_user_role(self, "UserRole", studio=spec.name)
            if isinstance(spec.auth, IdentityCenterAuth)
            else None
        )
        self.resource = self._studio(vpc_id, subnet_ids, storage.uri)
        # EMR cleans up while it deletes a Studio, so rules and permissions are deleted afterwards.
        self.resource.node.add_dependency(groups, self._service.policy, storage)
        self.id: str = self.resource.attr_studio_id
        self.arn: str = self.resource.attr_arn
        self.url: str = self.resource.attr_url
        name = f"EMR Studio {spec.name}"
        CfnOutput(self, "Url", value=self.url, description=name)
        CfnOutput(self, "Id", value=self.id, description=f"Id of {name}")
        CfnOutput(self, "Location", value=storage.uri, description=f"Workspaces of {name}")

    def require_room(self, endpoints: int) -> None:
        """Check that a number of further endpoints can be connected.

        Raises:
            ConfigError: If the workspaces' security group would have more rules than the account
                allows.
        """
        git = self.spec.git_access
        own = 1 + (len(git.destinations) if git else 0)
        quota = self.spec.rules_per_security_group
        wanted = len(self._connections) + endpoints
        if own + wanted > quota:
            rule = f"must be at most {quota - own} with {quota} outbound rules for a security group"
            fix = (
                "let users share endpoints, use a second Studio, or raise the quota and pass it as "
                "rules_per_security_group"
            )
            raise refuse(f"EmrStudio {self.spec.name!r}", "endpoints", rule, wanted, fix)

    def connect_endpoint(
        self, id: str, security_group_id: str, *, scope: Construct | None = None
    ) -> EndpointConnection:
        """Let workspaces reach a managed endpoint on its port only.

        Args:
            id: Id of the construct, unique in the Studio; the endpoint's name is a good choice.
            security_group_id: Security group that EMR created for the endpoint: the attribute
                ``SecurityGroup`` of the endpoint.
            scope: Scope of the two rules: that of the endpoint. None: the Studio.

        Raises:
            ConfigError: If the Studio is not for EMR on EKS, the id is taken, or the workspaces'
                security group would have more rules than the account allows.
        """
        where = f"EmrStudio {self.spec.name!r}"
        if not self.spec.emr_on_eks:
            raise refuse(where, "emr_on_eks", "must be True to connect endpoints")
        check_argument(where, "security_group_id", str, security_group_id)
        check_argument(where, "scope", Construct | None, scope)
        if id in self._connections:
            raise refuse(where, "id", "must be connected once", id)
        self.require_room(1)
        self._connections.add(id)
        return EndpointConnection(
            scope or self,
            f"Studio-{self.spec.name}-{id}" if scope else f"Endpoint-{id}",
            workspace=self.workspace_security_group,
            endpoint_security_group_id=security_group_id,
        )

    def share_git_secret(self, secret: secretsmanager.ISecret) -> None:
        """Let every workspace use the Git credentials in a secret of this app.

        The secret gets EMR's tag, and the service role the permissions for the secret's key.

        Args:
            secret: User name and password, or token, of a Git service.

        Raises:
            ConfigError: If the Studio does not use Git credentials of the service role, or the
                secret is imported: tag it in the app that creates it.
        """
        where = f"EmrStudio {self.spec.name!r}"
        check_argument(where, "secret", secretsmanager.ISecret, secret)
        git = self.spec.git_access
        if git is None or git.secrets is not GitSecrets.SERVICE:
            rule = "must be GitAccess(secrets=GitSecrets.SERVICE) to share a secret"
            raise refuse(where, "git", rule, git.secrets if git else self.spec.git)
        if not isinstance(secret.node.default_child, secretsmanager.CfnSecret):
            rule = f"must be created in this app; tag an imported one with {EMR_MANAGED_TAG}=true"
            raise refuse(where, "secret", rule, secret.node.path)
        Tags.of(secret).add(EMR_MANAGED_TAG, "true")
        if secret.encryption_key is not None:
            self._service.allow_secret_key(secret.encryption_key)

    def _studio(self, vpc_id: str, subnet_ids: list[str], uri: str) -> emr.CfnStudio:
        spec, auth = self.spec, self.spec.auth
        saml = auth if isinstance(auth, SamlAuth) and auth.idp_auth_url else None
        center = auth if isinstance(auth, IdentityCenterAuth) else None
        return emr.CfnStudio(
            self,
            "Studio",
            name=spec.name,
            description=spec.description or None,
            auth_mode="SSO" if center else "IAM",
            vpc_id=vpc_id,
            subnet_ids=subnet_ids,
            engine_security_group_id=self.engine_security_group.security_group_id,
            workspace_security_group_id=self.workspace_security_group.security_group_id,
            default_s3_location=uri,
            encryption_key_arn=self.key.key_arn,
            service_role=self.service_role.role_arn,
            user_role=self.user_role.role_arn if self.user_role else None,
            idp_auth_url=saml.idp_auth_url if saml else None,
            idp_relay_state_parameter_name=saml.relay_state_parameter if saml else None,
            idc_instance_arn=center.instance_arn if center else None,
            idc_user_assignment=center.user_assignment.value if center else None,
            trusted_identity_propagation_enabled=(
                center.trusted_identity_propagation if center else None
            ),
            tags=[CfnTag(key=key, value=value) for key, value in spec.tags.items()] or None,
        )


def _check(
    spec: StudioSpec, network: StudioNetwork, bucket: s3.IBucket | None, key: kms.IKey | None
) -> str:
    """Check the types of the arguments, and return the name of the Studio for further errors."""
    check_argument("EmrStudio", "spec", StudioSpec, spec)
    where = f"EmrStudio {spec.name!r}"
    check_argument(where, "network", StudioNetwork, network)
    check_argument(where, "bucket", s3.IBucket | None, bucket)
    check_argument(where, "key", kms.IKey | None, key)
    return where


def _claim(studio: EmrStudio, name: str) -> None:
    rule = "must be unique: users and tags identify Studios by it"
    AppClaims.of(studio).claim(studio, "studio", name, field="name", rule=rule)


def _check_access_logs(
    where: str, bucket: s3.IBucket | None, access_logs: s3.IBucket | None
) -> None:
    check_argument(where, "access_logs", s3.IBucket | None, access_logs)
    if bucket is not None and access_logs is not None:
        rule = "must not be given with bucket: configure access logs where that bucket is created"
        raise refuse(where, "access_logs", rule, access_logs.node.path)


def _service(
    scope: Construct,
    spec: StudioSpec,
    storage: WorkspaceBucket,
    vpc_id: str,
    subnet_ids: list[str],
) -> StudioServiceRole:
    """Create the service role with its statements, and with the reasons for wildcards."""
    statements = (
        *service_statements(spec, vpc_id=vpc_id, subnet_ids=subnet_ids),
        *storage.statements(),
    )
    reasons = wildcard_reasons(statements)
    reasons[storage.files] = "Users and EMR choose the names of files"
    service = StudioServiceRole(
        scope, "Service", studio=spec.name, statements=statements, reasons=reasons
    )
    storage.allow(service.role)
    return service
