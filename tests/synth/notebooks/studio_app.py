"""One small app with the kinds of EMR Studio, for its tests and the static checkers."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import mkdtemp
from typing import Any, cast

import aws_cdk as cdk
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_emrcontainers as emrcontainers
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_secretsmanager as secretsmanager

from cdk_emr_eks.model.notebooks.studio import (
    GitAccess,
    GitSecrets,
    IdentityCenterAuth,
    SamlAuth,
    StudioSpec,
    UserAssignment,
    WorkspaceStorage,
)
from cdk_emr_eks.notebooks.studio import EmrStudio
from cdk_emr_eks.notebooks.studio_network import StudioNetwork
from cdk_emr_eks.security.suppressions import suppress
from tests.synth.platforms.platform_parts import add_network

CENTER = "arn:aws:sso:::instance/ssoins-1234567890abcdef"
PROVIDER = "arn:aws:iam::111122223333:saml-provider/company"
SUBNETS = ("subnet-0aaaaaaaaaaaaaaaa", "subnet-0bbbbbbbbbbbbbbbb")
Resource = dict[str, Any]


@dataclass(frozen=True, kw_only=True, slots=True)
class StudioApp:
    """The synthesized app: plain and shared Studios in ``Two``, the others one a stack."""

    app: cdk.App
    folder: Path
    studios: dict[str, EmrStudio]

    def template(self, stack: str) -> Resource:
        """Template of a stack."""
        path = self.folder / f"{stack}.template.json"
        return cast(Resource, json.loads(path.read_text()))

    def under(self, studio: str, kind: str) -> dict[str, Resource]:
        """Resources of one type that are a Studio's own, by logical id."""
        construct = self.studios[studio]
        path = construct.node.path.partition("/")[2]
        found = self.template(cdk.Stack.of(construct).stack_name)["Resources"]
        return {
            id: item
            for id, item in found.items()
            if item["Type"] == kind and id.startswith(path.replace("/", ""))
        }

    def one(self, studio: str, kind: str) -> Resource:
        """Properties of a Studio's only resource of a type."""
        (found,) = self.under(studio, kind).values()
        return cast(Resource, found["Properties"])

    def statements(self, studio: str) -> dict[str, Resource]:
        """Statements of a Studio's service role, by id; without one, by action."""
        document = self.one(studio, "AWS::IAM::Policy")["PolicyDocument"]
        return {each.get("Sid", each["Action"]): each for each in document["Statement"]}


def stack_of(app: cdk.App, name: str) -> cdk.Stack:
    """A stack that may go to any account and region."""
    return cdk.Stack(app, name)


def imported_network(scope: cdk.Stack) -> StudioNetwork:
    """The network of a VPC that the app cannot tag."""
    vpc = ec2.Vpc.from_vpc_attributes(
        scope,
        "Imported",
        vpc_id="vpc-0123456789abcdef0",
        availability_zones=["eu-west-1a", "eu-west-1b"],
        private_subnet_ids=list(SUBNETS),
    )
    return StudioNetwork(vpc=vpc, subnets=tuple(vpc.private_subnets))


@cache
def studio_app() -> StudioApp:
    """Synthesize once for all tests of Studios."""
    folder = Path(mkdtemp()) / "assembly"
    app = cdk.App(analytics_reporting=False, outdir=str(folder))
    studios = {**_two(app), "federated": _federated(app), "center": _center(app)}
    studios["propagated"] = _propagated(app)
    app.synth()
    return StudioApp(app=app, folder=folder, studios=studios)


def _two(app: cdk.App) -> dict[str, EmrStudio]:
    stack = stack_of(app, "Two")
    network = StudioNetwork.of(add_network(stack))
    plain = EmrStudio(stack, "Plain", spec=StudioSpec(name="plain"), network=network)
    spec = StudioSpec(
        name="shared",
        description="Authors of notebooks",
        git=GitAccess(
            destinations=("140.82.112.0/20", "2a0a:a440::/29", "pl-0123456789abcdef0"),
            secrets=GitSecrets.SERVICE,
        ),
        tags={"cost-center": "42"},
    )
    shared = EmrStudio(stack, "Shared", spec=spec, network=network)
    key = kms.Key(stack, "SecretKey", enable_key_rotation=True)
    secret = secretsmanager.Secret(stack, "Token", encryption_key=cast(kms.IKey, key))
    suppress(secret, {"AwsSolutions-SMG4": "A token of a Git service, renewed by hand"})
    shared.share_git_secret(cast(secretsmanager.ISecret, secret))
    return {"plain": plain, "shared": shared}


def _federated(app: cdk.App) -> EmrStudio:
    stack = stack_of(app, "Federated")
    key = kms.Key.from_key_arn(
        stack, "Key", stack.format_arn(service="kms", resource="key", resource_name="studio")
    )
    auth = SamlAuth(
        provider_arn=PROVIDER,
        idp_auth_url="https://idp.example.com/idp/startSSO.ping?PartnerSpId=aws",
        relay_state_parameter="TargetResource",
    )
    spec = StudioSpec(
        name="federated",
        auth=auth,
        git=True,
        collaboration=False,
        storage=WorkspaceStorage(prefix="studio/files"),
    )
    return EmrStudio(
        stack,
        "Studio",
        spec=spec,
        network=imported_network(stack),
        bucket=s3.Bucket.from_bucket_name(stack, "Bucket", "notebooks-of-the-company"),
        key=key,
    )


def _center(app: cdk.App) -> EmrStudio:
    stack = stack_of(app, "Center")
    logs = s3.Bucket.from_bucket_name(stack, "Logs", "access-logs-of-the-company")
    studio = EmrStudio(
        stack,
        "Studio",
        spec=StudioSpec(
            name="center",
            auth=IdentityCenterAuth(instance_arn=CENTER),
            storage=WorkspaceStorage(keep=False),
        ),
        network=imported_network(stack),
        access_logs=logs,
    )
    endpoints = stack_of(app, "Endpoints")
    endpoint = emrcontainers.CfnEndpoint(
        endpoints,
        "Endpoint",
        name="etl",
        virtual_cluster_id="abcdefghijklmnopqrstuvwxy",
        type="JUPYTER_ENTERPRISE_GATEWAY",
        release_label="emr-7.14.0-latest",
        execution_role_arn=endpoints.format_arn(
            service="iam", region="", resource="role", resource_name="etl"
        ),
    )
    studio.connect_endpoint("etl", endpoint.attr_security_group, scope=endpoints)
    return studio


def _propagated(app: cdk.App) -> EmrStudio:
    stack = stack_of(app, "Propagated")
    auth = IdentityCenterAuth(
        instance_arn=CENTER,
        user_assignment=UserAssignment.OPTIONAL,
        trusted_identity_propagation=True,
    )
    spec = StudioSpec(name="propagated", auth=auth, emr_on_eks=False)
    return EmrStudio(stack, "Studio", spec=spec, network=imported_network(stack))
